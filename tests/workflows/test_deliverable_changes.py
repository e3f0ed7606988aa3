"""Trackers left alone for two days, resumed in each way, changed, and moved before the date: what a sponsor gets then."""

from datetime import date, datetime

import pytest

from database import control
from database.control import Scope
from tests.workflows.deliverable_stage import Office, Sent, at, open_office, tracker
from tests.workflows.detours import modify, outage, refusal
from tests.workflows.house import House


@pytest.fixture
async def office(working: House) -> Office:
    return await open_office(working)


def reminded(when: datetime) -> Sent:
    return ("deliverable_reminder", "sponsor", when)


def urged(when: datetime) -> list[Sent]:
    return [("deliverable_urgent", "sponsor", when), ("deliverable_urgent", "sponsor's phone", when)]


def alarmed(when: datetime) -> list[Sent]:
    return [("deliverable_overdue", "sponsor", when), ("deliverable_overdue_alert", "organizer", when)]


TWO_WEEKS, ONE_WEEK, THREE_DAYS = reminded(at(6, 9)), reminded(at(13, 9)), reminded(at(17, 9))
FROM_THREE_DAYS = [THREE_DAYS, *urged(at(19, 9)), *alarmed(at(20, 23, 59))]


async def test_two_days_without_a_worker_over_reminders(office: Office) -> None:
    """Nobody is at work a week before: that reminder is left out, for the next is near.

    Nobody is at work three days before: the sponsor is reminded as soon as somebody is back, for time is short.
    """
    logo = await office.owes()
    await office.live(at(12, 10))
    await outage(office.house, office.event, at(14, 10))
    await office.live(at(16, 10))
    await outage(office.house, office.event, at(18, 10))
    await office.live()
    assert await office.sent() == [TWO_WEEKS, reminded(at(18, 10)), *FROM_THREE_DAYS[1:]]
    assert (await office.house.states(tracker(logo)))["reminder_1_week"] == "skipped: late by 1 day 1 hour"


async def test_two_days_without_a_worker_over_the_deadline(office: Office) -> None:
    """The deadline passes unseen: it is found overdue when somebody is back, and both sides are told then."""
    logo = await office.owes()
    await office.live(at(20, 10))
    await outage(office.house, office.event, at(22, 10))
    await office.live()
    assert await office.sent() == [TWO_WEEKS, ONE_WEEK, *FROM_THREE_DAYS[:3], *alarmed(at(22, 10))]
    assert (await office.deliverable(logo))["status"] == "overdue"


async def paused_over_the_second_reminder(office: Office, policy: str) -> None:
    """Paused eight days before the date, resumed with `policy` three days later, and lived to the end."""
    await office.live(at(12, 10))
    await control.pause(office.house.pool, Scope(event_id=office.event))
    await office.live(at(15, 10))
    assert await office.sent() == [TWO_WEEKS]
    await control.resume(office.house.pool, Scope(event_id=office.event), policy)
    await office.live()


async def test_a_pause_over_a_reminder_that_is_resumed_by_policy(office: Office) -> None:
    """The reminder is two days old by then and left out; the next ones come at their hours."""
    logo = await office.owes()
    await paused_over_the_second_reminder(office, "by_policy")
    assert await office.sent() == [TWO_WEEKS, *FROM_THREE_DAYS]
    assert (await office.house.states(tracker(logo)))["reminder_1_week"] == "skipped: late by 2 days 1 hour"


async def test_a_pause_over_a_reminder_that_is_resumed_to_send_all(office: Office) -> None:
    """The reminder goes with the resume, as the person asked."""
    await office.owes()
    await paused_over_the_second_reminder(office, "send_all")
    assert await office.sent() == [TWO_WEEKS, reminded(at(15, 10)), *FROM_THREE_DAYS]


async def test_a_pause_over_a_reminder_that_is_resumed_to_skip_all(office: Office) -> None:
    """By policy the last but one would still have gone; it is left out because the person said so, and the last one comes."""
    logo = await office.owes()
    await office.live(at(16, 10))
    await control.pause(office.house.pool, Scope(event_id=office.event))
    await office.live(at(18, 10))
    await control.resume(office.house.pool, Scope(event_id=office.event), "skip_all")
    await office.live()
    assert await office.sent() == [TWO_WEEKS, ONE_WEEK, *FROM_THREE_DAYS[1:]]
    reason = "skipped: fell due during a pause, and the resume skipped it"
    assert (await office.house.states(tracker(logo)))["reminder_3_days"] == reason


async def test_a_pause_that_is_resumed_with_a_shift_moves_no_due_date(office: Office) -> None:
    """A contract's date stays where it is: reminders count from it, so a shift is a resume by policy."""
    logo = await office.owes()
    await paused_over_the_second_reminder(office, "shift")
    assert await office.sent() == [TWO_WEEKS, *FROM_THREE_DAYS]
    assert (await office.deliverable(logo))["due_date"] == date(2027, 3, 20)


async def test_a_pause_over_the_deadline_that_is_resumed_to_skip_all(office: Office) -> None:
    """Nobody is written to about what fell due meanwhile, but it is overdue; a new date brings reminders and a check again."""
    logo = await office.owes()
    await office.live(at(18, 10))
    await control.pause(office.house.pool, Scope(event_id=office.event))
    await office.live(at(22, 10))
    await control.resume(office.house.pool, Scope(event_id=office.event), "skip_all")
    await office.live(at(23, 10))
    assert await office.sent() == [TWO_WEEKS, ONE_WEEK, THREE_DAYS]
    assert (await office.deliverable(logo))["status"] == "overdue"
    await office.set(logo, due_date=date(2027, 3, 25))
    assert (await office.deliverable(logo))["status"] == "pending"
    await office.live()
    assert (await office.sent())[3:] == [*urged(at(24, 9)), *alarmed(at(25, 23, 59))]


async def test_what_was_handed_in_during_a_pause_over_the_deadline_is_not_overdue(office: Office) -> None:
    """Resumed to skip all: it came in time, whoever heard of it when."""
    logo = await office.owes()
    await office.live(at(18, 10))
    await control.pause(office.house.pool, Scope(event_id=office.event))
    await office.live(at(19, 10))
    await office.set(logo, status="submitted")
    await office.live(at(22, 10))
    await control.resume(office.house.pool, Scope(event_id=office.event), "skip_all")
    await office.live()
    assert (await office.deliverable(logo))["status"] == "submitted"
    assert not {template for template, _, _ in await office.sent()} & {
        template for template, _, _ in alarmed(at(20, 9))
    }
    states = await office.house.states(tracker(logo))
    assert states["mark_overdue"] == "skipped: the condition does not hold: not deliverable_submitted"


async def test_a_reminder_ahead_is_changed_and_one_that_went_out_cannot_be(office: Office) -> None:
    """Two days before instead of three, at the hour that was said; what the sponsor has got stays as it was."""
    logo = await office.owes()
    await office.live(at(8, 15))
    said = await refusal(office.house, tracker(logo), {"reminder_2_weeks": {"delay": "deadline - 10 days at 09:00"}})
    assert "reminder_2_weeks: it has ended as success; only what has not begun can be changed" in said
    await modify(office.house, tracker(logo), {"reminder_3_days": {"delay": "deadline - 2 days at 09:00"}})
    await office.live()
    assert await office.sent() == [TWO_WEEKS, ONE_WEEK, reminded(at(18, 9)), *FROM_THREE_DAYS[1:]]


async def test_a_due_date_moved_earlier(office: Office) -> None:
    """Due four days from now: what would have come before is left out, and the last reminders and the check come for that date."""
    logo = await office.owes()
    await office.live(at(8, 15))
    await office.set(logo, due_date=date(2027, 3, 12))
    await office.live()
    assert await office.sent() == [TWO_WEEKS, reminded(at(9, 9)), *urged(at(11, 9)), *alarmed(at(12, 23, 59))]


async def test_a_due_date_moved_later(office: Office) -> None:
    """Two weeks more: nobody is pressed for the old date, and every reminder comes again before the new one."""
    logo = await office.owes()
    await office.live(at(14, 10))
    await office.set(logo, due_date=date(2027, 4, 3))
    await office.live()
    assert await office.sent() == [
        *(TWO_WEEKS, ONE_WEEK),
        *(reminded(at(20, 9)), reminded(at(27, 9)), reminded(at(31, 9))),
        *urged(at(2, 9, month=4)),
        *alarmed(at(3, 23, 59, month=4)),
    ]


async def test_a_due_date_moved_into_the_past(office: Office) -> None:
    """It is overdue at once: no reminder of a date that has passed, and both sides are told."""
    logo = await office.owes()
    await office.live(at(8, 15))
    await office.set(logo, due_date=date(2027, 3, 5))
    await office.live()
    assert await office.sent() == [TWO_WEEKS, *alarmed(at(8, 15))]
    assert (await office.deliverable(logo))["status"] == "overdue"


async def test_a_cancelled_event_takes_its_trackers_with_it(office: Office) -> None:
    """No sponsor is chased for an event that does not take place; the deliverable itself is left as it is."""
    logo = await office.owes()
    await office.live(at(8, 15))
    await office.house.set_event(office.event, status="cancelled")
    await office.live()
    assert await office.sent() == [TWO_WEEKS]
    assert (await office.house.row(tracker(logo)))["status"] == "cancelled"
    assert (await office.deliverable(logo))["status"] == "pending"


async def test_a_review_that_is_held_is_over_when_the_deliverable_is_handed_in_again(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(8, 15))
    office.house.post_as, office.house.post_why = "failed", "the account is suspended"
    await office.set(logo, status="submitted")
    await office.live(at(9, 10))
    office.house.post_as, office.house.post_why = "sent", None
    await office.set(logo, status="rejected", rejection_reason="Too small")
    await office.live(at(10, 10))
    await office.set(logo, status="submitted")
    await office.live(at(11, 10))
    rows = await office.house.pool.fetch(
        "SELECT status, error_message FROM workflow_execution_logs WHERE step_id = 'ask_for_review' ORDER BY round"
    )
    assert [tuple(row) for row in rows] == [
        ("failed", "deliverable_submitted came about again: the account is suspended"),
        ("success", None),
    ]
