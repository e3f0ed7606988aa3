"""Changes of a running timeline: what a person wants, what it comes to, and everything that stands against it. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from models import conditions, moments
from models.automation import Anchors, Frozen, Step, WorkflowType
from models.definition import read, to_definition
from models.phrases import nearest
from models.problems import Known, Problem
from models.stored import StoredAction

TIMING = frozenset({"delay", "delay_hours", "wait_for"})
ACTION_KEYS = frozenset(StoredAction.model_fields)


class Change(Frozen):
    """What a person wants of a timeline, in the keys of the stored form.

    A list of steps is the whole wanted timeline. An object changes only the steps it names: the keys given replace those of
    the step, an unknown id adds one, null takes one away.
    """

    steps: dict[str, Any] | list[Any]
    by: str = ""
    reason: str = ""
    dry_run: bool = False
    """Say what it would come to, and change nothing."""


class Revise(Frozen):
    """An automation asks for a change of itself, and says what it knows that its journal does not."""

    automation_id: UUID
    event_id: UUID
    request: str
    """The id of the update: under the same one a change is made once."""
    workflow_type: WorkflowType
    change: Change
    rounds: dict[str, int] = Field(default_factory=dict)
    begun: tuple[str, ...] = ()
    reserved: tuple[str, ...] = ()
    """Ids of the steps that answer facts."""


class Revised(Frozen):
    """What a change has come to; with problems nothing was changed."""

    problems: tuple[str, ...] = ()
    number: int | None = None
    """The number of the revision; None for a dry run."""
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    due: dict[str, AwareDatetime | None] = Field(default_factory=dict)
    """When what is added or changed is due; None is not known yet."""
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Present:
    """How an automation stands at the moment of a change."""

    steps: Sequence[Step]
    begun: Mapping[str, str]
    """The steps that can no longer change, and why."""
    held: Collection[str]
    reserved: Collection[str]
    anchors: Anchors
    ended: Mapping[str, datetime]
    now: datetime
    known: Known | None = None
    columns: Collection[str] | None = None
    """The columns that a condition may name; None leaves them unchecked."""


def review(change: Change, present: Present) -> Revised:
    """What a change would come to, or every problem with it."""
    problems: list[Problem] = []
    wanted = _wanted(change.steps, present.steps, problems)
    steps, found = read({"steps": wanted}, present.known)
    problems += _by_id(found, steps)
    old, new = {step.id: step for step in present.steps}, {step.id: step for step in steps}
    added = [id_ for id_ in new if id_ not in old]
    removed = [id_ for id_ in old if id_ not in new]
    changed = [id_ for id_ in new if id_ in old and new[id_] != old[id_]]
    problems += _begun(changed, removed, present)
    for id_ in added:
        if id_ in present.reserved:
            problems.append(Problem(path=f"{id_}.id", reason="a step that answers a fact is called so; use another id"))
    told = {problem.path for problem in problems}
    for id_ in (*added, *changed):
        moved = id_ not in old or (new[id_].moment, new[id_].until) != (old[id_].moment, old[id_].until)
        late = _moments(new[id_], steps, present) if moved and id_ not in present.begun else ()
        problems += (problem for problem in (*late, *_columns(new[id_], present)) if problem.path not in told)
    if not (problems or added or removed or changed):
        problems.append(Problem(path="steps", reason="the timeline is like that already"))
    if problems:
        return Revised(problems=tuple(map(str, problems)))
    due = moments.resolve_all(steps, present.anchors, present.ended).due
    return Revised(
        added=tuple(added),
        changed=tuple(changed),
        removed=tuple(removed),
        due={id_: due[id_] for id_ in (*added, *changed)},
        steps=steps,
    )


def _wanted(said: dict[str, Any] | list[Any], steps: Sequence[Step], problems: list[Problem]) -> list[Any]:
    """The steps of the wanted timeline in their stored form."""
    if isinstance(said, list):
        return said
    stored = {keys["id"]: keys for keys in to_definition(steps)["steps"]}
    for id_, keys in said.items():
        if keys is None:
            if stored.pop(id_, None) is None:
                problems.append(Problem(path=id_, reason=f"there is no such step to take away{nearest(id_, stored)}"))
        elif not isinstance(keys, dict):
            problems.append(
                Problem(path=id_, reason="the keys to change are expected here, or null to take the step away")
            )
        elif keys.get("id", id_) != id_:
            problems.append(Problem(path=f"{id_}.id", reason="a step keeps its id; take it away and add another"))
        else:
            stored[id_] = _merged(stored[id_], keys, problems) if id_ in stored else {**keys, "id": id_}
    return list(stored.values())


def _merged(stored: Mapping[str, Any], said: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """A step with some of its keys replaced. A new delay replaces the old one, in whichever key either is said."""
    config = said.get("config")
    keys = {**said, **config} if isinstance(config, dict) else dict(said)
    keys.pop("config", None)
    gone = {key for key, value in keys.items() if value is None}
    gone |= TIMING if keys.keys() & TIMING else set()
    gone |= {"type"} if "channels" in keys else set()
    one_by_one = any(isinstance(part, dict) for part in stored.get("actions", ()))
    if one_by_one and (lost := sorted(keys.keys() & ACTION_KEYS - {"actions", "type"})):
        reason = "the actions of this step are written one by one; say them all anew, under actions"
        problems.append(Problem(path=f"{stored['id']}.{lost[0]}", reason=reason))
    kept = {key: value for key, value in stored.items() if key not in gone}
    return kept | {key: value for key, value in keys.items() if value is not None}


def _by_id(problems: Sequence[Problem], steps: Sequence[Step]) -> Iterator[Problem]:
    """Problems whose places are told by the id of a step, where that names one."""
    ids = [step.id for step in steps]
    for problem in problems:
        place = re.match(r"steps\[(\d+)\]", problem.path)
        id_ = ids[int(place[1])] if place else ""
        if place and ids.count(id_) == 1 and not problem.path.endswith("].id"):
            yield Problem(path=f"{id_}{problem.path[place.end() :]}", reason=problem.reason)
        else:
            yield problem


def _begun(changed: Sequence[str], removed: Sequence[str], present: Present) -> Iterator[Problem]:
    for id_ in (*changed, *removed):
        if id_ in present.begun:
            reason = f"it {present.begun[id_]}; only what has not begun can be changed"
            yield Problem(path=id_, reason=reason)
        elif id_ in removed and id_ in present.held:
            yield Problem(path=id_, reason="it is held; skip gives it up, retry or a change tries it again")


def _moments(step: Step, steps: Sequence[Step], present: Present) -> Iterator[Problem]:
    """A new moment lies ahead, and counts from something that the subject has."""
    try:
        due = moments.resolve(moments.parse(step.moment), present.anchors, present.ended)
    except moments.MomentError:
        return  # it is told already
    except LookupError as error:
        yield Problem(path=f"{step.id}.delay", reason=str(error))
        return
    if due is not None and due < present.now:
        reason = f"that is {due:%Y-%m-%d %H:%M:%S} UTC, before now ({present.now:%Y-%m-%d %H:%M:%S} UTC)"
        yield Problem(path=f"{step.id}.delay", reason=reason)
    until = None
    try:
        until = moments.resolve_all(steps, present.anchors, present.ended).until.get(step.id)
    except moments.MomentError:
        return
    if until is not None and due is not None and until <= due:
        reason = f"that is {until:%Y-%m-%d %H:%M:%S} UTC, not after it is due, so it would always be skipped"
        yield Problem(path=f"{step.id}.until", reason=reason)


def _columns(step: Step, present: Present) -> Iterator[Problem]:
    if present.columns is None or step.condition is None:
        return
    try:
        named = conditions.columns([step.condition])
    except conditions.ConditionError:
        return
    for name in sorted(named - set(present.columns)):
        reason = f"the subject has no column '{name}'{nearest(name, present.columns)}"
        yield Problem(path=f"{step.id}.condition", reason=reason)


def difference(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """How two stored timelines differ, a line for each step or key: `week_1_reminder.delay: 7 days -> 8 days`."""
    old, new = ({step["id"]: step for step in definition["steps"]} for definition in (before, after))
    lines = [f"{id_} is gone" for id_ in old if id_ not in new] + [f"{id_} is new" for id_ in new if id_ not in old]
    for id_ in old.keys() & new.keys():
        was, is_ = old[id_], new[id_]
        keys = sorted(key for key in was.keys() | is_.keys() if was.get(key) != is_.get(key))
        lines += [f"{id_}.{key}: {was.get(key, '-')} -> {is_.get(key, '-')}" for key in keys]
    return lines
