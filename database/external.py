"""Occurrences that other systems report."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from database.connection import Pool


async def is_ours(pool: Pool, kind: str) -> bool:
    """Whether a rule takes this kind for something that happened here, so that nobody outside may claim it."""
    found: bool = await pool.fetchval(
        "SELECT EXISTS (SELECT 1 FROM automation_rules WHERE occurrence = $1 AND kind <> 'external')", kind
    )
    return found


async def events_of(pool: Pool, organizer_id: UUID, event_ids: Collection[UUID]) -> set[UUID]:
    """Which of these events are the organizer's, his rehearsals among them."""
    rows = await pool.fetch(
        """
        SELECT e.id FROM events e JOIN organizers o ON o.id = e.organizer_id
        WHERE e.id = ANY($2) AND coalesce(o.rehearsal_of, o.id) = $1
        """,
        *(organizer_id, list(event_ids)),
    )
    return {row["id"] for row in rows}


async def report(pool: Pool, kind: str, event_id: UUID, subject: str, data: dict[str, Any]) -> int:
    """Write the occurrence; its id."""
    id_: int = await pool.fetchval(
        """
        INSERT INTO occurrences (kind, rehearsal, event_id, subject, data, occurred_at)
        SELECT $1, rehearsal_of IS NOT NULL, id, $3, $4, eventos_now(id) FROM events WHERE id = $2
        RETURNING id
        """,
        *(kind, event_id, subject, data),
    )
    return id_
