"""What a resume would find: the paused automations of a scope, and the messages that their pause holds."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from database.connection import Connection
from database.control import IN_SCOPE, Scope
from database.gates import MOVED
from models.automation import WorkflowType


class Paused(NamedTuple):
    """A paused automation."""

    id: UUID
    event_id: UUID
    organizer_id: UUID | None
    subject_id: UUID
    workflow_type: WorkflowType
    rules: int
    version: str
    """Stands for its timeline; many have the same."""
    paused_at: datetime | None
    awaits: str | None
    """The step that waits for approval."""
    ended: bool
    """Whether it had ended before, and nothing but its messages is paused."""


async def paused(connection: Connection, scope: Scope) -> list[Paused]:
    """The paused automations of a scope."""
    rows = await connection.fetch(
        f"""
        WITH chosen AS (SELECT * FROM automation_workflows WHERE {IN_SCOPE} AND status = 'paused')
        SELECT a.id, a.event_id, a.organizer_id, a.subject_id, a.workflow_type, a.rules, md5(a.definition::text), a.paused_at, p.step,
               a.ended_as IS NOT NULL
        FROM chosen a LEFT JOIN approvals p ON p.automation_id = a.id AND p.content_id IS NULL AND p.status IN ('pending', 'rejected')
        ORDER BY a.created_at, a.id
        """,
        *scope,
    )
    return [Paused(*row.values()) for row in rows]


async def definitions(connection: Connection, found: Iterable[Paused]) -> dict[str, dict[str, Any]]:
    """The timelines of paused automations, each once, by what stands for it."""
    first = {one.version: one.id for one in found}
    rows = await connection.fetch(
        "SELECT id, definition FROM automation_workflows WHERE id = ANY($1)", list(first.values())
    )
    by_id = {row["id"]: row["definition"] for row in rows}
    return {version: by_id[id_] for version, id_ in first.items()}


class Held(NamedTuple):
    """Queued messages that a pause holds: those that can still go out, and those whose time is over."""

    free: int
    over: int


async def held(connection: Connection, ids: Collection[UUID]) -> dict[str, Held]:
    """The messages that the pause of automations holds, by kind."""
    rows = await connection.fetch(
        """
        SELECT workflow_type, count(*) FILTER (WHERE lives)::int AS free, count(*) FILTER (WHERE NOT lives)::int AS over
        FROM (
            SELECT a.workflow_type, moved.again_at IS NULL
                   AND coalesce(moved.valid_until, m.valid_until, 'infinity') > eventos_now(a.event_id) AS lives
            FROM messages m JOIN automation_workflows a ON a.id = m.automation_id JOIN events e ON e.id = a.event_id
            LEFT JOIN LATERAL (SELECT * FROM eventos_moved(m) WHERE m.date_revision < e.date_revision OFFSET 0) moved ON TRUE
            WHERE a.id = ANY($1) AND m.status = 'queued' AND m.release_at = 'infinity' AND m.reason IS DISTINCT FROM $2
        ) waiting GROUP BY workflow_type
        """,
        list(ids),
        MOVED,
    )
    return {row["workflow_type"]: Held(row["free"], row["over"]) for row in rows}
