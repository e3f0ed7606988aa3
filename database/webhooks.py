"""Deliveries of webhooks: stored once, read once, and looked at again while what they speak of is not there yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from database import notifications
from database.connection import Connection, Pool
from models.webhooks import Provider

PATIENCE = timedelta(hours=24)
"""How long a delivery waits for what it needs, such as the message it speaks of; then it is held and shown."""

LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of a provider, as it came."""

    id: UUID
    provider: Provider
    rehearsal: bool
    body: dict[str, Any]
    """Empty once it has been forgotten."""
    received_at: datetime
    tries: int
    processed: bool
    outcome: str | None
    patient: bool
    """Whether it may still wait for what it needs."""


async def store(
    pool: Pool, provider: Provider, key: str, body: dict[str, Any], message_id: UUID | None, *, rehearsal: bool
) -> bool:
    """Keep a delivery and tell intake, both or neither; False if it was delivered before."""
    new: bool | None = await pool.fetchval(
        """
        WITH delivery AS (
            INSERT INTO webhook_deliveries (provider, rehearsal, delivery_key, body) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING RETURNING id
        )
        INSERT INTO occurrences (kind, rehearsal, event_id, subject, data, occurred_at)
        SELECT 'webhook', $2, m.event_id, coalesce('message/' || $5::uuid, 'delivery/' || d.id),
               jsonb_build_object('delivery', d.id), coalesce(eventos_now(m.event_id), now())
        FROM delivery d LEFT JOIN messages m ON m.id = $5 AND m.rehearsal = $2
        RETURNING TRUE
        """,
        *(provider, rehearsal, key, body, message_id),
    )
    return bool(new)


async def load(pool: Pool, delivery_id: UUID) -> Delivery | None:
    """A delivery as it is now."""
    row = await pool.fetchrow(
        """
        SELECT id, provider, rehearsal, coalesce(body, '{}') AS body, received_at, tries, processed_at IS NOT NULL AS processed, outcome,
               received_at >= now() - $2::interval AS patient
        FROM webhook_deliveries WHERE id = $1
        """,
        *(delivery_id, PATIENCE),
    )
    return Delivery(**dict(row)) if row else None


async def finish(connection: Connection, delivery_id: UUID, outcome: str, message_id: UUID | None = None) -> bool:
    """The delivery has been taken in; False if somebody else has done so, and then nothing else of this transaction may hold."""
    new: bool | None = await connection.fetchval(
        """
        UPDATE webhook_deliveries SET processed_at = now(), outcome = $2, message_id = $3, held_at = NULL
        WHERE id = $1 AND processed_at IS NULL RETURNING TRUE
        """,
        *(delivery_id, outcome, message_id),
    )
    return bool(new)


_HELD = """
    SELECT NULL::uuid, NULL::uuid, NULL::uuid, 'webhooks/' || provider || '/' || current_date,
           'What a provider reports cannot be taken in',
           'Deliveries of ' || provider || ' could not be taken in for a day and are held: ' || $2
           || '. `eventos webhooks` lists them.'
    FROM tried WHERE held
"""


async def postpone(pool: Pool, delivery: Delivery, why: str, message_id: UUID | None) -> str:
    """Look at it again after a while, each time a longer one; after a day it is held, and a person is told."""
    wait = min(timedelta(seconds=2.0 ** min(delivery.tries, 12)), LONGEST_WAIT)
    held: bool | None = await pool.fetchval(
        f"""
        WITH tried AS (
            UPDATE webhook_deliveries
            SET tries = tries + 1, outcome = $2, held_at = CASE WHEN NOT $3::boolean THEN now() END
            WHERE id = $1 AND processed_at IS NULL
            RETURNING id, rehearsal, provider, held_at IS NOT NULL AS held
        ), again AS (
            INSERT INTO occurrences (kind, rehearsal, event_id, subject, data, occurred_at, not_before)
            SELECT 'webhook', t.rehearsal, m.event_id, 'delivery/' || t.id, jsonb_build_object('delivery', t.id),
                   coalesce(eventos_now(m.event_id), now()), now() + $4
            FROM tried t LEFT JOIN messages m ON m.id = $5 AND m.rehearsal = t.rehearsal
            WHERE NOT t.held AND NOT EXISTS (
                SELECT 1 FROM occurrences WHERE subject = 'delivery/' || t.id AND processed_at IS NULL AND not_before > now())
        ), told AS (
            {notifications.telling(_HELD)}
        )
        SELECT held FROM tried
        """,
        *(delivery.id, why, delivery.patient, wait, message_id),
    )
    if held is None:
        return "taken in already"
    return f"held: {why}" if held else f"{why}; looked at again in {wait.total_seconds():.0f} s"


async def forget(pool: Pool, after: timedelta, limit: int) -> int:
    """Delete the bodies of deliveries taken in so long ago, at most so many; that they came is kept, so that each counts once."""
    status = await pool.execute(
        """
        UPDATE webhook_deliveries SET body = NULL WHERE id IN (
            SELECT id FROM webhook_deliveries WHERE body IS NOT NULL AND processed_at < now() - $1::interval
            ORDER BY processed_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        """,
        *(after, limit),
    )
    return int(status.rpartition(" ")[2])
