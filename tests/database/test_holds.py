"""Holds: quiet hours and the frequency cap, what they count, and what frees what they hold."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from database import claims
from database.connection import Pool
from database.outbox import enqueue
from tests.database.test_claims import MORNING, NIGHT, claim, sent
from tests.world import EMAIL, SOCIAL, World, make_world


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


async def test_quiet_hours_hold_until_they_end_where_the_recipient_lives(pool: Pool) -> None:
    shadow = await make_world(pool, clock=NIGHT)
    await shadow.set_organizer(quiet_from=time(22), quiet_until=time(8))
    await shadow.contact("berlin@people.example")
    await shadow.contact("tokyo@people.example", timezone="Asia/Tokyo")
    await shadow.contact("nowhere@people.example", timezone="Nowhere/Land")
    await enqueue(pool, shadow.request(now=NIGHT))

    batch = await claim(pool, rehearsal=True)

    assert batch is not None
    assert [m.address for m in batch.messages] == ["tokyo@people.example"]  # 08:30 there
    held = {m["address"]: m["release_at"] for m in await shadow.messages("queued")}
    eight_in_berlin = datetime(2027, 3, 11, 7, 0, tzinfo=UTC)
    assert held == {"berlin@people.example": eight_in_berlin, "nowhere@people.example": eight_in_berlin}
    await sent(pool, batch)
    journal = await shadow.journal()
    assert (journal["status"], journal["result"]["held"]) == ("success", 2)

    await shadow.set_event(clock_now=eight_in_berlin)
    await sent(pool, await claim(pool, rehearsal=True))
    assert (await shadow.journal())["result"] == {"queued": 3, "sent": 3, "failed": 0, "unknown": 0, "skipped": {}}


async def test_quiet_hours_let_alerts_pass_and_skip_what_would_expire(pool: Pool) -> None:
    shadow = await make_world(pool, clock=NIGHT)
    await shadow.set_organizer(quiet_from=time(22), quiet_until=time(8))
    await shadow.contact("berlin@people.example")
    alert = EMAIL.model_copy(update={"id": "alert", "priority": 1})
    await enqueue(pool, shadow.request(now=NIGHT, valid_until=NIGHT + timedelta(hours=1)))
    await enqueue(pool, shadow.request(alert, now=NIGHT))

    batch = await claim(pool, rehearsal=True)

    assert batch is not None
    assert len(batch.messages) == 1
    (skipped,) = await shadow.messages("skipped")
    assert (skipped["step"], skipped["reason"]) == (EMAIL.id, "expires before the quiet hours end")


async def test_the_frequency_cap_counts_what_was_sent_what_is_on_its_way_and_what_is_claimed_with_it(
    pool: Pool,
) -> None:
    shadow = await make_world(pool, clock=MORNING)
    await shadow.set_organizer(cap_messages=3, cap_days=7)
    await shadow.contact("often@people.example")
    steps = [EMAIL.model_copy(update={"id": f"step_{n}"}) for n in range(5)]
    await enqueue(pool, shadow.request(steps[0], now=MORNING))
    await sent(pool, await claim(pool, rehearsal=True))
    await shadow.set_event(clock_now=MORNING + timedelta(days=1))
    await enqueue(pool, shadow.request(steps[1], now=MORNING + timedelta(days=1)))
    on_its_way = await claim(pool, rehearsal=True)
    for step in steps[2:]:
        await enqueue(pool, shadow.request(step, now=MORNING + timedelta(days=1)))

    batch = await claim(pool, rehearsal=True)

    assert batch is not None
    assert len(batch.messages) == 1
    held = await shadow.messages("queued")
    assert {m["reason"] for m in held} == {"held by the frequency cap"}
    # one when the first has left the window, the other when those of today have
    assert {m["release_at"] for m in held} == {MORNING + timedelta(days=7), MORNING + timedelta(days=8)}
    await sent(pool, batch)
    await sent(pool, on_its_way)
    await shadow.set_event(clock_now=MORNING + timedelta(days=7))
    batch = await claim(pool, rehearsal=True)
    assert batch is not None
    assert len(batch.messages) == 1


async def test_a_cap_does_not_count_a_message_that_goes_nowhere(pool: Pool, world: World) -> None:
    await world.set_organizer(cap_messages=1)
    await world.contact("once@people.example")
    await enqueue(pool, world.request(valid_until=datetime.now(UTC) - timedelta(seconds=1)))
    await enqueue(pool, world.request(EMAIL.model_copy(update={"id": "second"})))

    batch = await claim(pool)

    assert batch is not None
    assert len(batch.messages) == 1


async def test_a_cap_does_not_count_a_message_that_waits_for_its_rival(pool: Pool, world: World) -> None:
    await world.set_organizer(cap_messages=2)
    await world.contact("guest@people.example")
    steps = [EMAIL.model_copy(update={"id": f"final_{n}", "topic": "final"}) for n in range(2)]
    for step in steps:
        await enqueue(pool, world.request(step))
    assert await claim(pool) is not None
    await pool.execute("UPDATE messages SET not_before = NULL, priority = 2 WHERE status = 'queued'")
    await enqueue(pool, world.request())

    batch = await claim(pool)

    assert batch is not None
    assert [message.step for message in batch.messages] == [EMAIL.id]
    (waiter,) = await world.messages("queued")
    assert waiter["reason"] == "waits for another message on the topic"


@pytest.mark.parametrize(
    ("was", "then"),
    [
        ({"cap_messages": 1}, {"cap_messages": None}),
        ({"cap_messages": 1}, {"cap_messages": 2}),
        ({"quiet_from": time(22), "quiet_until": time(8)}, {"quiet_from": None}),
    ],
    ids=["no cap", "a wider cap", "no quiet hours"],
)
async def test_other_settings_free_at_once_what_the_old_ones_held(
    pool: Pool, was: dict[str, Any], then: dict[str, Any]
) -> None:
    shadow = await make_world(pool, clock=NIGHT)
    await shadow.contact("guest@people.example")
    await enqueue(pool, shadow.request(EMAIL.model_copy(update={"id": "before"}), now=NIGHT))
    await sent(pool, await claim(pool, rehearsal=True))
    await shadow.set_organizer(**was)
    await enqueue(pool, shadow.request(now=NIGHT))
    assert await claim(pool, rehearsal=True) is None
    await shadow.set_organizer(name="Another name")
    assert await claim(pool, rehearsal=True) is None
    assert len(await shadow.messages("queued")) == 1

    await shadow.set_organizer(**then)

    assert await claim(pool, rehearsal=True) is not None


async def test_settings_that_change_between_the_gate_and_the_hold_leave_nothing_held(pool: Pool) -> None:
    shadow = await make_world(pool, clock=NIGHT)
    await shadow.set_organizer(quiet_from=time(22), quiet_until=time(8))
    await shadow.contact("guest@people.example")
    await enqueue(pool, shadow.request(now=NIGHT))
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("UPDATE organizers SET quiet_from = NULL")
        assert (await claims.claim(pool, "email", rehearsal=True, limit=100)).idle  # gives way
        await transaction.commit()

    assert await claim(pool, rehearsal=True) is not None


async def test_posts_go_one_by_one_and_know_neither_quiet_hours_nor_caps(pool: Pool) -> None:
    shadow = await make_world(pool, clock=NIGHT)
    await shadow.set_organizer(quiet_from=time(22), quiet_until=time(8), cap_messages=1)
    await enqueue(pool, shadow.request(SOCIAL, now=NIGHT))

    for channel in ("linkedin", "twitter", "facebook"):
        batch = await claim(pool, channel, rehearsal=True, limit=1)
        assert batch is not None
