"""Batches: messages that one worker holds under a token and a lease, and what it writes before it asks the provider."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID, uuid4

from database.connection import Connection, Pool

LEASE = timedelta(seconds=15)
"""Real time that a batch belongs to its claim; no request starts after it. Longer than any request takes."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One message on its way, with what its words need to know of the person."""

    id: UUID
    organizer_id: UUID
    event_id: UUID
    automation_id: UUID
    log_id: UUID
    channel: str
    address: str
    template: str
    content_id: UUID | None
    counted: bool
    attempts: int
    first_name: str | None = None
    company: str | None = None
    timezone: str | None = None
    ticket_type: str | None = None
    ticket_code: str | None = None
    registered: bool = False
    include: Sequence[str] = ()
    """The includes its step named; none leaves it to the template."""
    person_id: UUID | None = None
    alone: bool = False
    """It carries a file, so it goes to the provider in a request of its own."""
    step: str = ""
    date_revision: int | None = None
    """The event's dates as the gates saw them; None for words without a date."""
    valid_until: datetime | None = None
    """When it expires by these dates."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that go to the provider in one request, and the token under which alone they may be settled."""

    id: UUID
    token: UUID
    channel: str
    rehearsal: bool
    messages: tuple[Claimed, ...]
    status: str = "claimed"
    payload: bytes | None = None
    first_posted_at: datetime | None = None
    attempts: int = 0
    """Requests that may have been made before this one."""
    lookups: int = 0
    posted: tuple[UUID, ...] = ()
    """The messages of the request that was made, in its order; of those some may be deleted."""


async def open_batches(
    connection: Connection, channel: str, *, rehearsal: bool, parts: Sequence[tuple[Claimed, ...]]
) -> tuple[Batch, ...]:
    """New batches that belong to the caller until their lease ends. Nothing of them has been posted."""
    batches = tuple(
        Batch(id=uuid4(), token=uuid4(), channel=channel, rehearsal=rehearsal, messages=messages) for messages in parts
    )
    await connection.executemany(
        """
        INSERT INTO batches (id, rehearsal, channel, claim_token, message_ids, lease_until)
        VALUES ($1, $2, $3, $4, $5, now() + $6)
        """,
        [
            (batch.id, rehearsal, channel, batch.token, [message.id for message in batch.messages], LEASE)
            for batch in batches
        ],
    )
    return batches


# What was paused, cancelled, moved or deleted since the gates were asked ($4) goes back to them, and so does, before its first
# request, what was reported as sent meanwhile.
_UNCHANGED = """
    (SELECT count(*) FROM messages WHERE id = ANY($4)) = cardinality($4::uuid[]) AND NOT EXISTS (
        SELECT 1 FROM messages m JOIN automation_workflows a ON a.id = m.automation_id JOIN events e ON e.id = m.event_id
        WHERE m.id = ANY($4) AND CASE WHEN m.status <> 'sending' THEN batches.status = 'claimed'
              ELSE a.status = 'paused' OR m.date_revision < e.date_revision
                   OR ('cancelled' IN (a.status, e.status) AND m.step <> 'event_cancelled') END)
"""


async def store(
    pool: Pool, batch: Batch, payload: bytes, missing: Mapping[UUID, Mapping[str, str]] = MappingProxyType({})
) -> bool:
    """Keep the bytes of the request that is about to be made; False if the batch is not, or no longer, ours to post.

    `missing` says which includes were left out of which message, and why.
    """
    return await _posts(pool, batch, payload, "claimed", missing)


async def post_again(pool: Pool, batch: Batch) -> bool:
    """Keep that the stored bytes are about to be posted once more; False if the batch is no longer ours to post."""
    return await _posts(pool, batch, None, "posted", {})


async def _posts(
    pool: Pool, batch: Batch, payload: bytes | None, status: str, missing: Mapping[UUID, Mapping[str, str]]
) -> bool:
    ours: bool = await pool.fetchval(
        f"""
        WITH own AS (
            UPDATE batches
            SET status = 'posted', payload = coalesce($3, payload), attempts = attempts + 1,
                message_ids = CASE WHEN $3::bytea IS NULL THEN message_ids ELSE $4 END,
                first_posted_at = coalesce(first_posted_at, now()), lease_until = now() + $5
            WHERE id = $1 AND claim_token = $2 AND status = $6 AND lease_until > now() AND {_UNCHANGED}
            RETURNING id
        ), noted AS (
            UPDATE messages m SET missing = n.missing
            FROM own, unnest($7::uuid[], $8::jsonb[]) AS n(id, missing) WHERE m.id = n.id AND m.batch_id = own.id
        )
        SELECT EXISTS (SELECT 1 FROM own)
        """,
        *(batch.id, batch.token, payload, [message.id for message in batch.messages], LEASE, status),
        list(missing),
        [dict(one) for one in missing.values()],
    )
    return ours


async def attempt(pool: Pool, batch: Batch) -> datetime | None:
    """Keep on a message without an idempotency key that its request is about to be made; None if it is not ours to make."""
    attempted_at: datetime | None = await pool.fetchval(
        f"""
        WITH own AS (
            UPDATE batches SET status = 'posted', attempts = attempts + 1, first_posted_at = now(), lease_until = now() + $3
            WHERE id = $1 AND claim_token = $2 AND status = 'claimed' AND lease_until > now() AND {_UNCHANGED}
            RETURNING id
        )
        UPDATE messages m SET attempted_at = now() FROM own WHERE m.batch_id = own.id AND m.status = 'sending'
          AND m.id = ANY($4)
        RETURNING m.attempted_at
        """,
        *(batch.id, batch.token, LEASE, [message.id for message in batch.messages]),
    )
    return attempted_at


async def split(pool: Pool, batch: Batch) -> tuple[Batch, ...]:
    """Halve a batch that the provider refused as a whole: two new batches, two new keys. Empty if it is no longer ours."""
    middle = len(batch.messages) // 2
    async with pool.acquire() as connection, connection.transaction():
        refused = await connection.execute(
            "UPDATE batches SET status = 'refused', payload = NULL WHERE id = $1 AND claim_token = $2",
            batch.id,
            batch.token,
        )
        if refused != "UPDATE 1":
            return ()
        parts = (batch.messages[:middle], batch.messages[middle:])
        halves = await open_batches(connection, batch.channel, rehearsal=batch.rehearsal, parts=parts)
        for half in halves:
            await connection.execute(
                "UPDATE messages SET batch_id = $1 WHERE id = ANY($2) AND batch_id = $3",
                *(half.id, [message.id for message in half.messages], batch.id),
            )
        return halves


async def postpone(pool: Pool, batch: Batch, wait: timedelta, why: str) -> None:
    """Leave a batch whose outcome is open to recovery, not before `wait` has passed."""
    await pool.execute(
        "UPDATE batches SET lease_until = now() + $3, last_error = $4 WHERE id = $1 AND claim_token = $2",
        *(batch.id, batch.token, wait, why),
    )


async def hand_back(pool: Pool, batch: Batch) -> bool:
    """Queue the messages of a batch that was never posted; False if it was, or if it is no longer ours."""
    queued: int = await pool.fetchval(
        """
        WITH own AS (
            DELETE FROM batches WHERE id = $1 AND claim_token = $2 AND status = 'claimed' RETURNING id
        ), queued AS (
            UPDATE messages m SET status = 'queued', batch_id = NULL FROM own
            WHERE m.id = ANY($3) AND m.batch_id = own.id AND m.status = 'sending' RETURNING 1
        )
        SELECT count(*) FROM queued
        """,
        *(batch.id, batch.token, [message.id for message in batch.messages]),
    )
    return queued > 0
