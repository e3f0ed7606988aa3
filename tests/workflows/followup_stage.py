"""A stage for the follow-up: a rehearsal that has just ended, with guests of whom most came."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from starter.conductor import conduct
from tests.workflows.detours import outage
from tests.workflows.house import House

DAY = timedelta(days=1)


async def live(house: House, event: UUID, until: datetime | None = None) -> None:
    """Let time go by, to an instant or to the end."""
    async with asyncio.timeout(60):
        async for _ in conduct(house.pool, house.client, event, until):
            pass


async def ended_event(working: House, seen_after: timedelta = timedelta()) -> tuple[House, UUID, datetime]:
    """A rehearsal that has just ended: two sponsors, a speaker, guests of whom most came; its follow-up is begun.

    `seen_after` is how long nobody was at work when it ended; before zero, it has not ended yet.
    """
    house = working
    await house.pool.execute("UPDATE automation_rules SET enabled = FALSE WHERE workflow_type <> 'post_event_followup'")
    event = await house.rehearsal()
    await house.pool.execute(
        """
        WITH sponsor AS (
            INSERT INTO sponsors (organizer_id, name, contact_email)
            SELECT organizer_id, 'Sponsor ' || n, 'sponsor' || n || '@sponsor.example' FROM events, generate_series(1, 2) n
            WHERE events.id = $1 RETURNING id
        )
        INSERT INTO sponsorships (event_id, sponsor_id, tier, amount) SELECT $1, id, 'Gold', 5000 FROM sponsor
        """,
        event,
    )
    await house.set_event(event, status="published")
    end: datetime = await house.pool.fetchval("SELECT ends_at FROM events WHERE id = $1", event)
    await live(house, event, end - DAY)
    await house.pool.execute(
        """
        UPDATE registrations SET checked_in_at = $2 WHERE event_id = $1
          AND id IN (SELECT id FROM registrations WHERE event_id = $1 ORDER BY id LIMIT 60)
        """,
        *(event, end - DAY),
    )
    await outage(house, event, end + seen_after)
    await live(house, event, end + seen_after)
    return house, event, end


def id_of(event: UUID) -> str:
    """The workflow of an event's follow-up."""
    return f"post_event_followup/{event}/1"
