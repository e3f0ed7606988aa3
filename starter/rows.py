"""The row of an automation that begins: named after its subject, with the timeline of its kind."""

from datetime import datetime
from uuid import UUID

from database import automations
from database.automations import Begun
from database.connection import Connection
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
