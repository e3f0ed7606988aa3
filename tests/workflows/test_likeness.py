"""Automations that are alike are decided alike: whatever tells two lives apart at a resume is seen by their likeness."""

from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, get_args
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from models.automation import Action, Anchors, Progress, Shift, Step, StepState
from models.moments import resolve_all
from models.player import AutomationInput, Policy
from tests.workflows.test_plan_properties import FACTS, anchors, timelines
from workflows.attendee_nurture import TIMELINE
from workflows.foresight import on_resume
from workflows.knowledge import Knowledge
from workflows.likeness import Likeness
from workflows.sponsor_knowledge import SequenceKnowledge
from workflows.timeline import Skip

DAY = timedelta(days=1)
POST = (Action(verb="social", targets=("linkedin",), optimal_time=True),)
NOBODY = UUID(int=0)
Life = tuple[Anchors, dict[str, Progress]]
Crowd = tuple[tuple[Step, ...], datetime, list[Life]]

SPANS = (timedelta(0), timedelta(minutes=30), timedelta(hours=5), DAY, 7 * DAY, 8 * DAY)
NUDGES = tuple(timedelta(hours=hours) for hours in (0, 0, 0, 1, -1, 7, -7, 30, -30, 168))
OWN = ("0 hours", "5 hours", "1 day", "7 days")
AFTER = ("0 days after step_0 at 09:00", "1 day after step_0 at 07:30", "0 hours after step_0")


def life(chance: Random, steps: tuple[Step, ...], about: Anchors, now: datetime) -> Life:
    """Perhaps a pause before, and some steps that have begun, most of them for the instant at which they are due."""
    shifts = (Shift(at=now - chance.choice(SPANS), by=chance.choice(SPANS)),) if chance.random() < 0.2 else ()
    mine = about.model_copy(update={"shifts": shifts})
    progress: dict[str, Progress] = {}
    for step in steps:
        if chance.random() < 0.5:
            continue
        due = resolve_all(steps, mine, _ended(progress)).due[step.id]
        state = chance.choice(tuple(StepState))
        progress[step.id] = Progress(
            state=state,
            round=chance.choice((0, 1)),
            due=now - chance.choice(SPANS) if due is None or chance.random() < 0.3 else due,
            ended=now - chance.choice(SPANS) if state.ended else None,
        )
    return mine, progress


def neighbour(chance: Random, other: Life) -> Life:
    """Much the same life: a little of it was a little earlier or later, or has not come about."""
    anchors, progress = other
    often = chance.random()

    def nudge() -> timedelta:
        return chance.choice(NUDGES) if chance.random() < often else timedelta(0)

    moved = {
        id_: known.model_copy(
            update={
                "ended": known.ended and known.ended + nudge(),
                "due": known.due + nudge() if chance.random() < 0.2 else known.due,
                "state": chance.choice(tuple(StepState)) if chance.random() < 0.1 and known.ended else known.state,
            }
        )
        for id_, known in progress.items()
        if chance.random() < 0.9
    }
    shifts = tuple(shift.model_copy(update={"by": shift.by + nudge()}) for shift in anchors.shifts)
    return anchors.model_copy(update={"start": anchors.start + nudge(), "shifts": shifts}), moved


@st.composite
def crowds(draw: Callable[..., Any]) -> Crowd:
    """A timeline, an instant, and many that live it much alike."""
    timeline, about = draw(timelines()), draw(anchors())
    chance = Random(draw(st.integers(0, 2**32)))
    steps = tuple(
        step.model_copy(
            update={
                "moment": chance.choice(OWN if chance.random() < 0.7 or not place else AFTER)
                if chance.random() < 0.7
                else step.moment,
                "condition": step.condition if chance.random() < 0.2 else None,
                "branch": step.branch if chance.random() < 0.5 else None,
                "actions": POST if chance.random() < 0.2 else (),
            }
        )
        for place, step in enumerate(timeline)
    )
    now = chance.choice([about.start, about.start, about.event_date, about.event_end, about.deadline]) + chance.choice(
        SPANS
    )
    one = life(chance, steps, about, now)
    return steps, now, [one, *(neighbour(chance, one) for _ in range(60))]


def _ended(progress: dict[str, Progress]) -> dict[str, datetime]:
    return {id_: known.ended for id_, known in progress.items() if known.ended}


@settings(max_examples=300)
@given(
    crowds(),
    st.sets(st.sampled_from(FACTS)),
    st.sampled_from(("by_policy", *get_args(Policy))),
    st.booleans(),
    st.integers(-1, 6),
)
def test_those_that_are_alike_are_decided_alike(
    crowd: Crowd,
    facts: set[str],
    policy: Policy,
    is_sequence: bool,
    awaits: int,
) -> None:
    steps, now, everybody = crowd
    about = AutomationInput(
        automation_id=NOBODY, event_id=NOBODY, subject_id=NOBODY, workflow_type="sponsor_outreach", steps=steps
    )
    found: dict[Hashable, list[tuple[str, int, str]]] = {}
    for mine, progress in everybody:
        knows = SequenceKnowledge(about) if is_sequence else Knowledge(about)
        knows.progress, knows.facts = dict(progress), set(facts)
        decided = [
            (one.step_id, one.round, one.reason.split(" by ")[0] if isinstance(one, Skip) else "done")
            for one in on_resume(knows, mine, now, policy, f"step_{awaits}")
        ]
        alike = Likeness(steps, mine, now).of(mine, progress)
        assert found.setdefault(alike, decided) == decided


@settings(max_examples=50)
@given(crowds(), st.sampled_from(SPANS))
def test_a_step_moves_if_it_has_not_begun_and_becomes_due_at_another_instant(crowd: Crowd, by: timedelta) -> None:
    steps, now, everybody = crowd
    for mine, progress in everybody:
        after = mine.model_copy(update={"shifts": (*mine.shifts, Shift(at=now - by, by=by))})
        old, new = (resolve_all(steps, anchors, _ended(progress)).due for anchors in (mine, after))
        ahead = [id_ for id_ in old if id_ not in progress or progress[id_].state is StepState.HELD]
        assert Likeness(steps, mine, now).moved(mine, after, progress) == sum(old[id_] != new[id_] for id_ in ahead)


def test_five_thousand_who_registered_at_instants_of_their_own_stand_in_a_few_ways() -> None:
    now = datetime(2027, 4, 1, 12, tzinfo=UTC)
    about = Anchors(start=now, zone="Europe/Berlin", event_date=now + 5 * DAY, event_end=now + 6 * DAY)
    likeness = Likeness(TIMELINE, about, now)
    found = set()
    for minutes in range(0, 60 * 24 * 50, 14):
        mine = about.model_copy(update={"start": now - timedelta(minutes=minutes)})
        due = resolve_all(TIMELINE, mine, {}).due
        progress = {
            id_: Progress(state=StepState.SUCCESS, due=at, ended=at + timedelta(seconds=minutes % 60))
            for id_, at in due.items()
            if at is not None and at < now - 3 * DAY
        }
        found.add(likeness.of(mine, progress))
    assert len(found) < 20
