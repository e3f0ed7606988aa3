"""What an automation that has ended still has to send: it is paused, resumed and cancelled like anything else."""

from datetime import UTC, datetime, time

import pytest

from database import automations, claims, control, recovery
from database.connection import Pool
from database.control import Owed, Scope
from database.outbox import enqueue
from database.resuming import Held
from starter import control as orders
from starter import resuming
from tests.world import World, make_world

NIGHT = datetime(2027, 3, 10, 23, 30, tzinfo=UTC)
MORNING = datetime(2027, 3, 11, 7, 0, tzinfo=UTC)


@pytest.fixture
async def world(pool: Pool) -> World:
    """A rehearsal at night whose last mail is held by the quiet hours."""
    world = await make_world(pool, clock=NIGHT)
    await world.set_organizer(quiet_from=time(22), quiet_until=time(8))
    await world.contact("ada@people.example")
    await enqueue(pool, world.request(now=NIGHT))
    assert await claimed(world) == 0
    return world


async def claimed(world: World) -> int:
    """How many messages leave now."""
    claim = await claims.claim(world.pool, "email", rehearsal=True, limit=100)
    return sum(len(batch.messages) for batch in claim.batches)


async def told(world: World) -> list[str]:
    rows = await world.pool.fetch(
        "SELECT kind FROM occurrences WHERE subject = 'automation/' || $1::uuid", world.automation
    )
    return [row["kind"] for row in rows if row["kind"] != "step_settled"]


async def test_a_cancellation_reaches_what_a_completed_automation_still_has_to_send(world: World) -> None:
    await automations.finish(world.pool, world.automation, "completed")
    assert await control.owed(world.pool, Scope(event_id=world.event)) == Owed(1, 1)

    assert await orders.cancel(world.pool, Scope(event_id=world.event)) == 1

    await world.set_event(clock_now=MORNING)
    assert await claimed(world) == 0
    (message,) = await world.messages()
    assert (message["status"], message["reason"]) == ("cancelled", "the automation was cancelled")
    assert (await world.journal())["status"] == "skipped"
    assert await told(world) == []


async def test_a_pause_holds_it_and_a_resume_lets_it_go_and_the_automation_is_completed_as_before(world: World) -> None:
    await automations.finish(world.pool, world.automation, "completed")
    assert await orders.pause(world.pool, Scope(automation_id=world.automation)) == 1
    await world.set_event(clock_now=MORNING)
    assert await claimed(world) == 0
    assert await recovery.sweep(world.pool, "email", rehearsal=True) == 0
    assert await claimed(world) == 0
    assert not await automations.lose(world.pool, world.automation)

    assert await orders.resume(world.pool, Scope(automation_id=world.automation), "by_policy") == [world.automation]

    assert await claimed(world) == 1
    assert (await world.row())["status"] == "completed"
    assert await told(world) == []


async def test_a_pause_at_the_very_end_holds_what_is_still_to_go(world: World) -> None:
    await control.pause(world.pool, Scope(automation_id=world.automation))
    await automations.finish(world.pool, world.automation, "completed")
    await world.set_event(clock_now=MORNING)
    await recovery.sweep(world.pool, "email", rehearsal=True)
    assert await claimed(world) == 0

    await control.resume(world.pool, Scope(automation_id=world.automation), "by_policy")

    assert await claimed(world) == 1
    assert (await world.row())["status"] == "completed"


async def test_a_completed_automation_with_nothing_to_send_is_left_alone(world: World) -> None:
    await world.set_event(clock_now=MORNING)
    assert await claimed(world) == 1
    await world.pool.execute("UPDATE messages SET status = 'sent'")
    await automations.finish(world.pool, world.automation, "completed")
    for order, done in ((orders.pause, "paused"), (orders.cancel, "cancelled")):
        with pytest.raises(orders.ControlError, match=f"is completed, so nothing was {done}"):
            await order(world.pool, Scope(automation_id=world.automation))


async def test_of_what_had_ended_a_resume_brings_the_messages_and_no_step(world: World) -> None:
    """Its workflow was ended from outside before its other steps."""
    assert await automations.lose(world.pool, world.automation)
    assert await orders.pause(world.pool, Scope(event_id=world.event)) == 1
    await world.set_event(clock_now=MORNING)
    assert await claimed(world) == 0

    async with resuming.view(world.pool, Scope(event_id=world.event)) as view:
        (foreseen,) = await view.foresee("send_all")

    assert (foreseen.automations, foreseen.steps, foreseen.held) == (1, 0, Held(1, 0))
    await orders.resume(world.pool, Scope(event_id=world.event), "send_all")
    assert (await world.row())["status"] == "failed"
