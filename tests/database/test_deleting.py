"""Whoever deletes an event waits for what is being written about it, and is not refused for it."""

import asyncio

import pytest

from database import journal, notifications
from database.connection import Pool
from database.outbox import enqueue
from tests.world import World, make_world

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
"""How many wait in the database for somebody else's transaction to end."""


@pytest.fixture
async def world(pool: Pool) -> World:
    """An automation with two messages in the queue."""
    world = await make_world(pool)
    await world.people(2)
    await enqueue(pool, world.request())
    return world


async def begun_to_delete(world: World) -> "asyncio.Task[str]":
    """The event is being deleted, and the deletion waits for somebody's transaction."""
    deleting = asyncio.create_task(world.pool.execute("DELETE FROM events WHERE id = $1", world.event))
    async with asyncio.timeout(60):
        while not await world.pool.fetchval(WAITING):
            await asyncio.sleep(0.01)
    return deleting


async def test_a_message_is_settled_while_its_event_is_deleted(world: World) -> None:
    async with world.pool.acquire() as postman, postman.transaction():
        await postman.execute("UPDATE messages SET status = 'sent' WHERE address LIKE 'person-1@%'")
        deleting = await begun_to_delete(world)
        await postman.execute("UPDATE automation_workflows SET tasks_executed = 1 WHERE id = $1", world.automation)
    assert await deleting == "DELETE 1"
    assert await world.pool.fetchval("SELECT count(*) FROM messages") == 0


async def test_who_comes_to_decide_a_step_while_its_event_is_deleted_keeps_nobody_waiting(world: World) -> None:
    async def decide() -> None:
        async with world.pool.acquire() as player, player.transaction():
            await journal.lock(player, world.automation)

    async with world.pool.acquire() as postman, postman.transaction():
        await postman.execute("UPDATE messages SET status = 'sent' WHERE address LIKE 'person-1@%'")
        deleting = await begun_to_delete(world)
        deciding = asyncio.create_task(decide())
        async with asyncio.timeout(60):
            while await world.pool.fetchval(WAITING) < 2:
                await asyncio.sleep(0.01)
        await postman.execute("UPDATE automation_workflows SET tasks_executed = 1 WHERE id = $1", world.automation)
    assert await deleting == "DELETE 1"
    with pytest.raises(journal.UnknownAutomation):
        await deciding


async def test_a_step_is_decided_while_its_event_is_deleted(world: World) -> None:
    async with world.pool.acquire() as player, player.transaction():
        await journal.lock(player, world.automation)
        deleting = await begun_to_delete(world)
        await notifications.tell(player, event_id=world.event, key="held/1", title="A step is held", body="It waits.")
    assert await deleting == "DELETE 1"
    assert await world.pool.fetchval("SELECT count(*) FROM notifications") == 0
