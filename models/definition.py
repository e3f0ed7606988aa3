"""The stored form of a timeline: `automation_workflows.definition`, `{"version": 1, "steps": [...]}`.

Everything that the specification itself writes is read; `to_definition` writes one plain form of it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from models import moments
from models.automation import GRACE, Action, Late, Step
from models.branches import Reached, follow
from models.phrases import nearest
from models.problems import DefinitionError, Known, Problem, check
from models.stored import COMPUTED, StoredAction, StoredStep, read_actions, write_actions

VERSION = 1

_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PLAIN = re.compile(r"\s*[0-9]+\s*[a-z]+\s*")
_PRIORITIES: dict[str, Literal[1, 2, 3]] = {"high": 1, "medium": 2, "low": 3}

M = TypeVar("M", bound=StoredAction)


def title(step_id: str) -> str:
    """The name of a step that was given none: its id, for people."""
    return step_id.replace("_", " ").capitalize()


def usual_priority(actions: Sequence[Action]) -> Literal[1, 2, 3]:
    """The priority of a step that was given none: 1 if critical, 2 if it has an urgency at all, else 3."""
    urgencies = {action.urgency for action in actions} - {None}
    return 1 if "critical" in urgencies else 2 if urgencies else 3


def to_definition(steps: Sequence[Step]) -> dict[str, Any]:
    """The stored form of a timeline; `from_definition` gives back the very same steps."""
    return {"version": VERSION, "steps": [_written(step) for step in steps]}


def from_definition(definition: object) -> tuple[Step, ...]:
    """Read a stored timeline; a DefinitionError names everything that cannot be read. It is not checked again."""
    reader = _Reader()
    steps = reader.steps(definition)
    if reader.problems:
        raise DefinitionError(reader.problems)
    return steps


def accept(definition: object, known: Known | None = None) -> tuple[Step, ...]:
    """Read and check a timeline that somebody hands in; a DefinitionError names everything that is wrong with it."""
    steps, problems = read(definition, known)
    if problems:
        raise DefinitionError(problems)
    return steps


def read(definition: object, known: Known | None = None) -> tuple[tuple[Step, ...], list[Problem]]:
    """The steps of a timeline as far as they can be read, and everything that is wrong with it."""
    reader = _Reader()
    steps = reader.steps(definition)
    found = check(steps, known)
    return steps, [*reader.problems, *(problem for problem in found if not reader.told(problem.path))]


def _written(step: Step) -> dict[str, Any]:
    said = {
        "condition": step.condition,
        "grace": _span(step.grace) if step.grace != GRACE else None,
        "until": step.until,
        "needs": step.needs,
        "branch": step.branch,
        "topic": step.topic,
    }
    return {
        "id": step.id,
        "name": step.name,
        "delay": step.moment,
        **write_actions(step.actions),
        "late": step.late.value,
        "priority": step.priority,
        **{key: value for key, value in said.items() if value is not None},
    }


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} seconds"


class _Reader:
    """Reads a definition, and goes on after a problem so that all of them are told at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def steps(self, definition: object) -> tuple[Step, ...]:
        stored, actions = [], []
        for at, raw in enumerate(self._list(definition)):
            step, done = self._step(raw, f"steps[{at}]")
            stored.append(step)
            actions.append(done)
        reached = follow(stored, lambda at, key, reason: self._wrong(f"steps[{at}].{key}", reason))
        return tuple(
            self._built(step, done, way, f"steps[{at}]")
            for at, (step, done, way) in enumerate(zip(stored, actions, reached, strict=True))
        )

    def told(self, path: str) -> bool:
        """Whether this place, or what it is in, is known to be wrong: what follows from it is not worth telling."""
        return any(path == problem.path or path.startswith(f"{problem.path}.") for problem in self.problems)

    def _wrong(self, path: str, reason: str) -> None:
        if not self.told(path):
            self.problems.append(Problem(path=path, reason=reason))

    def _list(self, definition: object) -> list[Any]:
        if isinstance(definition, Mapping) and definition and "steps" not in definition:
            definition = {"steps": definition}
        if not isinstance(definition, Mapping) or not definition:
            self._wrong("steps", 'a timeline is an object: {"version": 1, "steps": [...]}')
            return []
        if definition.get("version", VERSION) != VERSION:
            self._wrong("version", f"only version {VERSION} can be read, not {definition['version']!r}")
        steps = definition["steps"]
        if isinstance(steps, Mapping):
            steps = [{"id": key, **said} if isinstance(said, Mapping) else said for key, said in steps.items()]
        if not isinstance(steps, list) or not steps:
            self._wrong("steps", "a timeline has a list of at least one step")
            return []
        return steps

    def _step(self, raw: object, path: str) -> tuple[StoredStep, tuple[Action, ...]]:
        keys = self._keys(raw, path)
        config = self._keys(keys.pop("config", {}), f"{path}.config")
        for key in sorted(config.keys() & keys.keys()):
            self._wrong(f"{path}.config.{key}", f"'{key}' is said twice, here and in the step itself")
        keys = config | keys
        parts = keys.get("actions")
        whole = isinstance(parts, list) and any(isinstance(part, Mapping) for part in parts)
        stored = self._read(StoredStep, keys | {"actions": []} if whole else keys, path)
        step_id = stored.id or stored.name or ""
        if not _ID.fullmatch(step_id):
            self._wrong(
                f"{path}.id", "an id begins with a small letter and has small letters, digits and _, 63 at most"
            )
            step_id = "step_" + "".join(filter(str.isdigit, path))
        stored = stored.model_copy(update={"id": step_id, "name": stored.name if stored.id else None})
        if whole:
            return stored, self._parts(keys["actions"], step_id, f"{path}.actions")
        return stored, self._actions(stored, step_id, path)

    def _parts(self, parts: Sequence[object], step_id: str, path: str) -> tuple[Action, ...]:
        actions: list[Action] = []
        for at, part in enumerate(parts):
            place = f"{path}[{at}]"
            actions += self._actions(self._read(StoredAction, self._keys(part, place), place), step_id, place)
        return tuple(actions)

    def _actions(self, stored: StoredAction, step_id: str, path: str) -> tuple[Action, ...]:
        return read_actions(stored, step_id, lambda key, reason: self._wrong(f"{path}.{key}", reason))

    def _keys(self, raw: object, path: str) -> dict[str, Any]:
        if isinstance(raw, Mapping) and all(isinstance(key, str) for key in raw):
            return {key: said for key, said in raw.items() if key not in COMPUTED}
        self._wrong(path, "an object with keys such as id, type and delay is expected here")
        return {}

    def _read(self, model: type[M], keys: dict[str, Any], path: str) -> M:
        try:
            return model.model_validate(keys)
        except ValidationError as error:
            faults = error.errors()
        for fault in faults:
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"])
            reason = fault["msg"][:1].lower() + fault["msg"][1:]
            if fault["type"] == "extra_forbidden":
                reason = f"there is no such key{nearest(str(fault['loc'][-1]), model.model_fields)}"
            self._wrong(f"{path}{place}", reason)
        faulty = {fault["loc"][0] for fault in faults}
        return model.model_validate({key: said for key, said in keys.items() if key not in faulty})

    def _built(self, stored: StoredStep, actions: tuple[Action, ...], reached: Reached, path: str) -> Step:
        priority = stored.priority or usual_priority(actions)
        return Step(
            id=stored.id,
            name=title(stored.id) if stored.name is None else stored.name,
            moment=self._moment(stored, reached, path),
            actions=actions,
            condition=reached.condition,
            late=Late(stored.late),
            grace=self._grace(stored, path),
            until=stored.until,
            needs=stored.needs,
            branch=reached.slot if stored.branch is None else stored.branch,
            priority=_PRIORITIES[priority] if isinstance(priority, str) else priority,
            topic=stored.topic,
        )

    def _moment(self, stored: StoredStep, reached: Reached, path: str) -> str:
        delay = stored.delay
        if stored.delay_hours is not None:
            if delay is not None:
                self._wrong(f"{path}.delay_hours", "say it once, by delay or by delay_hours")
            delay = f"{stored.delay_hours} hours"
        after = reached.after if stored.wait_for is None else stored.wait_for
        if after is not None:
            if delay is not None and not _PLAIN.fullmatch(delay):
                self._wrong(f"{path}.wait_for", "wait_for goes with a plain delay such as '1 hour'")
            return f"{'0 hours' if delay is None else delay} after {after}"
        if delay is None and path != "steps[0]" and not self.told(f"{path}.delay_hours"):
            self._wrong(f"{path}.delay", "say when, by delay, delay_hours or wait_for")
        return "0 hours" if delay is None else delay

    def _grace(self, stored: StoredStep, path: str) -> timedelta:
        if stored.grace is None:
            return GRACE
        try:
            moment = moments.parse(stored.grace)
        except moments.MomentError as error:
            self._wrong(f"{path}.grace", str(error))
            return GRACE
        if moment.anchor != "start" or moment.at is not None:
            self._wrong(f"{path}.grace", "a grace is a plain span such as '6 hours'")
        return moment.span
