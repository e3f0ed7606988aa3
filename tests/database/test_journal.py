"""The journal's rows: which slot a branch has, and that what is not held is not freed."""

import pytest

from database import journal
from database.claims import claim
from database.connection import Pool
from database.outbox import enqueue
from database.settlement import Outcome, settle
from models.automation import Action, StepState
from models.player import Begin, Free
from tests.world import EMAIL, World, make_world


@pytest.fixture
async def world(pool: Pool) -> World:
    world = await make_world(pool)
    await world.people(2)
    return world


async def send(pool: Pool, status: str, reason: str | None = None) -> None:
    (batch,) = (await claim(pool, "email", rehearsal=False, limit=100)).batches
    await settle(pool, batch, [Outcome(one.id, status, reason, "re_1") for one in batch.messages])  # type: ignore[arg-type]


async def test_a_step_freed_again_after_its_messages_were_sent_stays_as_it_ended(pool: Pool, world: World) -> None:
    await enqueue(pool, world.request())
    await send(pool, "failed", "the account is suspended")
    free = Free(automation_id=world.automation, event_id=world.event, step=EMAIL.id, slot=EMAIL.slot, round=0)
    again = (await journal.free_step(pool, free)).progress
    assert again is not None
    assert again.state is StepState.RUNNING
    assert (await journal.free_step(pool, free)).progress == again

    await send(pool, "sent")
    before = await world.journal()
    found = (await journal.free_step(pool, free)).progress
    assert found is not None
    assert found.state is StepState.SUCCESS
    assert await world.journal() == before


async def test_a_branch_that_had_begun_and_is_not_taken_leaves_the_slot_to_the_one_that_is(
    pool: Pool, world: World
) -> None:
    write = Action(verb="generate", targets=("follow_up",))
    letter = EMAIL.model_copy(update={"id": "send_follow_up", "branch": "day_3", "actions": (write, *EMAIL.actions)})
    reminder = EMAIL.model_copy(update={"id": "send_gentle_reminder", "branch": "day_3"})
    request = world.request(letter)
    await journal.begin_step(pool, Begin(**request.model_dump(include={*Begin.model_fields})))

    for _ in range(2):
        skipped = await enqueue(pool, request.model_copy(update={"skip": "late by 2 days"}))
        assert (skipped.step_id, skipped.state) == ("send_follow_up", StepState.SKIPPED)
    taken = await enqueue(pool, world.request(reminder))

    assert (taken.step_id, taken.open) == ("send_gentle_reminder", 2)
    rows = await pool.fetch("SELECT step_id, slot, status FROM workflow_execution_logs ORDER BY step_id")
    assert [tuple(row) for row in rows] == [
        ("send_follow_up", "send_follow_up", "skipped"),
        ("send_gentle_reminder", "day_3", "running"),
    ]
