"""The ledger as people read it: who got what, when, and why not."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from database.connection import Pool

STATUSES = ("queued", "sending", "sent", "failed", "skipped", "cancelled", "unknown")


class Entry(NamedTuple):
    """One message. `at` is when it was sent, else when it is or was due, by the event's clock."""

    id: UUID
    automation_id: UUID
    step: str
    round: int
    at: datetime
    person_id: UUID | None
    address: str
    channel: str
    template: str
    status: str
    reason: str | None
    """Why it was skipped, failed, waits or is unknown, in plain words."""
    delivered_at: datetime | None
    opened_at: datetime | None
    clicked_at: datetime | None


async def entries(
    pool: Pool, event_id: UUID, *, step: str | None, status: str | None, automation_id: UUID | None, limit: int
) -> tuple[list[Entry], int]:
    """The latest of an event's messages that fit, oldest first, and how many fit in all."""
    rows = await pool.fetch(
        """
        SELECT m.id, m.automation_id, m.step, m.round, coalesce(m.sent_at, m.release_at) AS at, m.person_id, m.address,
               m.channel, m.template, m.status, m.reason, m.delivered_at, m.opened_at, m.clicked_at, count(*) OVER () AS fitting
        FROM messages m
        WHERE m.event_id = $1 AND ($2::text IS NULL OR m.step = $2) AND ($3::text IS NULL OR m.status = $3)
          AND ($4::uuid IS NULL OR m.automation_id = $4)
        ORDER BY at DESC, m.step DESC, m.id DESC LIMIT $5
        """,
        *(event_id, step, status, automation_id, limit),
    )
    found = [Entry(*list(row.values())[:-1]) for row in reversed(rows)]
    return found, rows[0]["fitting"] if rows else 0


async def steps(pool: Pool, event_id: UUID) -> list[str]:
    """The steps of an event that have messages."""
    rows = await pool.fetch("SELECT DISTINCT step FROM messages WHERE event_id = $1 ORDER BY step", event_id)
    return [row["step"] for row in rows]
