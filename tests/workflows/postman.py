"""The postman of tests: the dispatcher's part of the story without providers, and with those gates that stop a whole automation."""

from collections import Counter

from database.connection import Pool
from database.deliverable_tracking import HANDED_IN
from database.notices import OF_CANCELLATION
from database.tallies import Change, tally


async def deliver(pool: Pool, status: str, why: str | None) -> int:
    """Settle every message that is due as `status`, unless its automation or event is cancelled or paused, it comes again by a moved
    date, or it asks for what has been handed in.
    """
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            f"""
            UPDATE messages m
            SET status = CASE WHEN {HANDED_IN} OR m.date_revision < e.date_revision AND (SELECT again_at FROM eventos_moved(m)) NOTNULL
                                   THEN 'skipped'
                              WHEN 'cancelled' IN (a.status, e.status) AND NOT {OF_CANCELLATION} THEN 'cancelled'
                              ELSE $1 END,
                reason = CASE WHEN {HANDED_IN} THEN 'it was handed in meanwhile'
                              WHEN m.date_revision < e.date_revision AND (SELECT again_at FROM eventos_moved(m)) NOTNULL
                                   THEN 'the event''s date was moved'
                              WHEN a.status = 'cancelled' AND NOT {OF_CANCELLATION} THEN 'the automation was cancelled'
                              WHEN e.status = 'cancelled' AND NOT {OF_CANCELLATION} THEN 'the event was cancelled'
                              ELSE $2 END,
                sent_at = CASE WHEN $1 = 'sent' THEN eventos_now(m.event_id) END
            FROM automation_workflows a JOIN events e ON e.id = a.event_id
            WHERE a.id = m.automation_id AND a.status <> 'paused' AND m.status = 'queued'
              AND m.release_at <= eventos_now(m.event_id)
            RETURNING m.log_id, m.channel, m.status, m.reason
            """,
            *(status, why),
        )
        settled = Counter((row["channel"], row["log_id"], row["status"], row["reason"]) for row in rows)
        for (channel, log_id, now, said), count in settled.items():
            change = Change(log_id, "queued", now, counted=True, reason=said, count=count)
            await tally(connection, [change], channel)
    return len(rows)
