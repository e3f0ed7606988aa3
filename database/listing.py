"""The list of automations, in which the many of a kind that are about one person each are one line."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from database.connection import Pool


class Line(NamedTuple):
    """One automation, or all of a kind and event that are each about one of many: a sponsor, an attendee, a deliverable."""

    event_id: UUID
    event_name: str
    workflow_type: str
    id: UUID | None
    """None where it stands for several; all that belongs to one is then None too."""
    name: str | None
    current_step: str | None
    statuses: dict[str, int]
    """How many there are of each status."""
    steps_completed: int
    steps_total: int
    next_execution_at: datetime | None
    """The soonest of any of them."""
    last_error: str | None
    """What one of them says that has a problem."""
    problems: int
    """How many have one."""
    awaiting: int
    """How many wait for an approval."""
    awaits: str | None
    """The step that waits for it."""

    @property
    def members(self) -> int:
        """How many automations it stands for."""
        return sum(self.statuses.values())


class Listing(NamedTuple):
    """The lines that were asked for, and how many there are in all."""

    lines: list[Line]
    total: int


async def lines(pool: Pool, *, unfolded: bool = False, limit: int | None = None) -> Listing:
    """All automations but those of rehearsals: what runs first, then what has ended, each from the oldest on."""
    rows = await pool.fetch(
        """
        WITH own AS (
            SELECT a.*, e.name AS event_name, p.step AS awaits, a.status IN ('pending', 'active', 'paused') AS open,
                   CASE WHEN $1 OR a.subject_id = a.event_id THEN a.id END AS alone
            FROM automation_workflows a JOIN events e ON e.id = a.event_id
            LEFT JOIN approvals p ON p.automation_id = a.id AND p.content_id IS NULL AND p.status IN ('pending', 'rejected')
                                 AND a.status IN ('pending', 'active', 'paused')
            WHERE NOT a.rehearsal
        ), by_status AS (
            SELECT event_id, event_name, workflow_type, alone, status, count(*)::int AS members, bool_or(open) AS open,
                   min(created_at) AS since, min(id::text)::uuid AS id, min(name) AS name, min(current_step) AS current_step,
                   sum(steps_completed)::int AS completed, sum(coalesce(steps_total, 0))::int AS total,
                   min(next_execution_at) AS next_at, min(last_error) AS last_error, count(last_error)::int AS problems,
                   count(awaits)::int AS awaiting, min(awaits) AS awaits
            FROM own GROUP BY event_id, event_name, workflow_type, alone, status
        ), folded AS (
            SELECT event_id, event_name, workflow_type, sum(members) = 1 AS one, min(id::text)::uuid AS id, min(name) AS name,
                   min(current_step) AS current_step, jsonb_object_agg(status, members) AS statuses,
                   sum(completed)::int AS completed, sum(total)::int AS total, min(next_at) AS next_at,
                   min(last_error) AS last_error, sum(problems)::int AS problems, sum(awaiting)::int AS awaiting,
                   min(awaits) AS awaits, bool_or(open) AS open, min(since) AS since
            FROM by_status GROUP BY event_id, event_name, workflow_type, alone
        )
        SELECT event_id, event_name, workflow_type, CASE WHEN one THEN id END, CASE WHEN one THEN name END,
               CASE WHEN one THEN current_step END, statuses, completed, total, next_at, last_error, problems, awaiting, awaits,
               count(*) OVER ()::int
        FROM folded ORDER BY open DESC, since, id LIMIT $2
        """,
        unfolded,
        limit,
    )
    return Listing([Line(*tuple(row.values())[:-1]) for row in rows], rows[0][-1] if rows else 0)
