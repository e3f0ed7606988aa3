"""What has become of an event's automations: every step, who got what, and why not."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from database.connection import Pool


class StepRow(NamedTuple):
    """One round of one step, with its messages counted."""

    automation_id: UUID
    workflow_type: str
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


async def steps(pool: Pool, event_id: UUID) -> list[StepRow]:
    """Every journal row of an event's automations in the order they were due; messages counted from the ledger itself."""
    rows = await pool.fetch(
        """
        SELECT l.workflow_id, a.workflow_type, l.step_id, l.round, l.due_at, l.ended_at, l.status, l.error_message,
               coalesce(l.result, '{}') AS result, coalesce(m.queued, 0)::int, coalesce(m.sent, 0)::int,
               coalesce(m.failed, 0)::int, coalesce(m.unknown, 0)::int,
               coalesce(l.result -> 'skipped', '{}') || coalesce(m.skipped, '{}')
        FROM automation_workflows a JOIN workflow_execution_logs l ON l.workflow_id = a.id
        LEFT JOIN LATERAL (
            SELECT sum(n) AS queued, sum(n) FILTER (WHERE status = 'sent') AS sent,
                   sum(n) FILTER (WHERE status = 'failed') AS failed, sum(n) FILTER (WHERE status = 'unknown') AS unknown,
                   jsonb_object_agg(coalesce(reason, status), n) FILTER (WHERE status IN ('skipped', 'cancelled')) AS skipped
            FROM (SELECT status, reason, count(*) AS n FROM messages WHERE log_id = l.id GROUP BY 1, 2) counted
        ) m ON TRUE
        WHERE a.event_id = $1
        ORDER BY a.created_at, a.id, l.due_at, l.started_at
        """,
        event_id,
    )
    return [StepRow(*row.values()) for row in rows]


class AutomationRow(NamedTuple):
    """One automation as its row says."""

    id: UUID
    event_id: UUID
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


async def automations(pool: Pool, event_id: UUID | None = None) -> list[AutomationRow]:
    """The automations of an event, or of all that are no rehearsal, oldest first."""
    rows = await pool.fetch(
        """
        SELECT id, event_id, name, workflow_type, status, steps_completed, coalesce(steps_total, 0), current_step,
               next_execution_at, last_error, temporal_workflow_id, definition
        FROM automation_workflows WHERE event_id = $1 OR ($1::uuid IS NULL AND NOT rehearsal) ORDER BY created_at, id
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


async def is_under_way(pool: Pool, event_id: UUID, step: str) -> bool:
    """Whether a step has begun and not ended, and if it sends messages, the first of them is on its way."""
    found: bool = await pool.fetchval(
        """
        SELECT EXISTS (
            SELECT 1 FROM workflow_execution_logs l JOIN automation_workflows a ON a.id = l.workflow_id
            WHERE a.event_id = $1 AND l.step_id = $2 AND l.status = 'running'
              AND (l.open = 0 OR EXISTS (SELECT 1 FROM messages m WHERE m.log_id = l.id AND m.status IN ('sending', 'sent'))))
        """,
        event_id,
        step,
    )
    return found
