"""Sponsor outreach of an event that is taken back and published again, and of sponsors who sign without it."""

import pytest

from database.control import Scope
from models.approval import Decide
from starter import control as orders
from tests.workflows.house import House
from tests.workflows.sponsor_stage import DAY, Outreach, begin


@pytest.fixture
async def outreach(working: House) -> Outreach:
    """Three sponsors that fit; each has been sent its proposal, and the event is published on the second day."""
    begun = await begin(working)
    await begun.live(1)
    await begun.is_now("published")
    await begun.live(2)
    return begun


async def back(outreach: Outreach, gone: str = "draft") -> None:
    """The event is taken back on the day that it is, and published again two days later."""
    await outreach.is_now(gone)
    today = (
        await outreach.pool.fetchval("SELECT clock_now FROM events WHERE id = $1", outreach.event)
    ) - outreach.start
    await outreach.live(today / DAY + 2)
    await outreach.is_now("published")


# -- published again ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["draft", "cancelled"])
async def test_an_event_that_is_published_again_goes_on_with_its_sponsors_and_repeats_no_letter(
    outreach: Outreach, gone: str
) -> None:
    """The sequence counts from the publication; what it said before, it does not say again."""
    await outreach.live(3.5)
    assert await outreach.letters("Millrace") == [("proposal_email", 0), ("gentle_reminder", 3)]
    await back(outreach, gone)
    await outreach.live()
    assert await outreach.letters("Millrace") == [
        ("proposal_email", 0),
        ("gentle_reminder", 3),
        ("value_reinforcement", 12.5),
        ("social_proof", 19.5),
        ("last_chance", 26.5),
    ]
    assert (await outreach.sequence("Millrace"))["status"] == "completed"
    generations = await outreach.pool.fetch(
        "SELECT generation, count(*) FROM automation_workflows WHERE name LIKE 'Sponsor Follow-up: %' GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row) for row in generations] == [(1, 3), (2, 3)]


async def test_what_a_person_cancelled_and_who_has_answered_is_left_alone_when_the_event_is_published_again(
    outreach: Outreach,
) -> None:
    await orders.cancel(outreach.pool, Scope(automation_id=(await outreach.sequence("Millrace"))["id"]))
    await outreach.says("Stratus Yard", "accepted")
    await outreach.live(2.5)
    await back(outreach)
    await outreach.live(40)
    assert await outreach.letters("Millrace") == [("proposal_email", 0)]
    assert await outreach.letters("Stratus Yard") == [("proposal_email", 0)]
    assert [letter for letter, _ in await outreach.letters("Brightkiln")][-1] == "last_chance"


async def test_a_proposal_opened_before_the_event_was_taken_back_is_followed_up_afterwards(outreach: Outreach) -> None:
    await outreach.opens("Millrace")
    await outreach.live(2.5)
    await back(outreach)
    await outreach.live(8)
    assert await outreach.letters("Millrace") == [("proposal_email", 0), ("follow_up", 7.5)]
    assert await outreach.letters("Brightkiln") == [("proposal_email", 0), ("gentle_reminder", 7.5)]


async def test_an_answer_to_a_letter_from_before_the_event_was_taken_back_ends_what_goes_on_now(
    outreach: Outreach,
) -> None:
    letter = await outreach.pool.fetchval(
        "SELECT id FROM messages WHERE automation_id = $1", (await outreach.sequence("Millrace"))["id"]
    )
    await back(outreach)
    await outreach.live(5)
    await outreach.replies("Millrace", "ada@millrace.example", letter=letter)
    await outreach.live(40)
    assert await outreach.letters("Millrace") == [("proposal_email", 0), ("schedule_meeting", 5)]
    assert await outreach.status("Millrace") == ("hot", "responded")


async def test_words_that_were_approved_and_had_not_left_go_out_at_the_publication_without_being_asked_about_again(
    working: House,
) -> None:
    begun = await begin(working, approval="required")
    await begun.live(1)
    await begun.is_now("published")
    row = await working.row(f"sponsor_outreach/{begun.event}/1")
    shown = await orders.to_approve(begun.pool, row["id"])
    working.post_as = None
    await orders.approve(
        working.client, begun.pool, row["id"], Decide(step=shown.step, content_hash=shown.content_hash, by="Olga")
    )
    await working.until(begun.sequences)
    await working.quiet()
    await begun.is_now("draft")
    working.post_as = "sent"
    await begun.is_now("published")
    await begun.live(2)
    assert await begun.letters("Millrace") == [("proposal_email", 1)]


async def test_an_outreach_that_had_not_completed_begins_again_when_the_event_is_published_again(
    working: House,
) -> None:
    """Nobody had approved its proposals when the event was taken back: it finds sponsors anew, and asks again."""
    begun = await begin(working, approval="required")
    await begun.live(1)
    await begun.is_now("published")
    await begun.is_now("draft")
    await begun.live(2)
    assert (await working.row(f"sponsor_outreach/{begun.event}/1"))["status"] == "cancelled"
    await begun.is_now("published")
    await begun.live(3)
    row = await working.row(f"sponsor_outreach/{begun.event}/2")
    assert (row["status"], row["current_step"]) == ("active", "create_follow_up_sequence")
    assert len((await orders.to_approve(begun.pool, row["id"])).contents) == 3


async def test_an_outreach_that_a_person_cancelled_does_not_begin_again_when_the_event_is_published_again(
    working: House,
) -> None:
    begun = await begin(working, approval="required")
    await begun.live(1)
    await begun.is_now("published")
    await orders.cancel(begun.pool, Scope(automation_id=(await working.row(f"sponsor_outreach/{begun.event}/1"))["id"]))
    await working.quiet()
    await back(begun)
    await begun.live(4)
    generations = await begun.pool.fetchval("SELECT max(generation) FROM automation_workflows")
    assert generations == 1


# -- signed without the sequence ------------------------------------------------------------------------------------


async def test_a_sponsor_who_signs_without_the_sequence_is_courted_no_longer_and_counted_once(
    outreach: Outreach,
) -> None:
    """The sponsorship keeps the tier that was agreed on, and owes what that tier owes."""
    await outreach.becomes_sponsor("Millrace")
    await outreach.live(12)
    await outreach.says("Millrace", "signed")
    await outreach.live(15)
    assert await outreach.letters("Millrace") == [("proposal_email", 0)]
    assert await outreach.status("Millrace") == ("accepted", "signed")
    assert (await outreach.sequence("Millrace"))["status"] == "completed"
    rows = await outreach.pool.fetch("SELECT tier, amount FROM sponsorships WHERE event_id = $1", outreach.event)
    assert [tuple(row) for row in rows] == [("Gold", 9000)]
    owed = await outreach.pool.fetch(
        "SELECT name FROM sponsor_deliverables WHERE event_id = $1 ORDER BY name", outreach.event
    )
    assert "Stage banner" in {row["name"] for row in owed}
    assert len(owed) == len({row["name"] for row in owed})
    assert [letter for letter, _ in await outreach.letters("Brightkiln")] == [
        "proposal_email", "gentle_reminder", "value_reinforcement", "social_proof"
    ]  # fmt: skip


async def test_a_sponsor_who_signs_while_the_event_is_taken_back_is_not_written_to_when_it_is_published_again(
    outreach: Outreach,
) -> None:
    await outreach.is_now("draft")
    await outreach.becomes_sponsor("Millrace")
    await outreach.live(3)
    await outreach.is_now("published")
    await outreach.live(20)
    assert await outreach.letters("Millrace") == [("proposal_email", 0)]
    assert await outreach.status("Millrace") == ("accepted", "signed")
