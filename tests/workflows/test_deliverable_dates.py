"""Dates of trackers: a due date that is moved is reminded of and checked anew, and each is checked once."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.workflows.deliverable_stage import ALARMED, DUE, REMINDED, START, Office, at, open_office, reviewed, thanked
from tests.workflows.house import House


@pytest.fixture
async def office(working: House) -> Office:
    return await open_office(working)


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
