"""Occurrences: something that happened, read once each, in order per subject."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from database import notifications
from database.connection import Pool

HOLD_AFTER = 8
"""Attempts after which an occurrence that fails is held and shown to a person."""


class Occurrence(NamedTuple):
    """One row, claimed for processing."""

    id: int
    kind: str
    rehearsal: bool
    event_id: UUID | None
    automation_id: UUID | None
    subject: str
    data: dict[str, Any]
    occurred_at: datetime
    attempts: int
    created_at: datetime
    """Real time."""


async def due(pool: Pool, limit: int, busy: Collection[str]) -> list[Occurrence]:
    """The oldest open occurrence of each subject that is not busy, facts before fan-out."""
    rows = await pool.fetch(
        """
        SELECT id, kind, rehearsal, event_id, automation_id, subject, data, occurred_at, attempts, created_at
        FROM occurrences o
        WHERE processed_at IS NULL AND held_at IS NULL AND not_before <= now() AND subject <> ALL($2::text[])
          AND NOT EXISTS (SELECT 1 FROM occurrences earlier WHERE earlier.subject = o.subject AND earlier.id < o.id
                          AND earlier.processed_at IS NULL AND earlier.held_at IS NULL)
        ORDER BY lane, id LIMIT $1
        """,
        limit,
        list(busy),
    )
    return [Occurrence(*row.values()) for row in rows]


async def cancelled_since(pool: Pool, event_id: UUID, id_: int) -> bool:
    """Whether an event was cancelled after this occurrence."""
    since: bool = await pool.fetchval(
        """
        SELECT EXISTS (SELECT 1 FROM occurrences WHERE event_id = $1 AND kind = 'event_status_change'
                       AND data ->> 'status' = 'cancelled' AND id > $2)
        """,
        *(event_id, id_),
    )
    return since


async def settle(pool: Pool, id_: int, outcome: str) -> None:
    """Mark an occurrence as processed, with what came of it."""
    await pool.execute(
        "UPDATE occurrences SET processed_at = now(), outcome = $2, last_error = NULL WHERE id = $1", id_, outcome
    )


_HELD = """
    SELECT e.organizer_id, e.id, NULL::uuid, 'occurrence/' || f.id, 'Something that happened could not be taken in',
           f.kind || ': ' || $2::text
    FROM failed f LEFT JOIN events e ON e.id = f.event_id WHERE f.held
"""


async def fail(pool: Pool, id_: int, error: str, *, counts: bool = True) -> bool:
    """Back off after a failure; True if the occurrence is now held. An outage elsewhere does not count."""
    held: bool | None = await pool.fetchval(
        f"""
        WITH failed AS (
            UPDATE occurrences
            SET attempts = attempts + CASE WHEN $3::boolean THEN 1 ELSE 0 END,
                not_before = now() + least($4::interval * power(2, least(attempts, 10)), interval '1 minute'),
                held_at = CASE WHEN $3 AND attempts + 1 >= $5 THEN now() END,
                last_error = $2
            WHERE id = $1
            RETURNING id, held_at IS NOT NULL AS held, event_id, kind
        ), told AS (
            {notifications.telling(_HELD)}
        )
        SELECT held FROM failed
        """,
        id_,
        error,
        counts,
        timedelta(milliseconds=250),
        HOLD_AFTER,
    )
    return bool(held)


async def fan_out(pool: Pool, event_id: UUID, kind: str, data: dict[str, Any], at: datetime) -> int:
    """Tell every running automation of an event; one row each, in the lane below facts."""
    status: str = await pool.execute(
        """
        INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, lane, data, occurred_at)
        SELECT $2, rehearsal, event_id, id, 'automation/' || id, 1, $3, $4 FROM automation_workflows
        WHERE event_id = $1 AND status IN ('pending', 'active', 'paused')
        """,
        event_id,
        kind,
        data,
        at,
    )
    return int(status.rpartition(" ")[2])


async def tell_customs(pool: Pool, event_id: UUID, occurrence: Occurrence) -> int:
    """Tell the running custom automations of an event that ask for this fact; one row each.

    They never forget a fact, so none is told again: thousands may register while a timeline runs.
    """
    status: str = await pool.execute(
        r"""
        INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, data, occurred_at)
        SELECT $2, rehearsal, event_id, id, 'automation/' || id, $3, $4 FROM automation_workflows a
        WHERE event_id = $1 AND workflow_type = 'custom' AND status IN ('pending', 'active', 'paused')
          AND EXISTS (SELECT 1 FROM jsonb_array_elements(definition -> 'steps') s
                      WHERE s ->> 'condition' ~ ('\m' || $2 || '\M'))
          AND NOT EXISTS (SELECT 1 FROM occurrences told WHERE told.event_id = $1 AND told.automation_id = a.id AND told.kind = $2
                          AND told.held_at IS NULL AND (told.processed_at IS NULL OR told.outcome = 'told'))
        """,
        *(event_id, occurrence.kind, occurrence.data, occurrence.occurred_at),
    )
    return int(status.rpartition(" ")[2])


async def next_attempt(pool: Pool) -> timedelta | None:
    """How long until an occurrence that backed off is due again."""
    wait: timedelta | None = await pool.fetchval(
        """
        SELECT min(not_before) - now() FROM occurrences
        WHERE processed_at IS NULL AND held_at IS NULL AND not_before > now()
        """
    )
    return wait


class Rule(NamedTuple):
    """A rule that answers to an occurrence."""

    id: UUID
    name: str
    kind: str
    match: str
    workflow_type: str
    parameters: dict[str, Any]


async def rules_for(pool: Pool, kind: str, event_id: UUID, rule: str | None = None) -> list[Rule]:
    """The enabled rules of everybody and of the event's organizer for one kind of occurrence.

    `rule` is the time or condition rule that brought it about; what a condition rule asks has been answered already.
    """
    rows: list[asyncpg.Record] = await pool.fetch(
        """
        SELECT r.id, r.name, r.kind, CASE WHEN r.kind = 'condition' THEN '' ELSE r.match END, r.workflow_type, r.parameters FROM automation_rules r
        WHERE r.enabled AND (r.kind IN ('event', 'external') AND r.occurrence = $1 OR r.id = $3::text::uuid)
          AND (r.organizer_id IS NULL OR r.organizer_id IN
               (SELECT coalesce(o.rehearsal_of, o.id) FROM events e JOIN organizers o ON o.id = e.organizer_id WHERE e.id = $2))
        ORDER BY r.created_at
        """,
        kind,
        event_id,
        rule,
    )
    return [Rule(*row.values()) for row in rows]
