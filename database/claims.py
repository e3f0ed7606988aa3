"""Claiming: which messages go next, past every gate, into a batch that one worker holds for a while."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from database.batches import Batch, open_batches
from database.connection import Connection, Pool
from database.gates import MOVED, SETTINGS, Judged, judge
from database.tallies import Change, tally
from models.messages import Channel
from models.phones import international

LOCK_WAIT = "300ms"
"""How long a claim waits for an automation's row. Shorter than PostgreSQL takes to look for a deadlock, so that a claim gives way
to whoever pauses, resumes or cancels."""

RIVAL_WAIT = timedelta(seconds=2)

PARKED = ("paused", "unapproved")
"""What waits for a person, until whoever decides lets it go."""

HELD = (*PARKED, "held")
"""What may go later."""

# One step per organizer with queued messages (a loose scan of idx_messages_due), then each due organizer's oldest. When
# several share a priority each gets its share first; a second share is read so that small ones do not leave a batch half empty.
# Written out instead of parameters, PostgreSQL plans it once per connection; `status || ''` keeps it from taking idx_messages_due
# for the rows that are already known by id.
PICK = """
WITH RECURSIVE lane AS (
    (SELECT priority, organizer_id, release_at FROM messages
     WHERE status = 'queued' AND rehearsal = {rehearsal} AND channel = '{channel}' AND alone = {alone}
     ORDER BY priority, organizer_id, release_at LIMIT 1)
    UNION ALL
    SELECT next.priority, next.organizer_id, next.release_at FROM lane CROSS JOIN LATERAL (
        SELECT priority, organizer_id, release_at FROM messages
        WHERE status = 'queued' AND rehearsal = {rehearsal} AND channel = '{channel}' AND alone = {alone}
          AND (priority, organizer_id) > (lane.priority, lane.organizer_id)
        ORDER BY priority, organizer_id, release_at LIMIT 1
    ) next
), due AS (
    SELECT lane.priority, lane.organizer_id, clock.at, count(*) OVER (PARTITION BY lane.priority) AS organizers
    FROM lane CROSS JOIN LATERAL (
        -- the organizer of a rehearsal has one event
        SELECT coalesce((SELECT max(e.clock_now) FROM events e WHERE {rehearsal} AND e.organizer_id = lane.organizer_id), now()) AS at
    ) clock
    WHERE lane.release_at <= clock.at
), candidate AS (
    SELECT one.id, due.priority, one.place, one.release_at FROM due CROSS JOIN LATERAL (
        SELECT m.id, m.release_at, row_number() OVER (ORDER BY m.release_at) AS place FROM messages m
        WHERE m.status = 'queued' AND m.rehearsal = {rehearsal} AND m.channel = '{channel}' AND m.alone = {alone}
          AND m.priority = due.priority AND m.organizer_id = due.organizer_id AND m.release_at <= due.at AND (m.not_before IS NULL OR m.not_before <= now())
        ORDER BY m.release_at LIMIT least({limit}, ceil(2.0 * {limit} / due.organizers))
    ) one
    ORDER BY due.priority, one.place, one.release_at LIMIT {limit}
)
SELECT id FROM messages WHERE id = ANY(ARRAY(SELECT id FROM candidate)) AND status || '' = 'queued' FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a look at the queue brought."""

    batches: tuple[Batch, ...] = ()
    stopped: int = 0
    """Messages that the gates stopped, for good or for later."""

    @property
    def idle(self) -> bool:
        """Nothing was due."""
        return not self.batches and not self.stopped


async def claim(
    pool: Pool, channel: Channel, *, rehearsal: bool, limit: int, batches: int = 1, alone: bool = False
) -> Claim:
    """Take due messages past the gates. Those that pass are `sending`, in up to `batches` batches of up to `limit` each.

    With `alone` it takes those that go in a request of their own, one per batch, and without it none of them.
    """
    limit = 1 if alone else limit
    pick = PICK.format(rehearsal=rehearsal, channel=channel, limit=limit * batches, alone=alone)
    try:
        async with pool.acquire() as connection, connection.transaction():
            ids = [row["id"] for row in await connection.fetch(pick)]
            if not ids:
                return Claim()
            if channel == "whatsapp":
                ids = await _spelt(connection, ids)
            judged = await judge(connection, ids)
            stopped = await _stop(connection, channel, [one for one in judged if one.verdict != "send"])
            going = [one.message for one in judged if one.verdict == "send"]
            parts = [tuple(going[start : start + limit]) for start in range(0, len(going), limit)]
            taken = await open_batches(connection, channel, rehearsal=rehearsal, parts=parts)
            await _take(connection, taken)
            return Claim(taken, stopped)
    except (asyncpg.UniqueViolationError, asyncpg.LockNotAvailableError):
        # A rival on the same topic, or somebody at the automation's row, was faster: the next look sees what they did.
        return Claim()


async def _spelt(connection: Connection, ids: Sequence[UUID]) -> list[UUID]:
    """Spell phone numbers as everybody else does, before the gates look: a STOP names a number as it is dialled.

    Here and not when they are queued: for an audience of 100,000 that would be seconds within one statement's transaction. Of those
    that turn out to be one number of one step the first goes on, and the gates see it when the others are claimed.
    """
    rows = await connection.fetch("SELECT id, log_id, address FROM messages WHERE id = ANY($1)", ids)
    first = {(row["log_id"], international(row["address"]) or row["address"]): row for row in reversed(rows)}
    spelt = [(row["id"], number) for (_, number), row in first.items() if number != row["address"]]
    if spelt:
        await connection.executemany("UPDATE messages SET address = $2 WHERE id = $1", spelt)
    return [row["id"] for row in first.values()]


async def _stop(connection: Connection, channel: str, judged: list[Judged]) -> int:
    """Write what the gates said to those that may not go; returns how many."""
    if not judged:
        return 0
    await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
    # Whoever resumes, approves, moves an event or changes an organizer's settings holds that row and frees what is held; a hold written
    # after that would not be freed.
    locked = await connection.fetch(
        "SELECT id, status FROM automation_workflows WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
        list({one.message.automation_id for one in judged if one.verdict in PARKED}),
    )
    paused = {row["id"] for row in locked if row["status"] == "paused"}
    unapproved = await connection.fetch(
        "SELECT id FROM messages WHERE id = ANY($1) AND eventos_unapproved(automation_id, content_id)",
        [one.message.id for one in judged if one.verdict == "unapproved"],
    )
    moved = {one.message.event_id: one.message.date_revision for one in judged if one.reason == MOVED}
    events = await connection.fetch(
        "SELECT id, date_revision FROM events WHERE id = ANY($1) ORDER BY id FOR SHARE", list(moved)
    )
    unmoved = {row["id"] for row in events if row["date_revision"] == moved[row["id"]]}
    settings = await connection.fetch(
        f"SELECT m.id, {SETTINGS} AS settings FROM organizers m WHERE id = ANY($1) ORDER BY id FOR SHARE",
        list({one.message.organizer_id for one in judged if one.verdict == "held" and one.reason != MOVED}),
    )
    unchanged = {(row["id"], row["settings"]) for row in settings}
    still = {row["id"] for row in unapproved} | {
        one.message.id
        for one in judged
        if (one.verdict == "paused" and one.message.automation_id in paused)
        or (one.reason == MOVED and one.message.event_id in unmoved)
        or (one.verdict == "held" and (one.message.organizer_id, one.settings) in unchanged)
    }
    stopped = [one for one in judged if one.verdict not in HELD or one.message.id in still]
    await connection.execute(
        """
        UPDATE messages m
        SET status = CASE WHEN v.verdict IN ('cancelled', 'skipped') THEN v.verdict ELSE 'queued' END, reason = v.reason,
            release_at = CASE WHEN v.verdict IN ('paused', 'unapproved') THEN 'infinity' WHEN v.verdict = 'held' THEN v.until
                              ELSE m.release_at END,
            counted = m.counted AND v.verdict NOT IN ('paused', 'unapproved', 'held'),
            not_before = CASE v.verdict WHEN 'wait' THEN now() + $5 END
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS v(id, verdict, reason, until)
        WHERE m.id = v.id
        """,
        [one.message.id for one in stopped],
        [one.verdict for one in stopped],
        [one.reason for one in stopped],
        [one.until for one in stopped],
        RIVAL_WAIT,
    )
    await tally(connection, _changes(stopped), channel)
    return len(stopped)


def _changes(stopped: list[Judged]) -> list[Change]:
    """How the journal counts them: what was held before and is held again changes nothing there."""
    return [
        Change(
            one.message.log_id,
            "queued",
            "held" if one.verdict in HELD else one.verdict,
            one.message.counted,
            one.reason,
        )
        for one in stopped
        if one.verdict != "wait" and not (one.verdict in HELD and not one.message.counted)
    ]


async def _take(connection: Connection, batches: Sequence[Batch]) -> None:
    for batch in batches:
        await connection.execute(
            """
            UPDATE messages m
            SET status = 'sending', batch_id = $1, attempts = attempts + 1, reason = NULL, not_before = NULL,
                -- its words are made from now on, of the dates that the gates saw; should others hold by then, it goes back to them
                date_revision = seen.date_revision, valid_until = seen.valid_until
            FROM unnest($2::uuid[], $3::integer[], $4::timestamptz[]) AS seen(id, date_revision, valid_until)
            WHERE m.id = seen.id
            """,
            batch.id,
            [message.id for message in batch.messages],
            [message.date_revision for message in batch.messages],
            [message.valid_until for message in batch.messages],
        )
