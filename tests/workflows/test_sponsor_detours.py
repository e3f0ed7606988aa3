"""Sponsor outreach when things go otherwise: paused, moved, cancelled, not approved, not written."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx2
import pytest

from database import control
from database.control import Scope
from models.approval import Decide
from models.player import News, StepOrder
from starter import control as orders
from tests.workflows.house import House
from tests.workflows.sponsor_stage import DAY, Outreach, begin


@pytest.fixture
async def outreach(working: House) -> Outreach:
    """Three sponsors that fit and one that does not; each has been sent its proposal."""
    begun = await begin(working)
    await begun.live(0.5)
    return begun


async def test_a_sequence_paused_over_the_third_day_and_resumed_by_policy_leaves_the_reminder_out(
    outreach: Outreach,
) -> None:
    scope = Scope(automation_id=(await outreach.sequence("Millrace"))["id"])
    await outreach.live(2)
    await control.pause(outreach.pool, scope)
    await outreach.live(5)
    await control.resume(outreach.pool, scope, "by_policy")
    await outreach.live(8)
    assert await outreach.sent("Millrace") == {"proposal_email": 0, "value_reinforcement": 7}
    assert (await outreach.became("Millrace"))["send_gentle_reminder"] == "skipped: late by 2 days"


async def test_a_sequence_paused_over_the_third_day_and_resumed_to_send_all_sends_the_reminder_then(
    outreach: Outreach,
) -> None:
    scope = Scope(automation_id=(await outreach.sequence("Millrace"))["id"])
    await outreach.live(2)
    await control.pause(outreach.pool, scope)
    await outreach.live(5)
    await control.resume(outreach.pool, scope, "send_all")
    await outreach.live(8)
    assert await outreach.sent("Millrace") == {"proposal_email": 0, "gentle_reminder": 5, "value_reinforcement": 7}


async def test_an_event_moved_nearer_ends_the_sequences_earlier(outreach: Outreach) -> None:
    await outreach.live(2)
    starts = outreach.start + 10 * DAY
    await outreach.house.set_event(outreach.event, starts_at=starts, ends_at=starts + DAY)
    await outreach.live()
    assert list(await outreach.sent("Millrace")) == ["proposal_email", "gentle_reminder", "value_reinforcement"]
    row = await outreach.sequence("Millrace")
    assert (row["status"], row["completed_at"]) == ("completed", starts)
    assert (await outreach.became("Millrace"))["send_last_chance"] == "skipped: the event has begun"


async def test_an_event_moved_away_lets_the_sequences_go_on_as_they_were(outreach: Outreach) -> None:
    await outreach.live(2)
    starts = outreach.start + 200 * DAY
    await outreach.house.set_event(outreach.event, starts_at=starts, ends_at=starts + DAY)
    await outreach.live()
    assert (await outreach.sent("Millrace"))["last_chance"] == 21
    assert (await outreach.sequence("Millrace"))["completed_at"] == starts


async def test_an_event_that_is_cancelled_takes_every_sequence_with_it(outreach: Outreach) -> None:
    await outreach.live(2)
    await outreach.house.set_event(outreach.event, status="cancelled")
    await outreach.live()
    for sponsor, row in (await outreach.sequences()).items():
        assert row["status"] == "cancelled"
        assert list(await outreach.sent(sponsor)) == ["proposal_email"]


async def test_one_sequence_that_is_cancelled_leaves_the_others_alone(outreach: Outreach) -> None:
    await orders.cancel(outreach.pool, Scope(automation_id=(await outreach.sequence("Millrace"))["id"]))
    await outreach.live(8)
    assert list(await outreach.sent("Millrace")) == ["proposal_email"]
    assert len(await outreach.sent("Brightkiln")) == 3


async def test_nothing_goes_out_before_exactly_these_words_are_approved(working: House) -> None:
    begun = await begin(working, approval="required")
    await begun.live(1)
    row = await working.row(f"sponsor_outreach/{begun.event}/1")
    assert (row["approval"], row["current_step"]) == ("required", "create_follow_up_sequence")
    assert await begun.sequences() == {}

    shown = await orders.to_approve(begun.pool, row["id"])
    assert len(shown.contents) == 3
    await begun.pool.execute(
        "UPDATE proposals SET slots = slots || $2 WHERE event_id = $1 AND rank = 1",
        begun.event,
        {"subject": "Another idea"},
    )
    await working.quiet()
    with pytest.raises(orders.ControlError, match="has changed since it was shown"):
        await orders.approve(
            working.client,
            working.pool,
            row["id"],
            Decide(step="create_follow_up_sequence", content_hash=shown.content_hash),
        )
    now = await orders.to_approve(begun.pool, row["id"])
    await orders.approve(
        working.client, working.pool, row["id"], Decide(step=now.step, content_hash=now.content_hash, by="Olga")
    )
    await begun.live(2)
    assert len(await begun.sequences()) == 3
    subjects = await begun.pool.fetch("SELECT subject FROM email_templates ORDER BY subject")
    assert "Another idea" in [one["subject"] for one in subjects]


async def test_of_proposals_decided_one_by_one_the_rejected_is_left_out_and_the_others_go_together(
    working: House,
) -> None:
    begun = await begin(working, approval="required")
    await begun.live(1)
    id_ = (await working.row(f"sponsor_outreach/{begun.event}/1"))["id"]
    shown = {one.name: one.content_hash for one in (await orders.to_approve(begun.pool, id_)).contents}
    step = "create_follow_up_sequence"

    async def say(verb: Callable[..., Awaitable[str]], sponsor: str) -> str:
        decision = Decide(step=step, content_hash=shown[sponsor], by="Olga", note="not them")
        return await verb(working.client, begun.pool, id_, decision)

    assert await say(orders.approve, "Millrace") == "Millrace is approved; 2 more to decide about"
    assert await say(orders.reject, "Brightkiln") == "Brightkiln is left out; 1 more to decide about"
    await begun.live(2)
    assert await begun.sequences() == {}
    assert await say(orders.approve, "Stratus Yard") == f"approved; {step} goes on"
    await begun.live(3)
    assert list(await begun.sequences()) == ["Millrace", "Stratus Yard"]
    for sponsor in ("Millrace", "Stratus Yard"):
        assert await begun.sent(sponsor) == {"proposal_email": 2}
    assert (await begun.status("Brightkiln"))[1] == "rejected"


async def test_an_answer_that_comes_while_the_model_writes_the_next_letter_lets_that_letter_not_go_out(
    outreach: Outreach,
) -> None:
    await outreach.opens("Millrace")
    await outreach.live(2)
    async with httpx2.AsyncClient() as http:
        wish = {"provider": "openai", "slow": 12.0}
        (await http.post(f"{outreach.house.settings.sandbox_url}/_sandbox/faults", json=wish)).raise_for_status()
    living = asyncio.create_task(outreach.live(4))
    sequence = (await outreach.sequence("Millrace"))["temporal_workflow_id"]
    await outreach.house.until_step(sequence, "send_follow_up", "running")
    await outreach.house.handle(sequence).signal(
        "sponsor_responded", News(kind="sponsor_responded", at=outreach.start + 3 * DAY)
    )
    await living
    assert set(await outreach.sent("Millrace")) == {"proposal_email", "schedule_meeting", "sponsor_responded"}
    assert (await outreach.became("Millrace"))["send_follow_up"] == "skipped: ended by sponsor_responded"


async def test_no_history_of_an_outreach_holds_anything_personal(outreach: Outreach) -> None:
    await outreach.replies("Millrace", "Bob <bob@millrace.example>", "Call me on 0301234.")
    await outreach.live(4)
    recorded = b"\n".join(
        event.SerializeToString() for history in await outreach.house.histories() for event in history.events
    )
    assert recorded
    for personal in (b"millrace.example", b"Ada Nowak", b"Bob", b"Millrace", b"0301234"):
        assert personal not in recorded


async def test_one_proposal_that_cannot_be_written_is_held_and_given_up_and_the_others_go_out(working: House) -> None:
    async with httpx2.AsyncClient() as http:
        wish = {"provider": "openai", "next": ["refusal"]}
        (await http.post(f"{working.settings.sandbox_url}/_sandbox/faults", json=wish)).raise_for_status()
    begun = await begin(working)
    await begun.live(1)
    id_ = f"sponsor_outreach/{begun.event}/1"
    row = await working.row(id_)
    assert "OpenAI's model declines" in row["last_error"]
    assert await begun.sequences() == {}
    await orders.order(working.client, working.pool, row["id"], "skip", StepOrder(step="generate_proposals", by="Ada"))
    await begun.live(2)
    assert len(await begun.sequences()) == 2
    assert (await working.handle(id_).result())["sequences_created"] == 2
