"""The journal: one row per slot and round of an automation, decided once, and the automation's counts kept true by it.

Whoever writes a row locks the automation's row first: that is the order of locks everywhere (messages, automations, journal,
campaigns), and it makes a decision and its repetition follow one another.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from database import approvals, cancellations, notifications
from database.connection import Connection, Pool
from models.automation import Progress, Step, StepState
from models.player import Begin, Begun, End, Ended, Free, Freed, Refusal
from models.stored import TYPES

COLUMNS = "id, step_id, round, status, due_at, ended_at, open, error_message, result"

NO_RETRIES = "retry_count = 0, failures = '{}'"
"""What the automation's row says of a step that has just begun, or has ended."""


class UnknownAutomation(LookupError):
    """There is no such row in automation_workflows."""

    def __init__(self, automation_id: UUID) -> None:
        super().__init__(f"There is no automation {automation_id}; `eventos list` shows those that exist.")


def state_of(row: asyncpg.Record) -> StepState:
    """What has become of a row; one that runs without open messages but with an error is held."""
    if row["status"] in ("pending", "running"):
        return StepState.HELD if row["error_message"] and not row["open"] else StepState.RUNNING
    return StepState(row["status"])


def reason_of(row: asyncpg.Record) -> str | None:
    """Why it was skipped, failed or is held, in plain words."""
    reason: str | None = row["error_message"] or (row["result"] or {}).get("reason")
    return reason


def ended_of(row: asyncpg.Record) -> Ended:
    """What a row says, for the player."""
    progress = Progress(
        state=state_of(row), round=row["round"], due=row["due_at"], ended=row["ended_at"], reason=reason_of(row)
    )
    return Ended(step_id=row["step_id"], progress=progress)


async def refusal(connection: Connection, automation: asyncpg.Record, revision: int) -> Refusal | None:
    """Why an automation decides nothing now, asked by a player that knows this revision of its timeline.

    That of a cancelled event is cancelled here and now, and its attendee gets the notice, if nobody has done so yet.
    """
    if automation["status"] == "cancelled":
        return "cancelled"
    if automation["event_status"] == "cancelled":
        ended = await cancellations.end(connection, automation["event_id"], automation_id=automation["id"])
        return "cancelled" if ended else "stale"
    if automation["status"] == "paused":
        return "paused"
    return "stale" if automation["revision"] > revision else None


async def begin_step(pool: Pool, begin: Begin) -> Begun:
    """Decide a round of a step that does more than send; if it was decided before, what was decided then.

    A paused or cancelled automation, and a player that does not know the latest timeline, decide nothing. A step that lets
    unapproved words go out begins once they are approved; until then the approval is asked for.
    """
    async with pool.acquire() as connection, connection.transaction():
        await lock(connection, begin.automation_id)
        row = await find(connection, begin.automation_id, begin.step.slot, begin.round)
        if row is None or row["status"] == "pending":
            automation = await connection.fetchrow(
                """
                SELECT a.id, a.event_id, a.status, a.revision, e.status AS event_status
                FROM automation_workflows a JOIN events e ON e.id = a.event_id WHERE a.id = $1
                """,
                begin.automation_id,
            )
            assert automation is not None
            if (outcome := await refusal(connection, automation, begin.revision)) is not None:
                return Begun(outcome=outcome)
            if await approvals.unapproved(connection, begin.automation_id, begin.step, kinds=("proposal",)):
                await approvals.ask(connection, begin.automation_id, begin.step, begin.round, begin.due)
                return Begun(outcome="unapproved")
            row = await decide(connection, begin.automation_id, begin.step, begin.round, begin.due)
            await connection.execute(
                f"UPDATE automation_workflows SET current_step = $2, {NO_RETRIES}, updated_at = now() WHERE id = $1",
                begin.automation_id,
                begin.step.id,
            )
        ended = ended_of(row)
        return Begun(step_id=ended.step_id, progress=ended.progress)


async def end_step(pool: Pool, end: End) -> Ended:
    """Journal how a step ended, or that it is held and why. A row that another branch decided, or that is done, stays as it is."""
    async with pool.acquire() as connection, connection.transaction():
        await lock(connection, end.automation_id)
        row = await find(connection, end.automation_id, end.step.slot, end.round)
        if row is None or row["status"] == "pending":
            row = await decide(connection, end.automation_id, end.step, end.round, end.due)
        if row["step_id"] != end.step.id or row["status"] in ("success", "skipped"):
            return ended_of(row)
        held = end.state in (StepState.HELD, StepState.RUNNING)
        before = row["result"] or {}
        result: dict[str, Any] = before | end.results
        if end.error and end.state is StepState.SKIPPED:
            result["reason"] = end.error
        row = await connection.fetchrow(
            f"""
            UPDATE workflow_execution_logs
            SET status = $2, result = $3, error_message = $4, open = 0, ended_at = $5,
                completed_at = CASE WHEN $5::timestamptz IS NOT NULL THEN now() END,
                duration_ms = CASE WHEN $5::timestamptz IS NOT NULL
                                   THEN round(1000 * extract(epoch FROM clock_timestamp() - started_at)) END
            WHERE id = $1 RETURNING {COLUMNS}
            """,
            row["id"],
            "running" if held else end.state.value,
            result or None,
            end.error if end.state is not StepState.SKIPPED else None,
            None if held else end.now,
        )
        assert row is not None
        await _count_tasks(connection, end, done=len(end.results.keys() - before.keys()))
        if held:
            await tell_held(connection, row["id"], end.automation_id, f"{end.step.name} is held", end.error or "")
        elif end.withdraws:
            await notifications.withdraw(connection, end.automation_id, f"held/{row['id']}")
        await recount(connection, [end.automation_id])
        return ended_of(row)


async def free_step(pool: Pool, free: Free) -> Freed:
    """Let go of a held step: its failed messages are queued again, or it is to be decided anew. What is not held stays as it is."""
    async with pool.acquire() as connection, connection.transaction():
        await lock(connection, free.automation_id)
        row = await find(connection, free.automation_id, free.slot, free.round)
        if row is None or row["status"] == "pending":
            return Freed()
        if state_of(row) is not StepState.HELD:
            return Freed(progress=ended_of(row).progress)
        queued: str = await connection.execute(
            """
            UPDATE messages SET status = 'queued', counted = TRUE, reason = NULL, not_before = NULL, batch_id = NULL,
                attempted_at = NULL, provider_id = NULL
            WHERE log_id = $1 AND status = 'failed'
            """,
            row["id"],
        )
        count = int(queued.rpartition(" ")[2])
        result = dict(row["result"] or {})
        if count:
            result["failed"] = result.get("failed", 0) - count
        freed = await connection.fetchrow(
            f"""
            UPDATE workflow_execution_logs
            SET status = $2, open = $3, result = $4, error_message = NULL, ended_at = NULL, completed_at = NULL,
                duration_ms = NULL
            WHERE id = $1 RETURNING {COLUMNS}
            """,
            row["id"],
            "running" if count else "pending",
            count,
            result or None,
        )
        await _forget_trouble(connection, row["id"], free.automation_id)
        await connection.execute("SELECT pg_notify('eventos_messages', '')")
        assert freed is not None
        return Freed(progress=ended_of(freed).progress if count else None)


async def let_go(connection: Connection, log_id: UUID, automation_id: UUID) -> None:
    """Have a held step decided anew, by a timeline that has changed."""
    await connection.execute(
        "UPDATE workflow_execution_logs SET status = 'pending', error_message = NULL WHERE id = $1", log_id
    )
    await _forget_trouble(connection, log_id, automation_id)


async def _forget_trouble(connection: Connection, log_id: UUID, automation_id: UUID) -> None:
    await connection.execute(
        f"UPDATE automation_workflows SET {NO_RETRIES}, updated_at = now() WHERE id = $1", automation_id
    )
    await recount(connection, [automation_id])
    await notifications.withdraw(connection, automation_id, f"held/{log_id}")


async def lock(connection: Connection, automation_id: UUID) -> int:
    """Hold the automation's row until the transaction ends; its generation.

    Its event stays there as long, and is asked for first: whoever deletes it takes the automation after it.
    """
    await connection.execute(
        "SELECT 1 FROM events WHERE id = (SELECT event_id FROM automation_workflows WHERE id = $1) FOR KEY SHARE",
        automation_id,
    )
    generation: int | None = await connection.fetchval(
        "SELECT generation FROM automation_workflows WHERE id = $1 FOR NO KEY UPDATE", automation_id
    )
    if generation is None:
        raise UnknownAutomation(automation_id)
    return generation


async def find(connection: Connection, automation_id: UUID, slot: str, round_: int) -> asyncpg.Record | None:
    """The row of a slot and round, if it was ever decided."""
    return await connection.fetchrow(
        f"SELECT {COLUMNS} FROM workflow_execution_logs WHERE workflow_id = $1 AND slot = $2 AND round = $3",
        automation_id,
        slot,
        round_,
    )


async def decide(
    connection: Connection, automation_id: UUID, step: Step, round_: int, due: datetime, *, tell: bool = False
) -> asyncpg.Record:
    """Write that this step is it, for its slot and round. A row that was freed is decided anew."""
    row = await connection.fetchrow(
        f"""
        INSERT INTO workflow_execution_logs
            (workflow_id, slot, round, step_id, step_name, action_type, status, started_at, due_at, tell)
        VALUES ($1, $2, $3, $4, $5, $6, 'running', clock_timestamp(), $7, $8)
        ON CONFLICT ON CONSTRAINT decided_once DO UPDATE
        SET step_id = excluded.step_id, step_name = excluded.step_name, action_type = excluded.action_type,
            status = 'running', started_at = excluded.started_at, due_at = excluded.due_at, tell = excluded.tell
        RETURNING {COLUMNS}
        """,
        automation_id,
        step.slot,
        round_,
        step.id,
        step.name,
        " + ".join(dict.fromkeys(TYPES[action.verb] for action in step.actions)) or "condition",
        due,
        tell,
    )
    assert row is not None
    return row


async def skip_rest(connection: Connection, automation_id: UUID) -> None:
    """Journal the steps that a cancellation kept from beginning as skipped, and why."""
    await connection.execute(
        """
        INSERT INTO workflow_execution_logs
            (workflow_id, slot, step_id, step_name, action_type, status, completed_at, due_at, ended_at, result)
        SELECT a.id, s ->> 'id', s ->> 'id', s ->> 'name', s ->> 'type', 'skipped', now(), eventos_now(a.event_id),
               eventos_now(a.event_id),
               jsonb_build_object('reason', coalesce(a.cancelled_because, 'the automation was cancelled'))
        FROM automation_workflows a CROSS JOIN jsonb_array_elements(a.definition -> 'steps') s
        WHERE a.id = $1 AND a.status = 'cancelled'
          AND NOT EXISTS (SELECT 1 FROM workflow_execution_logs l WHERE l.workflow_id = a.id AND l.step_id = s ->> 'id')
        ON CONFLICT DO NOTHING
        """,
        automation_id,
    )


async def recount(connection: Connection, automation_ids: Collection[UUID]) -> None:
    """Bring steps_completed, steps_total and last_error up to date with the timeline and the journal.

    A step of the timeline is completed while its latest round has ended; what answers a fact, and notices, are none of it.
    """
    await connection.execute(
        """
        UPDATE automation_workflows a
        SET steps_completed = (
                SELECT count(*) FROM (
                    SELECT DISTINCT ON (l.step_id) l.status
                    FROM workflow_execution_logs l JOIN jsonb_array_elements(a.definition -> 'steps') s ON l.step_id = s ->> 'id'
                    WHERE l.workflow_id = a.id ORDER BY l.step_id, l.round DESC
                ) latest WHERE status IN ('success', 'failed', 'skipped')),
            steps_total = coalesce(jsonb_array_length(a.definition -> 'steps'), a.steps_total),
            last_error = eventos_last_error(a.id, a.problem), updated_at = now()
        WHERE id = ANY($1)
        """,
        list(automation_ids),
    )


async def tell_held(connection: Connection, log_id: UUID, automation_id: UUID, title: str, why: str) -> None:
    """Tell the organizer that a step is held, why, and what to do, on the dashboard and by mail; once until it is freed."""
    row = await connection.fetchrow(
        """
        SELECT l.step_id, a.name FROM workflow_execution_logs l JOIN automation_workflows a ON a.id = l.workflow_id
        WHERE l.id = $1
        """,
        log_id,
    )
    assert row is not None
    command = f"eventos retry {automation_id} {row['step_id']}"
    await notifications.tell_by_mail(
        connection,
        automation_id=automation_id,
        key=f"held/{log_id}",
        title=title,
        body=why,
        rows=[("Automation", row["name"]), ("Step", row["step_id"]), ("Mended? Try again", command)],
    )


async def _count_tasks(connection: Connection, end: End, *, done: int) -> None:
    """What a step without messages did counts as tasks: each target that is done, and an attempt that failed as one."""
    failed = 1 if end.state in (StepState.HELD, StepState.FAILED) else 0
    if end.state is StepState.SUCCESS and not end.results:
        done = 1
    over = f"{NO_RETRIES}, " if end.state.ended else ""
    await connection.execute(
        f"""
        UPDATE automation_workflows
        SET tasks_executed = tasks_executed + $2 + $3, tasks_successful = tasks_successful + $2,
            tasks_failed = tasks_failed + $3, {over}updated_at = now()
        WHERE id = $1
        """,
        *(end.automation_id, done, failed),
    )
