"""A stage for the launch: an event on a stepped clock with a few contacts, one of them a VIP and one registered."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from starter.conductor import conduct
from tests.workflows.house import House

BERLIN = ZoneInfo("Europe/Berlin")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DATE = datetime(2027, 6, 10, 10, tzinfo=BERLIN)
START = DATE - 30 * DAY

OPENING = [
    ("send_announcement", START),
    ("post_social_media", START + 2 * HOUR),
    ("send_whatsapp_broadcast", START + 5 * HOUR),
]
"""What a publication at START brings within hours: the posts wait for noon, a good hour, and the last of them for another."""
ON_TIME = [
    *OPENING,
    ("week_1_reminder", START + 7 * DAY),
    ("week_2_social", START + 14 * DAY),
    ("last_chance_email", DATE - 3 * DAY),
    ("final_reminder", DATE - DAY),
]


@dataclass
class Launch:
    """An event on 10 June 2027 at 10:00 in Berlin, published, and nothing but its launch."""

    house: House
    event: UUID

    @property
    def id(self) -> str:
        return f"event_launch/{self.event}/1"

    async def live(self, until: datetime | None = None) -> None:
        """Let time go by, to an instant or until only news could change anything."""
        async with asyncio.timeout(60):
            async for _ in conduct(self.house.pool, self.house.client, self.event, until):
                pass

    async def move(self, to: datetime) -> None:
        await self.house.set_event(self.event, starts_at=to, ends_at=to + 8 * HOUR)

    async def sent(self) -> list[tuple[str, datetime]]:
        """Which steps sent something, and when their first message went."""
        rows = await self.house.pool.fetch(
            """
            SELECT step, min(sent_at) AS first FROM messages WHERE event_id = $1 AND status = 'sent'
            GROUP BY step, round ORDER BY 2, 1
            """,
            self.event,
        )
        return [(row["step"], row["first"].astimezone(BERLIN)) for row in rows]

    async def became(self) -> dict[str, str]:
        """How each step stands, with the reason if there is one."""
        return await self.house.states(self.id)


async def publish(house: House, at: datetime = START) -> Launch:
    """The event is published at that instant."""
    await house.pool.execute("UPDATE automation_rules SET enabled = FALSE WHERE workflow_type <> 'event_launch'")
    event = await house.event(
        starts_at=DATE,
        venue="River Hall",
        url="https://river.example",
        register_url="https://river.example/register",
    )
    await house.pool.execute("UPDATE organizers SET postal_address = 'Quay 1, 10115 Berlin'")
    await house.pool.execute(
        "UPDATE contacts SET vip = TRUE, whatsapp_opt_in = TRUE, phone = '+4917139200001' WHERE email LIKE '%.1@%'"
    )
    await house.pool.execute(
        "INSERT INTO registrations (event_id, contact_id) SELECT $1, id FROM contacts WHERE email LIKE '%.2@%'", event
    )
    await house.set_event(event, clock_now=at, rehearsal_of=event)
    await house.set_event(event, status="published")
    return Launch(house, event)
