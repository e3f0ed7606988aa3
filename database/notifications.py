"""Notifications: what an organizer is told, once per matter, on the dashboard and, where it cannot wait, by mail."""

from collections.abc import Sequence
from uuid import UUID

from database.connection import Connection, Pool

NOTICES = "notice/"
"""Begins the slots of mails to the organizer about the automation itself: they are no steps, and count for none."""

STEP = "notify_organizer"


async def tell(
    connection: Pool | Connection, *, event_id: UUID, key: str, title: str, body: str, automation_id: UUID | None = None
) -> None:
    """Tell the event's organizer; a second telling under the same key changes nothing."""
    await connection.execute(
        """
        INSERT INTO notifications (organizer_id, event_id, automation_id, key, title, body)
        SELECT organizer_id, id, $2, $3, $4, $5 FROM events WHERE id = $1
        ON CONFLICT (key) DO NOTHING
        """,
        event_id,
        automation_id,
        key,
        title,
        body,
    )


async def tell_by_mail(
    connection: Connection,
    *,
    automation_id: UUID,
    key: str,
    title: str,
    body: str,
    rows: Sequence[Sequence[str]] = (),
) -> None:
    """Tell the organizer of an automation that it needs a person, on the dashboard and by mail at once; once per key.

    The mail is a message like any other, in a journal row of its own. `rows` are facts as label and value.
    """
    await connection.execute(
        f"""
        WITH told AS (
            INSERT INTO notifications (organizer_id, event_id, automation_id, key, title, body, rows)
            SELECT organizer_id, event_id, id, $2, $3, $4, $5 FROM automation_workflows WHERE id = $1
            ON CONFLICT (key) DO NOTHING RETURNING id
        ), mail AS (
            SELECT told.id AS content_id, a.id AS automation_id, a.event_id, a.rehearsal, o.id AS organizer_id,
                   lower(btrim(o.email)) AS address, eventos_now(a.event_id) AS at
            FROM told, automation_workflows a JOIN organizers o ON o.id = a.organizer_id
            WHERE a.id = $1 AND o.email LIKE '%_@_%'
        ), noted AS (
            INSERT INTO workflow_execution_logs (workflow_id, slot, step_id, step_name, action_type, status, due_at, open, result)
            SELECT automation_id, '{NOTICES}' || $2, '{STEP}', 'Notify organizer', 'notification', 'running', at, 1,
                   '{{"queued": 1}}'::jsonb
            FROM mail ON CONFLICT DO NOTHING RETURNING id
        )
        INSERT INTO messages (key, rehearsal, organizer_id, event_id, automation_id, log_id, step, person_id, channel, address,
                              template, content_id, priority, release_at)
        SELECT '{NOTICES}' || $2, rehearsal, organizer_id, event_id, automation_id, noted.id, '{STEP}', organizer_id, 'email',
               address, 'notification', content_id, 1, at
        FROM mail, noted ON CONFLICT (key) DO NOTHING
        """,
        *(automation_id, key, title, body, [list(row) for row in rows]),
    )


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
