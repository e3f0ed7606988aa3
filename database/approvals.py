"""Approvals: which words wait for a person, what the person decided, and that nothing else goes out.

A row of words is approved while its `approved_hash` is its `content_hash`. Whoever changes words thereby takes their approval
away; gates and enqueue look at nothing else.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from database import notifications
from database.connection import Connection, Pool
from models.approval import Awaited, next_reminder
from models.automation import Step

HELD = "held until its words are approved"
"""The reason of a message whose words were changed, or never approved."""

COLUMNS = "id, step, round, status, content_hash, asked_at, overdue_at, decided_at, last_reminded_at, decided_by, note"

PROPOSALS = "follow_up_sequences"
"""The target of the step that begins to write to sponsors."""

SHOWN = 12
"""Pieces of content that a mail lists."""


class Content(NamedTuple):
    """One piece of what is to be approved."""

    id: UUID
    kind: str
    """email, whatsapp, social or proposal."""
    name: str
    slots: dict[str, Any]
    content_hash: str
    approved: bool

    @property
    def subject(self) -> str:
        """The words that stand for it in a list."""
        said = self.slots.get("subject") or next((text for text in texts(self.slots) if text), "")
        return said if len(said) <= 120 else f"{said[:119]}…"


class Waiting(NamedTuple):
    """An approval that is asked for or was refused, with everything that it is about."""

    automation_id: UUID
    approval_id: UUID
    event_id: UUID
    name: str
    step: str
    status: str
    asked_at: datetime
    overdue_at: datetime | None
    content_hash: str
    note: str | None
    contents: tuple[Content, ...]


def texts(words: Any) -> list[str]:
    """Every text in a set of slots, in order."""
    if isinstance(words, str):
        return [words]
    if isinstance(words, dict):
        words = list(words.values())
    return [text for word in words or () for text in texts(word)] if isinstance(words, list) else []


# -- asking -------------------------------------------------------------------------------------------------------------


async def unapproved(
    connection: Connection, automation_id: UUID, step: Step, kinds: Sequence[str] = ("email", "whatsapp", "social")
) -> bool:
    """Whether a step would let words of these kinds go out that have to be approved and are not."""
    sent = [(kind, name) for kind, name in _sent(step) if kind in kinds]
    if not sent:
        return False
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (
            SELECT 1 FROM approvable w JOIN automation_workflows a ON a.id = w.automation_id
            JOIN unnest($2::text[], $3::text[]) AS s(kind, name) ON s.kind = w.kind
                AND (s.name = '' OR s.name = split_part(w.name, '/', 1))
            WHERE a.id = $1 AND a.approval = 'required' AND w.approved_hash IS DISTINCT FROM w.content_hash)
        """,
        automation_id,
        [kind for kind, _ in sent],
        [name for _, name in sent],
    )
    return found


def _sent(step: Step) -> list[tuple[str, str]]:
    """Kind and name of the words that a step lets go out, whatever their name if it is empty.

    Words for one person alone have the person's id behind the name.
    """
    found: list[tuple[str, str]] = []
    for action in step.actions:
        if action.verb in ("email", "whatsapp"):
            named = {action.template or ("" if action.segments else step.id), *action.segments.values()}
            found += [(action.verb, name) for name in named if name]
        elif action.verb == "social":
            found.append(("social", step.id))
        elif PROPOSALS in action.targets:
            found.append(("proposal", ""))
    return found


async def ask(connection: Connection, automation_id: UUID, step: Step, round_: int, due: datetime) -> None:
    """Ask the organizer for the approval that a step waits for, once; the automation's row is locked by the caller."""
    await ask_for(connection, automation_id, step.id, round_, due + step.grace)


async def ask_for(
    connection: Connection, automation_id: UUID, step: str, round_: int, overdue_at: datetime | None
) -> None:
    """The same, where it is known when the step is overdue, or that this does not matter."""
    row = await connection.fetchrow(
        """
        INSERT INTO approvals (automation_id, step, round, content_hash, asked_at, overdue_at, asked_of)
        SELECT id, $2, $3, eventos_content_hash(id), eventos_now(event_id), $4, organizer_id
        FROM automation_workflows WHERE id = $1
        ON CONFLICT (automation_id) WHERE content_id IS NULL AND status IN ('pending', 'rejected')
        DO UPDATE SET step = excluded.step, overdue_at = excluded.overdue_at, round = excluded.round
        -- the step that it stood before may have been overtaken meanwhile
        WHERE approvals.step = excluded.step OR EXISTS (
            SELECT 1 FROM workflow_execution_logs l WHERE l.workflow_id = approvals.automation_id AND l.step_id = approvals.step
            AND l.round = approvals.round AND l.status IN ('success', 'failed', 'skipped'))
        RETURNING id, xmax = 0 AS new
        """,
        *(automation_id, step, round_, overdue_at),
    )
    if row is not None and row["new"]:
        await _tell(connection, automation_id, f"approval/{row['id']}", "To approve: {name}", ASKED)


ASKED = (
    "These words wait for your approval. Nothing of them goes out before you have read them, and what you approve is exactly "
    "what is sent."
)
REMINDED = "These words still wait for your approval, and every step that sends them waits too. If they should not go out, reject them."
HOW = "To read all of it and decide: eventos approve {id}. To refuse it: eventos reject {id} --note WHY."


async def _tell(connection: Connection, automation_id: UUID, key: str, title: str, body: str) -> None:
    name: str = await connection.fetchval("SELECT name FROM automation_workflows WHERE id = $1", automation_id)
    waiting = [one for one in await contents(connection, automation_id) if not one.approved]
    rows = [[f"{one.kind} {one.name}", one.subject] for one in waiting[:SHOWN]]
    if len(waiting) > SHOWN:
        rows.append(["and", f"{len(waiting) - SHOWN} more"])
    await notifications.tell_by_mail(
        connection,
        automation_id=automation_id,
        key=key,
        title=title.format(name=name),
        body=f"{body}\n\n{HOW.format(id=automation_id)}",
        rows=rows,
    )


async def approve_written(connection: Connection | Pool, automation_id: UUID, name: str) -> None:
    """Approve a mail as it is: a person approved these words where they were written, or what they follow from."""
    await connection.execute(
        """
        UPDATE email_templates t SET approved_hash = content_hash FROM marketing_campaigns c
        WHERE c.automation_id = $1 AND t.campaign_id = c.id AND t.name = $2
        """,
        *(automation_id, name),
    )


# -- looking ------------------------------------------------------------------------------------------------------------


async def attend(pool: Pool, automation_id: UUID, now: datetime | None) -> tuple[Awaited | None, dict[str, datetime]]:
    """The decision an automation waits for, and when each step that had one was approved. A reminder that is due is sent."""
    rows = await pool.fetch(
        f"""
        SELECT {COLUMNS} FROM approvals
        WHERE automation_id = $1 AND content_id IS NULL AND status <> 'superseded' ORDER BY asked_at
        """,
        automation_id,
    )
    approved = {row["step"]: row["decided_at"] for row in rows if row["status"] == "approved"}
    awaited = next((row for row in rows if row["status"] != "approved"), None)
    if awaited is None:
        return None, approved
    remind_at = next_reminder(awaited["asked_at"], awaited["overdue_at"], awaited["last_reminded_at"])
    if awaited["status"] == "rejected":
        remind_at = None
    elif remind_at is not None and now is not None and remind_at <= now and await _remind(pool, awaited, now):
        remind_at = next_reminder(awaited["asked_at"], awaited["overdue_at"], now)
    found = Awaited(step=awaited["step"], status=awaited["status"], asked_at=awaited["asked_at"], remind_at=remind_at)
    return found, approved


async def _remind(pool: Pool, awaited: asyncpg.Record, now: datetime) -> bool:
    """Remind the organizer, once for all that is due; an automation that is paused reminds nobody."""
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            """
            UPDATE approvals p SET reminders_sent = reminders_sent + 1, last_reminded_at = $2
            FROM automation_workflows a
            WHERE p.id = $1 AND p.status = 'pending' AND a.id = p.automation_id AND a.status IN ('pending', 'active')
            RETURNING p.automation_id, p.reminders_sent
            """,
            awaited["id"],
            now,
        )
        if row is None:
            return False
        key = f"approval/{awaited['id']}/reminder/{row['reminders_sent']}"
        await _tell(connection, row["automation_id"], key, "Still to approve: {name}", REMINDED)
    return True


async def contents(connection: Connection | Pool, automation_id: UUID) -> tuple[Content, ...]:
    """Everything generated that an automation has to send, approved or not."""
    rows = await connection.fetch(
        """
        SELECT id, kind, name, slots, content_hash, approved_hash IS NOT DISTINCT FROM content_hash AS approved FROM approvable
        WHERE automation_id = $1 ORDER BY kind, name, id
        """,
        automation_id,
    )
    return tuple(Content(*row.values()) for row in rows)


async def waiting(pool: Pool, automation_id: UUID) -> Waiting | None:
    """What an automation waits for a person to decide, as it is at this moment; None if nothing waits."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        row = await connection.fetchrow(
            """
            SELECT a.id AS automation_id, p.id AS approval_id, a.event_id, a.name, p.step, p.status, p.asked_at, p.overdue_at,
                   eventos_content_hash(a.id) AS content_hash, p.note
            FROM approvals p JOIN automation_workflows a ON a.id = p.automation_id
            WHERE a.id = $1 AND p.content_id IS NULL AND p.status IN ('pending', 'rejected')
              AND a.status IN ('pending', 'active', 'paused')
            """,
            automation_id,
        )
        if row is None:
            return None
        return Waiting(**dict(row), contents=await contents(connection, automation_id))
