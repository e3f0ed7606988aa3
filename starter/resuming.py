"""What a resume brings at once: decided by the players' own rules, from what the database knows, and counted by kind."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from database import automations, planning, resuming, subjects
from database.connection import Connection, Pool
from database.control import Scope
from database.planning import Subject
from database.resuming import Held, Paused
from models import conditions, moments
from models.automation import Action, Anchors, Shift, Step
from models.definition import from_definition
from models.player import Policy
from starter import ahead
from workflows.foresight import on_resume
from workflows.knowledge import Knowledge
from workflows.timeline import Skip


@dataclass
class Resumption:
    """What a resume brings to the automations of one kind."""

    kind: str
    automations: int = 0
    steps: int = 0
    """How many steps go now."""
    messages: int = 0
    """How many messages these bring, before the gates look at them."""
    held: Held | None = None
    """Messages that were queued before the pause, if there are any."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Why steps are skipped now, and how many."""
    moved: int = 0
    """How many steps become due later than they were."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Why nothing can be said of some automations."""


async def foresee(pool: Pool, scope: Scope, policy: Policy) -> list[Resumption]:
    """What a resume of a scope would bring now, by kind. Changes nothing."""
    async with planning.snapshot(pool) as connection:
        paused = await resuming.paused(connection, scope)
        ids = [one.id for one in paused]
        timelines = {
            version: from_definition(stored)
            for version, stored in (await resuming.definitions(connection, ids)).items()
        }
        standings = await automations.standings(connection, ids)
        progress, facts = await planning.progress(connection, ids), await planning.facts(connection, ids)
        named = conditions.columns(step.condition for steps in timelines.values() for step in steps)
        columns = await subjects.read(connection, ids, named)
        held = await resuming.held(connection, ids)
        found: dict[str, Resumption] = {}
        for one in paused:
            kind = found.setdefault(one.workflow_type, Resumption(one.workflow_type))
            kind.held = held.get(one.workflow_type)
            standing = standings[one.id]
            knows = ahead.knowledge(
                *(one.workflow_type, one.event_id, one.subject_id, timelines[one.version]),
                *(progress[one.id], facts[one.id]),
                rules=one.rules,
                subject=columns[one.id],
            )
            await _count(connection, kind, one, knows, automations.anchors(standing), standing.now, policy)
    return list(found.values())


async def _count(
    connection: Connection,
    kind: Resumption,
    one: Paused,
    knows: Knowledge,
    before: Anchors,
    now: datetime,
    policy: Policy,
) -> None:
    kind.automations += 1
    after = before
    if policy == "shift" and one.paused_at is not None:
        shift = Shift(at=one.paused_at, by=now - one.paused_at)
        after = before.model_copy(update={"shifts": (*before.shifts, shift)})
    try:
        if after is not before:
            kind.moved += _moved(knows, before, after)
        decisions = list(on_resume(knows, after, now, policy, one.awaits))
    except moments.UnknownZone as error:
        kind.unknown[str(error)] += 1
        return
    for decision in decisions:
        if isinstance(decision, Skip):
            kind.skipped["late" if decision.reason.startswith("late by ") else decision.reason] += 1
        else:
            step = knows.steps[decision.step_id]
            kind.steps += 1
            kind.messages += sum([await _messages(connection, one, step, action) for action in step.actions])


def _moved(knows: Knowledge, before: Anchors, after: Anchors) -> int:
    """How many steps that have not begun become due at another instant."""
    steps: Sequence[Step] = knows.about.steps
    ended = {id_: known.ended for id_, known in knows.progress.items() if known.ended}
    old, new = (moments.resolve_all(steps, anchors, ended).due for anchors in (before, after))
    return sum(old[step.id] != new[step.id] for step in steps if step.id not in knows.begun())


async def _messages(connection: Connection, one: Paused, step: Step, action: Action) -> int:
    """How many messages an action brings: one to the subject, else as many as its audience can be reached."""
    if action.verb == "social":
        return len(action.targets)
    if action.verb not in ("email", "whatsapp"):
        return 0
    if action.audience is None or one.subject_id != one.event_id or one.organizer_id is None:
        return 1
    about = Subject(one.event_id, one.organizer_id, one.subject_id, one.workflow_type, one.id)
    return (await planning.reach(connection, about, step, action)).reached or 0
