"""Figures of the whole system: how many, and how late. No names."""

from typing import NamedTuple

from database.connection import Pool


class Figures(NamedTuple):
    """How things stand; ages in seconds, 0 where nothing is due. Of real events only: a rehearsal's clock says nothing here."""

    messages: dict[tuple[str, str], int]
    occurrences_open: int
    occurrences_held: int
    deliveries_held: int
    oldest_occurrence: float
    oldest_message: float


async def count(pool: Pool) -> Figures:
    """Count. Only the first reads a whole table, and a statement that takes too long is given up."""
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        await connection.execute("SET LOCAL statement_timeout = '5s'")
        messages = await connection.fetch(
            "SELECT channel, status, count(*) FROM messages WHERE NOT rehearsal GROUP BY 1, 2"
        )
        row = await connection.fetchrow(
            """
            SELECT (SELECT count(*) FROM occurrences WHERE processed_at IS NULL AND held_at IS NULL AND NOT rehearsal),
                   (SELECT count(*) FROM occurrences WHERE held_at IS NOT NULL AND processed_at IS NULL AND NOT rehearsal),
                   (SELECT count(*) FROM webhook_deliveries WHERE held_at IS NOT NULL AND NOT rehearsal),
                   (SELECT coalesce(extract(epoch FROM now() - min(not_before)), 0)::float8 FROM occurrences
                    WHERE processed_at IS NULL AND held_at IS NULL AND NOT rehearsal AND not_before <= now()),
                   (SELECT coalesce(extract(epoch FROM now() - min(greatest(release_at, coalesce(not_before, release_at)))), 0)::float8
                    FROM messages WHERE status = 'queued' AND NOT rehearsal AND release_at <= now()
                    AND (not_before IS NULL OR not_before <= now()))
            """
        )
    assert row is not None
    return Figures({(one["channel"], one["status"]): one["count"] for one in messages}, *row.values())
