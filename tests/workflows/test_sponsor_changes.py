"""Sponsor sequences begun late, left alone for two days, resumed in other ways, changed, or overtaken by their event."""

from datetime import timedelta

import pytest

from database import control
from database.control import Scope
from tests.workflows.detours import modify, outage, refusal
from tests.workflows.house import House
from tests.workflows.sponsor_stage import DAY, Outreach, begin


@pytest.fixture
async def outreach(working: House) -> Outreach:
    """Three sponsors that fit and one that does not; each has been sent its proposal."""
    begun = await begin(working)
    await begun.live(0.5)
    return begun


async def test_an_event_created_ten_days_before_it_starts_writes_to_sponsors_until_it_starts(working: House) -> None:
    """There is time for the proposal, the reminder and one more letter; what would come after the event never does."""
    begun = await begin(working, starts_in=10 * DAY)
    await begun.live()
    assert await begun.sent("Millrace") == {"proposal_email": 0, "gentle_reminder": 3, "value_reinforcement": 7}
    row = await begun.sequence("Millrace")
    assert (row["status"], row["completed_at"]) == ("completed", begun.start + 10 * DAY)
    states = await begun.became("Millrace")
    assert states["send_social_proof"] == "skipped: the event has begun"
    assert states["send_last_chance"] == "skipped: the event has begun"


async def test_two_days_without_a_worker_leave_the_reminder_out_and_move_nothing_else(outreach: Outreach) -> None:
    """Nobody is at work on the third day: the reminder would come too late, and the next letter comes at its hour."""
    await outreach.live(2.5)
    await outage(outreach.house, outreach.event, outreach.start + 4.5 * DAY)
    await outreach.live(15)
    assert await outreach.sent("Millrace") == {"proposal_email": 0, "value_reinforcement": 7, "social_proof": 14}
    assert (await outreach.became("Millrace"))["send_gentle_reminder"] == "skipped: late by 1 day 12 hours"


async def test_two_days_without_a_worker_lose_no_answer(outreach: Outreach) -> None:
    """Who answers meanwhile is proposed a meeting as soon as somebody is back, and gets no reminder on top."""
    await outreach.live(2.5)
    await outage(outreach.house, outreach.event, outreach.start + 4.5 * DAY)
    await outreach.replies("Millrace", "ada@millrace.example")
    await outreach.live(15)
    assert await outreach.sent("Millrace") == {"proposal_email": 0, "schedule_meeting": 4.5, "sponsor_responded": 4.5}


async def paused_over_the_third_day(outreach: Outreach, until: float, policy: str) -> None:
    """Millrace's is paused on the second day and resumed with `policy`; all are lived until the eleventh."""
    scope = Scope(automation_id=(await outreach.sequence("Millrace"))["id"])
    await outreach.live(2)
    await control.pause(outreach.pool, scope)
    await outreach.live(until)
    await control.resume(outreach.pool, scope, policy)
    await outreach.live(11)


async def test_a_sequence_paused_over_the_third_day_and_resumed_to_skip_all_leaves_the_reminder_out(
    outreach: Outreach,
) -> None:
    """By policy it would still have gone, hours late; the person said otherwise. The next letter comes at its hour."""
    await paused_over_the_third_day(outreach, 3.1, "skip_all")
    assert await outreach.sent("Millrace") == {"proposal_email": 0, "value_reinforcement": 7}
    reason = "skipped: fell due during a pause, and the resume skipped it"
    assert (await outreach.became("Millrace"))["send_gentle_reminder"] == reason


async def test_a_sequence_paused_over_the_third_day_and_resumed_with_a_shift_goes_on_three_days_later(
    outreach: Outreach,
) -> None:
    """The pause did not count: every letter comes three days later than it would have, for this sponsor only."""
    await paused_over_the_third_day(outreach, 5, "shift")
    assert await outreach.sent("Millrace") == {"proposal_email": 0, "gentle_reminder": 6, "value_reinforcement": 10}
    assert (await outreach.sent("Brightkiln"))["value_reinforcement"] == 7


async def test_a_letter_ahead_is_put_off_for_one_sponsor_and_the_proposal_that_went_out_cannot_be_changed(
    outreach: Outreach,
) -> None:
    """The letter comes on the ninth day instead of the seventh; the others get it on the seventh."""
    sequence = (await outreach.sequence("Millrace"))["temporal_workflow_id"]
    await outreach.live(5)
    said = await refusal(outreach.house, sequence, {"send_proposal": {"template": "last_chance"}})
    assert "send_proposal: it has ended as success; only what has not begun can be changed" in said
    await modify(outreach.house, sequence, {"send_value_email": {"delay": "9 days"}})
    await outreach.live(15)
    assert await outreach.sent("Millrace") == {
        "proposal_email": 0,
        "gentle_reminder": 3,
        "value_reinforcement": 9,
        "social_proof": 14,
    }
    assert (await outreach.sent("Brightkiln"))["value_reinforcement"] == 7


async def test_an_event_moved_into_the_past_ends_the_sequences_at_once(outreach: Outreach) -> None:
    """Nobody is asked to sponsor what is over: no further letter, each step says why, and the sequence is completed."""
    await outreach.live(5)
    starts = outreach.start + 2 * DAY
    await outreach.house.set_event(outreach.event, starts_at=starts, ends_at=starts + timedelta(hours=8))
    await outreach.live()
    assert list(await outreach.sent("Millrace")) == ["proposal_email", "gentle_reminder"]
    states = await outreach.became("Millrace")
    assert {states[step] for step in ("send_value_email", "send_social_proof", "send_last_chance")} == {
        "skipped: the event has begun"
    }
    row = await outreach.sequence("Millrace")
    assert (row["status"], row["completed_at"]) == ("completed", outreach.start + 5 * DAY)
