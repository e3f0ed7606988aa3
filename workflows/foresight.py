"""What lies ahead of an automation: its timeline played on paper, by the player's own knowledge. Pure.

Nothing is supposed but that steps end as soon as they can, and that nobody and nothing brings news.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from models import conditions, moments
from models.automation import FOREVER, Anchors, Progress, Step, StepState
from models.moments import Instants
from models.player import Bearings, News, Policy
from models.slots import next_good_slot
from workflows.knowledge import Knowledge
from workflows.timeline import Decision, Do, plan, rounds

Verdict = Literal["goes", "if", "skipped", "waits"]
"""`if` is decided by what becomes known until then; `waits` has no instant, for a reason."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One round of a step, as it would be decided."""

    step: Step
    round: int
    verdict: Verdict
    due: datetime | None = None
    """None where nobody can say."""
    at: datetime | None = None
    """When it is decided: later than due where that has passed already."""
    why: str = ""


def foresee(knows: Knowledge, anchors: Anchors, now: datetime) -> Iterator[Foreseen]:
    """What is decided of each step that has not ended, in the order in which it happens. Uses up `knows`."""
    steps = knows.about.steps
    _begin(knows, anchors, now)
    while True:
        here = knows.plan(now)
        if here.decisions:
            decision = here.decisions[0]
            yield _foreseen(knows, decision, now)
            _carry_out(knows, decision, now)
        elif (left := knows.leftover(now)) is not None:
            skip = left[1]
            if isinstance(skip, Progress):
                break  # held until its time is over: a person has to do something before
            yield _foreseen(knows, skip, now)
            _carry_out(knows, skip, now)
        elif here.finished or (wake := knows.wake(here, now)) >= FOREVER:
            break
        else:
            now = wake
        _look(knows, anchors, now)
    by_id = {step.id: step for step in steps}
    for id_, why in here.waiting:
        yield Foreseen(by_id[id_], knows.rounds.get(id_, 0), "waits", why=why)


def _begin(knows: Knowledge, anchors: Anchors, now: datetime) -> None:
    """Suppose that what is being sent is sent now, and begin the rounds that moved dates bring."""
    for id_, known in knows.progress.items():
        if known.state is StepState.RUNNING:
            knows.progress[id_] = known.model_copy(update={"state": StepState.SUCCESS, "ended": now})
    _look(knows, anchors, now)
    _move(knows, now)


def on_resume(
    knows: Knowledge, anchors: Anchors, now: datetime, policy: Policy, awaits: str | None = None
) -> Iterator[Decision]:
    """What is decided at the instant of a resume, by what is known then. Uses up `knows`.

    `awaits` is the step that waits for approval, which no resume gives.
    """
    knows.hear(News(kind="resumed", at=now, data={"policy": policy}))
    _look(knows, anchors, now)
    _move(knows, now)
    while decisions := [one for one in knows.plan(now).decisions if one.step_id != awaits]:
        yield decisions[0]
        _carry_out(knows, decisions[0], now)
        _look(knows, anchors, now)


def _move(knows: Knowledge, now: datetime) -> None:
    """Begin the rounds that moved dates bring."""
    before = Instants(due={id_: known.due for id_, known in knows.progress.items()}, until={})
    knows.rounds |= rounds(knows.about.steps, before, knows.instants, knows.progress, now, knows.about.rules)


def _look(knows: Knowledge, anchors: Anchors, now: datetime) -> None:
    ended = {id_: known.ended for id_, known in knows.progress.items() if known.ended}
    instants = moments.resolve_all(knows.about.steps, anchors, ended)
    knows.adopt(
        Bearings(anchors=anchors, instants=instants, now=now, status="active", subject=knows.subject),
        knows.resumes,
        now,
    )


def _carry_out(knows: Knowledge, decision: Decision, now: datetime) -> None:
    done = isinstance(decision, Do)
    knows.learn(
        decision.step_id,
        Progress(
            state=StepState.SUCCESS if done else StepState.SKIPPED,
            round=decision.round,
            due=decision.due,
            ended=_end(knows, knows.steps[decision.step_id], now) if done else now,
        ),
    )


def _end(knows: Knowledge, step: Step, now: datetime) -> datetime:
    """When a step ends that begins now: posts wait for the good hours of their platforms, all else takes no time."""
    assert knows.anchors is not None
    zone = moments.zone_named(knows.anchors.zone)
    platforms = [target for action in step.actions if action.optimal_time for target in action.targets]
    return max((next_good_slot(platform, now, zone) for platform in platforms), default=now)


def _foreseen(knows: Knowledge, decision: Decision, now: datetime) -> Foreseen:
    step = knows.steps[decision.step_id]
    verdict: Verdict = "goes"
    why = "" if isinstance(decision, Do) else decision.reason
    if step.condition is not None and (isinstance(decision, Do) or _unmet(step, knows)):
        against = _against(knows, step, now)
        verdict, why = ("skipped", against) if against else ("if", step.condition)
    elif why:
        verdict = "skipped"
    return Foreseen(step, decision.round, verdict, decision.due, now, why)


def _unmet(step: Step, knows: Knowledge) -> bool:
    return step.condition is not None and bool(conditions.parse(step.condition).unmet(knows.facts, knows.subject))


def _against(knows: Knowledge, step: Step, now: datetime) -> str:
    """What would be against a step even if its condition held; empty if nothing."""
    freed = step.model_copy(update={"condition": None, "branch": None})
    steps = tuple(freed if other is step else other for other in knows.about.steps)
    found = plan(
        steps,
        knows.instants,
        knows.progress,
        knows.facts,
        now,
        knows.about.rules,
        freed=knows.freed,
        rounds=knows.rounds,
        subject=knows.subject,
    )
    return next(("" if isinstance(one, Do) else one.reason for one in found.decisions if one.step_id == step.id), "")
