"""What a player makes of what it hears: in any order, any number of times, early and late."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from models.automation import Anchors, Progress, Step, StepState
from models.messages import Enqueued
from models.moments import resolve_all
from models.player import AutomationInput, Bearings, News
from workflows.knowledge import Knowledge
from workflows.timeline import Do, Skip, email, social, step, timeline

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DATE = datetime(2026, 4, 30, 9, tzinfo=UTC)
STEPS = timeline(
    step("announce", "0 hours", email("announcement_email", to="all_contacts")),
    step("post", "1 hour after announce", social("linkedin")),
    step("reminder", "event_date - 1 day", social("twitter"), until="event_date"),
)


def knows(steps: tuple[Step, ...] = STEPS, *, rehearsal: bool = True) -> Knowledge:
    about = AutomationInput(
        automation_id=uuid4(),
        event_id=uuid4(),
        subject_id=uuid4(),
        workflow_type="custom",
        steps=steps,
        rehearsal=rehearsal,
    )
    knowledge = Knowledge(about)
    look(knowledge)
    return knowledge


def look(knowledge: Knowledge, **changes: Any) -> None:
    resumes = changes.pop("resumes", knowledge.resumes)
    date = changes.pop("event_date", DATE)
    anchors = Anchors(start=START, zone="UTC", event_date=date, date_revision=changes.pop("date_revision", 0))
    ended = {id_: known.ended for id_, known in knowledge.progress.items() if known.ended}
    fields: dict[str, Any] = {"now": START, "status": "active"} | changes
    instants = resolve_all(knowledge.about.steps, anchors, ended)
    knowledge.outdated = False
    knowledge.adopt(Bearings(anchors=anchors, instants=instants, **fields), resumes, START)


def settled(id_: str = "announce", state: str = "success", round_: int = 0, at: datetime = START) -> News:
    data: dict[str, str | int | bool | None] = {
        "step": id_,
        "round": round_,
        "state": state,
        "ended": at.isoformat(),
        "reason": None,
    }
    return News(kind="step_settled", at=at, data=data)


def state(knowledge: Knowledge, id_: str) -> str:
    return knowledge.progress[id_].state.value


def queued(id_: str = "announce", known: StepState = StepState.RUNNING, **changes: Any) -> Enqueued:
    return Enqueued(outcome="decided", step_id=id_, state=known, due=START, **changes)


def test_a_step_that_settles_before_the_answer_to_its_enqueue_is_adopted_with_it() -> None:
    knowledge = knows()
    knowledge.hear(settled(at=START + timedelta(minutes=1)))
    assert "announce" not in knowledge.progress
    knowledge.learn_queued(queued(), 0, START)
    known = knowledge.progress["announce"]
    assert (known.state, known.due, known.ended) == (StepState.SUCCESS, START, START + timedelta(minutes=1))
    assert knowledge.outdated  # the next step counts from its end


def test_a_step_that_did_something_before_it_sent_may_settle_before_its_messages_are_known_to_be_queued() -> None:
    knowledge = knows()
    knowledge.learn("announce", Progress(state=StepState.RUNNING, due=START))
    knowledge.hear(settled(at=START + timedelta(minutes=1)))
    knowledge.learn_queued(queued(), 0, START)
    assert knowledge.progress["announce"].state is StepState.SUCCESS
    assert knowledge.progress["announce"].ended == START + timedelta(minutes=1)


def test_a_step_that_settles_twice_is_settled_once() -> None:
    knowledge = knows()
    knowledge.learn_queued(queued(), 0, START)
    knowledge.hear(settled())
    assert knowledge.outdated
    look(knowledge)
    knowledge.hear(settled())
    assert not knowledge.outdated


def test_what_settles_for_an_old_round_changes_nothing() -> None:
    knowledge = knows()
    knowledge.learn_queued(queued(), 0, START)
    knowledge.hear(settled())
    knowledge.learn_queued(queued(), 1, START)
    knowledge.hear(settled(state="failed", round_=0))
    assert state(knowledge, "announce") == "running"
    knowledge.hear(settled(round_=1))
    assert (knowledge.progress["announce"].state, knowledge.progress["announce"].round) == (StepState.SUCCESS, 1)


def test_a_step_nobody_knows_is_nobodys_news() -> None:
    knowledge = knows()
    knowledge.hear(settled("gone"))
    assert knowledge.progress == {}


def test_what_the_journal_says_was_decided_is_adopted_whatever_was_asked() -> None:
    knowledge = knows()
    answer = queued(known=StepState.SKIPPED, reason="late by 2 days", ended=START)
    knowledge.learn_queued(answer, 0, START)
    assert knowledge.progress["announce"] == Progress(
        state=StepState.SKIPPED, due=START, ended=START, reason="late by 2 days"
    )
    assert knowledge.plan(START).decisions == ()


def test_messages_that_nobody_waits_for_are_handed_over_and_only_a_failure_is_heard_of() -> None:
    knowledge = knows(timeline(step("post", "0 hours", social("linkedin")), STEPS[2]))
    knowledge.learn_queued(queued("post"), 0, START)
    assert state(knowledge, "post") == "success"
    knowledge.hear(settled("post", "failed"))
    assert state(knowledge, "post") == "held"


def test_a_pause_that_was_read_before_a_resume_is_history() -> None:
    knowledge = knows()
    knowledge.hear(News(kind="paused", at=START))
    knowledge.hear(News(kind="resumed", at=START, data={"policy": "by_policy"}))
    look(knowledge, status="paused", resumes=0)
    assert not knowledge.paused
    look(knowledge, status="paused")
    assert knowledge.paused


def test_a_stepped_clock_never_turns_back() -> None:
    knowledge = knows()
    knowledge.hear(News(kind="clock", at=START + timedelta(days=3)))
    knowledge.hear(News(kind="clock", at=START + timedelta(days=2)))
    assert knowledge.clock.now(DATE) == START + timedelta(days=3)


def test_a_clock_that_steps_before_the_first_look_is_not_forgotten() -> None:
    knowledge = Knowledge(knows().about)
    knowledge.hear(News(kind="clock", at=START + timedelta(hours=1)))
    look(knowledge)
    assert knowledge.clock.now(DATE) == START + timedelta(hours=1)


def test_a_real_automation_lives_by_the_clock_it_is_shown() -> None:
    knowledge = knows(rehearsal=False)
    knowledge.hear(News(kind="paused", at=DATE))
    assert knowledge.clock.now(START) == START


def test_a_resume_that_skips_all_still_does_what_only_prepares_and_what_a_person_frees() -> None:
    late = START + timedelta(days=2)
    steps = timeline(
        step("prepare", "0 hours", social("linkedin"), late="run"), step("post", "1 hour", social("twitter"))
    )
    knowledge = knows(steps)
    knowledge.hear(News(kind="resumed", at=late, data={"policy": "skip_all"}))
    look(knowledge)
    prepare, post = knowledge.plan(late).decisions
    assert isinstance(prepare, Do)
    assert isinstance(post, Skip)

    knowledge.progress["post"] = Progress(state=StepState.HELD, due=post.due, reason="broken")
    knowledge.free("post", late, None)
    assert isinstance(knowledge.plan(late).decisions[1], Do)


def test_a_failure_told_again_does_not_end_a_retry() -> None:
    knowledge = knows()
    knowledge.learn_queued(queued(), 0, START)
    knowledge.hear(settled(state="failed"))
    knowledge.free("announce", START, Progress(state=StepState.RUNNING, due=START))
    assert state(knowledge, "announce") == "running"
    knowledge.hear(settled())
    assert state(knowledge, "announce") == "success"


def test_what_lies_beyond_the_last_anchor_is_still_waited_for() -> None:
    steps = timeline(
        step("during", "event_date", social("linkedin")), step("after_it", "event_date + 2 days", social("twitter"))
    )
    knowledge = knows(steps)
    knowledge.learn_queued(queued("during", StepState.SUCCESS, ended=DATE), 0, DATE)
    now = DATE + timedelta(days=1)
    assert knowledge.leftover(now) is None
    assert not knowledge.plan(now).finished
    assert knowledge.wake(knowledge.plan(now), now) == DATE + timedelta(days=2)


@pytest.mark.parametrize(("days", "ended"), [(1, False), (59, True)])
def test_a_held_step_waits_for_a_person_until_the_last_anchor(days: int, ended: bool) -> None:
    knowledge = knows()
    knowledge.progress["announce"] = Progress(state=StepState.HELD, due=START, reason="broken")
    now = START + timedelta(days=days)
    left = knowledge.leftover(now)
    assert (left is not None) is ended
    assert ended or knowledge.wake(knowledge.plan(now), now) <= DATE


def test_a_held_step_of_a_timeline_without_anchors_waits_for_ever() -> None:
    knowledge = knows(timeline(step("post", "0 hours", social("linkedin"))))
    knowledge.progress["post"] = Progress(state=StepState.HELD, due=START, reason="broken")
    assert knowledge.leftover(START + timedelta(days=4000)) is None


@pytest.mark.parametrize("refusal", ["paused", "stale", "unapproved"])
def test_a_step_that_has_prepared_and_is_refused_has_not_begun(refusal: str) -> None:
    knowledge = knows()
    knowledge.learn("announce", Progress(state=StepState.RUNNING, due=START))
    knowledge.heed(refusal, "announce", 0, knowledge.resumes)
    assert "announce" not in knowledge.progress


@pytest.mark.parametrize("refusal", ["paused", "stale", "unapproved"])
def test_a_new_round_that_is_refused_leaves_the_old_one_as_it_was(refusal: str) -> None:
    knowledge = knows()
    done = Progress(state=StepState.SUCCESS, due=START, ended=START)
    knowledge.learn("reminder", done)
    knowledge.heed(refusal, "reminder", 1, knowledge.resumes)
    assert knowledge.progress["reminder"] == done
