"""A sponsor answers, and something about it is held: the sequence stays open until that is mended, given up or too late."""

from typing import Literal

import pytest

from models.player import StepOrder
from starter.control import order
from tests.workflows.house import House
from tests.workflows.sponsor_stage import DAY, Outreach, begin

WHY = "the account is suspended"


@pytest.fixture
async def outreach(working: House) -> Outreach:
    """Three sponsors that fit and one that does not; each has been sent its proposal."""
    begun = await begin(working)
    await begun.live(0.5)
    return begun


async def refused(outreach: Outreach, days: float) -> None:
    """Live on to a day while every mail is refused."""
    outreach.house.post_as, outreach.house.post_why = "failed", WHY
    await outreach.live(days)
    outreach.house.post_as, outreach.house.post_why = "sent", None


async def answered(outreach: Outreach) -> None:
    """Millrace answers on the second day, and the mails about it are refused."""
    await outreach.live(2)
    await outreach.replies("Millrace", "ada@millrace.example")
    await refused(outreach, 2.5)


async def ask(outreach: Outreach, verb: Literal["retry", "skip"], step: str) -> None:
    automation = (await outreach.sequence("Millrace"))["id"]
    await order(outreach.house.client, outreach.pool, automation, verb, StepOrder(step=step, by="Olga"))


async def test_an_answer_whose_mail_is_held_is_answered_by_a_retry_and_only_then_is_it_completed(
    outreach: Outreach,
) -> None:
    await answered(outreach)
    row = await outreach.sequence("Millrace")
    assert (row["status"], row["last_error"], row["next_execution_at"]) == ("active", WHY, None)
    assert row["current_step"] in ("schedule_meeting", "tell_of_answer")
    await outreach.live(5)
    assert list(await outreach.sent("Millrace")) == ["proposal_email"]
    await ask(outreach, "retry", "schedule_meeting")
    await outreach.live(6)
    assert (await outreach.sequence("Millrace"))["status"] == "active"
    await ask(outreach, "skip", "tell_of_answer")
    await outreach.live(7)
    assert await outreach.sent("Millrace") == {"proposal_email": 0, "schedule_meeting": 5}
    row = await outreach.sequence("Millrace")
    assert (row["status"], row["completed_at"], row["last_error"]) == ("completed", outreach.start + 6 * DAY, None)
    held = "SELECT count(*) FROM notifications WHERE automation_id = $1 AND starts_with(key, 'held/')"
    assert await outreach.pool.fetchval(held, row["id"]) == 0


async def test_a_contract_that_is_signed_while_an_earlier_answer_is_held_is_taken_in_at_once(
    outreach: Outreach,
) -> None:
    await answered(outreach)
    await outreach.says("Millrace", "signed")
    await outreach.live(3)
    assert await outreach.pool.fetchval("SELECT count(*) FROM sponsorships WHERE event_id = $1", outreach.event) == 1
    assert (await outreach.became("Millrace"))["create_sponsorship"] == "success"
    assert (await outreach.sequence("Millrace"))["status"] == "active"


async def test_an_answer_that_nobody_mends_before_the_event_ends_with_it_as_failed(outreach: Outreach) -> None:
    await answered(outreach)
    await outreach.live()
    row = await outreach.sequence("Millrace")
    assert (row["status"], row["completed_at"]) == ("completed", outreach.start + 60 * DAY)
    assert (await outreach.became("Millrace"))["schedule_meeting"] == f"failed: not mended in time: {WHY}"


async def test_a_letter_that_is_held_when_the_sponsor_answers_ends_as_failed_by_the_answer(outreach: Outreach) -> None:
    await outreach.live(2)
    await refused(outreach, 3.5)
    assert (await outreach.became("Millrace"))["send_gentle_reminder"] == f"running: {WHY}"
    await outreach.replies("Millrace", "ada@millrace.example")
    await outreach.live(4)
    row = await outreach.sequence("Millrace")
    assert (row["status"], row["last_error"]) == ("completed", None)
    became = await outreach.became("Millrace")
    assert became["send_gentle_reminder"] == f"failed: ended by sponsor_responded: {WHY}"
    held = "SELECT count(*) FROM notifications WHERE automation_id = $1 AND starts_with(key, 'held/')"
    assert await outreach.pool.fetchval(held, row["id"]) == 0
