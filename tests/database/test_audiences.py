"""Whom a launch reaches: people, however many rows they have among the contacts."""

import pytest

from database.audiences import TWICE
from database.connection import Pool
from database.outbox import enqueue
from tests.world import World, make_world
from workflows.event_launch import TIMELINE

STEPS = {step.id: step for step in TIMELINE}


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


async def register(world: World, email: str | None, status: str = "confirmed", phone: str | None = None) -> None:
    contact = await world.contact(email, phone)
    await world.pool.execute(
        "INSERT INTO registrations (event_id, contact_id, status) VALUES ($1, $2, $3)", world.event, contact, status
    )


@pytest.mark.parametrize("step", ["week_1_reminder", "last_chance_email"])
async def test_who_is_registered_is_not_asked_to_register_under_another_row_with_their_address(
    world: World, step: str
) -> None:
    await world.contact("ada@people.example")
    await register(world, " Ada@people.example")
    await world.contact("ben@people.example")
    await register(world, "ben@people.example", "cancelled")
    await register(world, None)
    await world.contact("eve@people.example")
    await enqueue(world.pool, world.request(STEPS[step]))
    assert [message["address"] for message in await world.messages()] == ["ben@people.example", "eve@people.example"]


async def test_who_is_registered_and_has_no_address_is_not_asked_either(world: World) -> None:
    """Rows without an address are told apart by themselves alone."""
    action = STEPS["send_whatsapp_broadcast"].actions[0].model_copy(update={"audience": "contacts_not_registered"})
    step = STEPS["send_whatsapp_broadcast"].model_copy(update={"actions": (action,)})
    await register(world, None, phone="+4915112345601")
    await world.contact(None, "+4915112345602")
    await world.contact("", "+4915112345603")
    await enqueue(world.pool, world.request(step))
    assert [message["address"] for message in await world.messages()] == ["+4915112345602", "+4915112345603"]


async def test_who_is_registered_elsewhere_is_still_asked(world: World, pool: Pool) -> None:
    other = await make_world(pool)
    await register(other, "ada@people.example")
    await world.contact("ada@people.example")
    await enqueue(world.pool, world.request(STEPS["week_1_reminder"]))
    assert [message["address"] for message in await world.messages()] == ["ada@people.example"]


@pytest.mark.parametrize(("step", "count"), [("final_reminder", 2), ("send_whatsapp_broadcast", 1)])
async def test_two_rows_with_one_address_get_one_message_and_the_journal_says_why(
    world: World, step: str, count: int
) -> None:
    await register(world, "ada@people.example", phone="+4915112345601")
    await register(world, "Ada@people.example", phone="+49 151 12345601")
    await enqueue(world.pool, world.request(STEPS[step]))
    assert len(await world.messages()) == count
    assert (await world.journal(STEPS[step]))["result"]["skipped"] == {TWICE: count}
