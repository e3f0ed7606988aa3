"""Decisions: a person's word about exactly the words that were shown, and asking anew once words were changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from database import journal, notifications
from database.approvals import COLUMNS, HELD, Content, ask_for, contents, unapproved
from database.connection import Connection, Pool
from models.approval import Decided
from models.automation import FOREVER, Step
from models.definition import from_definition

KINDS = ("email", "whatsapp", "social", "proposal")
LOOK = "`eventos list` shows what waits."
TAKEN = {"approve": "approved", "reject": "rejected"}


class Undecidable(ValueError):
    """A decision that cannot be taken in; the message says why and what to do."""


async def decide(pool: Pool, order: Decided) -> str:
    """Approve or reject exactly what was shown; says what came of it. Undecidable, and nothing is changed, if it is other by now."""
    async with pool.acquire() as connection, connection.transaction():
        await journal.lock(connection, order.automation_id)
        await _lock_contents(connection, order.automation_id)
        row = await connection.fetchrow(
            f"""
            SELECT {COLUMNS} FROM approvals
            WHERE automation_id = $1 AND content_id IS NULL AND status IN ('pending', 'rejected') FOR UPDATE
            """,
            order.automation_id,
        )
        decision = order.decision
        whole: str = await connection.fetchval("SELECT eventos_content_hash($1)", order.automation_id)
        pieces = await contents(connection, order.automation_id)
        piece = next((one for one in pieces if one.content_hash == decision.content_hash), None)
        if row is None or decision.step != row["step"] or (decision.content_hash != whole and piece is None):
            if await _taken(connection, order):
                return TAKEN[order.verb]
            raise Undecidable(_refusal(order, row))
        if order.verb == "reject":
            return await _reject(connection, order, row, piece if decision.content_hash != whole else None)
        chosen = pieces if decision.content_hash == whole or piece is None else (piece,)
        return await _approve(connection, order, row, chosen)


def _refusal(order: Decided, row: asyncpg.Record | None) -> str:
    if row is None:
        return f"Nothing of it waits for approval. {LOOK}"
    if order.decision.step != row["step"]:
        return f"Not {order.decision.step} but {row['step']} waits for approval."
    return (
        "The content has changed since it was shown, so nothing was decided. "
        f"Read it again with `eventos approve {order.automation_id}` and decide about what you read."
    )


async def _taken(connection: Connection, order: Decided) -> bool:
    """Whether the same was decided of the same words before: its answer was lost, or somebody else was quicker."""
    taken: bool = await connection.fetchval(
        """
        SELECT EXISTS (SELECT 1 FROM approvals WHERE automation_id = $1 AND step = $2 AND status = $4 AND content_id IS NULL
                       AND content_hash = $3)
            OR EXISTS (SELECT 1 FROM approvable WHERE automation_id = $1 AND content_hash = $3 AND approved_hash = $3
                       AND $4 = 'approved')
            OR EXISTS (SELECT 1 FROM proposals WHERE outreach_id = $1 AND content_hash = $3
                       AND CASE $4 WHEN 'approved' THEN approved_hash = $3 ELSE status = 'rejected' END)
        """,
        *(order.automation_id, order.decision.step, order.decision.content_hash, TAKEN[order.verb]),
    )
    return taken


async def _lock_contents(connection: Connection, automation_id: UUID) -> None:
    """Whoever changes words waits until this is decided, or was before."""
    for table in ("email_templates", "whatsapp_campaigns", "social_posts"):
        await connection.execute(
            f"""
            SELECT 1 FROM {table} t JOIN marketing_campaigns c ON c.id = t.campaign_id WHERE c.automation_id = $1
            ORDER BY t.id FOR UPDATE OF t
            """,
            automation_id,
        )
    await connection.execute("SELECT 1 FROM proposals WHERE outreach_id = $1 ORDER BY id FOR UPDATE", automation_id)


async def _approve(connection: Connection, order: Decided, row: asyncpg.Record, chosen: Sequence[Content]) -> str:
    ids = [one.id for one in chosen]
    for table in ("email_templates", "whatsapp_campaigns", "social_posts", "proposals"):
        await connection.execute(f"UPDATE {table} SET approved_hash = content_hash WHERE id = ANY($1)", ids)
    left = [one for one in await contents(connection, order.automation_id) if not one.approved]
    if left:
        if not chosen[0].approved:
            await _note(connection, order, row, chosen[0])
        return f"{chosen[0].name} is approved; {len(left)} more to decide about"
    await _settle(connection, order, row, "approved")
    await release(connection, order.automation_id)
    return f"approved; {row['step']} goes on"


async def _reject(connection: Connection, order: Decided, row: asyncpg.Record, piece: Content | None) -> str:
    if piece is not None and piece.kind == "proposal":
        await connection.execute(
            "UPDATE proposals SET status = 'rejected', approved_hash = NULL WHERE id = $1", piece.id
        )
        await _note(connection, order, row, piece)
        left = [one for one in await contents(connection, order.automation_id) if not one.approved]
        if left:
            return f"{piece.name} is left out; {len(left)} more to decide about"
        await _settle(connection, order, row, "approved")
        return f"{piece.name} is left out; {row['step']} goes on with the others"
    what = f"{piece.kind} {piece.name}: " if piece else ""
    why = f"rejected{f' by {order.decision.by}' if order.decision.by else ''}: {what}{order.decision.note or 'no reason given'}"
    said = f"{why}. Nobody is written to: change the words and approve them, or cancel the automation"
    await _settle(connection, order, row, "rejected", said)
    return said


async def _note(connection: Connection, order: Decided, row: asyncpg.Record, piece: Content) -> None:
    """Keep what was decided about one piece, and what is left to decide about under the hash that it has now."""
    await connection.execute(
        """
        INSERT INTO approvals (automation_id, step, round, content_id, content_hash, status, asked_at, asked_of, decided_at,
                               decided_by, note)
        SELECT automation_id, step, round, $2, $3, $4, asked_at, asked_of, eventos_now(a.event_id), $5, $6
        FROM approvals p JOIN automation_workflows a ON a.id = p.automation_id WHERE p.id = $1
        """,
        *(row["id"], piece.id, piece.content_hash, "approved" if order.verb == "approve" else "rejected"),
        *(order.decision.by, order.decision.note),
    )
    await connection.execute(
        "UPDATE approvals SET content_hash = eventos_content_hash(automation_id) WHERE id = $1", row["id"]
    )


async def _settle(
    connection: Connection, order: Decided, row: asyncpg.Record, status: str, said: str | None = None
) -> None:
    await connection.execute(
        """
        UPDATE approvals p
        SET status = $2, decided_at = eventos_now(a.event_id), decided_by = $3, note = $4,
            content_hash = eventos_content_hash(a.id), said = $5
        FROM automation_workflows a WHERE p.id = $1 AND a.id = p.automation_id
        """,
        *(row["id"], status, order.decision.by, order.decision.note, said),
    )
    await journal.recount(connection, [order.automation_id])
    await notifications.withdraw(connection, order.automation_id, f"approval/{row['id']}")


async def release(connection: Connection, automation_id: UUID) -> None:
    """Let go of the messages that waited for approval."""
    await connection.execute(
        """
        UPDATE messages SET release_at = eventos_now(event_id), reason = NULL
        WHERE automation_id = $1 AND status = 'queued' AND release_at = 'infinity' AND reason = $2
        """,
        *(automation_id, HELD),
    )
    await connection.execute("SELECT pg_notify('eventos_messages', '')")


async def ask_again(pool: Pool, automation_id: UUID) -> bool:
    """Ask anew after words were changed, if anything still sends them; False if nothing does, or if it is asked already."""
    async with pool.acquire() as connection, connection.transaction():
        await journal.lock(connection, automation_id)
        row = await connection.fetchrow(
            """
            SELECT a.definition, p.step, p.round, p.overdue_at, p.status FROM automation_workflows a
            JOIN approvals p ON p.automation_id = a.id AND p.content_id IS NULL
            WHERE a.id = $1 AND a.approval = 'required' AND a.status IN ('pending', 'active', 'paused')
            ORDER BY p.asked_at DESC, p.status = 'superseded' LIMIT 1
            """,
            automation_id,
        )
        if row is None or row["status"] != "superseded":
            return False
        steps = from_definition(row["definition"])
        for step in sorted(steps, key=lambda one: one.id != row["step"]):
            round_ = await _still_sends(connection, automation_id, step)
            if round_ is not None:
                same = (step.id, round_) == (row["step"], row["round"])
                await ask_for(connection, automation_id, step.id, round_, row["overdue_at"] if same else None)
                return True
    return False


async def follow(
    connection: Connection, automation_id: UUID, steps: Sequence[Step], due: Mapping[str, datetime | None]
) -> None:
    """Have an approval stand before the first step that sends what waits for it, where a change took that from its own step.

    Without such a step it is asked for no longer. The automation's row is locked by the caller.
    """
    row = await connection.fetchrow(
        """
        SELECT id, step FROM approvals
        WHERE automation_id = $1 AND content_id IS NULL AND status IN ('pending', 'rejected')
        """,
        automation_id,
    )
    if row is None:
        return
    sending = [(step, await _still_sends(connection, automation_id, step)) for step in steps]
    sending = [(step, round_) for step, round_ in sending if round_ is not None]
    if any(step.id == row["step"] for step, _ in sending):
        return
    if not sending:
        await connection.execute("UPDATE approvals SET status = 'superseded' WHERE id = $1", row["id"])
        await notifications.withdraw(connection, automation_id, f"approval/{row['id']}")
        return
    first, round_ = min(sending, key=lambda one: due.get(one[0].id) or FOREVER)
    at = due.get(first.id)
    await connection.execute(
        "UPDATE approvals SET step = $2, round = $3, overdue_at = $4 WHERE id = $1",
        *(row["id"], first.id, round_, at and at + first.grace),
    )


async def _still_sends(connection: Connection, automation_id: UUID, step: Step) -> int | None:
    """The round in which a step has yet to send words that are not approved; None if it has none to send."""
    if not await unapproved(connection, automation_id, step, KINDS):
        return None
    row = await connection.fetchrow(
        """
        SELECT l.round, l.status = 'pending' OR (l.status = 'running' AND NOT coalesce(l.result, '{}') ? 'queued')
               OR EXISTS (SELECT 1 FROM messages m WHERE m.log_id = l.id AND m.status = 'queued'
                          AND eventos_unapproved(m.automation_id, m.content_id)) AS sends
        FROM workflow_execution_logs l WHERE l.workflow_id = $1 AND l.slot = $2 ORDER BY l.round DESC LIMIT 1
        """,
        *(automation_id, step.slot),
    )
    if row is None:
        return 0
    return row["round"] if row["sends"] else None
