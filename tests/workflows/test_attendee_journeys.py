"""What attendees live through, on a stepped clock: the real server, the real worker, months in seconds."""

import pytest

from database import control
from database.control import Scope
from tests.workflows.guests import DATE, DAY, EARLY, END, HOUR, START, Guests, ending, engagement, welcome
from tests.workflows.house import House, shown


@pytest.fixture
async def early(working: House) -> Guests:
    return await welcome(working, START)


async def test_registered_two_days_before(working: House) -> None:
    """A late registration gets the confirmation, the newest of what it missed, and everything that is still ahead.

    Nothing of the past series: no preparation, no speakers, no schedule, which the reminder has overtaken.
    """
    guests = await welcome(working, DATE - 2 * DAY)
    ada = await guests.register()
    await guests.live()
    assert await guests.sent() == [
        ("registration_confirmation", DATE - 2 * DAY),
        ("logistics_reminder", DATE - 2 * DAY),
        *ending(),
    ]
    states = await guests.became(ada)
    assert {id_: state for id_, state in states.items() if state != "success"} == {
        "welcome_preparation": "skipped: detailed_schedule came before it was due",
        "speaker_highlights": "skipped: detailed_schedule came before it was due",
        "detailed_schedule": "skipped: overtaken by logistics_reminder",
    }
    row = await guests.row(ada)
    assert (row["name"], row["status"], row["steps_completed"]) == (
        "Attendee Engagement: Ada Lovelace",
        "completed",
        10,
    )
    whatsapp = await working.pool.fetch("SELECT step, status FROM messages WHERE channel = 'whatsapp'")
    assert [tuple(message) for message in whatsapp] == [("day_of_welcome", "sent")]


async def test_registered_early(early: Guests) -> None:
    """Who registers two months ahead gets all ten, each at its hour."""
    ada = await early.register()
    await early.live()
    assert await early.sent() == EARLY + ending()
    assert set((await early.became(ada)).values()) == {"success"}


async def test_registered_on_the_day(working: House) -> None:
    """Who registers an hour after the doors opened gets the confirmation and the welcome, and later the thanks."""
    guests = await welcome(working, DATE + HOUR)
    await guests.register()
    await guests.live()
    now = DATE + HOUR
    assert await guests.sent() == [("day_of_welcome", now), ("registration_confirmation", now), *ending()[2:]]


async def test_registered_after_the_event(working: House) -> None:
    """A registration entered after the event begins nothing, and nobody is alarmed about it."""
    guests = await welcome(working, END + HOUR)
    await guests.register()
    await guests.live()
    assert await working.automations(guests.event) == []
    assert await working.pool.fetchval("SELECT count(*) FROM notifications") == 0


async def test_registered_before_the_event_was_published(working: House) -> None:
    """Who registered while the event was a draft hears of it when it is published, and counts from then; once."""
    guests = await welcome(working, START, status="draft")
    ada = await guests.register()
    await guests.live(START + 10 * DAY)
    assert await guests.sent() == []
    await working.set_event(guests.event, status="published")
    await guests.live(START + 18 * DAY)
    assert await guests.sent(ada) == [
        ("registration_confirmation", START + 10 * DAY),
        ("welcome_preparation", START + 17 * DAY),
    ]


async def test_a_draft_registration_that_is_confirmed_later(early: Guests) -> None:
    """A registration that waits for its payment is accompanied from the day it is confirmed."""
    ada = await early.register(status="draft")
    await early.live(START + 3 * DAY)
    assert await early.sent() == []
    await early.set(ada, status="confirmed")
    await early.live(START + 4 * DAY)
    assert await early.sent() == [("registration_confirmation", START + 3 * DAY)]


async def test_the_registration_is_cancelled(early: Guests) -> None:
    """Who cancels hears nothing more; every step that had not begun says why."""
    ada = await early.register()
    await early.live(START + 8 * DAY)
    await early.set(ada, status="cancelled")
    await early.live()
    assert await early.sent() == EARLY[:2]
    states = await early.became(ada)
    assert set(states.values()) == {"success", "skipped: the registration was cancelled"}
    assert len(states) == 10
    assert (await early.row(ada))["status"] == "cancelled"


async def test_cancelled_and_made_again(early: Guests) -> None:
    """Who comes after all is accompanied anew, and does not get again what the first time brought."""
    ada = await early.register()
    await early.live(START + 8 * DAY)
    await early.set(ada, status="cancelled")
    await early.live(START + 10 * DAY)
    await early.set(ada, status="confirmed")
    await early.live()
    assert await early.sent() == [*EARLY[:2], ("speaker_highlights", START + 24 * DAY), *EARLY[3:], *ending()]
    states = await early.became(ada, generation=2)
    assert states["registration_confirmation"].startswith("skipped: everybody in the audience was written to")


async def test_cancelled_and_made_again_in_one_breath_also_while_paused(early: Guests) -> None:
    """However fast, and whatever the automation was doing: the second registration has its own automation."""
    ada = await early.register()
    await early.live(START + 8 * DAY)
    await control.pause(early.house.pool, Scope(event_id=early.event))
    await early.set(ada, status="cancelled")
    await early.set(ada, status="confirmed")
    await early.live(START + 9 * DAY)
    assert (await early.row(ada))["status"] == "cancelled"
    assert (await early.row(ada, 2))["status"] == "active"


async def test_the_registration_is_deleted(early: Guests) -> None:
    """Who is struck from the list hears nothing more."""
    ada = await early.register()
    await early.live(START + 8 * DAY)
    await early.house.pool.execute("DELETE FROM registrations WHERE id = $1", ada)
    await early.live()
    assert await early.sent() == EARLY[:2]
    assert set((await early.became(ada)).values()) == {"success", "skipped: the registration was deleted"}


async def test_registered_and_cancelled_before_anybody_looked(early: Guests) -> None:
    """A registration that is cancelled before its automation begins never has one."""
    async with early.house.pool.acquire() as connection, connection.transaction():
        ada = await early.register()
        await early.set(ada, status="cancelled")
    await early.live()
    assert [row["status"] for row in await early.house.automations(early.event)] in ([], ["cancelled"])
    assert await early.sent() == []


async def test_checked_in(early: Guests) -> None:
    """A check-in reaches the automation once, also when it came before it began, and changes nothing of the ten."""
    ada = await early.register()
    bob = await early.register("bob", status="draft", checked_in_at=START)
    await early.live(DATE)
    await early.set(ada, checked_in_at=DATE)
    await early.set(bob, status="confirmed")
    await early.live()
    assert (await early.sent(ada))[-5:] == ending()
    rows = await early.house.pool.fetch(
        "SELECT subject, outcome FROM occurrences WHERE kind = 'checked_in' AND automation_id IS NOT NULL ORDER BY id"
    )
    assert {tuple(row) for row in rows} == {(f"registration/{ada}", "told"), (f"registration/{bob}", "told")}
    assert len(rows) == 2


async def test_a_pause_over_a_due_date_and_resume_by_policy(early: Guests) -> None:
    """What fell due is treated as late: preparation is skipped, the latest of the reminders goes at once."""
    ada = await early.register()
    await early.live(START + 6 * DAY)
    await control.pause(early.house.pool, Scope(event_id=early.event))
    await early.live(DATE - 2 * DAY)
    assert await early.sent() == EARLY[:1]
    await control.resume(early.house.pool, Scope(event_id=early.event), "by_policy")
    await early.live()
    assert await early.sent() == [EARLY[0], ("logistics_reminder", DATE - 2 * DAY), *ending()]
    assert (await early.became(ada))["welcome_preparation"] == "skipped: overtaken by detailed_schedule"


async def test_a_pause_over_a_due_date_and_resume_sends_all_or_skips_all(early: Guests) -> None:
    """`send_all` sends what fell due as if it were on time, `skip_all` none of it; what is ahead comes either way."""
    await early.register()
    await early.live(START + 6 * DAY)
    scope = Scope(event_id=early.event)
    await control.pause(early.house.pool, scope)
    await early.live(START + 10 * DAY)
    await control.resume(early.house.pool, scope, "send_all")
    await early.live(START + 11 * DAY)
    assert (await early.sent())[1:] == [("welcome_preparation", START + 10 * DAY)]
    await control.pause(early.house.pool, scope)
    await early.live(START + 15 * DAY)
    await control.resume(early.house.pool, scope, "skip_all")
    await early.live()
    assert (await early.sent())[2:] == [*EARLY[3:], *ending()]


async def test_an_outage_of_two_days(early: Guests) -> None:
    """Nobody is at work when the preparation is due: it is left out. When the reminder is due: it goes when they are back."""
    ada = await early.register()
    await early.live(START + 6 * DAY)
    await early.away(START + 9 * DAY)
    await early.live(DATE - 4 * DAY)
    await early.away(DATE - 2 * DAY)
    await early.live()
    assert await early.sent() == [
        EARLY[0],
        *EARLY[2:4],
        ("logistics_reminder", DATE - 2 * DAY),
        *ending(),
    ]
    assert (await early.became(ada))["welcome_preparation"] == "skipped: late by 2 days"


async def test_no_history_holds_anything_personal(early: Guests) -> None:
    """Neither labels nor payloads know who it is."""
    ada = await early.register()
    await early.live(DATE - 6 * DAY)
    await early.move(DAY)
    await early.live(DATE - 5 * DAY)
    (history,) = await early.house.histories()
    recorded = b"\n".join(event.SerializeToString() for event in history.events)
    assert [word for word in (b"ada@people", b"+49171392", b"Ada", b"Lovelace") if word in recorded] == []
    assert "final_details" in await shown(early.house, engagement(ada))
