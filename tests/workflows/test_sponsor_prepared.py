"""A letter to a sponsor that is being written when a pause or a moved date comes: it is planned anew, and never lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from database import control
from database.control import Scope
from models.player import Policy
from starter import resuming
from tests.workflows.house import House
from tests.workflows.sponsor_stage import DAY, Outreach, begin


@pytest.fixture
async def outreach(working: House) -> Outreach:
    """Three sponsors that fit and one that does not; each has been sent its proposal, and Millrace has opened it."""
    begun = await begin(working)
    await begun.live(0.5)
    await begun.opens("Millrace")
    await begun.live(2)
    return begun


async def model(house: House, **wish: float) -> None:
    async with httpx2.AsyncClient() as http:
        address = f"{house.settings.sandbox_url}/_sandbox/faults"
        (await http.post(address, json={"provider": "openai", **wish})).raise_for_status()


@asynccontextmanager
async def being_written(outreach: Outreach) -> AsyncIterator[str]:
    """The body runs while the model is asked for Millrace's third letter and does not answer; then it does. The workflow's id."""
    sequence: str = (await outreach.sequence("Millrace"))["temporal_workflow_id"]
    await model(outreach.house, slow=15)
    living = asyncio.create_task(outreach.live(4))
    await outreach.house.until_step(sequence, "send_follow_up", "running", seconds=60)
    yield sequence
    await model(outreach.house)
    await living


async def paused_while_it_is_written(outreach: Outreach, policy: Policy, expected: tuple[int, int, int]) -> None:
    """Resume on the fourth day, to the end; `expected` are the steps, messages and skips that are foreseen of it."""
    scope = Scope(automation_id=(await outreach.sequence("Millrace"))["id"])
    async with being_written(outreach):
        await control.pause(outreach.pool, scope)
    assert list(await outreach.sent("Millrace")) == ["proposal_email"]
    async with resuming.view(outreach.pool, scope) as view:
        [foreseen] = await view.foresee(policy)
    assert (foreseen.steps, foreseen.messages, foreseen.skipped.total()) == expected
    await control.resume(outreach.pool, scope, policy)
    await outreach.live()


async def test_a_pause_while_it_is_written_and_a_resume_that_sends_all_sends_it_then(outreach: Outreach) -> None:
    await paused_while_it_is_written(outreach, "send_all", (1, 1, 0))
    assert (await outreach.sent("Millrace"))["follow_up"] == 4
    assert (await outreach.sequence("Millrace"))["status"] == "completed"


async def test_a_pause_while_it_is_written_and_a_resume_that_skips_all_says_so_in_one_row(outreach: Outreach) -> None:
    await paused_while_it_is_written(outreach, "skip_all", (0, 0, 1))
    assert "follow_up" not in await outreach.sent("Millrace")
    row = await outreach.sequence("Millrace")
    assert row["status"] == "completed"
    rows = await outreach.pool.fetch(
        "SELECT status, result ->> 'reason' AS why FROM workflow_execution_logs WHERE workflow_id = $1 AND step_id = $2",
        *(row["id"], "send_follow_up"),
    )
    assert [tuple(one) for one in rows] == [("skipped", "late by 1 day")]


async def test_a_date_that_moves_while_it_is_written_lets_it_go_out_all_the_same(outreach: Outreach) -> None:
    starts = outreach.start + 50 * DAY
    async with being_written(outreach):
        await outreach.house.set_event(outreach.event, starts_at=starts, ends_at=starts + DAY)
    assert (await outreach.sent("Millrace"))["follow_up"] == 3
    await outreach.live()
    row = await outreach.sequence("Millrace")
    assert (row["status"], row["completed_at"]) == ("completed", starts)


async def test_an_answer_after_a_pause_while_it_is_written_ends_the_sequence(outreach: Outreach) -> None:
    scope = Scope(automation_id=(await outreach.sequence("Millrace"))["id"])
    async with being_written(outreach):
        await control.pause(outreach.pool, scope)
    await outreach.replies("Millrace", "ada@millrace.example")
    await outreach.house.quiet()
    await control.resume(outreach.pool, scope, "send_all")
    await outreach.live(5)
    row = await outreach.sequence("Millrace")
    assert (row["status"], row["completed_at"]) == ("completed", outreach.start + 4 * DAY)
    assert "schedule_meeting" in await outreach.sent("Millrace")
    assert (await outreach.became("Millrace"))["send_follow_up"] == "skipped: ended by sponsor_responded"
