"""Rows of automation_workflows: begun, at rest, over."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from database import earlier, journal, registrations, standstill
from database.connection import Connection, Pool
from models.approval import DEFAULTS, Approval
from models.automation import FOREVER, Anchors, Shift, Step, WorkflowType
from models.ids import automation_workflow_id


class Begun(NamedTuple):
    """An automation's row, newly made or found."""

    id: UUID
    temporal_workflow_id: str
    definition: dict[str, Any]
    rules: int
    rehearsal: bool
    status: str
    generation: int


async def begin(
    connection: Connection,
    *,
    workflow_type: WorkflowType,
    event_id: UUID,
    subject_id: UUID,
    name: str,
    definition: dict[str, Any],
    steps: Sequence[Step],
    rules: int,
    since: datetime,
    approval: Approval | None = None,
    anew: bool = False,
) -> Begun:
    """The row of the one automation of a kind and subject; a new generation only if the last one was cancelled, or with `anew` has ended.

    `since` is the real time of what begins it: a generation that was made later was begun by this very occurrence, and a
    second look at it overrules no cancellation. `approval`, where a rule or a parent says it, comes before the organizer's
    setting; the automation keeps it. The event's row is locked, so that ten callers at once make one row; for attendees it is
    the registration's, so that thousands of them begin side by side.
    """
    if workflow_type == "attendee_nurture":
        await registrations.lock(connection, subject_id)
    else:
        await connection.execute("SELECT 1 FROM events WHERE id = $1 FOR NO KEY UPDATE", event_id)
    last = await connection.fetchrow(
        """
        SELECT id, temporal_workflow_id, definition, rules, rehearsal, status, generation, created_at
        FROM automation_workflows
        WHERE workflow_type = $1 AND subject_id = $2 ORDER BY generation DESC LIMIT 1
        """,
        workflow_type,
        subject_id,
    )
    over = ("cancelled", "completed", "failed") if anew else ("cancelled",)
    if last is not None and (last["status"] not in over or last["created_at"] >= since):
        return _begun(last)
    generation = last["generation"] + 1 if last is not None else 1
    row = await connection.fetchrow(
        """
        INSERT INTO automation_workflows (event_id, organizer_id, subject_id, generation, workflow_type, name, definition,
            steps_total, current_step, rules, temporal_workflow_id, rehearsal, date_revision, approval)
        SELECT e.id, e.organizer_id, $2, $3, $4, $5, $6, $7, $8, $9, $10, e.rehearsal_of IS NOT NULL, e.date_revision,
               coalesce($11, s.approval, $12)
        FROM events e LEFT JOIN organizers o ON o.id = e.organizer_id
        LEFT JOIN approval_settings s ON s.organizer_id = coalesce(o.rehearsal_of, o.id) AND s.workflow_type = $4
        WHERE e.id = $1
        RETURNING id, temporal_workflow_id, definition, rules, rehearsal, status, generation
        """,
        event_id,
        subject_id,
        generation,
        workflow_type,
        name,
        definition,
        len(steps),
        steps[0].id,
        rules,
        automation_workflow_id(workflow_type, subject_id, generation),
        approval,
        DEFAULTS.get(workflow_type, "auto"),
    )
    assert row is not None
    if anew:
        await earlier.carry_over(connection, row["id"])
    return _begun(row)


def _begun(row: asyncpg.Record) -> Begun:
    return Begun(*(row[name] for name in Begun._fields))


class Standing(NamedTuple):
    """The present state of an automation and of its event."""

    status: str
    start: datetime
    zone: str | None
    event_date: datetime | None
    event_end: datetime | None
    date_revision: int
    now: datetime
    deadline: datetime | None
    shifts: list[dict[str, Any]]
    event_id: UUID
    problem: str | None
    """What stood in its way when it was last looked at."""


_STANDING = """
    a.status, coalesce(a.started_at, eventos_now(e.id)), e.timezone, e.starts_at, e.ends_at, e.date_revision,
    eventos_now(e.id), eventos_deadline(a.subject_id), a.shifts, e.id
"""


async def look(pool: Pool, automation_id: UUID) -> Standing | None:
    """Read an automation's present state; the first look makes it active and is its start.

    A problem that it had is looked for anew, and said again by whoever still finds it.
    """
    row = await pool.fetchrow(
        f"""
        UPDATE automation_workflows a
        SET status = CASE WHEN a.status = 'pending' THEN 'active' ELSE a.status END,
            started_at = coalesce(a.started_at, eventos_now(a.event_id)),
            date_revision = e.date_revision,
            rest_until = NULL,
            problem = NULL,
            last_error = eventos_last_error(a.id, NULL),
            updated_at = now()
        FROM events e, (SELECT problem FROM automation_workflows WHERE id = $1) was
        WHERE a.id = $1 AND e.id = a.event_id
        RETURNING {_STANDING}, was.problem
        """,
        automation_id,
    )
    return None if row is None else Standing(*row.values())


async def standing(pool: Pool | Connection, automation_id: UUID) -> Standing | None:
    """The present state of an automation, only read; one that has not begun counts from now."""
    return (await standings(pool, [automation_id])).get(automation_id)


async def standings(pool: Pool | Connection, ids: Collection[UUID]) -> dict[UUID, Standing]:
    """The same of many at once."""
    rows = await pool.fetch(
        f"SELECT a.id, {_STANDING}, a.problem FROM automation_workflows a JOIN events e ON e.id = a.event_id WHERE a.id = ANY($1)",
        list(ids),
    )
    return {id_: Standing(*rest) for id_, *rest in map(tuple, rows)}


def anchors(standing: Standing) -> Anchors:
    """What moments count from."""
    return Anchors(
        start=standing.start,
        zone=standing.zone or "UTC",
        event_date=standing.event_date,
        event_end=standing.event_end,
        deadline=standing.deadline,
        date_revision=standing.date_revision,
        shifts=tuple(Shift.model_validate(shift) for shift in standing.shifts),
    )


async def rest(
    pool: Pool, automation_id: UUID, until: datetime, *, step: str | None, next_at: datetime | None, problem: str | None
) -> None:
    """Keep which step the automation waits for, and when it is due. A problem is told to the organizer, once per event.

    `until` is when a rehearsal's conductor has to wake it (`FOREVER` is news only); a real one is woken by its own timer.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            """
            UPDATE automation_workflows
            SET rest_until = CASE WHEN rehearsal THEN coalesce($2::timestamptz, 'infinity') END,
                next_execution_at = $5,
                current_step = $3,
                problem = $4,
                last_error = eventos_last_error(id, $4),
                updated_at = now()
            WHERE id = $1
            """,
            *(automation_id, None if until >= FOREVER else until, step, problem, next_at),
        )
        if problem is not None:
            await standstill.tell(connection, automation_id, problem)


async def finish(pool: Pool, automation_id: UUID, status: str) -> None:
    """Close an automation's row. What still ran in its journal ends as skipped, queued messages die at the gate.

    One that is paused and has messages to send stays so, for their sake, until it is resumed.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            """
            UPDATE automation_workflows
            SET status = CASE WHEN status = 'cancelled' OR (status = 'paused' AND EXISTS (
                    SELECT 1 FROM workflow_execution_logs l JOIN messages m ON m.log_id = l.id
                    WHERE l.workflow_id = $1 AND m.status = 'queued')) THEN status ELSE $2 END,
                ended_as = $2,
                completed_at = coalesce(completed_at, eventos_now(event_id)), rest_until = 'infinity',
                next_execution_at = NULL, current_step = NULL, problem = NULL, updated_at = now()
            FROM (SELECT problem FROM automation_workflows WHERE id = $1) was
            WHERE id = $1 RETURNING event_id, was.problem
            """,
            automation_id,
            status,
        )
        if row is not None and row["problem"] is not None:
            await standstill.take_back(connection, row["event_id"], row["problem"])
        await connection.execute(
            """
            UPDATE workflow_execution_logs l
            SET status = 'skipped', completed_at = now(), ended_at = eventos_now(a.event_id),
                result = coalesce(l.result, '{}') || jsonb_build_object(
                    'reason', coalesce(a.cancelled_because, 'the automation was cancelled'))
            FROM automation_workflows a
            WHERE a.id = l.workflow_id AND a.id = $1 AND a.status = 'cancelled' AND l.status IN ('pending', 'running')
              AND l.slot <> 'event_cancelled'
            """,
            automation_id,
        )
        await journal.skip_rest(connection, automation_id)
        await connection.execute(
            """
            UPDATE marketing_campaigns c SET status = CASE a.status WHEN 'paused' THEN a.ended_as ELSE a.status END, updated_at = now()
            FROM automation_workflows a WHERE a.id = c.automation_id AND a.id = $1
            """,
            automation_id,
        )
        await journal.recount(connection, [automation_id])


async def lose(pool: Pool, automation_id: UUID) -> bool:
    """Mark an automation whose workflow has closed while its row says that it runs; True if that was so.

    One that was never started has not been lost, and one that ended has said so before it closed; one that was cancelled before
    it was started ends here, as no workflow will say so.
    """
    if await pool.fetchval(
        "SELECT status = 'cancelled' AND completed_at IS NULL FROM automation_workflows WHERE id = $1", automation_id
    ):
        await finish(pool, automation_id, "cancelled")
        return False
    status: str = await pool.execute(
        """
        UPDATE automation_workflows
        SET status = 'failed', last_error = 'its workflow was ended from outside', completed_at = eventos_now(event_id),
            rest_until = 'infinity', next_execution_at = NULL, updated_at = now()
        WHERE id = $1 AND status IN ('active', 'paused') AND started_at IS NOT NULL AND completed_at IS NULL
        """,
        automation_id,
    )
    return status == "UPDATE 1"


async def definition(pool: Pool, automation_id: UUID) -> dict[str, Any]:
    """The stored form of an automation's timeline."""
    found: dict[str, Any] = await pool.fetchval(
        "SELECT definition FROM automation_workflows WHERE id = $1", automation_id
    )
    return found


async def count_retry(pool: Pool, automation_id: UUID, piece: str, *, fresh: bool) -> tuple[int, int]:
    """Count one failure of a piece of the current step, the first of all if `fresh`; its count and how many are allowed.

    What is done side by side is counted by itself; `retry_count` shows the piece that failed most often.
    """
    row = await pool.fetchrow(
        """
        UPDATE automation_workflows
        SET failures = CASE WHEN $3 THEN '{}' ELSE failures END || jsonb_build_object($2::text,
                CASE WHEN $3 THEN 1 ELSE coalesce((failures ->> $2)::int, 0) + 1 END),
            retry_count = CASE WHEN $3 THEN 1 ELSE greatest(retry_count, coalesce((failures ->> $2)::int, 0) + 1) END,
            updated_at = now()
        WHERE id = $1
        RETURNING (failures ->> $2)::int AS count, max_retries
        """,
        *(automation_id, piece, fresh),
    )
    return (0, 0) if row is None else (row["count"], row["max_retries"])


SUBJECT_NAMES = {
    "attendee_nurture": "SELECT concat_ws(' ', nullif(c.first_name, ''), nullif(c.last_name, '')) FROM registrations r "
    "JOIN contacts c ON c.id = r.contact_id WHERE r.id = $1",
    "deliverable_tracking": "SELECT name FROM sponsor_deliverables WHERE id = $1",
}
"""How the subject of each kind is called in the name of its automation; an event names itself."""


async def subject_name(connection: Connection, workflow_type: str, subject_id: UUID) -> str:
    """The name of an automation's subject; empty where the event's is enough."""
    sql = SUBJECT_NAMES.get(workflow_type)
    return "" if sql is None else (await connection.fetchval(sql, subject_id)) or ""


SUBJECT_EVENTS = {
    "attendee_nurture": "SELECT event_id FROM registrations WHERE id = $1",
    "deliverable_tracking": "SELECT event_id FROM sponsor_deliverables WHERE id = $1",
}
"""Whose event the subject of each kind belongs to."""


async def event_of(pool: Pool, workflow_type: str, subject_id: UUID) -> UUID | None:
    """The event that a subject belongs to; None if there is no such subject."""
    event_id: UUID | None = await pool.fetchval(SUBJECT_EVENTS[workflow_type], subject_id)
    return event_id


class Addressee(NamedTuple):
    """Who is meant by an automation's id."""

    workflow_type: str
    workflow_id: str
    """The Temporal workflow's."""
    status: str
    name: str
    paused_at: datetime | None


async def addressee(pool: Pool, automation_id: UUID) -> Addressee | None:
    """The automation that an id names."""
    row = await pool.fetchrow(
        "SELECT workflow_type, temporal_workflow_id, status, name, paused_at FROM automation_workflows WHERE id = $1",
        automation_id,
    )
    return None if row is None else Addressee(*row.values())


class Latest(NamedTuple):
    """The newest generation of a kind and subject."""

    workflow_id: str
    status: str
    started: bool
    """Its workflow has looked around at least once."""


async def latest(pool: Pool, workflow_type: WorkflowType, subject_id: UUID) -> Latest | None:
    """The newest automation of a kind for a subject."""
    row = await pool.fetchrow(
        """
        SELECT temporal_workflow_id, status, started_at IS NOT NULL FROM automation_workflows
        WHERE workflow_type = $1 AND subject_id = $2 ORDER BY generation DESC LIMIT 1
        """,
        *(workflow_type, subject_id),
    )
    return None if row is None else Latest(*row.values())


class Meant(NamedTuple):
    """An automation that a person may mean."""

    id: UUID
    name: str
    workflow_type: str


async def find(pool: Pool, reference: str) -> list[Meant]:
    """The automations a person may mean: by Temporal id, by id, or by the beginning of one (four characters at least)."""
    rows = await pool.fetch(
        """
        SELECT id, name, workflow_type FROM automation_workflows
        WHERE temporal_workflow_id = $1 OR (length($1) >= 4 AND starts_with(id::text, lower($1)))
        ORDER BY created_at LIMIT 10
        """,
        reference,
    )
    return [Meant(*row.values()) for row in rows]


async def ids(pool: Pool, said: str) -> list[str]:
    """Ids like the one that was said, Temporal's if it is one of those: such as begin alike, else the newest."""
    rows = await pool.fetch(
        """
        SELECT CASE WHEN position('/' IN $1) > 0 THEN temporal_workflow_id ELSE id::text END AS id
        FROM automation_workflows
        ORDER BY starts_with(CASE WHEN position('/' IN $1) > 0 THEN temporal_workflow_id ELSE id::text END,
                             left($1, position('/' IN $1) + 4)) DESC, created_at DESC
        LIMIT 20
        """,
        said,
    )
    return [row["id"] for row in rows]
