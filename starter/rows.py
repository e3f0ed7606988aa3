"""The row of an automation that begins, named after its subject, with the timeline of its kind; and what is to be said at once."""

from datetime import datetime
from uuid import UUID

from database import automations, notices, settlement
from database.automations import Begun
from database.connection import Connection, Pool
from database.events import Event
from models.approval import Approval
from models.automation import RULES, WorkflowType
from models.definition import to_definition
from starter.kinds import Kind


async def row_of(
    connection: Connection,
    workflow_type: WorkflowType,
    kind: Kind,
    event: Event,
    subject_id: UUID,
    since: datetime,
    approval: Approval | None = None,
    *,
    anew: bool = False,
) -> Begun:
    """The one row of a kind and subject, made now or before; see `automations.begin`."""
    subject = await automations.subject_name(connection, workflow_type, subject_id)
    return await automations.begin(
        connection,
        workflow_type=workflow_type,
        event_id=event.id,
        subject_id=subject_id,
        name=kind.title.format(event=event, subject=subject),
        definition=to_definition(kind.timeline),
        steps=kind.timeline,
        rules=RULES,
        since=since,
        approval=approval,
        anew=anew,
    )


async def taken_up(pool: Pool, event_id: UUID, automation_id: UUID) -> None:
    """Queue what an attendee who is accompanied anew does not know yet: that the event takes place after all, or its new date.

    The row is there before this looks. So a move that comes too late for it finds the row, and neither is told twice.
    """
    async with pool.acquire() as connection, connection.transaction():
        await settlement.cancel_earlier(connection, automation_id)
        await notices.event_takes_place(connection, event_id, automation_id)
        await notices.event_moved(connection, event_id, automation_id)
