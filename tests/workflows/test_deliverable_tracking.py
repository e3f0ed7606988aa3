"""Deliverable tracking: a sponsor is reminded until it is handed in, and told what becomes of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.automation import Anchors
from models.definition import from_definition, to_definition
from tests.workflows.stage import Stage
from workflows.deliverable_tracking import REACTIONS, TIMELINE
from workflows.timeline import Do

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DEADLINE = datetime(2026, 4, 10, 21, 59, tzinfo=UTC)  # 23:59 in Berlin
NINE = datetime(2026, 4, 10, 7, tzinfo=UTC)  # 09:00 that day
WINTER_NINE = datetime(2026, 3, 27, 8, tzinfo=UTC)  # 09:00 two weeks before, on the other side of the clock change
AFTER = DEADLINE + 90 * DAY


def stage(start: datetime, deadline: datetime = DEADLINE, **more: Any) -> Stage:
    return Stage(TIMELINE, anchors(start, deadline), now=start, **more)


def anchors(start: datetime, deadline: datetime = DEADLINE, zone: str = "Europe/Berlin") -> Anchors:
    return Anchors(start=start, zone=zone, deadline=deadline)


def done(played: Stage) -> list[tuple[str, datetime]]:
    return [(decision.step_id, now) for now, decision in played.history if isinstance(decision, Do)]


def test_the_timeline_is_the_owners_table() -> None:
    table = [
        (
            "reminder_2_weeks",
            "deadline - 14 days at 09:00",
            "email deliverable_reminder low",
            "skip",
            "reminder_1_week",
            2,
        ),
        (
            "reminder_1_week",
            "deadline - 7 days at 09:00",
            "email deliverable_reminder medium",
            "skip",
            "reminder_3_days",
            2,
        ),
        (
            "reminder_3_days",
            "deadline - 3 days at 09:00",
            "email deliverable_reminder high",
            "latest",
            "reminder_1_day",
            2,
        ),
        (
            "reminder_1_day",
            "deadline - 1 day at 09:00",
            "email deliverable_urgent critical + whatsapp deliverable_urgent critical",
            "latest",
            "deadline_check",
            1,
        ),
        ("deadline_check", "deadline at 23:59", "", "run", None, 3),
        ("mark_overdue", "deadline at 23:59", "update overdue", "run", None, 1),
        (
            "send_overdue_alert",
            "deadline at 23:59",
            "email deliverable_overdue high + email deliverable_overdue_alert high",
            "send",
            None,
            1,
        ),
        ("send_thank_you", "deadline at 23:59", "email deliverable_thank_you", "send", None, 2),
    ]
    said = [
        (
            step.id,
            step.moment,
            " + ".join(
                " ".join(filter(None, [action.verb, action.template, *action.targets, action.urgency]))
                for action in step.actions
            ),
            step.late.value,
            step.until,
            step.priority,
        )
        for step in TIMELINE
    ]
    assert said == table
    assert {step.id: step.condition for step in TIMELINE if step.condition == "deliverable_submitted"} == {
        "deadline_check": "deliverable_submitted",
        "send_thank_you": "deliverable_submitted",
    }
    assert {step.condition for step in TIMELINE} == {"deliverable_submitted", "not deliverable_submitted"}


def test_the_timeline_survives_being_stored() -> None:
    assert from_definition(to_definition(TIMELINE)) == TIMELINE


def test_the_reactions_are_the_owners_state_table() -> None:
    said = {
        reaction.fact: ([step.id for step in reaction.steps], reaction.ends, reaction.withdraws, reaction.rearms)
        for reaction in REACTIONS
    }
    assert said == {
        "deliverable_submitted": (["ask_for_review", "thank_for_submission"], False, (), False),
        "deliverable_approved": (["thank_for_approved"], True, (), False),
        "deliverable_rejected": (
            ["explain_rejection", "await_again"],
            False,
            ("deliverable_submitted", "deliverable_approved", "deliverable_rejected"),
            True,
        ),
        "deliverable_reopened": (
            ["await_once_more"],
            False,
            ("deliverable_submitted", "deliverable_approved", "deliverable_reopened"),
            True,
        ),
        "deliverable_moved": ([], False, ("deliverable_moved",), False),
    }


def test_what_is_never_handed_in_is_reminded_of_four_times_and_found_overdue_in_the_last_minute() -> None:
    tracker = stage(DEADLINE - 30 * DAY)
    tracker.play(until=AFTER)
    assert done(tracker) == [
        ("reminder_2_weeks", WINTER_NINE),
        ("reminder_1_week", NINE - 7 * DAY),
        ("reminder_3_days", NINE - 3 * DAY),
        ("reminder_1_day", NINE - DAY),
        ("mark_overdue", DEADLINE),
        ("send_overdue_alert", DEADLINE),
    ]
    assert tracker.fates[4:] == [
        ("deadline_check", 0, "the condition does not hold: deliverable_submitted"),
        ("mark_overdue", 0, "done"),
        ("send_overdue_alert", 0, "done"),
        ("send_thank_you", 0, "the condition does not hold: deliverable_submitted"),
    ]


def test_what_is_handed_in_stops_the_reminders_and_is_found_in_time() -> None:
    facts: set[str] = set()
    tracker = stage(DEADLINE - 30 * DAY, facts=facts)
    tracker.play(until=NINE - 10 * DAY)
    facts.add("deliverable_submitted")
    tracker.play(until=AFTER)
    owed = "the condition does not hold: not deliverable_submitted"
    assert tracker.fates == [
        ("reminder_2_weeks", 0, "done"),
        ("reminder_1_week", 0, owed),
        ("reminder_3_days", 0, owed),
        ("reminder_1_day", 0, owed),
        ("deadline_check", 0, "done"),
        ("mark_overdue", 0, owed),
        ("send_overdue_alert", 0, owed),
        ("send_thank_you", 0, "done"),
    ]


@pytest.mark.parametrize(
    ("start", "at_once"),
    [
        (NINE - 10 * DAY, []),  # the reminder of two weeks came and went, and nobody hears of it
        (NINE - 7 * DAY + HOUR, ["reminder_1_week"]),  # an hour late is on time
        (NINE - 5 * DAY, []),
        (NINE - 2 * DAY, ["reminder_3_days"]),
        (NINE - 6 * HOUR, ["reminder_1_day"]),
        (DEADLINE + DAY, ["mark_overdue", "send_overdue_alert"]),
    ],
)
def test_a_deliverable_added_late_gets_at_most_the_one_reminder_that_still_fits(
    start: datetime, at_once: list[str]
) -> None:
    tracker = stage(start)
    tracker.play(until=start)
    assert [step for step, _ in done(tracker)] == at_once


def test_a_moved_due_date_times_everything_that_lies_ahead_anew() -> None:
    tracker = stage(DEADLINE - 30 * DAY)
    tracker.play(until=NINE - 5 * DAY)
    tracker.move(anchors(DEADLINE - 30 * DAY, DEADLINE + 5 * DAY))
    tracker.play(until=AFTER)
    assert done(tracker)[2:] == [
        ("reminder_1_week", NINE - 2 * DAY),
        ("reminder_3_days", NINE + 2 * DAY),
        ("reminder_1_day", NINE + 4 * DAY),
        ("mark_overdue", DEADLINE + 5 * DAY),
        ("send_overdue_alert", DEADLINE + 5 * DAY),
    ]


def test_an_overdue_deliverable_with_a_new_date_is_reminded_of_and_checked_again() -> None:
    tracker = stage(DEADLINE - 2 * DAY)
    tracker.play(until=DEADLINE + DAY)
    tracker.move(anchors(DEADLINE - 2 * DAY, DEADLINE + 5 * DAY))
    tracker.play(until=AFTER)
    again = [(step, round_) for step, round_, fate in tracker.fates if round_ == 1 and fate == "done"]
    assert again == [
        ("reminder_3_days", 1),
        ("reminder_1_day", 1),
        ("mark_overdue", 1),
        ("send_overdue_alert", 1),
    ]
    tracker.move(anchors(DEADLINE - 2 * DAY))
    assert tracker.plan().decisions == ()  # that date was checked already


def test_the_events_zone_decides_when_nine_o_clock_is() -> None:
    tracker = stage(DEADLINE - 30 * DAY)
    tracker.play(until=NINE - 8 * DAY)
    in_tokyo = datetime(2026, 4, 10, 14, 59, tzinfo=UTC)
    tracker.move(anchors(DEADLINE - 30 * DAY, in_tokyo, "Asia/Tokyo"))
    tracker.play(until=AFTER)
    assert done(tracker)[1:] == [
        ("reminder_1_week", NINE - 7 * DAY - 7 * HOUR),
        ("reminder_3_days", NINE - 3 * DAY - 7 * HOUR),
        ("reminder_1_day", NINE - DAY - 7 * HOUR),
        ("mark_overdue", in_tokyo),
        ("send_overdue_alert", in_tokyo),
    ]


def test_a_worker_that_was_away_over_the_deadline_still_checks_and_alerts() -> None:
    tracker = stage(DEADLINE - 4 * DAY)
    tracker.now = DEADLINE + 3 * DAY
    tracker.play(until=DEADLINE + 3 * DAY)
    assert done(tracker) == [
        ("mark_overdue", DEADLINE + 3 * DAY),
        ("send_overdue_alert", DEADLINE + 3 * DAY),
    ]
    assert {step: reason for step, _, reason in tracker.fates}["reminder_1_day"] == "overtaken by deadline_check"
