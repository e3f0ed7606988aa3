"""The dates of an event: what they were before each move, and which moments count from them."""

from datetime import datetime
from uuid import UUID

from database.connection import Pool
from models.automation import Anchors
from models.moments import parse


def counted_from(text: str | None) -> dict[str, str | None] | None:
    """A moment that counts from the event's dates, as `eventos_instant` reads it; None for any other."""
    if text is None or (moment := parse(text)).anchor not in ("event_date", "event_end"):
        return None
    at = None if moment.at is None else moment.at.isoformat()
    return {"anchor": moment.anchor, "span": f"{moment.amount} {moment.unit}", "at": at}


async def moves(pool: Pool, event_id: UUID, since: int, anchors: Anchors) -> list[tuple[datetime, Anchors]]:
    """The moves of an event's dates after a revision and up to that of `anchors`: when each was, and the anchors it brought."""
    rows = await pool.fetch(
        """
        SELECT moved_at, starts_at, ends_at, timezone FROM event_dates
        WHERE event_id = $1 AND date_revision >= $2 AND date_revision < $3 ORDER BY date_revision
        """,
        *(event_id, since, anchors.date_revision),
    )
    brought = [
        anchors.model_copy(
            update={"event_date": row["starts_at"], "event_end": row["ends_at"], "zone": row["timezone"] or ""}
        )
        for row in rows[1:]
    ]
    return [(row["moved_at"], then) for row, then in zip(rows, (*brought, anchors), strict=False)]
