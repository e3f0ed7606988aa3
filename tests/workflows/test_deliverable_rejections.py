"""What was handed in and cannot be used, or is taken back: it is owed again, whoever has ended with it already."""

from datetime import date, datetime

import pytest

from database import control
from database.control import Scope
from tests.workflows.deliverable_stage import (
    ALARMED,
    REMINDED,
    Office,
    Sent,
    at,
    open_office,
    reviewed,
    thanked,
    tracker,
)
from tests.workflows.house import House


@pytest.fixture
async def office(working: House) -> Office:
    return await open_office(working)


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


# -- after the deadline ---------------------------------------------------------------------------------------------------


def explained(when: datetime) -> Sent:
    return ("deliverable_rejected", "sponsor", when)


def alarmed(when: datetime) -> list[Sent]:
    return [("deliverable_overdue", "sponsor", when), ("deliverable_overdue_alert", "organizer", when)]


async def shown(office: Office) -> list[str]:
    """What the organizer's dashboard says of it being overdue."""
    rows = await office.house.pool.fetch("SELECT title FROM notifications WHERE title LIKE '%overdue' ORDER BY key")
    return [row["title"] for row in rows]


@pytest.mark.parametrize("back", [{"status": "rejected", "rejection_reason": "Too small"}, {"status": "in_progress"}])
async def test_what_is_owed_again_after_its_date_is_overdue_and_said_so_once(
    office: Office, back: dict[str, str]
) -> None:
    """Handed in in time and sent back later: nobody was alerted for this date, so both sides are. Sent back again, they know."""
    logo = await office.owes()
    await office.live(at(19, 15))
    await office.set(logo, status="submitted")
    await office.live(at(22, 10))
    await office.set(logo, **back)
    await office.live(at(24, 10))
    told = await office.sent()
    why = [explained(at(22, 10))] if back["status"] == "rejected" else []
    assert [message for message in told if message[2] == at(22, 10)] == [*alarmed(at(22, 10)), *why]
    assert ((await office.deliverable(logo))["status"], await shown(office)) == ("overdue", ["Logo is overdue"])
    await office.set(logo, status="submitted")
    await office.live(at(25, 10))
    await office.set(logo, **back)
    await office.live()
    again = (await office.sent())[len(told) :]
    assert [template for template, *_ in again if template != "deliverable_rejected"] == [
        "deliverable_review",
        "deliverable_thank_you",
    ]
    assert ((await office.deliverable(logo))["status"], await shown(office)) == ("overdue", ["Logo is overdue"])
    assert (await office.house.row(tracker(logo)))["status"] == "active"


async def test_what_was_sent_back_after_its_date_is_reminded_of_and_checked_for_a_new_one(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(19, 15))
    await office.set(logo, status="submitted")
    await office.live(at(22, 10))
    await office.set(logo, status="rejected")
    await office.live(at(22, 11))
    before = len(await office.sent())
    await office.set(logo, due_date=date(2027, 3, 26))
    assert (await office.deliverable(logo))["status"] == "pending"
    await office.live()
    assert (await office.sent())[before:] == [
        ("deliverable_reminder", "sponsor", at(23, 9)),
        ("deliverable_urgent", "sponsor", at(25, 9)),
        ("deliverable_urgent", "sponsor's phone", at(25, 9)),
        *alarmed(at(26, 23, 59)),
    ]


# -- after the tracker has ended ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "ends"),
    [({"requires_approval": False}, "submitted"), ({}, "approved")],
    ids=["needed no approval", "was approved"],
)
async def test_a_rejection_after_the_end_is_explained_and_chased_by_a_tracker_that_begins_anew(
    office: Office, columns: dict[str, bool], ends: str
) -> None:
    logo = await office.owes(**columns)
    await office.live(at(8, 15))
    await office.set(logo, status=ends)
    await office.live(at(9, 10))
    assert (await office.house.row(tracker(logo)))["status"] == "completed"
    await office.set(logo, status="rejected", rejection_reason="Too small")
    await office.live(at(10, 10))
    assert ((await office.deliverable(logo))["status"], (await office.sent())[-1]) == ("pending", explained(at(9, 10)))
    await office.live()
    assert await office.sent() == [
        *(REMINDED[0], thanked(at(8, 15)), explained(at(9, 10))),
        *(*REMINDED[1:], *ALARMED),
    ]
    row = await office.house.row(tracker(logo, 2))
    assert (row["status"], row["steps_completed"] >= 8) == ("active", True)
    assert (await office.deliverable(logo))["workflow_id"] == row["id"]


async def test_each_rejection_and_each_hand_in_is_answered_however_many_trackers_have_ended(office: Office) -> None:
    """What an earlier tracker has said of another hand-in does not stand for what is to be said of this one."""
    logo = await office.owes()
    for day in (8, 9, 10):
        await office.live(at(day, 10))
        await office.set(logo, status="submitted")
        await office.live(at(day, 11))
        await office.set(logo, status="approved")
        await office.live(at(day, 12))
        await office.set(logo, status="rejected")
    await office.live(at(10, 12))
    assert (await office.sent())[1:] == [
        told for day in (8, 9, 10) for told in (reviewed(at(day, 10)), thanked(at(day, 10)), explained(at(day, 12)))
    ]
    assert (await office.house.row(tracker(logo, 4)))["status"] == "active"


async def test_an_approved_deliverable_that_is_opened_again_is_owed_again(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(14, 10))
    await office.set(logo, status="approved")
    await office.live(at(15, 10))
    await office.set(logo, status="in_progress")
    await office.live()
    assert await office.sent() == [*REMINDED[:2], thanked(at(14, 10)), *REMINDED[2:], *ALARMED]


async def test_what_was_alerted_before_it_was_approved_is_overdue_again_without_another_alert(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(25, 10))
    await office.set(logo, status="approved")
    await office.live(at(26, 10))
    await office.set(logo, status="rejected")
    await office.live()
    assert await office.sent() == [*REMINDED, *ALARMED, thanked(at(25, 10)), explained(at(26, 10))]
    assert (await office.deliverable(logo))["status"] == "overdue"


async def test_what_was_never_tracked_is_tracked_once_it_is_rejected(office: Office) -> None:
    logo = await office.owes(status="submitted")
    await office.live(at(10, 10))
    await office.set(logo, status="rejected", rejection_reason="Too small")
    await office.live()
    assert await office.sent() == [explained(at(10, 10)), *REMINDED[1:], *ALARMED]


async def test_a_rejection_that_overtakes_the_end_is_not_lost_with_it(office: Office) -> None:
    """Approved by mistake and rejected at once; and rejected while the approval waits for the end of a pause."""
    quick, paused = await office.owes(name="Logo"), await office.owes(name="Banner")
    await office.live(at(14, 10))
    await control.pause(office.house.pool, Scope(automation_id=(await office.house.row(tracker(paused)))["id"]))
    async with office.house.pool.acquire() as connection, connection.transaction():
        for status in ("approved", "rejected"):
            for id_ in (quick, paused):
                await connection.execute("UPDATE sponsor_deliverables SET status = $2 WHERE id = $1", id_, status)
    await office.live(at(14, 12))
    await control.resume(office.house.pool, Scope(event_id=office.event), "by_policy")
    await office.live()
    assert sorted(told for told in await office.sent() if told[0] == "deliverable_rejected") == [
        explained(at(14, 10)),
        explained(at(14, 12)),
    ]
    assert {(await office.deliverable(id_))["status"] for id_ in (quick, paused)} == {"overdue"}


async def test_a_rejection_does_not_begin_a_tracker_for_a_cancelled_event(office: Office) -> None:
    logo = await office.owes()
    await office.live(at(8, 15))
    await office.house.set_event(office.event, status="cancelled")
    await office.live(at(9, 10))
    await office.set(logo, status="rejected")
    await office.live()
    assert await office.sent() == REMINDED[:1]
    assert len(await office.house.automations(office.event)) == 1
