"""The owner's timelines, told as stories: who gets what, when, and why not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.automation import Anchors, Late, Progress, Step, StepState
from models.moments import Instants
from models.problems import DefinitionError
from tests.workflows.stage import Stage
from tests.workflows.tables import LAUNCH, NURTURE
from workflows.timeline import (
    Do,
    Skip,
    UnknownRules,
    email,
    notify,
    plan,
    rounds,
    social,
    step,
    timeline,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVENT = datetime(2026, 6, 10, 7, tzinfo=UTC)  # 09:00 in Berlin
END = EVENT + timedelta(days=1, hours=8)
LATER = EVENT + timedelta(days=90)


def anchors(start: datetime, event: datetime | None = EVENT, end: datetime | None = END) -> Anchors:
    return Anchors(start=start, zone="Europe/Berlin", event_date=event, event_end=end)


def stage(steps: tuple[Step, ...], start: datetime, **more: Any) -> Stage:
    return Stage(steps, anchors(start), now=start, **more)


def done(played: Stage) -> list[tuple[str, datetime]]:
    return [(decision.step_id, now) for now, decision in played.history if isinstance(decision, Do)]


def test_a_launch_three_weeks_before_the_event_plays_all_nine_steps_at_their_instants() -> None:
    start = EVENT - 21 * DAY
    launch = stage(LAUNCH, start)
    assert launch.play(until=LATER).finished
    assert done(launch) == [
        ("generate_marketing_content", start),
        ("create_campaign_records", start),
        ("send_announcement", start),
        ("post_social_media", start + HOUR),
        ("send_whatsapp_broadcast", start + 3 * HOUR),
        ("week_1_reminder", start + 7 * DAY),
        ("week_2_social", start + 14 * DAY),
        ("last_chance_email", EVENT - 3 * DAY),
        ("final_reminder", EVENT - DAY),
    ]


def test_a_launch_two_days_before_the_event_announces_reminds_and_skips_what_came_too_late() -> None:
    start = EVENT - 2 * DAY
    launch = stage(LAUNCH, start)
    assert launch.play(until=LATER).finished
    assert launch.fates == [
        ("last_chance_email", 0, "done"),
        ("generate_marketing_content", 0, "done"),
        ("create_campaign_records", 0, "done"),
        ("send_announcement", 0, "done"),
        ("post_social_media", 0, "done"),
        ("send_whatsapp_broadcast", 0, "done"),
        ("final_reminder", 0, "done"),
        ("week_1_reminder", 0, "overtaken by last_chance_email"),
        ("week_2_social", 0, "overtaken by event_date"),
    ]


def test_a_launch_twelve_hours_before_the_event_sends_only_the_latest_of_the_late_reminders() -> None:
    launch = stage(LAUNCH, EVENT - 12 * HOUR)
    launch.play(until=EVENT - 11 * HOUR)
    assert launch.fates[:2] == [
        ("last_chance_email", 0, "a later one is due too: final_reminder"),
        ("final_reminder", 0, "done"),
    ]


def test_nothing_of_a_launch_goes_out_once_the_event_has_begun() -> None:
    launch = stage(LAUNCH, EVENT + HOUR)
    assert launch.play(until=LATER).finished
    assert [id_ for id_, _ in done(launch)] == ["generate_marketing_content", "create_campaign_records"]


def test_an_attendee_who_registers_two_days_before_gets_what_still_matters() -> None:
    start = EVENT - 2 * DAY
    journey = stage(NURTURE, start)
    assert journey.play(until=LATER).finished
    assert done(journey) == [
        ("logistics_reminder", start),
        ("registration_confirmation", start),
        ("final_details", EVENT - DAY),
        ("day_of_welcome", EVENT - 2 * HOUR),
        ("thank_you_survey", END + DAY),
        ("content_recap", END + 7 * DAY),
        ("community_next_event", END + 30 * DAY),
    ]
    assert [fate for fate in journey.fates if fate[2] != "done"] == [
        ("detailed_schedule", 0, "overtaken by logistics_reminder"),
        ("welcome_preparation", 0, "overtaken by detailed_schedule"),
        ("speaker_highlights", 0, "overtaken by detailed_schedule"),
    ]


def test_an_attendee_who_registers_early_gets_all_ten() -> None:
    journey = stage(NURTURE, EVENT - 60 * DAY)
    assert journey.play(until=LATER).finished
    assert [id_ for id_, _ in done(journey)] == [step.id for step in NURTURE]


def test_an_outage_of_a_week_skips_what_is_late_and_sends_the_latest() -> None:
    journey = stage(NURTURE, EVENT - 60 * DAY)
    journey.play(until=EVENT - 60 * DAY + 6 * DAY)
    journey.now = EVENT - 60 * DAY + 9 * DAY + 3 * HOUR + timedelta(minutes=5)
    assert journey.plan().decisions == (Skip("welcome_preparation", 0, EVENT - 53 * DAY, "late by 2 days 3 hours"),)
    journey.now = EVENT - 5 * DAY
    journey.play(until=EVENT - 5 * DAY)
    assert ("detailed_schedule", EVENT - 5 * DAY) in done(journey)


def test_a_step_is_not_late_before_it_was_freed() -> None:
    journey = stage(NURTURE, EVENT - 60 * DAY)
    journey.play(until=EVENT - 60 * DAY + 6 * DAY)
    journey.now = EVENT - 50 * DAY
    journey.freed = {"welcome_preparation": EVENT - 50 * DAY - 6 * HOUR}
    assert journey.plan().decisions == (Do("welcome_preparation", 0, EVENT - 53 * DAY),)
    journey.freed = {"welcome_preparation": EVENT - 50 * DAY - 7 * HOUR}
    assert journey.plan().decisions == (Skip("welcome_preparation", 0, EVENT - 53 * DAY, "late by 7 hours"),)


def test_a_moved_event_reminds_again_for_the_new_date_and_only_what_is_ahead() -> None:
    journey = stage(NURTURE, EVENT - 20 * DAY)
    journey.play(until=EVENT - 2 * DAY)
    journey.move(anchors(EVENT - 20 * DAY, EVENT + 2 * DAY, END + 2 * DAY))
    assert journey.rounds == {"logistics_reminder": 1}
    journey.play(until=LATER)
    reminded = [fate for fate in journey.fates if "reminder" in fate[0] or "schedule" in fate[0]]
    assert reminded == [
        ("detailed_schedule", 0, "done"),
        ("logistics_reminder", 0, "done"),
        ("logistics_reminder", 1, "done"),
    ]
    assert (journey.history[-1][0], journey.history[-1][1].step_id) == (END + 32 * DAY, "community_next_event")


def test_a_date_that_moves_there_and_back_sends_nothing_twice() -> None:
    journey = stage(NURTURE, EVENT - 20 * DAY)
    journey.play(until=EVENT - 2 * DAY)
    before = len(journey.history)
    journey.move(anchors(EVENT - 20 * DAY, EVENT + 9 * DAY, END + 9 * DAY))
    assert set(journey.rounds) == {"detailed_schedule", "logistics_reminder"}
    journey.move(anchors(EVENT - 20 * DAY))
    assert journey.plan().decisions == ()
    journey.play(until=EVENT)
    assert [fate[0] for fate in journey.fates[before:]] == ["final_details", "day_of_welcome"]


def test_a_skipped_step_that_a_moved_date_makes_useful_again_gets_another_chance() -> None:
    journey = stage(NURTURE, EVENT - 12 * HOUR)
    journey.play(until=EVENT - 12 * HOUR)
    assert ("logistics_reminder", 0, "overtaken by final_details") in journey.fates
    journey.move(anchors(EVENT - 12 * HOUR, EVENT + 2 * DAY, END + 2 * DAY))
    assert journey.rounds["logistics_reminder"] == 1
    journey.play(until=EVENT - 12 * HOUR)
    assert journey.fates[-1] == ("logistics_reminder", 1, "done")


def test_a_date_that_moves_back_takes_back_the_round_that_its_move_began() -> None:
    launch = stage(LAUNCH, EVENT - 21 * DAY)
    launch.play(until=EVENT - HOUR)
    launch.move(anchors(EVENT - 21 * DAY, EVENT + 30 * DAY, END + 30 * DAY))
    launch.move(anchors(EVENT - 21 * DAY))
    assert launch.rounds == {"last_chance_email": 0, "final_reminder": 0}
    launch.move(anchors(EVENT - 21 * DAY, EVENT - DAY, END))
    assert launch.plan().decisions == ()


def test_what_counts_from_the_start_or_from_a_step_has_no_new_rounds() -> None:
    launch = stage(LAUNCH, EVENT - 21 * DAY)
    launch.play(until=EVENT - HOUR)
    launch.move(anchors(EVENT - 21 * DAY, EVENT + 30 * DAY, END + 30 * DAY))
    assert launch.rounds == {"last_chance_email": 1, "final_reminder": 1}


def test_a_missing_anchor_holds_the_steps_that_need_it_and_says_why() -> None:
    launch = Stage(LAUNCH, anchors(EVENT, None, None), now=EVENT)
    here = launch.play(until=LATER)
    assert not here.finished
    assert here.wake is None
    assert [id_ for id_, _ in done(launch)] == ["generate_marketing_content", "create_campaign_records"]
    missing = "the event has no start date"
    assert here.waiting == (
        ("send_announcement", missing),
        ("post_social_media", "waits for send_announcement"),
        ("send_whatsapp_broadcast", "waits for post_social_media"),
        ("week_1_reminder", missing),
        ("week_2_social", missing),
        ("last_chance_email", missing),
        ("final_reminder", missing),
    )


BRANCHES = timeline(
    step("remind", "72 hours", email("gentle_reminder"), condition="not proposal_opened", branch="day_3"),
    step("follow_up", "72 hours", email("follow_up"), condition="proposal_opened", branch="day_3"),
)
DUE = EVENT + 72 * HOUR


@pytest.mark.parametrize(
    ("facts", "fates"),
    [
        ((), [("remind", 0, "done"), ("follow_up", 0, "the other branch was taken")]),
        (
            ("proposal_opened",),
            [("remind", 0, "the condition does not hold: not proposal_opened"), ("follow_up", 0, "done")],
        ),
    ],
)
def test_one_of_two_branches_is_taken_and_the_other_says_why_not(facts: tuple[str, ...], fates: list[Any]) -> None:
    sequence = stage(BRANCHES, EVENT, facts=facts)
    assert sequence.play(until=LATER).finished
    assert sequence.fates == fates


@pytest.mark.parametrize("state", [StepState.RUNNING, StepState.HELD, StepState.SUCCESS, StepState.FAILED])
def test_a_branch_once_begun_excludes_the_other_even_if_the_facts_change(state: StepState) -> None:
    sequence = stage(BRANCHES, EVENT, facts={"proposal_opened"}, progress={"remind": Progress(state=state, due=DUE)})
    sequence.now = DUE
    assert sequence.plan().decisions == (Skip("follow_up", 0, DUE, "the other branch was taken"),)


def test_one_plan_never_takes_two_branches() -> None:
    both = timeline(*(step(id_, "0 hours", email(id_), branch="fork") for id_ in ("left", "right")))
    assert stage(both, EVENT).plan().decisions == (
        Do("left", 0, EVENT),
        Skip("right", 0, EVENT, "the other branch was taken"),
    )


def test_branches_of_different_rounds_begin_the_next_one_together() -> None:
    fork = timeline(*(step(id_, "event_date", email(id_), branch="fork") for id_ in ("left", "right")))
    known = {
        "left": Progress(state=StepState.SUCCESS, round=3, due=EVENT),
        "right": Progress(state=StepState.SKIPPED, round=1, due=EVENT - DAY),
    }
    old = Instants(due=dict.fromkeys(known, EVENT), until={})
    new = Instants(due=dict.fromkeys(known, EVENT + 2 * DAY), until={})
    assert rounds(fork, old, new, known, EVENT + DAY) == {"left": 4, "right": 4}


def test_a_step_whose_instant_was_not_moved_keeps_its_round() -> None:
    steps = timeline(step("remind", "deadline", email("remind")))
    known = {"remind": Progress(state=StepState.SUCCESS, due=EVENT - DAY)}
    same = Instants(due={"remind": EVENT}, until={})
    assert rounds(steps, same, same, known, EVENT - HOUR) == {}


def test_a_branch_that_never_began_joins_the_new_round_of_its_slot() -> None:
    fork = timeline(
        step("early", "event_date - 7 days", email("a"), condition="not seen", branch="fork"),
        step("later", "event_date - 3 days", email("b"), branch="fork"),
    )
    played = stage(fork, EVENT - 9 * DAY)
    played.play(until=EVENT - 5 * DAY)
    played.move(anchors(EVENT - 9 * DAY, EVENT + 9 * DAY))
    played.facts = {"seen"}
    played.play(until=LATER)
    assert played.fates == [
        ("early", 0, "done"),
        ("early", 1, "the condition does not hold: not seen"),
        ("later", 1, "done"),
    ]


def test_a_column_of_the_subject_decides_a_condition() -> None:
    steps = timeline(step("pay", "0 hours", email("pay"), condition="status == 'unpaid'"))
    instants = Instants(due={"pay": EVENT}, until={})
    assert plan(steps, instants, {}, (), EVENT, subject={"status": "unpaid"}).decisions == (Do("pay", 0, EVENT),)
    assert isinstance(plan(steps, instants, {}, (), EVENT).decisions[0], Skip)


def test_a_held_step_is_waited_for_and_never_done_again() -> None:
    launch = stage(LAUNCH, EVENT - 21 * DAY)
    held = Progress(state=StepState.HELD, due=launch.now)
    launch.progress = {"generate_marketing_content": held}
    here = launch.play(until=launch.now + HOUR)
    assert launch.history == []
    assert here.current == "generate_marketing_content"
    assert here.waiting[0] == ("create_campaign_records", "waits for generate_marketing_content, which is held")
    assert here.wake == EVENT - 14 * DAY
    assert not here.finished


def test_the_current_step_is_the_one_played_else_the_next_one_due() -> None:
    start = EVENT - 21 * DAY
    launch = stage(LAUNCH, start, takes=HOUR)
    assert launch.plan().current == "generate_marketing_content"
    assert launch.play(until=start).current == "generate_marketing_content"
    assert launch.play(until=start + HOUR).current == "create_campaign_records"
    assert launch.play(until=start + 8 * DAY).current == "week_2_social"
    assert launch.play(until=EVENT - 4 * DAY).current == "last_chance_email"
    assert launch.play(until=LATER).current is None


def test_rules_this_worker_does_not_know_are_refused() -> None:
    nothing = Instants(due={}, until={})
    with pytest.raises(UnknownRules, match=r"follows rules 99, this worker knows 1: start a newer worker"):
        plan(LAUNCH, nothing, {}, (), EVENT, 99)
    with pytest.raises(UnknownRules):
        rounds(LAUNCH, nothing, nothing, {}, EVENT, 99)


def test_a_step_is_named_and_ranked_by_what_it_does_unless_it_says_otherwise() -> None:
    urgent = step("send_alert", "0 hours", notify("overdue", to="organizer", urgency="critical"), late="run")
    assert (urgent.name, urgent.priority, urgent.late) == ("Send alert", 1, Late.RUN)
    assert step("a", "0 hours", email("x", urgency="low")).priority == 2
    assert step("a", "0 hours", email("x")).priority == 3
    named = step("a", "0 hours", email(segments={"vip": "thanks"}), name="Thanks", priority=1)
    assert (named.name, named.priority, named.actions[0].segments) == ("Thanks", 1, {"vip": "thanks"})


def test_a_timeline_that_cannot_be_played_is_refused_where_it_is_written() -> None:
    with pytest.raises(DefinitionError, match=r"steps\[0\]\.delay.*days"):
        timeline(step("a", "7 dayz", email("x")), step("b", "1 day", social("myspace")))
