"""Attendees whose automation is shifted, changed or cancelled by a person, or whose event turns out to be over."""

import pytest

from database import control
from database.control import Scope
from tests.workflows.detours import modify, refusal
from tests.workflows.guests import DATE, DAY, EARLY, HOUR, START, Guests, ending, engagement, welcome
from tests.workflows.house import House


@pytest.fixture
async def early(working: House) -> Guests:
    return await welcome(working, START)


async def test_a_pause_over_a_due_date_that_is_resumed_with_a_shift(early: Guests) -> None:
    """What counts from the registration comes four days later; what counts from the event is not put off."""
    await early.register()
    await early.live(START + 6 * DAY)
    await control.pause(early.house.pool, Scope(event_id=early.event))
    await early.live(START + 10 * DAY)
    await control.resume(early.house.pool, Scope(event_id=early.event), "shift")
    await early.live()
    assert await early.sent() == [
        EARLY[0],
        ("welcome_preparation", START + 11 * DAY),
        ("speaker_highlights", START + 18 * DAY),
        *EARLY[3:],
        *ending(),
    ]


async def test_a_mail_ahead_is_put_off_for_one_attendee_and_the_confirmation_cannot_be_changed(early: Guests) -> None:
    """Ada gets her preparation on the ninth day instead of the seventh, Bob his on the seventh; what went out stays."""
    ada, bob = await early.register(), await early.register("bob")
    await early.live(START + 6 * DAY)
    said = await refusal(early.house, engagement(ada), {"registration_confirmation": {"delay": "8 days"}})
    assert "registration_confirmation: it has ended as success; only what has not begun can be changed" in said
    await modify(early.house, engagement(ada), {"welcome_preparation": {"delay": "9 days"}})
    await early.live(START + 15 * DAY)
    assert await early.sent(ada) == [EARLY[0], ("welcome_preparation", START + 9 * DAY), EARLY[2]]
    assert await early.sent(bob) == EARLY[:3]


async def test_one_attendees_automation_is_cancelled_and_the_registration_stays(early: Guests) -> None:
    """Ada hears nothing more and may come all the same; Bob goes on as before."""
    ada, bob = await early.register(), await early.register("bob")
    await early.live(START + 8 * DAY)
    await control.cancel(early.house.pool, Scope(automation_id=(await early.row(ada))["id"]), "she asked for it")
    await early.live(START + 15 * DAY)
    assert await early.sent(ada) == EARLY[:2]
    assert await early.sent(bob) == EARLY[:3]
    assert (await early.row(ada))["status"] == "cancelled"
    assert await early.house.pool.fetchval("SELECT status FROM registrations WHERE id = $1", ada) == "confirmed"


async def test_the_event_is_moved_into_the_past(early: Guests) -> None:
    """The event turns out to be over: nobody is prepared for it or told to come, and what follows it comes for its real end."""
    ada = await early.register()
    now = START + 8 * DAY
    await early.live(now)
    await early.move(START + 5 * DAY - DATE)
    await early.live()
    end = START + 5 * DAY + 8 * HOUR
    assert await early.sent() == [
        *EARLY[:2],
        ("thank_you_survey", now),
        ("content_recap", end + 7 * DAY),
        ("community_next_event", end + 30 * DAY),
    ]
    states = await early.became(ada)
    assert {
        id_: states[id_] for id_ in ("speaker_highlights", "logistics_reminder", "final_details", "day_of_welcome")
    } == {
        "speaker_highlights": "skipped: detailed_schedule came before it was due",
        "logistics_reminder": "skipped: overtaken by final_details",
        "final_details": "skipped: overtaken by event_date",
        "day_of_welcome": "skipped: overtaken by event_end",
    }
    assert (await early.row(ada))["status"] == "completed"
