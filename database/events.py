"""Events as the automations see them."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from database.connection import Connection, Pool


class Event(NamedTuple):
    """What decides whether and how an event can be automated."""

    id: UUID
    name: str
    status: str
    organizer_id: UUID | None
    starts_at: datetime | None
    ends_at: datetime | None
    timezone: str | None
    rehearsal: bool
    now: datetime


async def find(pool: Pool | Connection, reference: str) -> list[Event]:
    """The events a person may mean: by id, or by name (whole, else in part). Rehearsals only by id."""
    rows = await pool.fetch(
        """
        SELECT id, name, status, organizer_id, starts_at, ends_at, timezone, rehearsal_of IS NOT NULL, eventos_now(id)
        FROM events
        WHERE id::text = lower($1)
           OR (rehearsal_of IS NULL AND (lower(name) = lower($1) OR position(lower($1) IN lower(name)) > 0))
        ORDER BY id::text = lower($1) DESC, lower(name) = lower($1) DESC, name LIMIT 10
        """,
        reference,
    )
    events = [Event(*row.values()) for row in rows]
    exact = [event for event in events if reference.lower() in (str(event.id), event.name.lower())]
    return exact or events


async def publish(pool: Pool | Connection, event_id: UUID) -> bool:
    """Set an event's status; the database writes the occurrence. False if it was published already."""
    status: str = await pool.execute(
        "UPDATE events SET status = 'published' WHERE id = $1 AND status IS DISTINCT FROM 'published'", event_id
    )
    return status == "UPDATE 1"


async def get(pool: Pool | Connection, event_id: UUID) -> Event | None:
    """One event by its id."""
    row = await pool.fetchrow(
        """
        SELECT id, name, status, organizer_id, starts_at, ends_at, timezone, rehearsal_of IS NOT NULL, eventos_now(id)
        FROM events WHERE id = $1
        """,
        event_id,
    )
    return None if row is None else Event(*row.values())


async def facts(pool: Pool | Connection, event_id: UUID) -> dict[str, Any]:
    """Everything about an event that words sent to people may speak of; the keys are those of `EventFacts`."""
    row = await pool.fetchrow(
        """
        SELECT e.name, e.tagline, e.description, e.starts_at, e.ends_at, coalesce(e.timezone, '') AS timezone, e.venue, e.city,
               e.address, e.url, e.register_url, e.price, e.brand_color, coalesce(o.name, '') AS organizer_name,
               coalesce(o.postal_address, '') AS organizer_address, e.details,
               ARRAY(SELECT concat_ws(', ', s.name, nullif(s.title, ''), nullif(s.company, ''))
                     FROM speakers s WHERE s.event_id = e.id ORDER BY s.name LIMIT 12)
               || ARRAY(SELECT s.title FROM sessions s WHERE s.event_id = e.id ORDER BY s.starts_at LIMIT 12) AS highlights
        FROM events e LEFT JOIN organizers o ON o.id = e.organizer_id WHERE e.id = $1
        """,
        event_id,
    )
    if row is None:
        raise LookupError(f"There is no event {event_id}.")
    return dict(row)
