"""Messages that no webhook has mentioned: which of them a provider is to be asked about, and when."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from database import notifications
from database.connection import Pool

WAITS = tuple(timedelta(hours=n) for n in (1, 6, 24))
"""How long webhooks are waited for before the provider is asked, and then asked again; after that no more. Real time."""

BATCHES = 100
"""Batches that one look goes through at most: most have nothing that was not mentioned."""


class Unmentioned(NamedTuple):
    """A message that was sent, and no more is known of it."""

    id: UUID
    provider_id: str


async def due(pool: Pool, channel: str, limit: int) -> list[Unmentioned]:
    """Up to so many messages to ask about now. Each is handed out once in a round; what is not asked then waits for the next."""
    found: list[Unmentioned] = []
    for _ in range(BATCHES):
        rows = await pool.fetch(
            """
            WITH due AS (
                SELECT id, message_ids, asked FROM batches WHERE channel = $1 AND ask_at <= now()
                ORDER BY ask_at LIMIT 1 FOR UPDATE SKIP LOCKED
            ), silent AS (
                UPDATE messages m SET asked = due.asked + 1 FROM due WHERE m.id IN (
                    SELECT s.id FROM due, messages s
                    WHERE s.id = ANY(due.message_ids) AND s.batch_id = due.id AND s.status || '' = 'sent' AND s.asked <= due.asked
                      AND s.provider_id IS NOT NULL
                      AND coalesce(s.delivered_at, s.opened_at, s.bounced_at, s.complained_at) IS NULL
                    ORDER BY s.id LIMIT $2 FOR UPDATE OF s SKIP LOCKED)
                RETURNING m.id, m.provider_id
            ), more AS (
                SELECT count(*) = $2 AS there FROM silent
            ), turn AS (
                UPDATE batches b
                SET asked = CASE WHEN more.there THEN b.asked ELSE b.asked + 1 END,
                    ask_at = CASE WHEN more.there THEN b.ask_at ELSE now() + ($3::interval[])[b.asked + 1] END
                FROM due, more WHERE b.id = due.id
            )
            SELECT silent.id, silent.provider_id FROM due LEFT JOIN silent ON TRUE
            """,
            *(channel, limit - len(found), WAITS[1:]),
        )
        found += [Unmentioned(**dict(row)) for row in rows if row["id"] is not None]
        if not rows or len(found) == limit:
            break
    return found


async def report(pool: Pool, provider: str, body: str) -> None:
    """Tell the operator that a provider's webhooks do not arrive; once a day."""
    await pool.execute(
        notifications.telling(
            """
            SELECT NULL::uuid, NULL::uuid, NULL::uuid, 'webhooks/' || $1::text || '/missing/' || current_date,
                   'The webhooks of a provider do not arrive', $2::text
            """
        ),
        *(provider, body),
    )
