"""Settling: what became of messages, told to the ledger and to the journal in one transaction."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from database import journal, notifications
from database.batches import Batch
from database.connection import Connection, Pool
from database.tallies import Change, tally
from database.unmentioned import WAITS

Final = Literal["sent", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message."""

    id: UUID
    status: Final
    reason: str | None = None
    provider_id: str | None = None


async def settle(
    pool: Pool,
    batch: Batch,
    outcomes: Sequence[Outcome],
    *,
    batch_status: Literal["claimed", "settled", "unknown"] = "settled",
    was: Literal["sending", "unknown"] = "sending",
    look_again: timedelta | None = None,
) -> bool:
    """Settle messages under their claim's token; False, and nothing is changed, if somebody else has taken the batch over.

    `claimed` leaves the batch as it is, for outcomes that come before its request. An `unknown` batch is looked up again
    after `look_again`, or never.
    """
    async with pool.acquire() as connection, connection.transaction():
        # `status || ''` keeps PostgreSQL from the partial indexes on status, which it takes for small by old statistics;
        # positions in arrays keep it from comparing every outcome with every message.
        moved = await connection.fetch(
            """
            WITH own AS (
                UPDATE batches
                SET status = $3, lookups = lookups + CASE WHEN $3 = 'unknown' THEN 1 ELSE 0 END,
                    payload = CASE WHEN $3 = 'claimed' THEN payload END,
                    lease_until = CASE WHEN $3 = 'unknown' THEN coalesce(now() + $4::interval, 'infinity') ELSE lease_until END,
                    ask_at = coalesce(now() + $10::interval, ask_at)
                WHERE id = $1 AND claim_token = $2 RETURNING id
            )
            UPDATE messages m
            SET status = ($6::text[])[array_position($5::uuid[], m.id)],
                reason = ($7::text[])[array_position($5::uuid[], m.id)],
                provider_id = coalesce(($8::text[])[array_position($5::uuid[], m.id)], m.provider_id),
                sent_at = CASE WHEN ($6::text[])[array_position($5::uuid[], m.id)] = 'sent' THEN coalesce(e.clock_now, now()) END
            FROM own, events e
            WHERE m.id = ANY($5) AND m.batch_id = own.id AND m.status || '' = $9 AND e.id = m.event_id
            RETURNING m.log_id, m.status, m.counted, m.reason, m.missing::text
            """,
            *(batch.id, batch.token, batch_status, look_again),
            [outcome.id for outcome in outcomes],
            [outcome.status for outcome in outcomes],
            [outcome.reason for outcome in outcomes],
            [outcome.provider_id for outcome in outcomes],
            was,
            WAITS[0] if _is_reported(batch, outcomes) else None,
        )
        settled = Counter(tuple(row.values()) for row in moved)
        changes = [
            Change(log_id, was, status, counted, reason, count, json.loads(missing) if missing else {})
            for (log_id, status, counted, reason, missing), count in settled.items()
            if status != was
        ]
        await tally(connection, changes, batch.channel)
        return bool(moved) or not outcomes


def _is_reported(batch: Batch, outcomes: Sequence[Outcome]) -> bool:
    """Whether a provider will tell what becomes of these: it does of mail and WhatsApp messages. Rehearsals' people are scripted."""
    told = batch.channel in ("email", "whatsapp") and not batch.rehearsal
    return told and any(outcome.status == "sent" for outcome in outcomes)


async def queue_again(pool: Pool, batch: Batch, wait: timedelta = timedelta()) -> bool:
    """Queue the messages of a refused batch again, not before `wait` has passed; False if somebody else has taken it over."""
    status: str = await pool.execute(
        """
        WITH own AS (
            UPDATE batches SET status = 'refused', payload = NULL WHERE id = $1 AND claim_token = $2 RETURNING id
        )
        UPDATE messages m
        SET status = 'queued', batch_id = NULL, attempted_at = NULL, missing = NULL, not_before = now() + $4
        FROM own WHERE m.id = ANY($3) AND m.batch_id = own.id AND m.status || '' = 'sending'
        """,
        *(batch.id, batch.token, [message.id for message in batch.messages], wait),
    )
    return status != "UPDATE 0"


async def fail_step(pool: Pool, log_id: UUID, channel: str, reason: str) -> None:
    """Fail every message of a step that is still queued on a channel: what is missing is missing for all of them."""
    async with pool.acquire() as connection, connection.transaction():
        moved = await connection.fetch(
            """
            UPDATE messages SET status = 'failed', reason = $3 WHERE log_id = $1 AND channel = $2 AND status = 'queued'
            RETURNING counted
            """,
            log_id,
            channel,
            reason,
        )
        counts = Counter(row["counted"] for row in moved)
        await tally(
            connection,
            [Change(log_id, "queued", "failed", counted, reason, n) for counted, n in counts.items()],
            channel,
        )


async def cancel_earlier(connection: Connection, automation_id: UUID) -> None:
    """Cancel what cancelled earlier generations of an automation still have in the queue, so that this one can send it."""
    moved = await connection.fetch(
        """
        UPDATE messages m
        SET status = 'cancelled', reason = coalesce(a.cancelled_because, 'the automation was cancelled')
        FROM automation_workflows mine
        JOIN automation_workflows a ON a.workflow_type = mine.workflow_type AND a.subject_id = mine.subject_id
        JOIN workflow_execution_logs l ON l.workflow_id = a.id
        WHERE mine.id = $1 AND a.generation < mine.generation AND a.status = 'cancelled' AND m.log_id = l.id
          AND m.status = 'queued'
        RETURNING m.log_id, m.channel, m.counted, m.reason
        """,
        automation_id,
    )
    counts = Counter((row["channel"], row["log_id"], row["counted"], row["reason"]) for row in moved)
    for (channel, log_id, counted, reason), n in counts.items():
        await tally(connection, [Change(log_id, "queued", "cancelled", counted, reason, n)], channel)


async def trouble(pool: Pool, log_ids: Iterable[UUID], words: str) -> None:
    """Say that the provider refuses the account: in the journal, on the automation, and to the organizer once."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            """
            SELECT l.id, a.id AS automation_id FROM workflow_execution_logs l JOIN automation_workflows a ON a.id = l.workflow_id
            WHERE l.id = ANY($1) AND l.status = 'running' AND l.error_message IS DISTINCT FROM $2
            ORDER BY a.id, l.id FOR NO KEY UPDATE OF a, l
            """,
            list(set(log_ids)),
            words,
        )
        for row in rows:
            await connection.execute(
                "UPDATE workflow_execution_logs SET error_message = $2 WHERE id = $1", row["id"], words
            )
            await journal.recount(connection, [row["automation_id"]])
            await notifications.tell_of(
                connection, row["automation_id"], f"trouble/{row['id']}", "A provider refuses to send", words
            )
