"""What an automation says of its trouble: the text goes when what stands behind it is mended, and not before."""

from typing import Any

import pytest

from database import approvals, automations, decisions, journal, settlement
from database.connection import Pool
from database.outbox import enqueue
from database.tallies import Change, tally
from models.approval import Decide, Decided
from models.automation import FOREVER, Action, Step, StepState
from models.definition import to_definition
from models.player import Begin, End, Free
from tests.world import EMAIL, World, make_world

WRITE = Step(id="write", name="Write", moment="0 hours", actions=(Action(verb="generate", targets=("social_posts",)),))
LAY_OUT = WRITE.model_copy(update={"id": "lay_out", "name": "Lay out"})
CHECK = Step(id="check", name="Check", moment="0 hours", condition="proposal_opened")
WHY, MISSING = "the model declines", "the event has no time zone"


@pytest.fixture
async def world(pool: Pool) -> World:
    world = await make_world(pool)
    await world.set_automation(definition=to_definition((WRITE, LAY_OUT, CHECK, EMAIL)))
    return world


async def end(world: World, step: Step, state: StepState, error: str | None = None, round_: int = 0) -> None:
    """Begin and end a step that sends nothing."""
    about: dict[str, Any] = {"automation_id": world.automation, "event_id": world.event, "step": step, "round": round_}
    about |= {"due": world.started, "now": world.started}
    await journal.begin_step(world.pool, Begin(**about))
    await journal.end_step(world.pool, End(**about, state=state, error=error))


async def hold(world: World, step: Step = WRITE, why: str = WHY) -> None:
    await end(world, step, StepState.HELD, why)


async def free(world: World, step: Step) -> None:
    await journal.free_step(
        world.pool,
        Free(automation_id=world.automation, event_id=world.event, step=step.id, slot=step.slot, round=0),
    )


async def said(world: World) -> str | None:
    error: str | None = (await world.row())["last_error"]
    return error


async def rest(world: World, problem: str | None) -> None:
    await automations.rest(world.pool, world.automation, FOREVER, step="write", next_at=None, problem=problem)


async def decide(world: World, verb: Any, note: str = "") -> str:
    waiting = await approvals.waiting(world.pool, world.automation)
    assert waiting is not None
    decision = Decide(step=waiting.step, content_hash=waiting.content_hash, by="Olga", note=note)
    about = Decided(automation_id=world.automation, event_id=world.event, verb=verb, decision=decision)
    return await decisions.decide(world.pool, about)


async def await_approval(world: World) -> None:
    await world.set_automation(approval="required")
    await enqueue(world.pool, world.request())


async def test_a_held_step_is_said_while_other_steps_go_well(world: World) -> None:
    await hold(world)
    await end(world, CHECK, StepState.SUCCESS)
    assert await said(world) == WHY
    await end(world, LAY_OUT, StepState.SUCCESS)
    assert await said(world) == WHY


async def test_freeing_one_of_two_held_steps_leaves_the_other_said(world: World) -> None:
    await hold(world)
    await hold(world, LAY_OUT, "nothing was generated")
    assert await said(world) == "nothing was generated"
    await free(world, LAY_OUT)
    assert await said(world) == WHY
    await free(world, WRITE)
    assert await said(world) is None


async def test_an_approval_leaves_a_held_step_said(world: World) -> None:
    await hold(world)
    await await_approval(world)
    assert await decide(world, "approve") == "approved; send_announcement goes on"
    assert await said(world) == WHY


async def test_a_provider_that_works_again_leaves_a_held_step_said(world: World) -> None:
    await world.people(1)
    await hold(world)
    queued = await enqueue(world.pool, world.request())
    assert queued.log_id is not None
    await settlement.trouble(world.pool, [queued.log_id], "the key is invalid")
    async with world.pool.acquire() as connection, connection.transaction():
        await tally(connection, [Change(queued.log_id, "sending", "sent", counted=True)], "email")
    assert (await world.journal())["status"] == "success"
    assert await said(world) == WHY


async def test_a_problem_of_the_event_goes_when_it_is_mended_and_a_held_step_is_said_again(world: World) -> None:
    await hold(world)
    await rest(world, MISSING)
    assert await said(world) == MISSING
    await automations.look(world.pool, world.automation)
    assert await said(world) == WHY
    await rest(world, None)
    assert await said(world) == WHY


async def test_a_problem_of_the_event_is_said_until_somebody_looks_again(world: World) -> None:
    await rest(world, MISSING)
    await end(world, CHECK, StepState.SUCCESS)
    assert await said(world) == MISSING
    await automations.look(world.pool, world.automation)
    assert await said(world) is None


async def test_a_rejection_is_said_until_the_words_are_changed(world: World) -> None:
    await await_approval(world)
    why = await decide(world, "reject", "too loud")
    await end(world, CHECK, StepState.SUCCESS)
    await automations.look(world.pool, world.automation)
    assert await said(world) == why
    await world.pool.execute("""UPDATE email_templates SET slots = slots || '{"headline": "A quiet word"}'""")
    await automations.look(world.pool, world.automation)
    assert await said(world) is None


async def test_a_round_that_a_moved_date_began_is_said_in_place_of_the_one_before(world: World) -> None:
    await hold(world)
    await end(world, WRITE, StepState.SUCCESS, round_=1)
    assert await said(world) is None


async def test_a_cancelled_automation_has_no_trouble_and_a_lost_one_says_what_became_of_it(world: World) -> None:
    await hold(world)
    await automations.lose(world.pool, world.automation)
    await end(world, CHECK, StepState.SUCCESS)
    assert await said(world) == "its workflow was ended from outside"
    await world.set_automation(status="cancelled")
    await automations.finish(world.pool, world.automation, "cancelled")
    assert await said(world) is None
