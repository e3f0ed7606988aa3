"""What rules begin: a kind of automation with its timeline, for a subject."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from database.events import Event
from database.occurrences import Occurrence
from models import conditions, moments, recurrences, watch
from models.approval import Approval
from models.automation import Step, WorkflowType
from models.definition import read
from models.ids import custom_subject_id
from models.problems import DefinitionError, Known, Problem
from starter.kinds import KINDS, NEWS, Kind

LONGEST_NAME = 200


class Unfit(Exception):
    """A rule that begins nothing, and why: it has to be corrected first."""


class Meant(NamedTuple):
    """What a rule begins."""

    workflow_type: WorkflowType
    kind: Kind
    subject_id: UUID | None
    """None where what happened says which it is about."""
    approval: Approval | None


def meant(
    name: str,
    rule_kind: str,
    workflow_type: str,
    parameters: Mapping[str, Any],
    event_id: UUID,
    known: Known | None,
    fire: datetime | None = None,
) -> Meant:
    """What a rule of this `name` begins for an event; at each `fire` of a recurrence another one, called after its day."""
    found = next((kind for kind in KINDS if kind == workflow_type), None)
    if found is None:
        raise Unfit(f"it begins {workflow_type!r}, which does not exist; there are {', '.join(KINDS)}")
    if (why := watch.nameless(rule_kind, found)) is not None:
        raise Unfit(why)
    approval = parameters.get("approval")
    if approval not in (None, "auto", "required"):
        raise Unfit(f"it says approval {approval!r}; it is 'auto' or 'required'")
    kind, subject_id = KINDS[found], None
    if found == "custom":
        called = parameters.get("name", name)
        if "definition" not in parameters:
            raise Unfit(
                'a custom automation needs its timeline: parameters {"definition": {"version": 1, "steps": [...]}}'
            )
        try:
            kind = custom(parameters["definition"], called, known)
        except DefinitionError as error:
            raise Unfit(str(error)) from error
        subject_id = custom_subject_id(event_id, called, fire)
        if fire is not None:
            kind = replace(kind, title=f"{kind.title} {fire:%Y-%m-%d}")
    return Meant(found, kind, subject_id, cast(Approval | None, approval))


def fire_of(occurrence: Occurrence, event: Event) -> datetime | None:
    """The instant of the recurrence that brought an occurrence about, in the event's zone; None for any other."""
    moment = occurrence.data.get("moment")
    if occurrence.data.get("rule") is None or not isinstance(moment, str) or not recurrences.recurring(moment):
        return None
    try:
        return occurrence.occurred_at.astimezone(moments.zone_named(event.timezone or "UTC"))
    except moments.UnknownZone:  # since it came due
        return occurrence.occurred_at


def custom(definition: object, name: object, known: Known | None) -> Kind:
    """The kind that a stored timeline is, under this name; a DefinitionError names everything that is wrong with it."""
    steps, problems = read(definition, known)
    told = {problem.path for problem in problems}
    problems += [problem for problem in _unfit(steps) if problem.path not in told]
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or "\0" in name:
        problems.append(Problem(path="name", reason=f"a name is a text of 1 to {LONGEST_NAME} characters"))
    if problems or not isinstance(name, str):
        raise DefinitionError(problems)
    title = name.replace("{", "{{").replace("}", "}}")
    return replace(KINDS["custom"], title=title, timeline=steps)


def _unfit(steps: Sequence[Step]) -> Iterator[Problem]:
    """What only a custom timeline may not say: it has no deliverable, and hears facts beside what steers it."""
    for at, step in enumerate(steps):
        for field, text in (("delay", step.moment), ("until", step.until)):
            if text is not None and _anchor(text) == "deadline":
                reason = "a custom automation has no due date; count from its start, event_date, event_end or a step"
                yield Problem(path=f"steps[{at}].{field}", reason=reason)
        for name in sorted(_facts(step) & {*NEWS, "clock", "tell"}):
            reason = f"'{name}' steers an automation and is no fact; call it something else"
            yield Problem(path=f"steps[{at}].condition", reason=reason)


def _anchor(text: str) -> str:
    try:
        return moments.parse(text).anchor
    except moments.MomentError:
        return ""  # the id of a step, or told already


def _facts(step: Step) -> set[str]:
    try:
        return conditions.facts([step.condition])
    except conditions.ConditionError:
        return set()
