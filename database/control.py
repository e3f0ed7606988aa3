"""Pause, resume and cancel: written to the database first, so that every gate obeys at once."""

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


def _chosen(*statuses: str) -> str:
    """The automations of the scope in these states, locked in the one order in which whoever settles messages locks them too."""
    wanted = ", ".join(f"'{status}'" for status in statuses)
    return f"""
        WITH chosen AS MATERIALIZED (
            SELECT id FROM automation_workflows WHERE {IN_SCOPE} AND status IN ({wanted}) ORDER BY id FOR NO KEY UPDATE
        )"""


_TELL = """
    INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, lane, data, occurred_at)
    SELECT $4, rehearsal, event_id, id, 'automation/' || id, 1, $5, eventos_now(event_id) FROM changed
"""


async def pause(pool: Pool, scope: Scope) -> int:
    """Pause everything active in a scope, in one statement; returns how many automations."""
    return await _change(
        pool,
        f"""
        {_chosen("pending", "active")}, changed AS (
            UPDATE automation_workflows a SET status = 'paused', paused_at = eventos_now(event_id), updated_at = now()
            FROM chosen WHERE a.id = chosen.id
            RETURNING a.id, event_id, rehearsal
        )
        {_TELL}
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
            UPDATE automation_workflows a SET status = 'active', paused_at = NULL, updated_at = now(),
                shifts = CASE WHEN $5::jsonb ->> 'policy' = 'shift' AND paused_at IS NOT NULL THEN shifts || jsonb_build_object(
                    'at', paused_at, 'by', 'PT' || extract(epoch FROM eventos_now(event_id) - paused_at) || 'S')
                    ELSE shifts END
            FROM chosen WHERE a.id = chosen.id
            RETURNING a.id, event_id, rehearsal
        ), released AS (
            UPDATE messages m SET release_at = eventos_now(m.event_id), reason = NULL
            FROM changed c WHERE m.automation_id = c.id AND m.status = 'queued' AND m.release_at = 'infinity'
        )
        {_TELL} RETURNING automation_id
        """,
        *(*scope, "resumed", {"policy": policy}),
    )
    return [row["automation_id"] for row in rows]


async def hold(connection: Connection, scope: Scope) -> None:
    """Hold everything that runs in a scope until the transaction ends."""
    await connection.execute(f"{_chosen('pending', 'active', 'paused')} SELECT count(*) FROM chosen", *scope)


async def cancel(pool: Pool | Connection, scope: Scope, why: str) -> int:
    """Cancel everything that runs in a scope; its queued messages die at the gate, also what lies for later.

    `why` is what its steps and messages then say. It waits for no message: who settles one holds its row and then asks for the automation's.
    """
    return await _change(
        pool,
        f"""
        {_chosen("pending", "active", "paused")}, changed AS (
            UPDATE automation_workflows a SET status = 'cancelled', cancelled_because = $5::jsonb ->> 'why', updated_at = now()
            FROM chosen WHERE a.id = chosen.id
            RETURNING a.id, event_id, rehearsal
        ), dropped AS (
            UPDATE messages m SET release_at = eventos_now(m.event_id)
            WHERE m.id IN (
                SELECT later.id FROM changed c JOIN messages later ON later.automation_id = c.id
                WHERE later.status = 'queued' AND later.release_at > eventos_now(later.event_id)
                FOR NO KEY UPDATE OF later SKIP LOCKED)
        )
        {_TELL}
        """,
        scope,
        "cancelled",
        {"why": why},
    )


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
    status: str = await pool.execute(sql, *scope, kind, data)
    return int(status.rpartition(" ")[2])
