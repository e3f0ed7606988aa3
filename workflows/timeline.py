"""Timelines: how they are written in code, and what is to be done of one at an instant. Pure.

`plan()` is asked at every wake. It says for each step wait, do, or skip with a reason. A released version of it never
changes: a running automation keeps the version it began with.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from models import conditions, moments
from models.automation import GRACE, RULES, Action, Late, Progress, Step, StepState, Urgency
from models.definition import title, usual_priority
from models.moments import Instants
from models.problems import DefinitionError, check


def timeline(*steps: Step) -> tuple[Step, ...]:
    """Steps in their order; a DefinitionError names everything that is wrong with them."""
    problems = check(steps)
    if problems:
        raise DefinitionError(problems)
    return steps


def step(
    step_id: str,
    moment: str,
    *actions: Action,
    name: str | None = None,
    condition: str | None = None,
    late: Literal["run", "send", "skip", "latest"] = "send",
    grace: timedelta = GRACE,
    until: str | None = None,
    needs: str | None = None,
    branch: str | None = None,
    priority: Literal[1, 2, 3] | None = None,
    topic: str | None = None,
) -> Step:
    """One step. Its priority, if not given, follows from the urgency of its actions."""
    return Step(
        id=step_id,
        name=title(step_id) if name is None else name,
        moment=moment,
        actions=actions,
        condition=condition,
        late=Late(late),
        grace=grace,
        until=until,
        needs=needs,
        branch=branch,
        priority=usual_priority(actions) if priority is None else priority,
        topic=topic,
    )


def email(
    template: str | None = None,
    *,
    to: str | None = None,
    track: bool = False,
    urgency: Urgency | None = None,
    include: Sequence[str] = (),
    segments: Mapping[str, str] | None = None,
) -> Action:
    """An email from a template, or from one for each segment; `to` nobody in particular is the subject itself."""
    return Action(
        verb="email",
        template=template,
        audience=to,
        track=track,
        urgency=urgency,
        include=tuple(include),
        segments=dict(segments or {}),
    )


def whatsapp(
    template: str,
    *,
    to: str | None = None,
    track: bool = False,
    urgency: Urgency | None = None,
    include: Sequence[str] = (),
) -> Action:
    """A WhatsApp message from an approved template; `to` nobody in particular is the subject itself."""
    return Action(verb="whatsapp", template=template, audience=to, track=track, urgency=urgency, include=tuple(include))


def social(*platforms: str, optimal_time: bool = False) -> Action:
    """A post on each platform, at once or at the platform's next good slot."""
    return Action(verb="social", targets=platforms, optimal_time=optimal_time)


def generate(*what: str) -> Action:
    """Let the model write these, in parallel."""
    return Action(verb="generate", targets=what)


def update(*what: str) -> Action:
    """Bring these records up to date."""
    return Action(verb="update", targets=what)


def notify(template: str, *, to: str | Sequence[str], urgency: Urgency | None = None) -> Action:
    """Tell the organizer, the sponsor, or both."""
    return Action(
        verb="notify", template=template, targets=(to,) if isinstance(to, str) else tuple(to), urgency=urgency
    )


@dataclass(frozen=True, slots=True)
class Do:
    """Carry out this round of a step."""

    step_id: str
    round: int
    due: datetime


@dataclass(frozen=True, slots=True)
class Skip:
    """Do not carry out this round of a step, for a reason in plain words."""

    step_id: str
    round: int
    due: datetime
    reason: str


Decision = Do | Skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done of a timeline at an instant, and when to look again."""

    decisions: tuple[Decision, ...]
    """What has come due, in the order in which it is to be carried out."""
    wake: datetime | None
    """The next instant at which something comes due; None if only news can change anything."""
    waiting: tuple[tuple[str, str], ...]
    """Steps that have no instant yet, and why."""
    current: str | None
    """The step that is played, or the one that is waited for."""
    finished: bool
    """Every step has ended in the round it is in."""


class UnknownRules(ValueError):
    """The automation was begun under rules that this worker does not have."""


def plan(
    steps: Sequence[Step],
    instants: Instants,
    progress: Mapping[str, Progress],
    facts: Collection[str],
    now: datetime,
    rules: int = RULES,
    *,
    freed: Mapping[str, datetime] | None = None,
    rounds: Mapping[str, int] | None = None,
    subject: Mapping[str, str] | None = None,
) -> Plan:
    """What is to be done now, and when to look again.

    `freed` says when a step was approved, or let go by a resume: it is not late before that. `rounds` is the round each
    step is in, 0 unless said, kept from what `rounds()` found. `subject` holds the columns that conditions may name.
    """
    situation = _Situation(steps, instants, progress, facts, now, freed or {}, rounds or {}, subject or {})
    return _version(PLANS, rules)(situation)


@dataclass(frozen=True, slots=True)
class _Situation:
    steps: Sequence[Step]
    instants: Instants
    progress: Mapping[str, Progress]
    facts: Collection[str]
    now: datetime
    freed: Mapping[str, datetime]
    rounds: Mapping[str, int]
    subject: Mapping[str, str]

    def round(self, step: Step) -> int:
        """The round a step is in; a branch that never began is in the round of its slot."""
        if step.branch is None or step.id in self.progress:
            return self.rounds.get(step.id, 0)
        return max(self.rounds.get(other.id, 0) for other in self.steps if other.slot == step.slot)

    def begun(self, step: Step) -> Progress | None:
        """What has become of the round a step is in, if it has begun. What was decided for this very instant stands."""
        known = self.progress.get(step.id)
        if known is None or (known.round < self.round(step) and known.due != self.instants.due.get(step.id)):
            return None
        return known

    def overdue(self, step: Step, due: datetime) -> timedelta:
        return self.now - max(due, self.freed.get(step.id, due))

    def unmet(self, step: Step) -> str:
        if step.condition is None:
            return ""
        return conditions.parse(step.condition).unmet(self.facts, self.subject)

    def overtaken(self, step: Step) -> bool:
        until = self.instants.until.get(step.id)
        return until is not None and until <= self.now


def _plan_1(at: _Situation) -> Plan:
    due: list[tuple[datetime, Step]] = []
    ahead: list[tuple[datetime, str]] = []
    waiting: list[tuple[str, str]] = []
    playing: list[str] = []
    for step in at.steps:
        begun = at.begun(step)
        if begun is not None:
            if not begun.state.ended:
                playing.append(step.id)
            continue
        instant = at.instants.due.get(step.id)
        reason = _held_up(step, at)
        if instant is None or reason:
            waiting.append((step.id, reason or "its moment is not known yet"))
        elif instant > at.now:
            ahead.append((instant, step.id))
        else:
            due.append((instant, step))
    due.sort(key=lambda item: item[0])
    ahead.sort(key=lambda item: item[0])
    decisions = tuple(_decisions(due, at))
    doing = [decision.step_id for decision in decisions if isinstance(decision, Do)]
    expected = [*playing, *doing, *(step_id for _, step_id in ahead), *(step_id for step_id, _ in waiting)]
    return Plan(
        decisions=decisions,
        wake=ahead[0][0] if ahead else None,
        waiting=tuple(waiting),
        current=expected[0] if expected else None,
        finished=not (playing or due or ahead or waiting),
    )


def _decisions(due: Sequence[tuple[datetime, Step]], at: _Situation) -> Iterator[Decision]:
    taken = {
        (step.slot, known.round)
        for step in at.steps
        if (known := at.progress.get(step.id)) is not None and known.state is not StepState.SKIPPED
    }
    latest = [
        step.id
        for instant, step in due
        if step.late is Late.LATEST
        and at.overdue(step, instant) > step.grace
        and (step.slot, at.round(step)) not in taken
        and not _against(step, instant, at)
    ]
    for instant, step in due:
        place = (step.slot, at.round(step))
        if place in taken:
            reason = "the other branch was taken"
        elif step.id in latest[:-1]:
            reason = f"a later one is due too: {latest[-1]}"
        else:
            reason = _against(step, instant, at)
        if reason:
            yield Skip(step.id, at.round(step), instant, reason)
        else:
            taken.add(place)
            yield Do(step.id, at.round(step), instant)


def _held_up(step: Step, at: _Situation) -> str:
    """Why a step cannot be decided at all: it comes after one that has not ended, or an anchor is missing."""
    moment = moments.parse(step.moment)
    if at.instants.due.get(step.id) is None:
        return moments.MISSING.get(moment.anchor, "") if moment.step is None else _waits_for(moment.step, at)
    if step.needs is not None and ((known := at.progress.get(step.needs)) is None or not known.state.ended):
        return _waits_for(step.needs, at)
    return _missing_until(step, at)


def _waits_for(step_id: str, at: _Situation) -> str:
    before = at.progress.get(step_id)
    held = ", which is held" if before is not None and before.state is StepState.HELD else ""
    return f"waits for {step_id}{held}"


def _missing_until(step: Step, at: _Situation) -> str:
    if step.until is None or at.instants.until.get(step.id) is not None:
        return ""
    named = next((other.moment for other in at.steps if other.id == step.until), step.until)
    return moments.MISSING.get(moments.parse(named).anchor, "")


def _against(step: Step, due: datetime, at: _Situation) -> str:
    if unmet := at.unmet(step):
        return f"the condition does not hold: {unmet}"
    if at.overtaken(step):
        return f"overtaken by {step.until}"
    overdue = at.overdue(step, due)
    if step.late is Late.SKIP and overdue > step.grace:
        return f"late by {_span(overdue)}"
    return ""


def _span(span: timedelta) -> str:
    """A span in its two largest units: `2 days 3 hours`."""
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "day"), (hours, "hour"), (minutes, "minute"), (seconds, "second")]
    said = [f"{count} {unit}{'s' if count != 1 else ''}" for count, unit in parts if count]
    return " ".join(said[:2])


def rounds(
    steps: Sequence[Step],
    old: Instants,
    new: Instants,
    progress: Mapping[str, Progress],
    now: datetime,
    rules: int = RULES,
) -> dict[str, int]:
    """The steps that an anchor's move brings into another round, each with the number of that round.

    These are decided steps that count from an anchor, whose due instant changed and is ahead again at `now`, the instant of
    the move; of a skipped one it is enough that its `until` is ahead. Keep the progress of the old round: should the date move
    back, it stands, and the step is in that round again. `eventos_moved` tells the gates the same of what is queued.
    """
    return _version(ROUNDS, rules)(steps, old, new, progress, now)


def _rounds_1(
    steps: Sequence[Step], old: Instants, new: Instants, progress: Mapping[str, Progress], now: datetime
) -> dict[str, int]:
    begun = [(step, progress[step.id]) for step in steps if step.id in progress]
    newest: dict[str, int] = {}
    for step, known in begun:
        newest[step.slot] = max(known.round, newest.get(step.slot, 0))
    found: dict[str, int] = {}
    for step, known in begun:
        due = new.due.get(step.id)
        anchored = moments.parse(step.moment).anchor in moments.MISSING
        if not anchored or due is None or due == old.due.get(step.id):
            continue
        if due == known.due:
            found[step.id] = known.round
            continue
        until = new.until.get(step.id) if known.state is StepState.SKIPPED else None
        if due > now or (until is not None and until > now):
            found[step.id] = newest[step.slot] + 1
    return found


V = TypeVar("V")


def _version(versions: Mapping[int, V], rules: int) -> V:
    if rules not in versions:
        known = ", ".join(map(str, versions))
        raise UnknownRules(f"the automation follows rules {rules}, this worker knows {known}: start a newer worker")
    return versions[rules]


PLANS = {1: _plan_1}
ROUNDS = {1: _rounds_1}
"""Every released version of the rules, with all that it calls: a new behaviour is a new number, never an edit."""
