"""When an approver is reminded: before the step is overdue, a day after the question, and not again."""

from datetime import UTC, datetime, timedelta

from models.approval import next_reminder

ASKED = datetime(2027, 3, 1, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_first_reminder_comes_an_hour_before_the_step_is_overdue_and_the_second_after_a_day() -> None:
    overdue = ASKED + 6 * HOUR
    first = next_reminder(ASKED, overdue, None)
    assert first == ASKED + 5 * HOUR
    second = next_reminder(ASKED, overdue, first)
    assert second == ASKED + 24 * HOUR
    assert next_reminder(ASKED, overdue, second) is None


def test_a_step_that_is_overdue_already_or_never_brings_the_reminder_of_the_next_day_only() -> None:
    assert next_reminder(ASKED, ASKED - HOUR, None) == ASKED + 24 * HOUR
    assert next_reminder(ASKED, None, None) == ASKED + 24 * HOUR


def test_reminders_missed_in_a_pause_are_made_up_for_by_one() -> None:
    assert next_reminder(ASKED, ASKED + 6 * HOUR, ASKED + 72 * HOUR) is None
