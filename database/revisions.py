"""Revisions: the changes of a running timeline, each decided under the lock that every decision of a step takes."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from database import automations, decisions, journal, subjects
from database.connection import Connection, Pool
from models import moments
from models.automation import StepState
from models.changes import Present, Revise, Revised, review
from models.definition import from_definition, to_definition
from models.problems import Known

OPEN = ("pending", "active", "paused")


async def revise(pool: Pool, about: Revise, known: Known) -> Revised:
    """Change a timeline, or name everything that stands against it and change nothing.

    The journal decides what has begun: a step that is decided while its change is on its way refuses the change.
    """
    async with pool.acquire() as connection, connection.transaction():
        await journal.lock(connection, about.automation_id)
        row = await connection.fetchrow(
            "SELECT status, definition, revision FROM automation_workflows WHERE id = $1", about.automation_id
        )
        assert row is not None
        if (made := await _made(connection, about)) is not None:
            return made
        if row["status"] not in OPEN:
            return Revised(problems=(f"The automation is {row['status']}, so nothing of it can be changed.",))
        present, held = await _present(connection, about, row["definition"], known)
        revised = review(about.change, present)
        if revised.problems or about.change.dry_run:
            return revised
        revised = revised.model_copy(update={"number": row["revision"] + 1})
        await _keep(connection, about, revised, row["definition"])
        for id_ in set(revised.changed) & held.keys():
            await journal.let_go(connection, held[id_], about.automation_id)
        due = moments.resolve_all(revised.steps, present.anchors, present.ended).due
        await decisions.follow(connection, about.automation_id, revised.steps, due)
        await journal.recount(connection, [about.automation_id])
        return revised


async def _made(connection: Connection, about: Revise) -> Revised | None:
    """What came of the same request before, if it was made."""
    row = await connection.fetchrow(
        "SELECT number, before, after FROM automation_revisions WHERE automation_id = $1 AND request = $2",
        about.automation_id,
        about.request,
    )
    if row is None:
        return None
    steps = from_definition(row["after"])
    old, new = {step.id: step for step in from_definition(row["before"])}, {step.id: step for step in steps}
    return Revised(
        number=row["number"],
        added=tuple(new.keys() - old.keys()),
        changed=tuple(id_ for id_ in new if id_ in old and new[id_] != old[id_]),
        removed=tuple(old.keys() - new.keys()),
        steps=steps,
    )


async def _present(
    connection: Connection, about: Revise, definition: dict[str, Any], known: Known
) -> tuple[Present, dict[str, UUID]]:
    """How the automation stands, and the journal's rows of the steps that are held."""
    steps = from_definition(definition)
    standing = await automations.standing(connection, about.automation_id)
    assert standing is not None
    rows = await connection.fetch(
        f"SELECT slot, {journal.COLUMNS} FROM workflow_execution_logs WHERE workflow_id = $1", about.automation_id
    )
    begun, held = dict.fromkeys(about.begun, "has begun"), dict[str, UUID]()
    for step in steps:
        for row in rows:
            ours = row["slot"] == step.slot or row["step_id"] == step.id
            if not ours or row["round"] < about.rounds.get(step.id, 0) or row["status"] == "pending":
                continue
            state = journal.state_of(row)
            if row["step_id"] != step.id:
                begun[step.id] = f"is the other branch of {row['step_id']}, which was taken"
            elif state is StepState.HELD:
                held[step.id] = row["id"]
            else:
                begun[step.id] = "is running" if state is StepState.RUNNING else f"has ended as {state}"
    present = Present(
        steps=steps,
        begun=begun,
        held=held,
        reserved=about.reserved,
        anchors=automations.anchors(standing),
        ended={row["step_id"]: row["ended_at"] for row in rows if row["ended_at"] is not None},
        now=standing.now,
        known=known,
        columns=await subjects.columns(connection, about.automation_id),
    )
    return present, held


async def _keep(connection: Connection, about: Revise, revised: Revised, before: dict[str, Any]) -> None:
    after = to_definition(revised.steps)
    await connection.execute(
        """
        WITH changed AS (
            UPDATE automation_workflows
            SET definition = $7, revision = $2, rest_until = NULL, updated_at = now() WHERE id = $1
            RETURNING id, event_id
        )
        INSERT INTO automation_revisions (automation_id, number, request, author, reason, at, before, after)
        SELECT id, $2, $3, $4, $5, eventos_now(event_id), $6, $7 FROM changed
        """,
        *(about.automation_id, revised.number, about.request, about.change.by, about.change.reason, before, after),
    )


class Revision(NamedTuple):
    """One change of a timeline, as it was made."""

    automation_id: UUID
    number: int
    author: str
    reason: str
    at: datetime
    before: dict[str, Any]
    after: dict[str, Any]


async def of_event(pool: Pool, event_id: UUID) -> list[Revision]:
    """Every change of an event's timelines, oldest first."""
    rows = await pool.fetch(
        """
        SELECT r.automation_id, r.number, r.author, r.reason, r.at, r.before, r.after
        FROM automation_revisions r JOIN automation_workflows a ON a.id = r.automation_id
        WHERE a.event_id = $1 ORDER BY r.at, r.automation_id, r.number
        """,
        event_id,
    )
    return [Revision(*row.values()) for row in rows]
