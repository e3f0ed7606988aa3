"""Whoever cancels finds the automation's row and waits for no message, which somebody may be settling at that moment."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from database import claims, control
from database.connection import Pool
from database.control import Scope
from database.outbox import enqueue
from tests.world import World, make_world

CANCEL = {
    "a person cancels it": ("event_launch", ""),
    "its registration is cancelled": (
        "attendee_nurture",
        "UPDATE registrations SET status = 'cancelled' WHERE id = $1",
    ),
    "its registration is deleted": ("attendee_nurture", "DELETE FROM registrations WHERE id = $1"),
    "its deliverable is deleted": ("deliverable_tracking", "DELETE FROM sponsor_deliverables WHERE id = $1"),
}


@pytest.fixture(params=list(CANCEL))
async def how(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def world(pool: Pool, how: str) -> World:
    """An automation about what is cancelled, with two messages in the queue."""
    world = await make_world(pool)
    person, sponsor, sponsorship, subject = await world.contact("ada@people.example"), uuid4(), uuid4(), uuid4()
    await world.contact("bob@people.example")
    await enqueue(pool, world.request())
    await pool.execute(
        "INSERT INTO registrations (id, event_id, contact_id) VALUES ($1, $2, $3)", *(subject, world.event, person)
    )
    await pool.execute(
        "INSERT INTO sponsors (id, organizer_id, name) VALUES ($1, $2, 'Acme')", *(sponsor, world.organizer)
    )
    await pool.execute(
        "INSERT INTO sponsorships (id, event_id, sponsor_id, tier) VALUES ($1, $2, $3, 'Gold')",
        *(sponsorship, world.event, sponsor),
    )
    await pool.execute(
        """
        INSERT INTO sponsor_deliverables (id, sponsorship_id, event_id, name, deliverable_type, due_date)
        VALUES ($1, $2, $3, 'Logo', 'logo', '2027-03-31')
        """,
        *(subject, sponsorship, world.event),
    )
    await world.set_automation(workflow_type=CANCEL[how][0], subject_id=subject)
    return world


async def cancel(world: World, how: str) -> None:
    if sql := CANCEL[how][1]:
        subject: UUID = (await world.row())["subject_id"]
        await world.pool.execute(sql, subject)
    else:
        await control.cancel(world.pool, Scope(automation_id=world.automation), "enough")


async def test_who_cancels_waits_for_no_message_that_is_being_settled(world: World, how: str) -> None:
    async with world.pool.acquire() as postman, postman.transaction():
        await postman.execute("UPDATE messages SET status = 'sent' WHERE address LIKE 'ada@%'")
        await asyncio.wait_for(cancel(world, how), 5)
        # and then asks for the automation
        await postman.execute("SELECT 1 FROM automation_workflows WHERE id = $1 FOR NO KEY UPDATE", world.automation)
    assert (await world.row())["status"] == "cancelled"
    assert await world.counts() == {"sent": 1, "queued": 1}


async def test_what_lies_for_later_dies_at_the_gate_at_once(world: World, how: str) -> None:
    await world.pool.execute("UPDATE messages SET release_at = $1", datetime.now(UTC) + timedelta(days=2))
    await cancel(world, how)
    await claims.claim(world.pool, "email", rehearsal=False, limit=100)
    assert await world.counts() == {"cancelled": 2}
