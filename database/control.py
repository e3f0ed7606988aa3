"""Pause, resume and cancel: written to the database first, so that every gate obeys at once.

An automation may have ended while messages of its last steps are still held for later. These obey like any others: its row is paused
or cancelled for their sake, since gates and sweep look there and at nothing else, and its player, which is no more, is told nothing.
What it had come to is kept in `ended_as`, and is so again after a resume.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from database.connection import Connection, Pool


class Scope(NamedTuple):
    """Whom an order concerns: one automation, all of an event, or those of a kind, of an event or of all that are no rehearsal."""

    event_id: UUID | None = None
    workflow_type: str | None = None
    automation_id: UUID | None = None


IN_SCOPE = """
    ($1::uuid IS NULL OR event_id = $1) AND ($2::text IS NULL OR workflow_type = $2) AND ($3::uuid IS NULL OR id = $3)
    AND (coalesce($1, $3) IS NOT NULL OR NOT rehearsal)
"""
"""What a row of automation_workflows has to be; the scope's parts are $1 to $3."""


OWING = """(status IN ('completed', 'failed') AND EXISTS (
    SELECT 1 FROM workflow_execution_logs l JOIN messages m ON m.log_id = l.id
    WHERE l.workflow_id = automation_workflows.id AND m.status = 'queued'))"""
"""What a row of automation_workflows is that has ended and still has messages to send."""


def _chosen(*statuses: str, owing: bool = False) -> str:
    """The automations of the scope in these states, locked in the one order in which whoever settles messages locks them too.

    With `owing` also those that have ended in the meantime and still have messages to send.
    """
    listed = ", ".join(f"'{status}'" for status in statuses)
    wanted = f"(status IN ({listed}) OR {OWING})" if owing else f"status IN ({listed})"
    return f"""
        WITH chosen AS MATERIALIZED (
            SELECT id FROM automation_workflows WHERE {IN_SCOPE} AND {wanted} ORDER BY id FOR NO KEY UPDATE
        )"""


_TOLD = """
    , told AS (
        INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, lane, data, occurred_at)
        SELECT $4, rehearsal, event_id, id, 'automation/' || id, 1, $5, eventos_now(event_id) FROM changed WHERE NOT ended
    )
"""


async def pause(pool: Pool, scope: Scope) -> int:
    """Pause everything in a scope that is active or has messages to send, in one statement; returns how many automations."""
    return await _change(
        pool,
        f"""
        {_chosen("pending", "active", owing=True)}, changed AS (
            UPDATE automation_workflows a
            SET status = 'paused', paused_at = eventos_now(event_id), updated_at = now(),
                ended_as = CASE WHEN status IN ('completed', 'failed') THEN status END
            FROM chosen WHERE a.id = chosen.id
            RETURNING a.id, event_id, rehearsal, ended_as IS NOT NULL AS ended
        )
        {_TOLD} SELECT count(*) FROM changed
        """,
        scope,
        "paused",
        {},
    )


async def resume(pool: Pool, scope: Scope, policy: str) -> list[UUID]:
    """Resume everything paused in a scope, and release the messages that the pause held; the gates look at them anew.

    Returns which automations. `shift` keeps the length of the pause; whatever counts from the start, or from the end of a
    step, moves by it.
    """
    rows = await pool.fetch(
        f"""
        {_chosen("paused")}, changed AS (
            UPDATE automation_workflows a SET status = coalesce(ended_as, 'active'), paused_at = NULL, updated_at = now(),
                shifts = CASE WHEN $5::jsonb ->> 'policy' = 'shift' AND paused_at IS NOT NULL THEN shifts || jsonb_build_object(
                    'at', paused_at, 'by', 'PT' || extract(epoch FROM eventos_now(event_id) - paused_at) || 'S')
                    ELSE shifts END
            FROM chosen WHERE a.id = chosen.id
            RETURNING a.id, event_id, rehearsal, ended_as IS NOT NULL AS ended
        ), released AS (
            UPDATE messages m SET release_at = eventos_now(m.event_id), reason = NULL
            FROM changed c WHERE m.automation_id = c.id AND m.status = 'queued' AND m.release_at = 'infinity'
        )
        {_TOLD} SELECT id FROM changed ORDER BY id
        """,
        *(*scope, "resumed", {"policy": policy}),
    )
    return [row["id"] for row in rows]


async def hold(connection: Connection, scope: Scope) -> None:
    """Hold everything that runs in a scope until the transaction ends."""
    await connection.execute(f"{_chosen('pending', 'active', 'paused')} SELECT count(*) FROM chosen", *scope)


async def cancel(pool: Pool | Connection, scope: Scope, why: str) -> int:
    """Cancel everything in a scope that runs or has messages to send; these die at the gate, also what lies for later.

    `why` is what its steps and messages then say. It waits for no message: who settles one holds its row and then asks for the automation's.
    """
    return await _change(
        pool,
        f"""
        {_chosen("pending", "active", "paused", owing=True)}, changed AS (
            UPDATE automation_workflows a SET status = 'cancelled', cancelled_because = $5::jsonb ->> 'why', updated_at = now()
            FROM chosen WHERE a.id = chosen.id
            RETURNING a.id, event_id, rehearsal, completed_at IS NOT NULL AS ended
        ), dropped AS (
            UPDATE messages m SET release_at = eventos_now(m.event_id)
            WHERE m.id IN (
                SELECT later.id FROM changed c JOIN messages later ON later.automation_id = c.id
                WHERE later.status = 'queued' AND later.release_at > eventos_now(later.event_id)
                FOR NO KEY UPDATE OF later SKIP LOCKED)
        )
        {_TOLD} SELECT count(*) FROM changed
        """,
        scope,
        "cancelled",
        {"why": why},
    )


class Owed(NamedTuple):
    """Automations that have ended, and the messages that they still have to send."""

    automations: int
    messages: int


async def owed(pool: Pool, scope: Scope) -> Owed:
    """What the automations of a scope that have ended, and are not paused since, still have to send."""
    row = await pool.fetchrow(
        f"""
        WITH chosen AS (SELECT id FROM automation_workflows WHERE {IN_SCOPE} AND {OWING})
        SELECT count(DISTINCT l.workflow_id), count(*) FROM chosen
        JOIN workflow_execution_logs l ON l.workflow_id = chosen.id JOIN messages m ON m.log_id = l.id AND m.status = 'queued'
        """,
        *scope,
    )
    assert row is not None
    return Owed(*row.values())


async def states(pool: Pool, scope: Scope) -> dict[str, tuple[int, datetime | None]]:
    """How many automations of a scope are in each state, and since when the first of them is paused."""
    rows = await pool.fetch(
        f"""
        SELECT status, count(*)::int, min(paused_at) FILTER (WHERE status = 'paused')
        FROM automation_workflows WHERE {IN_SCOPE} GROUP BY status ORDER BY status
        """,
        *scope,
    )
    return {status: (count, since) for status, count, since in map(tuple, rows)}


async def _change(pool: Pool | Connection, sql: str, scope: Scope, kind: str, data: dict[str, str]) -> int:
    count: int = await pool.fetchval(sql, *scope, kind, data)
    return count
