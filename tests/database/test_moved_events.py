"""A moved event: what is queued goes with words of the new dates, or it is what the player begins anew."""

import asyncio
from datetime import UTC, datetime, time, timedelta

import pytest

from database import claims, control, recovery
from database.batches import Batch, hand_back, post_again, store
from database.connection import Pool
from database.control import Scope
from database.gates import MOVED
from database.outbox import enqueue
from models.messages import CHANNELS
from tests.world import EMAIL, SOCIAL, STARTS, World, make_world

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)
OVER = "the event's date was moved"
EXPIRED = "expired before it could be sent"
FINAL = EMAIL.model_copy(update={"id": "final_reminder", "moment": "event_date - 1 day", "until": "event_date"})

LONGER = "UPDATE events SET ends_at = ends_at + interval '15 minutes' WHERE id = $1"
LATER = "UPDATE events SET starts_at = starts_at + interval '1 day', ends_at = ends_at + interval '1 day' WHERE id = $1"
SOONER = (
    "UPDATE events SET starts_at = starts_at - interval '5 days', ends_at = ends_at - interval '5 days' WHERE id = $1"
)
ELSEWHERE = "UPDATE events SET timezone = 'Asia/Tokyo' WHERE id = $1"
GONE = "UPDATE events SET starts_at = clock_now - interval '1 hour' WHERE id = $1"


@pytest.fixture
async def world(pool: Pool) -> World:
    """A rehearsal: its clock stands until it is set."""
    return await make_world(pool, clock=NOON)


async def fates(world: World) -> dict[str, int]:
    """What a dispatcher's claims make of what is queued."""
    for channel in CHANNELS:
        while not (await claims.claim(world.pool, channel, rehearsal=True, limit=100)).idle:
            pass
    rows = await world.pool.fetch("SELECT coalesce(reason, status) AS fate, count(*) FROM messages GROUP BY 1")
    return {row["fate"]: row["count"] for row in rows}


async def one_batch(world: World, limit: int = 100) -> Batch:
    (batch,) = (await claims.claim(world.pool, "email", rehearsal=True, limit=limit)).batches
    return batch


@pytest.mark.parametrize("change", [LONGER, LATER, SOONER, ELSEWHERE], ids=["longer", "later", "sooner", "elsewhere"])
async def test_a_moved_event_stops_no_announcement_that_has_half_left(change: str, pool: Pool, world: World) -> None:
    await world.people(5)
    await enqueue(pool, world.request(now=NOON))
    await one_batch(world, limit=2)
    await pool.execute(change, world.event)
    assert await fates(world) == {"sending": 5}


@pytest.mark.parametrize("change", [LONGER, LATER, ELSEWHERE], ids=["longer", "later", "elsewhere"])
async def test_posts_that_wait_for_their_good_hour_go_though_the_event_moves(
    change: str, pool: Pool, world: World
) -> None:
    good = SOCIAL.model_copy(update={"actions": (SOCIAL.actions[0].model_copy(update={"optimal_time": True}),)})
    evening = NOON + 6 * HOUR
    await world.set_event(clock_now=evening)
    await enqueue(pool, world.request(good, now=evening))
    assert "queued" in await fates(world)
    await pool.execute(change, world.event)
    await world.set_event(clock_now=NOON + 7 * DAY)
    assert await fates(world) == {"sending": 3}


async def test_a_message_held_over_a_move_goes_when_it_is_freed(pool: Pool, world: World) -> None:
    await world.people(1)
    await enqueue(pool, world.request(now=NOON))
    await world.set_automation(status="paused")
    assert await fates(world) == {"held while the automation is paused": 1}
    await pool.execute(LATER, world.event)
    await control.resume(pool, Scope(event_id=world.event), "policy")
    assert await fates(world) == {"sending": 1}


async def test_a_message_expires_by_the_dates_that_hold_when_it_would_go(pool: Pool, world: World) -> None:
    await world.people(1)
    start = NOON + STARTS
    await enqueue(pool, world.request(now=NOON, valid_until=start, until="event_date"))

    await world.set_event(starts_at=start + DAY, ends_at=start + 2 * DAY)
    await world.set_event(clock_now=start + HOUR)
    batch = await one_batch(world)
    assert batch.messages[0].valid_until == start + DAY
    assert await hand_back(pool, batch)

    await world.set_event(clock_now=start + DAY)
    assert await fates(world) == {EXPIRED: 1}


async def test_nothing_goes_after_the_start_of_an_event_that_moved_into_the_past(pool: Pool, world: World) -> None:
    await world.people(2)
    start = NOON + STARTS
    await enqueue(pool, world.request(now=NOON, valid_until=start, until="event_date"))
    await enqueue(pool, world.request(SOCIAL, now=NOON, valid_until=start, until="event_date"))
    await enqueue(pool, world.request(FINAL, due=start - DAY, now=NOON, valid_until=start, until="event_date"))
    await pool.execute(GONE, world.event)
    assert await fates(world) == {EXPIRED: 7}


async def test_quiet_hours_that_end_after_the_new_start_let_nothing_go(pool: Pool, world: World) -> None:
    await world.people(1)
    await world.set_organizer(quiet_from=time(11), quiet_until=time(20))
    await enqueue(pool, world.request(now=NOON, valid_until=NOON + STARTS, until="event_date"))
    await world.set_event(starts_at=NOON + HOUR)
    assert await fates(world) == {"expires before the quiet hours end": 1}


async def final_half_sent(world: World) -> datetime:
    """The day before the event: two of five have the reminder."""
    await world.people(5)
    start = NOON + STARTS
    await world.set_event(clock_now=start - DAY)
    await enqueue(
        world.pool, world.request(FINAL, due=start - DAY, now=start - DAY, valid_until=start, until="event_date")
    )
    await one_batch(world, limit=2)
    return start


async def test_the_rest_of_a_final_reminder_goes_if_only_the_end_moves(pool: Pool, world: World) -> None:
    await final_half_sent(world)
    await pool.execute(LONGER, world.event)
    assert await fates(world) == {"sending": 5}


async def test_the_rest_of_a_final_reminder_goes_if_the_event_comes_sooner(world: World) -> None:
    start = await final_half_sent(world)
    await world.set_event(starts_at=start - 5 * HOUR)
    assert await fates(world) == {"sending": 5}


async def test_thanks_go_on_when_the_end_is_corrected_to_an_earlier_one(pool: Pool, world: World) -> None:
    await world.people(5)
    end = NOON + STARTS + DAY + 8 * HOUR
    await world.set_event(clock_now=end + DAY)
    thanks = EMAIL.model_copy(update={"id": "thank_you_survey", "moment": "event_end + 24 hours"})
    await enqueue(pool, world.request(thanks, due=end + DAY, now=end + DAY, until="event_end + 7 days"))
    await one_batch(world, limit=2)
    await world.set_event(ends_at=end - HOUR / 2)
    assert await fates(world) == {"sending": 5}


async def test_a_message_for_an_old_date_is_impossible(pool: Pool, world: World) -> None:
    start = await final_half_sent(world)
    await pool.execute(LATER, world.event)
    assert await fates(world) == {"sending": 2, MOVED: 3}
    assert (await world.journal(FINAL))["open"] == 2

    await world.set_event(clock_now=start)
    again = world.request(FINAL, round=1, due=start, now=start, date_revision=1, until="event_date")
    assert (await enqueue(pool, again)).outcome == "decided"
    assert await fates(world) == {"sending": 7, OVER: 3}
    assert (await world.journal(FINAL))["round"] == 1


async def test_what_a_move_holds_goes_if_the_date_moves_back(pool: Pool, world: World) -> None:
    start = await final_half_sent(world)
    await pool.execute(LATER, world.event)
    assert await fates(world) == {"sending": 2, MOVED: 3}
    await world.set_event(starts_at=start, ends_at=start + DAY)
    assert await fates(world) == {"sending": 5}


async def test_what_a_move_holds_is_over_at_the_old_start(pool: Pool, world: World) -> None:
    start = await final_half_sent(world)
    await pool.execute(LATER, world.event)
    assert await fates(world) == {"sending": 2, MOVED: 3}
    await world.set_event(clock_now=start)
    assert await fates(world) == {"sending": 2, OVER: 3}


async def test_while_a_date_is_missing_nothing_that_counts_from_it_goes_and_nothing_is_lost(
    pool: Pool, world: World
) -> None:
    start = await final_half_sent(world)
    await enqueue(pool, world.request(now=start - DAY, valid_until=start, until="event_date"))
    await world.set_event(starts_at=None)
    assert await fates(world) == {"sending": 2, MOVED: 8}
    assert await recovery.sweep(pool, "email", rehearsal=True) == 0
    await world.set_event(clock_now=start + DAY)
    assert await fates(world) == {"sending": 2, MOVED: 8}
    await world.set_event(starts_at=start + 30 * DAY, ends_at=start + 31 * DAY)
    assert await fates(world) == {"sending": 7, OVER: 3}


async def test_a_hold_that_a_move_overtakes_is_not_written(pool: Pool, world: World) -> None:
    start = await final_half_sent(world)
    await pool.execute(LATER, world.event)
    async with pool.acquire() as mover, mover.transaction():
        await mover.execute(
            "UPDATE events SET starts_at = $2, ends_at = $3 WHERE id = $1", world.event, start, start + DAY
        )
        assert (await claims.claim(pool, "email", rehearsal=True, limit=100)).idle
        assert await world.counts() == {"sending": 2, "queued": 3}
    assert await fates(world) == {"sending": 5}


async def test_a_date_that_moves_inside_a_claim_is_seen_before_anything_is_posted(pool: Pool, world: World) -> None:
    start = await final_half_sent(world)
    async with pool.acquire() as keeper:
        async with keeper.transaction():
            await keeper.execute("LOCK TABLE batches IN EXCLUSIVE MODE")
            claiming = asyncio.create_task(one_batch(world))
            while not await pool.fetchval(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'batches'::regclass"
            ):
                await asyncio.sleep(0.01)
            await world.set_event(starts_at=start + 90 * DAY, ends_at=start + 91 * DAY)
        batch = await claiming
    assert not await store(pool, batch, b"tomorrow is the day")
    assert await hand_back(pool, batch)
    assert await fates(world) == {"sending": 2, MOVED: 3}


async def test_bytes_that_may_have_been_posted_are_not_posted_again_once_the_event_has_moved(
    pool: Pool, world: World
) -> None:
    await world.people(2)
    await enqueue(pool, world.request(now=NOON))
    assert await store(pool, await one_batch(world), b"the old date")
    await pool.execute("UPDATE batches SET lease_until = now()")
    (overdue,) = await recovery.take_over(pool, "email", rehearsal=True, limit=1)
    assert {one.verdict for one in overdue.judged} == {"send"}
    await pool.execute(LONGER, world.event)
    assert not await post_again(pool, overdue.batch)
    await pool.execute("UPDATE batches SET lease_until = now()")
    (overdue,) = await recovery.take_over(pool, "email", rehearsal=True, limit=1)
    assert {one.reason for one in overdue.judged} == {OVER}
