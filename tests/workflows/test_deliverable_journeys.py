"""Trackers on a stepped clock: the real server and the real worker, from the day a deliverable is agreed to its approval."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.workflows.deliverable_stage import (
    ALARMED,
    DUE,
    REMINDED,
    START,
    Office,
    at,
    open_office,
    reviewed,
    thanked,
    tracker,
)
from tests.workflows.house import House, shown

OWED = "skipped: the condition does not hold: not deliverable_submitted"
ENDED = "skipped: ended by deliverable_approved"


@pytest.fixture
async def office(working: House) -> Office:
    return await open_office(working)


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
