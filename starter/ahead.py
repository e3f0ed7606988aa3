"""What is ahead of an automation that runs, or of one that has still to begin."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from database import automations, planning, subjects
from database.connection import Connection, Pool
from database.planning import Running
from models import conditions
from models.automation import RULES, Anchors, Progress, Step, WorkflowType
from models.definition import from_definition
from models.player import AutomationInput
from starter.kinds import KINDS
from workflows.foresight import Foreseen, foresee
from workflows.knowledge import Knowledge
from workflows.sponsor_knowledge import SequenceKnowledge


async def of_running(connection: Connection | Pool, running: Running) -> list[Foreseen]:
    """What is ahead of an automation, by what its row, its journal and its subject say. Raises UnknownZone."""
    standing = await automations.standing(connection, running.id)
    if standing is None:
        return []
    steps = from_definition(running.definition)
    named = conditions.columns(step.condition for step in steps)
    knows = knowledge(
        running.workflow_type,
        running.event_id,
        running.subject_id,
        steps,
        (await planning.progress(connection, [running.id]))[running.id],
        (await planning.facts(connection, [running.id]))[running.id],
        rules=running.rules,
        subject=(await subjects.read(connection, [running.id], named))[running.id],
    )
    return list(foresee(knows, automations.anchors(standing), standing.now))


def of_one_to_begin(
    workflow_type: WorkflowType, event_id: UUID, subject_id: UUID, steps: Sequence[Step], anchors: Anchors
) -> list[Foreseen]:
    """What is ahead of an automation that begins at `anchors.start`. Raises UnknownZone."""
    knows = knowledge(workflow_type, event_id, subject_id, tuple(steps), {}, ())
    return list(foresee(knows, anchors, anchors.start))


def knowledge(
    workflow_type: WorkflowType,
    event_id: UUID,
    subject_id: UUID,
    steps: tuple[Step, ...],
    progress: Mapping[str, Progress],
    facts: Collection[str],
    *,
    rules: int = RULES,
    subject: Mapping[str, str] | None = None,
) -> Knowledge:
    """What the automation's player knows; the sequence of one sponsor has a player of its own kind."""
    kind = KINDS.get(workflow_type)
    about = AutomationInput(
        automation_id=subject_id,
        event_id=event_id,
        subject_id=subject_id,
        workflow_type=workflow_type,
        steps=steps,
        open_ended=kind is not None and kind.open_ended,
        rules=rules,
    )
    is_sequence = workflow_type == "sponsor_outreach" and subject_id != event_id
    knows = SequenceKnowledge(about) if is_sequence else Knowledge(about)
    knows.progress, knows.facts, knows.subject = dict(progress), set(facts), dict(subject or {})
    return knows
