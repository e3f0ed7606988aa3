"""The way in for attendees: what begins, what is refused and in which words, and what is said beforehand."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from database import events
from database.connection import Pool
from database.events import Event
from starter import attendees
from starter.control import ControlError
from tests.world import World, make_world

DAY = timedelta(days=1)
ASKED = "SELECT count(*) FROM occurrences WHERE kind = 'registration_confirmed'"


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


async def registration(world: World) -> UUID:
    contact = await world.contact("ada@people.example")
    id_: UUID = await world.pool.fetchval(
        "INSERT INTO registrations (event_id, contact_id) VALUES ($1, $2) RETURNING id", world.event, contact
    )
    await world.pool.execute("DELETE FROM occurrences")  # a program that has no triggers
    return id_


async def event_of(world: World) -> Event:
    event = await events.get(world.pool, world.event)
    assert event is not None
    return event


async def test_it_begins_once_however_often_it_is_asked(world: World) -> None:
    ada = await registration(world)
    assert [await attendees.start_for_attendee(world.pool, ada) for _ in range(3)] == [True, False, False]
    assert await world.pool.fetchval(ASKED) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            "UPDATE registrations SET status = 'cancelled' WHERE event_id = $1",
            "the registration is cancelled. Confirm it",
        ),
        ("UPDATE events SET status = 'draft' WHERE id = $1", "River Conf is draft, so nobody is accompanied"),
        ("UPDATE events SET status = 'cancelled' WHERE id = $1", "River Conf is cancelled, so nobody is accompanied"),
        (
            "UPDATE events SET starts_at = now() - interval '2 days', ends_at = now() - interval '1 day' WHERE id = $1",
            "so there is nothing left to send",
        ),
    ],
)
async def test_what_cannot_begin_says_why_and_changes_nothing(world: World, change: str, why: str) -> None:
    ada = await registration(world)
    await world.pool.execute(change, world.event)
    with pytest.raises(ControlError, match=why):
        await attendees.start_for_attendee(world.pool, ada)
    assert await world.pool.fetchval(ASKED) == 0


async def test_an_unknown_registration_is_refused(world: World) -> None:
    with pytest.raises(ControlError, match="There is no registration"):
        await attendees.start_for_attendee(world.pool, uuid4())


async def test_a_known_address_is_registered_once_and_again_after_a_cancellation(world: World) -> None:
    event = await event_of(world)
    await world.contact("Ada@People.example")
    assert [await attendees.register(world.pool, event, "ada@people.example") for _ in range(2)] == [True, False]
    assert await world.pool.fetchval("SELECT count(*) FROM contacts") == 1
    await world.pool.execute("UPDATE registrations SET status = 'cancelled'")
    assert await attendees.register(world.pool, event, " ada@people.example ")
    assert await world.pool.fetchval("SELECT array_agg(status) FROM registrations") == ["confirmed"]


@pytest.mark.parametrize("address", ["ada", "ada@people", "a b@people.example", ""])
async def test_what_is_no_address_is_refused(world: World, address: str) -> None:
    with pytest.raises(ControlError, match="not a usable address"):
        await attendees.register(world.pool, await event_of(world), address)
    assert await world.pool.fetchval("SELECT count(*) FROM contacts") == 0


async def test_what_will_be_sent_is_said_beforehand(world: World) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    event = (await event_of(world))._replace(now=now, starts_at=now + 2 * DAY, ends_at=now + 3 * DAY)
    found = {touch.step: touch.at or touch.why_not for touch in attendees.ahead(event)}
    assert found["registration_confirmation"] == found["logistics_reminder"] == now
    assert found["welcome_preparation"] == "overtaken by detailed_schedule"
    assert found["detailed_schedule"] == "overtaken by logistics_reminder"
    assert found["final_details"] == now + DAY
