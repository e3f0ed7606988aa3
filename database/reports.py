"""What has become of an event's automations: every step, who got what, and why not."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from database.connection import Pool
from database.notifications import NOTICES


class StepRow(NamedTuple):
    """One round of one step, with its messages counted."""

    automation_id: UUID
    workflow_type: str
    own: bool
    """Whether the automation is about one of many: a sponsor, an attendee, a deliverable."""
    name: str
    round: int
    due_at: datetime | None
    ended_at: datetime | None
    status: str
    error: str | None
    result: dict[str, Any]
    queued: int
    sent: int
    failed: int
    unknown: int
    skipped: dict[str, int]
    failures: dict[str, int]


async def steps(
    pool: Pool, event_id: UUID, ended_after: datetime | None = None, ended_until: datetime | None = None
) -> list[StepRow]:
    """Every journal row of an event's automations in the order they were due; messages counted from the ledger itself.

    With `ended_until` only those that ended between two business instants, the first of which is left out.
    """
    rows = await pool.fetch(
        """
        SELECT l.workflow_id, a.workflow_type, a.subject_id <> a.event_id, l.step_id, l.round, l.due_at, l.ended_at, l.status, l.error_message,
               coalesce(l.result, '{}') AS result, coalesce(m.queued, 0)::int, coalesce(m.sent, 0)::int,
               coalesce(m.failed, 0)::int, coalesce(m.unknown, 0)::int,
               coalesce(l.result -> 'skipped', '{}') || coalesce(m.skipped, '{}'), coalesce(m.failures, '{}')
        FROM automation_workflows a JOIN workflow_execution_logs l ON l.workflow_id = a.id
        LEFT JOIN LATERAL (
            SELECT sum(n) AS queued, sum(n) FILTER (WHERE status = 'sent') AS sent,
                   sum(n) FILTER (WHERE status = 'failed') AS failed, sum(n) FILTER (WHERE status = 'unknown') AS unknown,
                   jsonb_object_agg(coalesce(reason, status), n) FILTER (WHERE status IN ('skipped', 'cancelled')) AS skipped,
                   jsonb_object_agg(coalesce(reason, status), n) FILTER (WHERE status = 'failed') AS failures
            FROM (SELECT status, reason, count(*) AS n FROM messages WHERE log_id = l.id GROUP BY 1, 2) counted
        ) m ON TRUE
        WHERE a.event_id = $1 AND NOT starts_with(l.slot, $4) AND ($3::timestamptz IS NULL OR l.ended_at <= $3)
          AND ($2::timestamptz IS NULL OR l.ended_at > $2)
        ORDER BY a.created_at, a.id, l.due_at, l.started_at
        """,
        *(event_id, ended_after, ended_until, NOTICES),
    )
    return [StepRow(*row.values()) for row in rows]


class AutomationRow(NamedTuple):
    """One automation as its row says."""

    id: UUID
    event_id: UUID
    subject_id: UUID
    name: str
    workflow_type: str
    status: str
    steps_completed: int
    steps_total: int
    current_step: str | None
    next_execution_at: datetime | None
    last_error: str | None
    temporal_workflow_id: str
    definition: dict[str, Any]
    awaits: str | None
    """The step that waits for approval."""
    refused: str | None
    """Why it was refused, if it was."""


async def automations(pool: Pool, event_id: UUID) -> list[AutomationRow]:
    """The automations of an event, oldest first."""
    rows = await pool.fetch(
        """
        SELECT a.id, event_id, subject_id, name, workflow_type, a.status, steps_completed, coalesce(steps_total, 0), current_step,
               next_execution_at, last_error, temporal_workflow_id, definition, p.step, p.note
        FROM automation_workflows a LEFT JOIN LATERAL (
            SELECT step, CASE WHEN p.status = 'rejected' THEN coalesce(nullif(note, ''), 'no reason given') END AS note
            FROM approvals p WHERE p.automation_id = a.id AND p.content_id IS NULL AND p.status IN ('pending', 'rejected')
              AND a.status IN ('pending', 'active', 'paused')
        ) p ON TRUE
        WHERE event_id = $1 ORDER BY created_at, id
        """,
        event_id,
    )
    return [AutomationRow(*row.values()) for row in rows]


class LedgerRow(NamedTuple):
    """One message as the ledger has it."""

    id: str
    channel: str
    status: str
    provider_id: str | None


async def ledger(pool: Pool, event_id: UUID) -> list[LedgerRow]:
    """Every message of an event."""
    rows = await pool.fetch("SELECT id::text, channel, status, provider_id FROM messages WHERE event_id = $1", event_id)
    return [LedgerRow(*row.values()) for row in rows]


async def notifications(pool: Pool, event_id: UUID) -> list[tuple[str, str]]:
    """What the organizer was told about an event, oldest first: (title, body)."""
    rows = await pool.fetch("SELECT title, body FROM notifications WHERE event_id = $1 ORDER BY created_at", event_id)
    return [(row["title"], row["body"]) for row in rows]


async def under_way(pool: Pool, event_id: UUID, steps: Sequence[str]) -> str | None:
    """The first of these steps that has begun and not ended, and if it sends messages, has the first of them on its way."""
    found: str | None = await pool.fetchval(
        """
        SELECT l.step_id FROM workflow_execution_logs l JOIN automation_workflows a ON a.id = l.workflow_id
        WHERE a.event_id = $1 AND l.step_id = ANY($2) AND l.status = 'running'
          AND (l.open = 0 OR EXISTS (SELECT 1 FROM messages m WHERE m.log_id = l.id AND m.status IN ('sending', 'sent')))
        ORDER BY array_position($2, l.step_id::text) LIMIT 1
        """,
        *(event_id, steps),
    )
    return found


async def loose_ends(pool: Pool, event_id: UUID, told: Collection[str]) -> list[str]:
    """What of an event nobody has explained, in plain words: nothing, if all went as it should.

    `told` are the first words of the keys of notifications that are expected.
    """
    rows = await pool.fetch(
        """
        SELECT 'a message of ' || m.step || ' is ' || m.status || ' and does not say why' AS said, count(*)::int AS times
        FROM messages m WHERE m.event_id = $1 AND m.status NOT IN ('sent', 'unknown') AND coalesce(m.reason, '') = '' GROUP BY 1
        UNION ALL
        SELECT 'a message of ' || m.step || ' was sent for a date that the event no longer had', count(*)
        FROM messages m JOIN occurrences o ON o.event_id = m.event_id AND o.kind = 'event_rescheduled' AND o.automation_id IS NULL
        WHERE m.event_id = $1 AND m.status = 'sent' AND m.sent_at > o.occurred_at
          AND m.date_revision < (o.data ->> 'date_revision')::int GROUP BY 1
        UNION ALL
        SELECT o.kind || CASE WHEN o.held_at IS NULL THEN ' was not taken in' ELSE ' is held: ' || coalesce(o.last_error, '') END,
               count(*)
        FROM occurrences o WHERE o.event_id = $1 AND o.processed_at IS NULL GROUP BY 1
        UNION ALL
        SELECT 'a delivery of ' || d.provider || ' was not taken in: ' || coalesce(d.outcome, 'not read'), count(*)
        FROM webhook_deliveries d JOIN messages m ON m.id = d.message_id
        WHERE m.event_id = $1 AND d.processed_at IS NULL GROUP BY 1
        UNION ALL
        SELECT n.title || ': ' || n.body, count(*) FROM notifications n
        WHERE n.event_id = $1 AND split_part(n.key, '/', 1) <> ALL($2::text[]) GROUP BY 1
        ORDER BY 1
        """,
        event_id,
        list(told),
    )
    return [row["said"] + (f" ({row['times']} times)" if row["times"] > 1 else "") for row in rows]


async def sponsors(pool: Pool, event_id: UUID) -> dict[str, str]:
    """What has become of each proposal, by the sponsor's name."""
    rows = await pool.fetch(
        "SELECT s.name, p.status FROM proposals p JOIN sponsors s ON s.id = p.sponsor_id WHERE p.event_id = $1 ORDER BY p.rank",
        event_id,
    )
    return {row["name"]: row["status"] for row in rows}


class DeliverableRow(NamedTuple):
    """What a sponsor owes, and how it stands."""

    sponsor: str
    name: str
    status: str
    reminders_sent: int


async def deliverables(pool: Pool, event_id: UUID) -> list[DeliverableRow]:
    """What the sponsors of an event owe."""
    rows = await pool.fetch(
        """
        SELECT s.name, d.name, d.status, d.reminders_sent FROM sponsor_deliverables d
        JOIN sponsorships h ON h.id = d.sponsorship_id JOIN sponsors s ON s.id = h.sponsor_id
        WHERE d.event_id = $1 ORDER BY s.name, d.due_date, d.name
        """,
        event_id,
    )
    return [DeliverableRow(*row.values()) for row in rows]
