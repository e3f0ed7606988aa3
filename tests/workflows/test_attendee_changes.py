"""What attendees hear when their event is moved or cancelled: of the date that holds, at once, and once."""

from datetime import timedelta

import pytest

from tests.workflows.guests import DATE, DAY, EARLY, HOUR, START, Guests, ending, welcome
from tests.workflows.house import House


@pytest.fixture
async def early(working: House) -> Guests:
    return await welcome(working, START)


async def test_the_event_is_moved_later(early: Guests) -> None:
    """One mail with the new date, at once; everything that counts from the date comes for the new one."""
    await early.register()
    await early.live(START + 8 * DAY)
    await early.move(10 * DAY)
    await early.live()
    moved = [(step, at + 10 * DAY) for step, at in EARLY[3:]]
    assert await early.sent() == [
        *EARLY[:2],
        ("event_moved", START + 8 * DAY),
        EARLY[2],
        *moved,
        *ending(DATE + 10 * DAY),
    ]


async def test_the_event_is_moved_earlier(early: Guests) -> None:
    """Moved to four days from now: the schedule that is late goes at once, and the rest at its hour."""
    await early.register()
    now = DATE - 14 * DAY
    await early.live(now)
    await early.move(-10 * DAY)
    await early.live()
    assert await early.sent() == [
        *EARLY[:3],
        ("event_moved", now),
        ("detailed_schedule", now),
        ("logistics_reminder", DATE - 13 * DAY),
        *ending(DATE - 10 * DAY),
    ]


async def test_the_event_is_postponed_after_tomorrow_was_said(early: Guests) -> None:
    """Who was told "tomorrow!" is told of the new date, and gets the last mails again before it."""
    await early.register()
    now = DATE - HOUR
    await early.live(now)
    assert [step for step, _ in await early.sent()][-2:] == ["final_details", "day_of_welcome"]
    await early.move(30 * DAY)
    await early.live()
    later = DATE + 30 * DAY
    assert await early.sent() == [
        *EARLY,
        *ending()[:2],
        ("event_moved", now),
        ("detailed_schedule", later - 7 * DAY),
        ("logistics_reminder", later - 3 * DAY),
        *ending(later),
    ]


async def test_moved_twice_quickly(early: Guests) -> None:
    """Two moves in a row are one mail: the newest date. The one before is never sent."""
    await early.register()
    await early.live(START + DAY)
    early.house.post_as = None
    await early.move(5 * DAY)
    await early.house.until(
        lambda: early.house.pool.fetchval("SELECT count(*) FROM messages WHERE step = 'event_moved'")
    )
    await early.move(6 * DAY)
    await early.house.quiet()
    early.house.post_as = "sent"
    await early.live(START + 2 * DAY)
    rows = await early.house.pool.fetch("SELECT round, status FROM messages WHERE step = 'event_moved' ORDER BY round")
    assert [tuple(row) for row in rows] == [(1, "skipped"), (2, "sent")]


async def test_moved_and_back_before_anybody_was_told(early: Guests) -> None:
    """A slip of the hand that is put right at once is nobody's news."""
    await early.register()
    await early.live(START + DAY)
    async with early.house.pool.acquire() as connection, connection.transaction():
        await early.move(5 * DAY)
        await early.move(timedelta())
    await early.live(START + 8 * DAY)
    assert await early.sent() == EARLY[:2]


async def test_moved_earlier_and_back_again(early: Guests) -> None:
    """Both moves are told, and nobody misses or gets twice what the date that holds asks for."""
    await early.register()
    now = DATE - 14 * DAY
    await early.live(now)
    await early.move(-10 * DAY)
    await early.live(now + HOUR)
    await early.move(timedelta())
    await early.live()
    assert await early.sent() == [
        *EARLY[:3],
        ("event_moved", now),
        ("detailed_schedule", now),
        ("event_moved", now + HOUR),
        *EARLY[3:],
        *ending(),
    ]


async def test_whoever_registers_after_the_move_hears_of_one_date_only(early: Guests) -> None:
    """The notice is for those who were told of another date."""
    await early.register()
    await early.live(START + DAY)
    await early.move(5 * DAY)
    bob = await early.register("bob")
    await early.live(START + 2 * DAY)
    assert await early.sent(bob) == [("registration_confirmation", START + DAY)]
    assert [step for step, _ in await early.sent()].count("event_moved") == 1


async def test_an_organizer_who_tells_people_personally_switches_the_notices_off(early: Guests) -> None:
    """Both notices are a setting; the rest of the journey is re-timed or ended all the same."""
    await early.house.pool.execute("UPDATE organizers SET event_moved_notice = FALSE, event_cancelled_notice = FALSE")
    ada = await early.register()
    await early.live(START + DAY)
    await early.move(5 * DAY)
    await early.live(START + 2 * DAY)
    await early.house.set_event(early.event, status="cancelled")
    await early.live()
    assert await early.sent() == EARLY[:1]
    assert (await early.row(ada))["status"] == "cancelled"


async def test_the_event_is_cancelled(early: Guests) -> None:
    """Everybody who is coming is told at once, once; nothing else goes out, and every step says why it did not."""
    ada, bob = await early.register(), await early.register("bob")
    await early.live(START + DAY)
    await early.set(bob, status="cancelled")
    await early.live(START + 8 * DAY)
    await early.house.set_event(early.event, status="cancelled")
    await early.live()
    assert await early.sent(ada) == [*EARLY[:2], ("event_cancelled", START + 8 * DAY)]
    assert await early.sent(bob) == EARLY[:1]
    states = await early.became(ada)
    assert states.pop("event_cancelled") == "success"
    assert set(states.values()) == {"success", "skipped: the event was cancelled"}
    assert len(states) == 10
    row = await early.row(ada)
    assert (row["status"], row["steps_completed"]) == ("cancelled", 10)


async def test_the_cancellation_is_told_once_however_often_it_is_taken_in(early: Guests) -> None:
    """The occurrence is read again after a crash: nobody gets a second mail."""
    await early.register()
    await early.live(START + DAY)
    await early.house.set_event(early.event, status="cancelled")
    await early.live(START + DAY)
    await early.house.pool.execute("UPDATE occurrences SET processed_at = NULL WHERE kind = 'event_status_change'")
    await early.live()
    assert [step for step, _ in await early.sent()].count("event_cancelled") == 1


async def test_who_registered_before_the_cancellation_hears_of_it_though_nobody_had_looked(early: Guests) -> None:
    """Registered and cancelled while nobody was at work: told once, and every step says why."""
    ada = await early.register()
    await early.live(START + DAY)
    async with early.house.pool.acquire() as connection, connection.transaction():
        late = [
            await connection.fetchval(
                """
                WITH person AS (
                    INSERT INTO contacts (organizer_id, email, first_name)
                    SELECT organizer_id, $2 || '@people.example', $2 FROM events WHERE id = $1 RETURNING id
                ) INSERT INTO registrations (event_id, contact_id) SELECT $1, id FROM person RETURNING id
                """,
                *(early.event, name),
            )
            for name in ("bob", "cleo")
        ]
        await connection.execute("UPDATE events SET status = 'cancelled' WHERE id = $1", early.event)
    await early.live()

    assert [step for step, _ in await early.sent(ada)] == ["registration_confirmation", "event_cancelled"]
    for one in late:
        assert [step for step, _ in await early.sent(one)] == ["event_cancelled"]
        states = await early.became(one)
        assert states.pop("event_cancelled") == "success"
        assert set(states.values()) == {"skipped: the event was cancelled"}
        row = await early.row(one)
        assert (row["status"], row["steps_completed"]) == ("cancelled", 10)
        assert row["completed_at"] is not None

    await early.set(late[0], status="cancelled")
    await early.set(late[0], status="confirmed")  # for an event that everybody knows is off
    await early.live()
    assert [step for step, _ in await early.sent(late[0])] == ["event_cancelled"]
