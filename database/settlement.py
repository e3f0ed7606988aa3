"""Settling: what became of messages, told to the ledger and to the journal in one transaction."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from database import journal
from database.batches import Batch
from database.connection import Pool
from database.tallies import Change, tally

Final = Literal["sent", "failed", "unknown", "queued"]
"""`queued`: certainly not sent; it goes back and passes the gates again."""


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
    batch_status: Literal["claimed", "settled", "refused", "unknown"] = "settled",
    was: Literal["sending", "unknown"] = "sending",
    wait: timedelta = timedelta(),
    look_again: timedelta | None = None,
) -> bool:
    """Settle a batch under its claim's token; False, and nothing is changed, if somebody else has taken it over.

    `claimed` leaves the batch as it is, for outcomes that come before its request. Messages that go back to the queue are not tried before `wait` has passed; an `unknown` batch is looked up again after
    `look_again`, or never.
    """
    async with pool.acquire() as connection, connection.transaction():
        moved = await connection.fetch(
            """
            WITH own AS (
                UPDATE batches
                SET status = $3, lookups = lookups + CASE WHEN $3 = 'unknown' THEN 1 ELSE 0 END,
                    payload = CASE WHEN $3 IN ('claimed', 'unknown') THEN payload END,
                    lease_until = CASE WHEN $3 = 'unknown' THEN coalesce(now() + $10::interval, 'infinity') ELSE lease_until END
                WHERE id = $1 AND claim_token = $2 RETURNING id
            )
            UPDATE messages m
            SET status = o.status, reason = o.reason, provider_id = coalesce(o.provider_id, m.provider_id),
                sent_at = CASE WHEN o.status = 'sent' THEN coalesce(e.clock_now, now()) ELSE m.sent_at END,
                batch_id = CASE WHEN o.status = 'queued' THEN NULL ELSE m.batch_id END,
                attempted_at = CASE WHEN o.status = 'queued' THEN NULL ELSE m.attempted_at END,
                not_before = CASE WHEN o.status = 'queued' THEN now() + $9 END
            FROM own, unnest($4::uuid[], $5::text[], $6::text[], $7::text[]) AS o(id, status, reason, provider_id), events e
            WHERE m.id = ANY($4) AND m.id = o.id AND m.batch_id = own.id AND m.status = $8 AND e.id = m.event_id
            RETURNING m.log_id, m.status, m.counted, m.reason
            """,
            *(batch.id, batch.token, batch_status),
            [outcome.id for outcome in outcomes],
            [outcome.status for outcome in outcomes],
            [outcome.reason for outcome in outcomes],
            [outcome.provider_id for outcome in outcomes],
            *(was, wait, look_again),
        )
        settled = Counter((row["log_id"], row["status"], row["counted"], row["reason"]) for row in moved)
        changes = [
            Change(log_id, was, status, counted, reason, count)
            for (log_id, status, counted, reason), count in settled.items()
            if status not in ("queued", was)
        ]
        await tally(connection, changes, batch.channel)
        return bool(moved) or not outcomes


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
            connection, [Change(log_id, "queued", "failed", counted, reason, n) for counted, n in counts.items()], channel
        )


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
            await connection.execute("UPDATE workflow_execution_logs SET error_message = $2 WHERE id = $1", row["id"], words)
            await connection.execute(
                "UPDATE automation_workflows SET last_error = $2, updated_at = now() WHERE id = $1", row["automation_id"], words
            )
            await journal.tell(connection, f"trouble/{row['id']}", row["automation_id"], "A provider refuses to send", words)
