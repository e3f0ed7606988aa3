"""What is foreseen is what will be: foresight decides nothing of its own."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from models.automation import Anchors, Progress, StepState
from models.player import AutomationInput
from tests.workflows.stage import Stage
from workflows import event_launch, post_event_followup
from workflows.foresight import Foreseen, foresee
from workflows.knowledge import Knowledge
from workflows.timeline import email, notify, social, step, timeline

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
STARTS = datetime(2027, 4, 8, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def knowledge(steps, **progress):
    about = AutomationInput(
        automation_id=uuid4(), event_id=uuid4(), subject_id=uuid4(), workflow_type="event_launch", steps=steps
    )
    knows = Knowledge(about)
    knows.progress = progress
    return knows


def anchors(start=NOW, **dates):
    return Anchors(start=start, zone="Europe/Berlin", **({"event_date": STARTS, "event_end": STARTS + DAY} | dates))


def fates(found):
    return {one.step.id: (one.verdict, one.why) for one in found}


@pytest.mark.parametrize("days_before", [38, 10, 2, 0])
@pytest.mark.parametrize("steps", [event_launch.TIMELINE, post_event_followup.TIMELINE], ids=["launch", "follow-up"])
def test_what_is_foreseen_is_what_a_stage_then_plays(steps, days_before):
    start = STARTS - days_before * DAY
    played = Stage(steps, anchors(start), start)
    played.play(STARTS + 90 * DAY)
    found = [
        one for one in foresee(knowledge(steps), anchors(start), start) if one.step.id != "send_whatsapp_broadcast"
    ]
    # The stage posts at once, and knows nothing of the platforms' good hours, which the broadcast waits for.
    history = {
        decision.step_id: decision for _, decision in played.history if decision.step_id != "send_whatsapp_broadcast"
    }
    assert {one.step.id: one.due for one in found} == {id_: decision.due for id_, decision in history.items()}
    skipped = {id_ for id_, decision in history.items() if hasattr(decision, "reason")}
    assert {one.step.id for one in found if one.verdict == "skipped"} == skipped


def test_posts_wait_for_good_hours_and_what_comes_after_them_waits_with_them():
    steps = timeline(
        step("post", "0 hours", social("linkedin", optimal_time=True)),
        step("tell", "2 hours after post", notify("notice", to="organizer")),
    )
    friday_night = datetime(2027, 3, 5, 22, tzinfo=UTC)
    post, tell = foresee(knowledge(steps), anchors(friday_night), friday_night)
    assert post.at == friday_night
    assert tell.at == datetime(2027, 3, 9, 9, tzinfo=UTC)  # LinkedIn is read from Tuesday 08:00 in Berlin


def test_a_condition_leaves_a_step_open_unless_time_has_decided():
    steps = timeline(
        step("ask", "0 hours", email("a", to="all_contacts"), condition="opened"),
        step("ask_again", "2 days", email("a", to="all_contacts"), condition="not opened", until="event_date"),
    )
    assert fates(foresee(knowledge(steps), anchors(), NOW)) == {
        "ask": ("if", "opened"),
        "ask_again": ("if", "not opened"),
    }
    over = anchors(event_date=NOW + DAY)
    assert fates(foresee(knowledge(steps), over, NOW))["ask_again"][0] == "skipped"


def test_both_ways_of_a_branch_are_foreseen():
    steps = timeline(
        step("yes", "1 day", email("a", to="all_contacts"), condition="opened", branch="way"),
        step("no", "1 day", email("b", to="all_contacts"), condition="not opened", branch="way"),
    )
    assert fates(foresee(knowledge(steps), anchors(), NOW)) == {"yes": ("if", "opened"), "no": ("if", "not opened")}


def test_what_lacks_a_date_or_waits_for_a_held_step_says_so():
    steps = timeline(
        step("first", "0 hours", notify("notice", to="organizer")),
        step("second", "1 hour after first", notify("notice", to="organizer")),
        step("third", "event_date - 1 day", notify("notice", to="organizer")),
    )
    held = Progress(state=StepState.HELD, due=NOW, reason="no sender")
    found = list(foresee(knowledge(steps, first=held), anchors(event_date=None, event_end=None), NOW))
    assert found == [
        Foreseen(steps[1], 0, "waits", why="waits for first, which is held"),
        Foreseen(steps[2], 0, "waits", why="the event has no start date"),
    ]


def test_what_was_done_for_an_old_date_is_foreseen_again_in_a_new_round():
    steps = timeline(step("soon", "event_date - 1 day", email("a", to="all_contacts")))
    done = Progress(state=StepState.SUCCESS, due=NOW - DAY, ended=NOW - DAY)
    [again] = foresee(knowledge(steps, soon=done), anchors(), NOW)
    assert (again.round, again.due) == (1, STARTS - DAY)
