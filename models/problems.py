"""What is wrong with a timeline: every problem at once, each with its place and in plain words."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from graphlib import CycleError, TopologicalSorter

from models import conditions, moments
from models.automation import Action, Anchors, Frozen, Step
from models.phrases import either, nearest

PLATFORMS = ("linkedin", "twitter", "facebook")
RECIPIENTS = ("organizer", "sponsor")
"""Whom a notification may reach."""


class Problem(Frozen):
    """One thing that is wrong: where, and what to do about it."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class DefinitionError(ValueError):
    """A timeline that cannot be played; it names every problem at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Known:
    """The names that a timeline may use here."""

    templates: Mapping[str, Collection[str]]
    """By verb, such as `email`; the templates of other verbs are not checked."""
    audiences: Collection[str]
    includes: Collection[str]
    targets: Mapping[str, Collection[str]]
    """What each verb that sends nothing can do."""
    has_subject: bool
    """Whether there is a person behind the automation's subject, who is written to where no audience is named."""


def check(steps: Sequence[Step], known: Known | None = None) -> list[Problem]:
    """Everything that is wrong with a timeline; without what is `known` here, names are not checked."""
    if not steps:
        return [Problem(path="steps", reason="a timeline has at least one step")]
    found = [*_ids(steps), *_slots(steps), *_circles(steps)]
    by_id = {step.id: step for step in steps}
    for at, step in enumerate(steps):
        reasons = [
            *_moment(step, by_id),
            *_until(step, by_id),
            *_condition(step),
            *(reason for action in step.actions for reason in _action(action, known)),
        ]
        found += (Problem(path=f"steps[{at}].{field}", reason=reason) for field, reason in reasons)
    return found


def _ids(steps: Sequence[Step]) -> Iterator[Problem]:
    count = Counter(step.id for step in steps)
    for at, step in enumerate(steps):
        if count[step.id] > 1:
            yield Problem(path=f"steps[{at}].id", reason=f"'{step.id}' is used {count[step.id]} times; ids are unique")
        if step.id in moments.RESERVED:
            yield Problem(path=f"steps[{at}].id", reason=f"'{step.id}' is a word of moments; use another id")


def _slots(steps: Sequence[Step]) -> Iterator[Problem]:
    ids = {step.id for step in steps}
    members = Counter(step.branch for step in steps if step.branch)
    for at, step in enumerate(steps):
        if step.branch in ids:
            yield Problem(path=f"steps[{at}].branch", reason=f"'{step.branch}' is the id of a step; use another name")
        elif step.branch and members[step.branch] == 1:
            yield Problem(path=f"steps[{at}].branch", reason=f"no other step is on the branch '{step.branch}'")


def _circles(steps: Sequence[Step]) -> Iterator[Problem]:
    place = {step.id: at for at, step in enumerate(steps)}
    waits = {step.id: {name for name in (_after(step), step.needs) if name in place} for step in steps}
    while (circle := _circle(waits)) is not None:
        first = min(circle, key=place.__getitem__)
        at = circle.index(first)
        said = " waits for ".join([*circle[at:], *circle[:at], first])
        yield Problem(path=f"steps[{place[first]}].delay", reason=f"{said}, so none of them would ever begin")
        for name in circle:
            waits[name] -= set(circle)


def _after(step: Step) -> str | None:
    moment = _read(step.moment)
    return moment.step if moment else None


def _circle(waits: Mapping[str, Collection[str]]) -> list[str] | None:
    """Steps of which each waits for the next, and the last for the first."""
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[:0:-1]
    return None


def _read(text: str) -> moments.Moment | None:
    try:
        return moments.parse(text)
    except moments.MomentError:
        return None


def _moment(step: Step, known: dict[str, Step]) -> Iterator[tuple[str, str]]:
    try:
        moment = moments.parse(step.moment)
    except moments.MomentError as error:
        yield "delay", str(error)
        return
    if moment.step is not None and moment.step not in known:
        yield "delay", _no_step(moment.step, known)
    if step.needs is not None and step.needs not in known:
        yield "needs", _no_step(step.needs, known)
    if step.grace < timedelta(0) or step.grace.microseconds:
        yield "grace", "the grace is a span of whole seconds, such as '6 hours'"


def _until(step: Step, known: dict[str, Step]) -> Iterator[tuple[str, str]]:
    if step.until is None:
        return
    if step.until == step.id:
        yield "until", "a step cannot be overtaken by itself"
        return
    text = known[step.until].moment if step.until in known else step.until
    try:
        until = moments.parse(text)
    except moments.MomentError as error:
        if step.until not in known:
            close = nearest(step.until, known)
            yield "until", f"neither the id of a step{close} nor a moment: {error}"
        return
    if until.step is not None and until.step not in known:
        if step.until not in known:
            yield "until", _no_step(until.step, known)
        return
    due = _read(step.moment)
    if due is not None and _never_after(until, due):
        yield "until", f"'{step.until}' is not after '{step.moment}', so the step would always be skipped"


def _never_after(until: moments.Moment, due: moments.Moment) -> bool:
    """Whether `until` cannot come after `due`, whatever the dates are; moments of different anchors are left alone."""
    same = (until.anchor, until.step) == (due.anchor, due.step)
    if not same and (until.anchor, due.anchor) != ("event_date", "event_end"):
        return False
    return all(_on(until, hour) <= _on(due, hour) for hour in (0, 23))


def _on(moment: moments.Moment, hour: int) -> datetime:
    day = datetime(2001, 1, 1, hour, 59 if hour else 0, tzinfo=UTC)
    anchors = Anchors(start=day, zone="UTC", event_date=day, event_end=day, deadline=day)
    instant = moments.resolve(moment, anchors, {moment.step: day} if moment.step else {})
    return instant or day


def _condition(step: Step) -> Iterator[tuple[str, str]]:
    if step.condition is None:
        if not step.actions:
            yield "type", "the step does nothing: give it an action or a condition"
        return
    try:
        conditions.parse(step.condition)
    except conditions.ConditionError as error:
        yield "condition", str(error)


def _action(action: Action, known: Known | None) -> Iterator[tuple[str, str]]:
    named = [name for name in (action.template, *action.segments.values()) if name is not None]
    if action.verb in ("email", "whatsapp", "notify") and not named:
        yield "template", f"{action.verb} needs a template"
    if action.verb == "social":
        yield from _unknown("platform", action.targets, PLATFORMS, field="platforms")
    if action.verb == "notify":
        yield from _unknown("recipient", action.targets, RECIPIENTS)
    if action.verb not in ("email", "whatsapp") and not action.targets:
        field = {"social": "platforms", "notify": "recipient"}.get(action.verb, "actions")
        yield field, f"{action.verb} needs at least one of these"
    if known is not None:
        yield from _names(action, named, known)


def _names(action: Action, templates: Sequence[str], known: Known) -> Iterator[tuple[str, str]]:
    yield from _unknown("template", templates, known.templates.get(action.verb, templates))
    yield from _unknown("include", action.include, known.includes)
    if action.audience is not None:
        yield from _unknown("audience", [action.audience], known.audiences)
    elif action.verb in ("email", "whatsapp") and not known.has_subject:
        yield "audience", f"say to whom; there are {either(sorted(known.audiences), 'and')}"
    if action.verb not in ("email", "whatsapp", "social"):
        yield from _unknown("action", action.targets, known.targets.get(action.verb, ()), field="actions")


def _unknown(
    noun: str, names: Iterable[str], known: Collection[str], field: str | None = None
) -> Iterator[tuple[str, str]]:
    for name in names:
        if name not in known:
            reason = f"there is no {noun} '{name}'{nearest(name, known)}; there are {either(sorted(known), 'and')}"
            yield field or noun, reason


def _no_step(name: str, known: Collection[str]) -> str:
    return f"there is no step '{name}'{nearest(name, known)}; the steps are {either(known, 'and')}"
