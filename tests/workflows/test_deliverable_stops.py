"""Trackers that are paused, cancelled or lose their deliverable: nothing is lost, and what has ended stays ended."""

import pytest

from database import control
from database.control import Scope
from tests.workflows.deliverable_stage import REMINDED, Office, at, open_office, reviewed, thanked, tracker
from tests.workflows.house import House


@pytest.fixture
async def office(working: House) -> Office:
    return await open_office(working)


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
