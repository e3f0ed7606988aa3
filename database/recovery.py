"""Recovery: batches whose worker fell silent, holds whose reason is gone, and when there will be something to do."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from database import notifications
from database.batches import LEASE, Batch
from database.connection import Pool
from database.gates import MOVED, Judged, judge


@dataclass(frozen=True, slots=True)
class Overdue:
    """A batch whose lease has ended, taken over under a new token, with its messages in the order of its request."""

    batch: Batch
    judged: list[Judged]
    """What the gates now say to those of its messages that are still open; a webhook may have settled others."""
    whole: bool = True
    """None of its messages was deleted with its event."""

    @property
    def open(self) -> Batch:
        """The batch without the messages that are settled."""
        return replace(self.batch, messages=tuple(one.message for one in self.judged))


async def take_over(pool: Pool, channel: str, *, rehearsal: bool, limit: int) -> list[Overdue]:
    """Take over batches whose lease has ended; from here on their former worker can neither post nor settle them."""
    rows = await pool.fetch(
        """
        UPDATE batches b SET claim_token = gen_random_uuid(), lease_until = now() + $4
        WHERE id IN (SELECT id FROM batches WHERE rehearsal = $1 AND channel = $2 AND lease_until < now()
                     AND status IN ('claimed', 'posted', 'unknown') ORDER BY lease_until LIMIT $3 FOR UPDATE SKIP LOCKED)
        RETURNING b.id, b.claim_token, b.status, b.payload, b.first_posted_at, b.attempts, b.lookups, b.message_ids,
                  (SELECT count(*) FROM messages m WHERE m.id = ANY(b.message_ids)) = cardinality(b.message_ids) AS whole,
                  ARRAY(SELECT m.id FROM unnest(b.message_ids) WITH ORDINALITY AS i(id, place) JOIN messages m USING (id)
                        WHERE m.batch_id = b.id ORDER BY place) AS ids,
                  ARRAY(SELECT m.id FROM messages m WHERE m.id = ANY(b.message_ids) AND m.batch_id = b.id
                        AND m.status IN ('sending', 'unknown')) AS open
        """,
        *(rehearsal, channel, limit, LEASE),
    )
    overdue = []
    for row in rows:
        judged = {one.message.id: one for one in await judge(pool, row["ids"])}
        ours = [judged[id_] for id_ in row["ids"] if id_ in judged]
        still_open = frozenset(row["open"])
        batch = Batch(
            id=row["id"],
            token=row["claim_token"],
            channel=channel,
            rehearsal=rehearsal,
            messages=tuple(one.message for one in ours),
            status=row["status"],
            payload=row["payload"],
            first_posted_at=row["first_posted_at"],
            attempts=row["attempts"],
            lookups=row["lookups"],
            posted=tuple(row["message_ids"]),
        )
        overdue.append(Overdue(batch, [one for one in ours if one.message.id in still_open], row["whole"]))
    return overdue


async def known_ids(pool: Pool, channel: str, *, rehearsal: bool, since: datetime) -> set[str]:
    """The provider's ids of what the ledger knows to be sent since then, with a minute's grace."""
    rows = await pool.fetch(
        """
        SELECT m.provider_id FROM batches b JOIN messages m ON m.id = ANY(b.message_ids)
        WHERE b.channel = $1 AND b.rehearsal = $2 AND b.first_posted_at >= $3 AND m.provider_id IS NOT NULL
        """,
        *(channel, rehearsal, since - timedelta(minutes=1)),
    )
    return {row["provider_id"] for row in rows}


async def report_unknown(pool: Pool, ids: Collection[UUID]) -> None:
    """Show a person that nobody knows whether these messages were sent; once per step."""
    await pool.execute(
        notifications.telling(
            """
            SELECT DISTINCT ON (m.log_id) m.organizer_id, m.event_id, m.automation_id, 'unknown/' || m.log_id,
                   'It is not known whether a message was sent',
                   'Of a message of step ' || m.step || ': ' || rtrim(m.reason, '.')
                   || '. It is not sent again by itself; look into the provider''s log.'
            FROM messages m WHERE m.id = ANY($1) AND m.status = 'unknown'
            """
        ),
        list(ids),
    )


async def sweep(pool: Pool, channel: str, *, rehearsal: bool) -> int:
    """Free what a pause or a missing approval held and nothing holds any more, and what a cancelled automation still holds:
    the gates decide anew.
    """
    status: str = await pool.execute(
        """
        UPDATE messages m SET release_at = eventos_now(m.event_id), reason = NULL
        FROM automation_workflows a
        WHERE a.id = m.automation_id AND m.status = 'queued' AND NOT m.counted AND m.rehearsal = $1 AND m.channel = $2
          AND ((m.release_at = 'infinity' AND m.reason IS DISTINCT FROM $3 AND a.status <> 'paused'
                AND NOT (a.approval = 'required' AND eventos_unapproved(a.id, m.content_id)))
               OR (a.status = 'cancelled' AND m.release_at > eventos_now(m.event_id)))
        """,
        *(rehearsal, channel, MOVED),
    )
    return int(status.rpartition(" ")[2])


async def next_release(pool: Pool, channel: str) -> timedelta | None:
    """How long until the next live message is due. Rehearsals are woken by their conductor instead."""
    wait: timedelta | None = await pool.fetchval(
        """
        WITH RECURSIVE lane AS (
            (SELECT alone, priority, organizer_id, release_at, not_before FROM messages
             WHERE status = 'queued' AND NOT rehearsal AND channel = $1
             ORDER BY alone, priority, organizer_id, release_at LIMIT 1)
            UNION ALL
            SELECT next.* FROM lane CROSS JOIN LATERAL (
                SELECT alone, priority, organizer_id, release_at, not_before FROM messages
                WHERE status = 'queued' AND NOT rehearsal AND channel = $1
                  AND (alone, priority, organizer_id) > (lane.alone, lane.priority, lane.organizer_id)
                ORDER BY alone, priority, organizer_id, release_at LIMIT 1
            ) next
        )
        SELECT min(greatest(release_at, not_before)) - now() FROM lane WHERE release_at < 'infinity'
        """,
        channel,
    )
    return wait
