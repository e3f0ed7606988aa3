"""Trackers on a stepped clock: the real server and the real worker, from the day a deliverable is agreed to its approval."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from database import control
from database.control import Scope
from tests.workflows.deliverable_stage import DUE, START, Office, at, open_office, tracker
from tests.workflows.house import House, shown

OWED = "skipped: the condition does not hold: not deliverable_submitted"
ENDED = "skipped: ended by deliverable_approved"


@pytest.fixture
async def office(working: House) -> Office:
    return await open_office(working)


REMINDED = [
    ("deliverable_reminder", "sponsor", at(6, 9)),
    ("deliverable_reminder", "sponsor", at(13, 9)),
    ("deliverable_reminder", "sponsor", at(17, 9)),
    ("deliverable_urgent", "sponsor", at(19, 9)),
    ("deliverable_urgent", "sponsor's phone", at(19, 9)),
]
ALARMED = [
    ("deliverable_overdue", "sponsor", at(20, 23, 59)),
    ("deliverable_overdue_alert", "organizer", at(20, 23, 59)),
]


def thanked(when: datetime) -> tuple[str, str, datetime]:
    return ("deliverable_thank_you", "sponsor", when)


def reviewed(when: datetime) -> tuple[str, str, datetime]:
    return ("deliverable_review", "organizer", when)


async def test_what_is_never_handed_in_is_reminded_of_and_then_told_as_overdue(office: Office) -> None:
    logo = await office.owes()
    await office.live()
    assert await office.sent() == [*REMINDED, *ALARMED]
    known = await office.deliverable(logo)
    assert (known["status"], known["reminders_sent"]) == ("overdue", 4)
    assert known["last_reminder_sent_at"] == at(19, 9)
    row = await office.house.row(tracker(logo))
    assert (row["id"], row["name"]) == (known["workflow_id"], "Deliverable: Logo")
    # It listens on: what comes late is still welcome.
    assert (row["status"], row["steps_completed"], row["next_execution_at"]) == ("active", 8, None)


async def test_a_late_hand_in_is_thanked_for_reviewed_and_ends_with_its_approval(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(25, 10))
    await office.set(logo, status="submitted")
    await office.live(at(26, 10))
    assert (await office.sent())[-2:] == [reviewed(at(25, 10)), thanked(at(25, 10))]
    await office.set(logo, status="approved")
    await office.live()
    assert (await office.sent())[-1] == thanked(at(25, 10))
    assert (await office.house.row(tracker(logo)))["status"] == "completed"


async def test_a_hand_in_in_time_stops_the_reminders_and_the_alarm(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(8, 15))
    await office.set(logo, status="submitted")
    await office.live()
    assert await office.sent() == [REMINDED[0], reviewed(at(8, 15)), thanked(at(8, 15))]
    states = await office.house.states(tracker(logo))
    assert {id_: states[id_] for id_ in ("reminder_1_week", "reminder_1_day", "send_overdue_alert")} == {
        "reminder_1_week": OWED,
        "reminder_1_day": OWED,
        "send_overdue_alert": OWED,
    }
    assert states["deadline_check"] == "success"
    assert states["send_thank_you"] == "skipped: nobody to write to in sponsor_not_yet_thanked"
    assert (await office.deliverable(logo))["status"] == "submitted"
    assert (await office.house.row(tracker(logo)))["status"] == "active"


async def test_an_approval_ends_it_and_thanks_whoever_was_not_thanked(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(8, 15))
    await office.set(logo, status="approved")
    await office.live()
    assert await office.sent() == [REMINDED[0], thanked(at(8, 15))]
    states = await office.house.states(tracker(logo))
    assert {states[id_] for id_ in ("reminder_1_week", "reminder_3_days", "reminder_1_day", "deadline_check")} == {
        ENDED
    }
    assert (await office.house.row(tracker(logo)))["status"] == "completed"


async def test_what_needs_no_approval_ends_with_the_hand_in(office: Office) -> None:
    fee = await office.owes(name="Fee", deliverable_type="payment", requires_approval=False)
    await office.live(at(8, 15))
    await office.set(fee, status="submitted")
    await office.live()
    assert await office.sent() == [REMINDED[0], thanked(at(8, 15))]
    assert (await office.house.row(tracker(fee)))["status"] == "completed"


async def test_a_rejection_is_explained_and_the_reminders_that_lie_ahead_go_on(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(8, 15))
    await office.set(logo, status="submitted")
    await office.live(at(14, 10))
    await office.set(logo, status="rejected", rejection_reason="Too small")
    await office.live(at(18, 10))
    known = await office.deliverable(logo)
    assert (known["status"], known["submitted_date"], known["rejection_reason"]) == ("pending", None, "Too small")
    await office.set(logo, status="submitted")
    await office.live()
    assert await office.sent() == [
        REMINDED[0],
        reviewed(at(8, 15)),
        thanked(at(8, 15)),
        ("deliverable_rejected", "sponsor", at(14, 10)),
        REMINDED[2],
        reviewed(at(18, 10)),
        thanked(at(18, 10)),
    ]
    row = await office.house.row(tracker(logo))
    assert (row["steps_completed"], row["steps_total"]) == (8, 8)


async def test_news_that_comes_twice_is_answered_once(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(8, 15))
    for status in ("submitted", "rejected"):
        await office.set(logo, status=status)
        await office.live(at(8, 15))
        await office.house.pool.execute(
            "UPDATE occurrences SET processed_at = NULL WHERE kind = $1", f"deliverable_{status}"
        )
        await office.live(at(8, 15))
    assert [template for template, *_ in (await office.sent())[1:]] == [
        "deliverable_rejected",
        "deliverable_review",
        "deliverable_thank_you",
    ]


async def test_a_hand_in_that_is_taken_back_is_owed_again(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(8, 15))
    await office.set(logo, status="submitted")
    await office.live(at(14, 10))
    await office.set(logo, status="in_progress")
    await office.live()
    assert await office.sent() == [REMINDED[0], reviewed(at(8, 15)), thanked(at(8, 15)), *REMINDED[2:], *ALARMED]


async def test_an_overdue_deliverable_with_a_new_date_is_reminded_of_and_checked_anew(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(22, 10))
    await office.set(logo, due_date=date(2027, 3, 26))
    assert (await office.deliverable(logo))["status"] == "pending"
    await office.live()
    assert (await office.sent())[len(REMINDED) + len(ALARMED) :] == [
        ("deliverable_reminder", "sponsor", at(23, 9)),
        ("deliverable_urgent", "sponsor", at(25, 9)),
        ("deliverable_urgent", "sponsor's phone", at(25, 9)),
        ("deliverable_overdue", "sponsor", at(26, 23, 59)),
        ("deliverable_overdue_alert", "organizer", at(26, 23, 59)),
    ]
    known = await office.deliverable(logo)
    assert (known["status"], known["reminders_sent"]) == ("overdue", 6)


async def test_a_date_is_checked_once_also_when_it_moves_away_and_back(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(22, 10))
    await office.set(logo, due_date=date(2027, 4, 26))
    await office.live(at(22, 11))
    await office.set(logo, due_date=DUE)
    await office.live()
    assert await office.sent() == [*REMINDED, *ALARMED]
    assert (await office.deliverable(logo))["status"] == "overdue"


async def test_a_date_moved_while_a_hand_in_is_reviewed_thanks_nobody_twice(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(8, 15))
    await office.set(logo, status="submitted")
    await office.live(at(10, 10))
    await office.set(logo, due_date=date(2027, 3, 27))
    await office.live()
    assert await office.sent() == [REMINDED[0], reviewed(at(8, 15)), thanked(at(8, 15))]


async def test_the_events_zone_times_it_anew(office: Office) -> None:
    await office.owes()
    await office.live(at(8, 15))
    await office.house.set_event(office.event, timezone="America/New_York")
    await office.live()
    new_york = ZoneInfo("America/New_York")
    assert {when.astimezone(new_york).strftime("%d %H:%M") for _, _, when in (await office.sent())[1:]} == {
        "13 09:00",
        "17 09:00",
        "19 09:00",
        "20 23:59",
    }


async def test_a_moved_event_moves_no_deadline(office: Office) -> None:
    await office.owes()
    await office.live(at(8, 15))
    await office.house.set_event(office.event, starts_at=START + timedelta(days=90), ends_at=START + timedelta(days=91))
    await office.live()
    assert await office.sent() == [*REMINDED, *ALARMED]


async def test_a_deliverable_added_two_days_before_its_date_gets_the_latest_reminder_at_once(office: Office) -> None:
    await office.live(at(18, 12))
    await office.owes()
    await office.live()
    assert await office.sent() == [("deliverable_reminder", "sponsor", at(18, 12)), *REMINDED[3:], *ALARMED]


async def test_what_happens_before_the_tracker_begins_is_heard_in_its_order(office: Office) -> None:
    async with office.house.pool.acquire() as connection, connection.transaction():
        logo = await connection.fetchval(
            """
            INSERT INTO sponsor_deliverables (sponsorship_id, event_id, name, deliverable_type, due_date)
            VALUES ($1, $2, 'Logo', 'logo', $3) RETURNING id
            """,
            *(office.sponsorship, office.event, DUE),
        )
        await connection.execute("UPDATE sponsor_deliverables SET status = 'submitted' WHERE id = $1", logo)
    await office.live()
    assert await office.sent() == [reviewed(START), thanked(START)]


async def test_what_was_handed_in_before_it_was_added_is_not_tracked(office: Office) -> None:
    await office.owes(status="submitted")
    await office.owes(status="approved")
    await office.live()
    assert await office.house.automations(office.event) == []


async def test_a_pause_over_the_deadline_loses_neither_check_nor_alarm(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(14, 10))
    await control.pause(office.house.pool, Scope(event_id=office.event))
    await office.live(at(22, 10))
    assert await office.sent() == REMINDED[:2]
    await control.resume(office.house.pool, Scope(event_id=office.event), "by_policy")
    await office.live()
    assert (await office.sent())[2:] == [
        ("deliverable_overdue", "sponsor", at(22, 10)),
        ("deliverable_overdue_alert", "organizer", at(22, 10)),
    ]
    states = await office.house.states(tracker(logo))
    assert states["reminder_1_day"] == "skipped: overtaken by deadline_check"


async def test_a_hand_in_during_a_pause_is_answered_when_it_ends(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(8, 15))
    await control.pause(office.house.pool, Scope(event_id=office.event))
    await office.set(logo, status="submitted")
    await office.live(at(22, 10))
    assert await office.sent() == REMINDED[:1]
    await control.resume(office.house.pool, Scope(event_id=office.event), "by_policy")
    await office.live()
    assert (await office.sent())[1:] == [reviewed(at(22, 10)), thanked(at(22, 10))]
    assert (await office.house.states(tracker(logo)))["deadline_check"] == "success"


async def test_a_cancelled_tracker_sends_nothing_more_and_leaves_the_deliverable_alone(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(8, 15))
    await control.cancel(office.house.pool, Scope(event_id=office.event), "no more")
    await office.set(logo, status="submitted")
    await office.live()
    assert await office.sent() == REMINDED[:1]
    assert (await office.deliverable(logo))["status"] == "submitted"


async def test_a_deleted_deliverable_takes_its_tracker_with_it(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(8, 15))
    await office.house.pool.execute("DELETE FROM sponsor_deliverables WHERE id = $1", logo)
    await office.live()
    assert await office.sent() == REMINDED[:1]
    assert (await office.house.row(tracker(logo)))["status"] == "cancelled"


async def test_a_sponsor_without_an_address_is_named_as_the_reason(office: Office) -> None:
    await office.house.pool.execute("UPDATE sponsors SET contact_email = '', contact_phone = ''")
    logo = await office.owes()
    await office.live()
    assert await office.sent() == ALARMED[1:]
    assert (await office.house.states(tracker(logo)))["reminder_1_week"].startswith("skipped: nobody to write to")


async def test_a_signal_without_input_is_enough(working: House, office: Office) -> None:
    await working.set_event(office.event, clock_now=None, rehearsal_of=None)  # a real event, in real time
    logo = await office.owes(due_date=datetime.now(UTC).date() + timedelta(days=30))
    await working.quiet()
    await working.handle(tracker(logo)).signal("deliverable_approved")
    await working.until_row(tracker(logo), status="completed")


async def test_no_history_holds_anything_personal(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(21, 10))
    await office.set(logo, status="rejected", rejection_reason="Too small for Ada")
    await office.live()
    (history,) = await office.house.histories()
    recorded = b"\n".join(event.SerializeToString() for event in history.events)
    assert [
        word for word in (b"ada@acme.example", b"+4917139200001", b"Ada", b"Acme", b"Logo") if word in recorded
    ] == []
    assert "reminder_1_day" in await shown(office.house, tracker(logo))


async def test_after_a_rejection_the_next_reminder_is_waited_for(office: Office) -> None:
    """Lived in real time: a rehearsal writes down what it waits for at every rest."""
    house = office.house
    await house.set_event(office.event, clock_now=None, rehearsal_of=None)
    logo = await office.owes(due_date=datetime.now(UTC).date() + timedelta(days=40))
    await house.until(lambda: house.automations(office.event))
    await house.until_row(tracker(logo), current_step="reminder_2_weeks")
    await office.set(logo, status="submitted")
    await house.until_step(tracker(logo), "thank_for_submission", "success")
    await office.set(logo, status="rejected", rejection_reason="Too small")
    await house.until_step(tracker(logo), "await_again", "success")
    row = await house.until_row(tracker(logo), current_step="reminder_2_weeks")
    assert row["next_execution_at"] is not None
