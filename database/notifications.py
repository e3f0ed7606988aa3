"""Notifications: what an organizer is told, once per matter, on the dashboard and, where it cannot wait, by mail."""

from collections.abc import Sequence
from uuid import UUID

from asyncpg import Record

from database.connection import Connection, Pool
from models.automation import Step

NOTICES = "notice/"
"""Begins the slots of mails to the organizer about the automation itself: they are no steps, and count for none."""

STEP = "notify_organizer"

NOTICE = "notification"
"""The template of mails whose words stand in the table."""

LONGEST = 200
"""Letters of a title, which is a mail's subject too."""


def telling(query: str, *more: str) -> str:
    """The statement, or the CTE of a larger one, that tells what a query selects; a second telling under the same key changes nothing.

    The query's columns are organizer, event, automation, key, title, body and those that are named as `more`.
    """
    columns = ", ".join(("organizer_id", "event_id", "automation_id", "key", "title", "body", *more))
    return f"INSERT INTO notifications ({columns}) {query} ON CONFLICT (key) DO NOTHING"


_MAILED = f"""
    mail AS (
        SELECT reader.*, a.id AS automation_id, a.event_id, a.rehearsal, a.organizer_id, eventos_now(a.event_id) AS at
        FROM reader, automation_workflows a WHERE a.id = $1
    ), noted AS (
        INSERT INTO workflow_execution_logs (workflow_id, slot, step_id, step_name, action_type, status, due_at, open, result)
        SELECT automation_id, '{NOTICES}' || $2, {{step}}, '{{title}}', 'notification', 'running', at, 1,
               '{{{{"queued": 1}}}}'::jsonb
        FROM mail ON CONFLICT DO NOTHING RETURNING id
    ), mailed AS (
        INSERT INTO messages (key, rehearsal, organizer_id, event_id, automation_id, log_id, step, person_id, channel, address,
                              template, content_id, priority, release_at)
        SELECT '{NOTICES}' || $2, rehearsal, organizer_id, event_id, automation_id, noted.id, {{step}}, person_id, 'email',
               address, {{template}}, content_id, 1, at
        FROM mail, noted ON CONFLICT (key) DO NOTHING RETURNING id
    )"""
"""The CTEs that write to one `reader`, in a journal row of its own, under the key $2 and at once: a notice is never put off."""


async def tell(
    connection: Pool | Connection, *, event_id: UUID, key: str, title: str, body: str, automation_id: UUID | None = None
) -> None:
    """Tell the event's organizer; a second telling under the same key changes nothing."""
    await connection.execute(
        telling("SELECT organizer_id, id, $2, $3, $4, $5 FROM events WHERE id = $1"),
        event_id,
        automation_id,
        key,
        title,
        body,
    )


async def tell_of(connection: Connection, automation_id: UUID, key: str, title: str, body: str) -> None:
    """Tell the organizer of an automation, on the dashboard alone; once per key."""
    await connection.execute(
        telling("SELECT organizer_id, event_id, id, $2, $3, $4 FROM automation_workflows WHERE id = $1"),
        *(automation_id, key, title, body),
    )


async def tell_by_mail(
    connection: Connection,
    *,
    automation_id: UUID,
    key: str,
    title: str,
    body: str,
    rows: Sequence[Sequence[str]] = (),
    template: str = NOTICE,
    step: str = STEP,
) -> None:
    """Tell the organizer of an automation that it needs a person, on the dashboard and by mail at once; once per key.

    The mail is a message like any other, in a journal row of its own. `rows` are facts as label and value. A `template` with
    words of its own is mailed in their place.
    """
    await connection.execute(
        f"""
        WITH told AS (
            {telling("SELECT organizer_id, event_id, id, $2, $3, $4, $5 FROM automation_workflows WHERE id = $1", "rows")}
            RETURNING id
        ), reader AS (
            SELECT told.id AS content_id, o.id AS person_id, lower(btrim(o.email)) AS address
            FROM told, automation_workflows a JOIN organizers o ON o.id = a.organizer_id
            WHERE a.id = $1 AND o.email LIKE '%_@_%'
        ), {_MAILED.format(template="$6", step="$7", title="Notify organizer")}
        SELECT count(*) FROM mailed
        """,
        *(automation_id, key, title, body, [list(row) for row in rows], template, step),
    )


async def tell_of_step(connection: Connection, automation_id: UUID, step: Step, template: str) -> None:
    """Tell the organizer what a step of a timeline has for them, once per round of the step."""
    row = await _running(connection, automation_id, step)
    title, about = f"{step.name}: {row['automation']}", row["event"]
    await tell_by_mail(
        connection,
        automation_id=automation_id,
        key=f"step/{row['log_id']}",
        title=title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…",
        body=f"The timeline of {row['automation']} has come to this step, and asks for your attention.",
        rows=[["Step", step.name], *([["Event", about]] if about else [])],
        template=template,
        step=step.id,
    )


async def tell_sponsor(connection: Connection, automation_id: UUID, step: Step, template: str) -> bool:
    """Mail the sponsor that an automation is about, once per round of the step; False if there is none with an address."""
    row = await _running(connection, automation_id, step)
    found: bool = await connection.fetchval(
        f"""
        WITH reader AS (
            SELECT NULL::uuid AS content_id, s.id AS person_id, lower(btrim(s.contact_email)) AS address
            FROM automation_workflows a JOIN sponsors s ON s.contact_email LIKE '%_@_%' AND s.id IN (
                SELECT p.sponsor_id FROM sponsor_deliverables d JOIN sponsorships p ON p.id = d.sponsorship_id
                WHERE d.id = a.subject_id
                UNION ALL SELECT p.sponsor_id FROM proposals p WHERE p.id = a.subject_id)
            WHERE a.id = $1
        ), {_MAILED.format(template="$3", step="$4", title="Notify sponsor")}
        SELECT EXISTS (SELECT 1 FROM reader)
        """,
        *(automation_id, f"step/{row['log_id']}/sponsor", template, step.id),
    )
    return found


async def _running(connection: Connection, automation_id: UUID, step: Step) -> Record:
    """The journal row of the round of a step that is being carried out, and the names that a notice says."""
    row = await connection.fetchrow(
        """
        SELECT l.id AS log_id, a.name AS automation, e.name AS event
        FROM workflow_execution_logs l JOIN automation_workflows a ON a.id = l.workflow_id JOIN events e ON e.id = a.event_id
        WHERE l.workflow_id = $1 AND l.slot = $2 AND l.step_id = $3 ORDER BY l.round DESC LIMIT 1
        """,
        *(automation_id, step.slot, step.id),
    )
    if row is None:
        raise LookupError(f"Step {step.id} of automation {automation_id} has not begun, so nobody is told of it.")
    return row


async def withdraw(connection: Connection, automation_id: UUID, key: str) -> None:
    """The matter is settled: it is taken off the dashboard, and a mail about it that has not left does not leave."""
    await connection.execute(
        "DELETE FROM notifications WHERE automation_id = $1 AND (key = $2 OR starts_with(key, $2 || '/'))",
        *(automation_id, key),
    )
    # What is being claimed at this instant leaves: whoever claims must not wait for whoever holds the automation's row.
    await connection.execute(
        """
        UPDATE messages SET valid_until = eventos_now(event_id) WHERE id IN (
            SELECT m.id FROM workflow_execution_logs l JOIN messages m ON m.log_id = l.id
            WHERE l.workflow_id = $1 AND (l.slot = $2 OR starts_with(l.slot, $2 || '/')) AND m.status = 'queued'
            FOR UPDATE OF m SKIP LOCKED)
        """,
        *(automation_id, f"{NOTICES}{key}"),
    )
