"""What holds for every timeline, whenever it begins, wherever the event is, and whatever happens to its dates."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from models.automation import Anchors, Late, Step
from models.problems import check
from tests.workflows.stage import Stage
from workflows.timeline import Do, Skip

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FAR = datetime(2028, 1, 1, tzinfo=UTC)
FACTS = ("opened", "responded")

patient = settings(max_examples=100)

dates = st.datetimes(datetime(2026, 3, 10), datetime(2026, 11, 10), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
spans = st.sampled_from(["0 hours", "30 seconds", "5 hours", "1 day", "36 hours", "7 days", "2 weeks"])
offsets = st.sampled_from(
    ["- 2 weeks", "- 7 days", "- 3 days at 09:00", "- 1 day", "- 12 hours", "", "at 02:30", "+ 1 day"]
)
anchored = st.builds("{} {}".format, st.sampled_from(["event_date", "event_end", "deadline"]), offsets)
lates = st.sampled_from(Late)
conditions = st.none() | st.sampled_from(["opened", "not opened", "responded and not opened"])


@st.composite
def timelines(
    draw: Callable[..., Any], late: st.SearchStrategy[Late] = lates, *, plain: bool = False
) -> tuple[Step, ...]:
    """Timelines that `check` accepts; plain ones have neither `until` nor branches."""
    steps: list[Step] = []
    count = draw(st.integers(1, 7))
    for at in range(count):
        before = [f"{draw(spans)} after {step.id}" for step in steps[-1:]]
        others = [f"step_{other}" for other in range(count) if other != at]
        until = st.none() | anchored | st.sampled_from(others or ["event_end"])
        step = Step(
            id=f"step_{at}",
            name="",
            moment=draw(spans | anchored | st.sampled_from(before or ["0 hours"])),
            condition=draw(conditions),
            late=draw(late),
            until=None if plain else draw(until),
            branch=None if plain else draw(st.sampled_from([None, None, "fork"])),
        )
        steps.append(step)
    wrong = {problem.path for problem in check(steps) if problem.path.endswith("until")}
    return tuple(
        step.model_copy(update={"until": None}) if f"steps[{at}].until" in wrong else step
        for at, step in enumerate(steps)
    )


@st.composite
def anchors(draw: Callable[..., Any]) -> Anchors:
    event = draw(dates)
    return Anchors(
        start=event + draw(st.integers(-60 * 24, 10 * 24)) * HOUR,
        zone=draw(zones),
        event_date=event,
        event_end=event + draw(st.integers(1, 72)) * HOUR,
        deadline=event + draw(st.integers(-20 * 24, 20 * 24)) * HOUR,
    )


stages = st.builds(
    lambda steps, anchors, facts, takes: Stage(steps, anchors, anchors.start, facts, takes),
    timelines(),
    anchors(),
    st.sets(st.sampled_from(FACTS)),
    st.sampled_from([timedelta(0), 2 * HOUR]),
)
moves = st.lists(st.tuples(st.integers(1, 30 * 24), st.integers(-20 * 24, 30 * 24)), max_size=4)


def watched(stage: Stage, until: datetime) -> None:
    """Play a timeline, and hold each of its plans against the promises that need no history."""
    steps = {step.id: step for step in stage.steps}
    while stage.now < until:
        stage.play(until=stage.now)
        here = stage.plan()
        assert here.decisions == ()
        assert here.wake is None or here.wake > stage.now
        seen = len(stage.history)
        ends = stage.now + HOUR if any(not known.ended for known in stage.progress.values()) else until
        stage.now = min(until, here.wake or until, ends)
        stage.play(until=stage.now)
        late_latest = []
        for now, decision in stage.history[seen:]:
            step, limit = steps[decision.step_id], stage.limits[decision.step_id, decision.round]
            assert decision.due <= now
            if isinstance(decision, Do):
                assert limit is None or now < limit
                late = now - decision.due > step.grace
                assert not (late and step.late is Late.SKIP)
                late_latest += [step.id] if late and step.late is Late.LATEST else []
        assert len(late_latest) <= 1


@patient
@given(stages)
def test_no_step_begins_before_its_moment_or_after_it_was_overtaken(stage: Stage) -> None:
    watched(stage, stage.now + 90 * DAY)


@patient
@given(stages)
def test_every_step_ends_in_exactly_one_do_or_skip_with_a_reason(stage: Stage) -> None:
    assert stage.play(until=FAR).finished
    assert sorted(id_ for id_, _, _ in stage.fates) == sorted(step.id for step in stage.steps)
    assert all(decision.reason for _, decision in stage.history if isinstance(decision, Skip))


@patient
@given(stages, st.lists(st.integers(1, 90 * 24 * 60), max_size=6))
def test_looking_more_often_changes_nothing(stage: Stage, looks: list[int]) -> None:
    again = Stage(stage.steps, stage.anchors, stage.now, stage.facts, stage.takes)
    for minutes in sorted(looks):
        again.play(until=stage.anchors.start + timedelta(minutes=minutes))
    again.play(until=FAR)
    stage.play(until=FAR)
    assert again.history == stage.history


@patient
@given(stages, st.integers(0, 40 * 24), st.integers(1, 60 * 24))
def test_nothing_begins_in_an_outage_and_everything_ends_once_after_it(stage: Stage, away: int, hours: int) -> None:
    begins = stage.now + away * HOUR
    stage.play(until=begins)
    before = len(stage.history)
    stage.now = begins + hours * HOUR
    watched(stage, stage.now + DAY)
    assert all(now >= begins + hours * HOUR for now, _ in stage.history[before:])
    assert stage.play(until=FAR).finished
    assert len({id_ for id_, _, _ in stage.fates}) == len(stage.fates) == len(stage.steps)


def paused(steps: tuple[Step, ...], about: Anchors, hour: int, length: timedelta) -> tuple[Stage, Stage]:
    """The same timeline, played through and with a pause."""
    through, stopped = Stage(steps, about, about.start), Stage(steps, about, about.start)
    through.play(until=FAR)
    stopped.play(until=about.start + hour * HOUR)
    stopped.now += length
    stopped.play(until=FAR)
    return through, stopped


@patient
@given(
    timelines(st.sampled_from([Late.RUN, Late.SEND]), plain=True), anchors(), st.integers(0, 2000), st.integers(1, 2000)
)
def test_a_pause_and_a_resume_change_nothing_but_time(
    steps: tuple[Step, ...], about: Anchors, hour: int, length: int
) -> None:
    through, stopped = paused(steps, about, hour, length * HOUR)
    assert sorted(stopped.fates) == sorted(through.fates)
    resumed = about.start + (hour + length) * HOUR
    was = {decision.step_id: now for now, decision in through.history}
    for now, decision in stopped.history:
        if " after " not in next(step.moment for step in steps if step.id == decision.step_id):
            before = was[decision.step_id]
            assert now == (before if before <= about.start + hour * HOUR else max(before, resumed))


@patient
@given(timelines(plain=True), anchors(), st.integers(0, 2000), st.integers(1, 6 * 60))
def test_a_pause_within_the_grace_skips_nothing(
    steps: tuple[Step, ...], about: Anchors, hour: int, minutes: int
) -> None:
    through, stopped = paused(steps, about, hour, timedelta(minutes=minutes))
    assert sorted(stopped.fates) == sorted(through.fates)


@patient
@given(stages, moves)
def test_moved_dates_never_do_a_step_twice_for_one_date_nor_before_or_after_its_time(
    stage: Stage, moves: list[tuple[int, int]]
) -> None:
    for ahead, by in moves:
        watched(stage, stage.now + ahead * HOUR)
        moved = {name: getattr(stage.anchors, name) + by * HOUR for name in ("event_date", "event_end", "deadline")}
        stage.move(stage.anchors.model_copy(update=moved))
    watched(stage, stage.now + 60 * DAY)
    assert stage.play(until=FAR).finished
    rounds = [(id_, round_) for id_, round_, _ in stage.fates]
    assert len(set(rounds)) == len(rounds)
    sent = [(decision.step_id, decision.due) for _, decision in stage.history if isinstance(decision, Do)]
    assert len(set(sent)) == len(sent)
    slots = {step.id: step.slot for step in stage.steps}
    branches = [(slots[id_], round_) for id_, round_, fate in stage.fates if fate == "done"]
    assert len(set(branches)) == len(branches)


@patient
@given(stages, st.integers(1, 60 * 24), st.integers(1, 30 * 24))
def test_a_date_that_moves_there_and_back_is_as_if_it_had_stayed(stage: Stage, ahead: int, by: int) -> None:
    stayed = Stage(stage.steps, stage.anchors, stage.now, stage.facts, stage.takes)
    stage.play(until=stage.now + ahead * HOUR)
    event, end, deadline = stage.anchors.event_date, stage.anchors.event_end, stage.anchors.deadline
    assert event is not None
    assert end is not None
    assert deadline is not None
    away = {"event_date": event + by * HOUR, "event_end": end + by * HOUR, "deadline": deadline + by * HOUR}
    stage.move(stage.anchors.model_copy(update=away))
    stage.move(stayed.anchors)
    stage.play(until=FAR)
    stayed.play(until=FAR)
    assert [decision.step_id for _, decision in stage.history] == [decision.step_id for _, decision in stayed.history]


@patient
@given(stages, st.integers(0, 90 * 24))
def test_a_plan_depends_on_nothing_but_its_arguments(stage: Stage, hours: int) -> None:
    stage.play(until=stage.now + hours * HOUR)
    assert stage.plan() == stage.plan()
    decided = {decision.step_id for decision in stage.plan().decisions}
    assert decided.isdisjoint(stage.progress)
