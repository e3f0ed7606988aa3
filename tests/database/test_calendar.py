"""Time rules that recur: each instant is written down once, the latest alone after an outage, none after the event's end."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from database import watch
from database.connection import Pool
from tests.database.test_watch import at, ends, rule, written
from tests.world import World, make_world

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2027, 3, 3, 12, tzinfo=UTC)
"""A Wednesday; the clock goes forward on the last Sunday of the month."""
MONDAYS = [datetime(2027, *on, 9, tzinfo=BERLIN) for on in ((3, 8), (3, 15), (3, 22), (3, 29), (4, 5))]
EVERY_MONDAY = "every monday at 09:00"


@pytest.fixture
async def world(pool: Pool) -> World:
    """A rehearsal of an event in Berlin that starts in sixty days, watched from now on."""
    world = await make_world(pool, clock=NOW)
    await world.set_event(timezone="Europe/Berlin")
    await watch.begin(pool, world.event)
    return world


async def fires(world: World) -> list[datetime]:
    return [occurred for kind, occurred, _ in await written(world) if kind == "monday"]


async def test_every_instant_is_written_once_on_the_events_clock_across_a_clock_change(world: World) -> None:
    id_ = await rule(world, "time", "monday", moment=EVERY_MONDAY)
    for before, monday in zip([NOW, *MONDAYS], MONDAYS, strict=False):
        look = await at(world, before)
        assert (look.wake, look.awaits) == (monday, "monday")
        await at(world, monday)
        await asyncio.gather(*(watch.look(world.pool, world.event) for _ in range(4)))
    assert await fires(world) == MONDAYS
    assert [monday.astimezone(UTC).hour for monday in MONDAYS] == [8, 8, 8, 7, 7]
    assert (await written(world))[0][2] == {
        "moment": EVERY_MONDAY,
        "rule": str(id_),
        "status": "published",
        "date_revision": 0,
    }


async def test_in_whatever_order_it_is_looked_at_nothing_is_written_twice_or_after_what_came_later(
    world: World,
) -> None:
    await rule(world, "time", "monday", moment=EVERY_MONDAY)
    for order in permutations(MONDAYS[:3]):
        await world.pool.execute("DELETE FROM occurrences")
        await world.pool.execute("DELETE FROM calendar_told")
        for now in (*order, *order):
            await at(world, now)
        rising = [monday for place, monday in enumerate(order) if all(monday > other for other in order[:place])]
        assert await fires(world) == rising


async def test_after_an_outage_the_latest_alone_is_made_up_for(world: World) -> None:
    await rule(world, "time", "monday", moment=EVERY_MONDAY)
    look = await at(world, MONDAYS[2] + 3 * DAY)
    assert look.wake == MONDAYS[3]
    assert await fires(world) == [MONDAYS[2]]
    await at(world, MONDAYS[3])
    assert await fires(world) == MONDAYS[2:4]


async def test_what_lay_before_the_watch_is_not_made_up_for(pool: Pool) -> None:
    world = await make_world(pool, clock=NOW)
    await rule(world, "time", "monday", moment=EVERY_MONDAY)
    await watch.begin(pool, world.event)
    await watch.look(pool, world.event)
    assert await fires(world) == []


async def test_what_lay_before_a_rule_was_written_is_not_made_up_for_in_a_rehearsal_either(world: World) -> None:
    await at(world, MONDAYS[0] + DAY)
    await rule(world, "time", "monday", moment=EVERY_MONDAY)
    look = await watch.look(world.pool, world.event)
    assert (look.wake, await fires(world)) == (MONDAYS[1], [])


async def test_a_changed_rule_is_timed_anew_from_then_on(world: World) -> None:
    id_ = await rule(world, "time", "monday", moment=EVERY_MONDAY)
    await at(world, MONDAYS[0])
    await at(world, MONDAYS[0] + 2 * DAY)
    await world.pool.execute(
        "UPDATE automation_rules SET moment = 'every tuesday at 09:00', occurrence = 'tuesday' WHERE id = $1", id_
    )
    look = await watch.look(world.pool, world.event)
    assert (look.wake, look.awaits) == (MONDAYS[1] + DAY, "tuesday")
    await at(world, MONDAYS[1] + DAY)
    assert [(kind, at) for kind, at, _ in await written(world)] == [
        ("monday", MONDAYS[0]),
        ("tuesday", MONDAYS[1] + DAY),
    ]


async def test_a_rule_that_was_switched_off_goes_on_with_what_comes_after_it_was_switched_on(world: World) -> None:
    id_ = await rule(world, "time", "monday", moment=EVERY_MONDAY)
    await at(world, MONDAYS[0])
    for now, enabled in ((MONDAYS[0] + DAY, False), (MONDAYS[2] + DAY, True)):
        await at(world, now)
        await world.pool.execute("UPDATE automation_rules SET enabled = $2 WHERE id = $1", id_, enabled)
        await watch.look(world.pool, world.event)
    await at(world, MONDAYS[3])
    assert await fires(world) == [MONDAYS[0], MONDAYS[3]]


async def test_a_rule_that_is_renamed_goes_on_as_it_was(world: World) -> None:
    id_ = await rule(world, "time", "monday", moment=EVERY_MONDAY)
    await world.set_event(clock_now=MONDAYS[0] + DAY)
    await world.pool.execute("UPDATE automation_rules SET name = 'News' WHERE id = $1", id_)
    await watch.look(world.pool, world.event)
    assert await fires(world) == [MONDAYS[0]]


async def test_it_stops_at_the_end_of_the_event_and_nothing_is_made_up_for_after_it(world: World) -> None:
    await world.set_event(starts_at=MONDAYS[1], ends_at=MONDAYS[2])
    await rule(world, "time", "monday", moment=EVERY_MONDAY)
    await at(world, MONDAYS[0])
    look = await at(world, MONDAYS[1])
    assert look.wake == MONDAYS[2]
    look = await at(world, MONDAYS[2])
    assert (await fires(world), look.awaits) == (MONDAYS[:2], "the end of the watch")
    await at(world, MONDAYS[4])
    assert [kind for kind, _, _ in await written(world)] == ["monday", "monday", "event_ended"]


async def test_the_watch_does_not_wake_for_an_instant_behind_the_end(world: World) -> None:
    await world.set_event(starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
    await rule(world, "time", "monday", moment=EVERY_MONDAY)
    assert (await at(world, NOW + DAY)).awaits == "event_ended"
    assert (await at(world, NOW + 2 * DAY)).awaits == "the end of the watch"


async def test_an_event_that_ended_during_an_outage_gets_no_belated_instant(world: World) -> None:
    await rule(world, "time", "monday", moment=EVERY_MONDAY)
    await at(world, await ends(world) + DAY)
    assert [kind for kind, _, _ in await written(world)] == ["event_ended"]


async def test_without_an_end_of_the_event_it_waits(world: World) -> None:
    await world.set_event(starts_at=None, ends_at=None)
    await rule(world, "time", "monday", moment=EVERY_MONDAY)
    assert (await at(world, MONDAYS[0])).awaits == "news"
    assert await written(world) == []


@pytest.mark.parametrize("status", ["draft", "cancelled"])
async def test_an_event_that_is_a_draft_or_cancelled_gets_none(world: World, status: str) -> None:
    await rule(world, "time", "monday", moment=EVERY_MONDAY)
    await world.set_event(status=status)
    assert (await at(world, MONDAYS[0])).over
    assert await written(world) == []


async def test_a_moved_date_repeats_nothing(world: World) -> None:
    await rule(world, "time", "monday", moment=EVERY_MONDAY)
    await at(world, MONDAYS[0])
    await world.set_event(ends_at=await ends(world) + DAY)
    assert (await watch.look(world.pool, world.event)).wake == MONDAYS[1]
    assert await fires(world) == [MONDAYS[0]]


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
async def test_a_moved_zone_moves_what_is_to_come_and_repeats_no_day(world: World, zone: str) -> None:
    await rule(world, "time", "monday", moment=EVERY_MONDAY)
    await at(world, MONDAYS[0])
    await world.set_event(timezone=zone)
    for hours in range(30):
        await at(world, MONDAYS[0] + timedelta(hours=hours))
    next_monday = datetime(2027, 3, 15, 9, tzinfo=ZoneInfo(zone))
    await at(world, next_monday)
    assert await fires(world) == [MONDAYS[0], next_monday]


async def test_a_time_that_the_clock_leaves_out_comes_once_a_little_later(world: World) -> None:
    await rule(world, "time", "monday", moment="every day at 02:30")
    await at(world, datetime(2027, 3, 28, 0, tzinfo=UTC))
    for minutes in range(0, 48 * 60, 30):
        await at(world, datetime(2027, 3, 28, 0, tzinfo=UTC) + timedelta(minutes=minutes))
    assert await fires(world) == [
        datetime(2027, 3, 27, 1, 30, tzinfo=UTC),
        datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
        datetime(2027, 3, 29, 0, 30, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("every mondy at 09:00", "did you mean 'monday'?"),
        ("every monday", "'at HH:MM' is expected here"),
        ("evry monday at 09:00", "did you mean 'every'?"),
    ],
)
async def test_a_recurrence_that_cannot_be_read_is_told_to_the_organizer_once_and_works_once_corrected(
    world: World, says: str, why: str
) -> None:
    id_ = await rule(world, "time", "monday", moment=says)
    for now in (NOW, MONDAYS[0], MONDAYS[1] + DAY):
        await at(world, now)
    [told] = await world.pool.fetch("SELECT title, body FROM notifications")
    assert told["title"] == "The rule 'monday rule' cannot be followed"
    assert why in told["body"]
    assert await fires(world) == []
    await world.pool.execute("UPDATE automation_rules SET moment = $2 WHERE id = $1", id_, EVERY_MONDAY)
    await watch.look(world.pool, world.event)
    await at(world, MONDAYS[2])
    assert await fires(world) == [MONDAYS[2]]


async def test_a_real_rule_counts_from_when_it_was_written(pool: Pool) -> None:
    world = await make_world(pool)
    await watch.begin(pool, world.event)
    await pool.execute("UPDATE event_watches SET begun_at = now() - interval '40 days'")
    await rule(world, "time", "monday", moment="every day at 00:00")
    await watch.look(pool, world.event)
    assert await written(world) == []
    await pool.execute("UPDATE automation_rules SET created_at = now() - interval '30 days'")
    await pool.execute("UPDATE rules_timed SET since = now() - interval '30 days'")
    await watch.look(pool, world.event)
    assert len(await fires(world)) == 1


async def test_only_the_watches_of_a_rules_own_organizer_are_timed(world: World, pool: Pool) -> None:
    other = await make_world(pool, clock=NOW)
    await watch.begin(pool, other.event)
    timed: Any = await rule(world, "time", "monday", moment=EVERY_MONDAY, organizer_id=other.organizer)
    rows = await pool.fetch("SELECT event_id, since FROM rules_timed WHERE rule_id = $1", timed)
    assert [tuple(row) for row in rows] == [(other.event, NOW)]


async def test_a_rule_may_be_written_while_a_watch_ends(world: World, pool: Pool) -> None:
    async with pool.acquire() as connection:
        ending = connection.transaction()
        await ending.start()
        await connection.execute("DELETE FROM event_watches WHERE event_id = $1", world.event)
        writing = asyncio.create_task(rule(world, "time", "monday", moment=EVERY_MONDAY))
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        async with asyncio.timeout(10):
            while not await pool.fetchval(waits):
                await asyncio.sleep(0.01)
        await ending.commit()
    await writing
    assert await pool.fetchval("SELECT count(*) FROM rules_timed") == 0
