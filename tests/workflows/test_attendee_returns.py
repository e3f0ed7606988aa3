"""Attendees who are taken up anew: of a date that was changed, or an event that takes place after all, they hear at once, and once."""

import asyncio
from datetime import datetime
from uuid import UUID

import pytest

from tests.workflows.guests import DATE, DAY, EARLY, END, START, Guests, engagement, welcome
from tests.workflows.house import House

MONTH = 30 * DAY


@pytest.fixture
async def early(working: House) -> Guests:
    return await welcome(working, START)


async def words(guests: Guests, registration: UUID) -> list[str]:
    return [step for step, _ in await guests.sent(registration)]


async def change(guests: Guests, at: datetime, **columns: object) -> None:
    """Something of the event is changed at an instant, and taken in."""
    await guests.live(at)
    await guests.house.set_event(guests.event, **columns)
    await guests.live(at)


async def test_unpublished_moved_and_published_again_the_new_date_is_told(early: Guests) -> None:
    """Nobody was accompanied while the date was changed; the old one does not pass without a word."""
    ada = await early.register()
    await change(early, START + DAY, status="draft")
    await early.move(MONTH)
    await change(early, START + 2 * DAY, status="published")
    assert await early.sent(ada) == [EARLY[0], ("event_moved", START + 2 * DAY)]
    await early.live(DATE + MONTH)
    assert (await words(early, ada)).count("event_moved") == 1


async def test_unpublished_and_published_again_with_its_date_nobody_is_written_to(early: Guests) -> None:
    ada = await early.register()
    await change(early, START + DAY, status="draft")
    await change(early, START + 2 * DAY, status="published")
    assert await words(early, ada) == ["registration_confirmation"]


async def test_a_registration_made_again_after_a_move_is_told_the_new_date(early: Guests) -> None:
    """Bob comes after all; his calendar still has the date of his first registration."""
    bob, cleo = await early.register("bob"), await early.register("cleo")
    await early.live(START + DAY)
    await early.set(bob, status="cancelled")
    await early.live(START + 2 * DAY)
    await early.move(MONTH)
    await early.live(START + 3 * DAY)
    await early.set(bob, status="confirmed")
    await early.live(START + 4 * DAY)
    assert await early.sent(bob) == [EARLY[0], ("event_moved", START + 3 * DAY)]
    assert await early.sent(cleo) == [EARLY[0], ("event_moved", START + 2 * DAY)]


async def test_a_notice_that_a_cancelled_registration_kept_from_being_sent_is_sent_when_it_is_made_again(
    early: Guests,
) -> None:
    """Moved, cancelled and made again before the notice of the move has left: it leaves all the same, once."""
    ada = await early.register()
    await early.live(START + DAY)
    early.house.post_as = None
    await early.move(MONTH)
    await early.house.quiet()
    await early.set(ada, status="cancelled")
    await early.set(ada, status="confirmed")
    await early.house.quiet()
    early.house.post_as = "sent"
    await early.live(START + 2 * DAY)
    assert await words(early, ada) == ["registration_confirmation", "event_moved"]


@pytest.mark.parametrize("first", ["registration_confirmed", "event_rescheduled"])
async def test_published_again_with_another_date_is_one_mail_whatever_is_taken_in_first(
    early: Guests, first: str
) -> None:
    """Cancelled, then published for another date in one stroke: it takes place after all, and this is when."""
    ada = await early.register()
    await change(early, START + DAY, status="cancelled")
    async with early.house.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "UPDATE events SET status = 'published', starts_at = $2, ends_at = $3 WHERE id = $1",
            *(early.event, DATE + MONTH, END + MONTH),
        )
        await connection.execute(
            "UPDATE occurrences SET held_at = now() WHERE event_id = $1 AND processed_at IS NULL AND kind <> $2",
            *(early.event, first),
        )
    await early.house.quiet()
    await early.house.pool.execute("UPDATE occurrences SET held_at = NULL WHERE event_id = $1", early.event)
    await early.live(START + 2 * DAY)
    assert await words(early, ada) == ["registration_confirmation", "event_cancelled", "event_takes_place"]


async def test_an_event_that_takes_place_after_all_says_so_to_those_who_read_that_it_does_not(early: Guests) -> None:
    ada, bob = await early.register(), await early.register("bob")
    await early.live(START + DAY)
    await early.set(bob, status="cancelled")
    await change(early, START + 2 * DAY, status="cancelled")
    await change(early, START + 3 * DAY, status="published")
    await early.set(bob, status="confirmed")
    cleo = await early.register("cleo")
    await early.live(START + 6 * DAY)
    assert await early.sent(ada) == [
        EARLY[0],
        ("event_cancelled", START + 2 * DAY),
        ("event_takes_place", START + 3 * DAY),
    ]
    assert await words(early, bob) == ["registration_confirmation"]
    assert await words(early, cleo) == ["registration_confirmation"]


async def test_cancelled_published_again_and_cancelled_again(early: Guests) -> None:
    """An event that happens after all takes its attendees up again and says so; a second cancellation is told again."""
    ada = await early.register()
    await early.live(START + DAY)
    for day, status in enumerate(("cancelled", "published", "cancelled"), start=1):
        await change(early, START + day * DAY, status=status)
    assert await words(early, ada) == [
        "registration_confirmation",
        "event_cancelled",
        "event_takes_place",
        "event_cancelled",
    ]


async def test_who_read_that_it_is_cancelled_does_not_read_it_again_because_somebody_wavered(early: Guests) -> None:
    """Published again by mistake and cancelled at once: the last word holds, and is not repeated."""
    ada = await early.register()
    await change(early, START + DAY, status="cancelled")
    async with early.house.pool.acquire() as connection, connection.transaction():
        for status in ("published", "cancelled"):
            await connection.execute("UPDATE events SET status = $2 WHERE id = $1", early.event, status)
    await early.live(START + 2 * DAY)
    assert await words(early, ada) == ["registration_confirmation", "event_cancelled"]


async def test_an_organizer_who_tells_people_personally_tells_them_that_it_takes_place_too(early: Guests) -> None:
    ada = await early.register()
    await change(early, START + DAY, status="cancelled")
    await early.house.pool.execute("UPDATE organizers SET event_cancelled_notice = FALSE")
    await change(early, START + 2 * DAY, status="published")
    assert await words(early, ada) == ["registration_confirmation", "event_cancelled"]


async def late_news(guests: Guests, until: datetime) -> None:
    """The event is cancelled, and automations wake before anybody has read that it is."""
    async with guests.house.pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE events SET status = 'cancelled' WHERE id = $1", guests.event)
        await connection.execute(
            "UPDATE occurrences SET held_at = now() WHERE event_id = $1 AND processed_at IS NULL", guests.event
        )
    await guests.live(until)


async def test_who_wakes_before_the_cancellation_is_read_is_told_of_it_like_everybody_else(early: Guests) -> None:
    """A backlog: Cleo's journey wakes first, Ada's does not. Both end for what it is, and both attendees hear of it, once."""
    ada, bob = await early.register(), await early.register("bob")
    await early.live(START + 20 * DAY)
    cleo = await early.register("cleo")  # whose next step is due later
    await early.live(START + 21 * DAY)
    await early.set(bob, status="cancelled")
    await early.live(START + 22 * DAY)
    await late_news(early, START + 28 * DAY)
    await early.house.pool.execute("UPDATE occurrences SET held_at = NULL WHERE event_id = $1", early.event)
    await early.live()
    for one in (ada, cleo):
        assert (await words(early, one)).count("event_cancelled") == 1
        states = await early.became(one)
        assert states.pop("event_cancelled") == "success"
        assert set(states.values()) == {"success", "skipped: the event was cancelled"}
        assert len(states) == 10
        row = await early.row(one)
        assert (row["status"], row["cancelled_because"]) == ("cancelled", "the event was cancelled")
    assert "event_cancelled" not in await words(early, bob)


async def test_published_again_before_the_cancellation_was_read_everybody_is_accompanied_on(early: Guests) -> None:
    """Ada's journey had woken and ended meanwhile; she is taken up anew, as if nothing had been."""
    ada = await early.register()
    await early.live(START + 6 * DAY)
    early.house.post_as = None
    waking = asyncio.create_task(late_news(early, START + 8 * DAY))
    await early.house.until_row(engagement(ada), status="cancelled")
    await early.house.set_event(early.event, status="published")
    await early.house.pool.execute("UPDATE occurrences SET held_at = NULL WHERE event_id = $1", early.event)
    early.house.post_as = "sent"
    await waking
    await early.live(DATE - 6 * DAY)
    assert (await early.row(ada, 2))["status"] == "active"
    assert (await words(early, ada))[-1] == "detailed_schedule"
    assert "event_cancelled" not in await words(early, ada)
