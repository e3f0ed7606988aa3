"""Approval while things change: the step that waits is taken away, or the answer to a decision is lost."""

from datetime import timedelta
from typing import Literal

import pytest
from temporalio.client import WorkflowUpdateFailedError

from database import decisions
from models.approval import Decide, Decided
from tests.workflows.approval_stage import DAY, HOUR, Launch, begin
from tests.workflows.house import House


async def decided_unheard(launch: Launch, verb: Literal["approve", "reject"], content_hash: str) -> Decide:
    """A decision that is taken in while the worker that took it dies, so that the player never hears of it."""
    waiting = await launch.waiting()
    decision = Decide(step=waiting.step, content_hash=content_hash, by="Olga")
    about = Decided(automation_id=waiting.automation_id, event_id=waiting.event_id, verb=verb, decision=decision)
    await decisions.decide(launch.pool, about)
    return decision


async def test_an_approval_whose_answer_was_lost_is_answered_when_it_is_repeated_and_sends_at_once(
    working: House,
) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    decision = await decided_unheard(launch, "approve", (await launch.waiting()).content_hash)
    assert await working.handle(launch.id).execute_update("approve", decision) == "approved"
    await launch.live(2 * HOUR)
    assert await launch.sent() == {"announcement_email": HOUR}
    assert await launch.approvals() == [("announce", "approved")]


async def test_a_piece_whose_approval_was_lost_is_approved_once(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    piece, left = (await launch.waiting()).contents[0], len((await launch.waiting()).contents) - 1
    decision = await decided_unheard(launch, "approve", piece.content_hash)
    said = await working.handle(launch.id).execute_update("approve", decision)
    assert said == f"{piece.name} is approved; {left} more to decide about"
    assert await launch.pool.fetchval("SELECT count(*) FROM approvals WHERE content_id = $1", piece.id) == 1


async def test_a_refused_decision_has_the_player_look_for_one_that_was_taken(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    decision = await decided_unheard(launch, "approve", (await launch.waiting()).content_hash)
    other = decision.model_copy(update={"content_hash": "of other words"})
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await working.handle(launch.id).execute_update("approve", other)
    assert "Nothing of it waits for approval" in str(refused.value.cause)
    await launch.live(2 * HOUR)
    assert await launch.sent() == {"announcement_email": HOUR}


async def test_taking_away_the_step_that_waits_has_the_approval_stand_before_the_next(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    await launch.modify(announce=None)
    assert await launch.approvals() == [("remind", "pending")]
    assert await launch.approve() == "approved; remind goes on"
    await launch.live()
    assert list(await launch.sent()) == ["reminder_email", "last_chance_email"]
    assert (await launch.sent())["reminder_email"] == 7 * DAY
    assert len(await launch.told()) == 1


async def test_an_approval_moves_to_the_step_that_is_due_first_and_is_reminded_of_before_that_is_overdue(
    working: House,
) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    post = {"type": "email", "template": "last_chance_email", "audience": "all_contacts", "delay": "2 days"}
    await launch.modify(announce=None, soon=post)
    assert (await launch.waiting()).step == "soon"
    await launch.live(3 * DAY)
    assert [at for _, at in await launch.told()] == [timedelta(), DAY, 2 * DAY + 5 * HOUR]
    await launch.approve()
    await launch.live(4 * DAY)
    assert await launch.sent() == {"last_chance_email": 3 * DAY}


async def test_a_waiting_step_that_is_changed_to_need_no_approval_goes_out_and_the_next_one_waits(
    working: House,
) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    await launch.modify(announce={"type": "social", "platforms": ["twitter"], "template": None, "audience": None})
    assert (await launch.waiting()).step == "remind"
    await launch.live(2 * HOUR)
    assert (await working.states(launch.id))["announce"] == "success"
    await launch.approve()
    await launch.live(8 * DAY)
    assert (await launch.sent())["reminder_email"] == 7 * DAY


async def test_an_approval_of_words_that_nothing_sends_any_more_is_asked_for_no_longer(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    await launch.reject("too loud")
    await launch.modify(announce=None, remind=None, last_call=None)
    assert await launch.approvals() == [("announce", "superseded")]
    await launch.live(DAY)
    row = await launch.row()
    assert (row["status"], row["last_error"]) == ("completed", None)
