"""Sponsor outreach lived on a stepped clock: the real workflows and the real database, from the event's creation to its start."""

from datetime import date

import pytest
from temporalio.client import WorkflowExecutionStatus

from models.player import News
from tests.workflows.house import House
from tests.workflows.sponsor_stage import DAY, Outreach, begin


@pytest.fixture
async def outreach(working: House) -> Outreach:
    """Three sponsors that fit and one that does not; each has been sent its proposal."""
    begun = await begin(working)
    await begun.live(0.5)
    return begun


# -- from the event's creation to its start -------------------------------------------------------------------------


async def test_an_event_that_is_created_finds_its_sponsors_and_writes_to_each_until_the_last_chance(
    outreach: Outreach,
) -> None:
    parent = outreach.house.handle(f"sponsor_outreach/{outreach.event}/1")
    assert await parent.result() == {"matches_found": 3, "proposals_generated": 3, "sequences_created": 3}
    assert list(await outreach.sequences()) == ["Brightkiln", "Millrace", "Stratus Yard"]
    await outreach.live()
    for sponsor in await outreach.sequences():
        assert await outreach.sent(sponsor) == {
            "proposal_email": 0,
            "gentle_reminder": 3,
            "value_reinforcement": 7,
            "social_proof": 14,
            "last_chance": 21,
        }
        assert await outreach.status(sponsor) == ("warm", "active")
        row = await outreach.sequence(sponsor)
        assert (row["status"], row["last_error"]) == ("completed", None)
        assert row["completed_at"] == await outreach.pool.fetchval(
            "SELECT starts_at FROM events WHERE id = $1", outreach.event
        )


async def test_what_is_checked_is_journalled_with_what_was_found(outreach: Outreach) -> None:
    await outreach.opens("Millrace")
    await outreach.live(4)
    unopened, opened = await outreach.became("Brightkiln"), await outreach.became("Millrace")
    assert (unopened["check_opened"], unopened["check_responded"]) == ("success", "success")
    assert unopened["send_follow_up"] == "skipped: the other branch was taken"
    assert opened["check_opened"] == "skipped: the condition does not hold: not proposal_opened"
    assert opened["send_gentle_reminder"] == "skipped: the condition does not hold: not proposal_opened"
    assert list(await outreach.sent("Millrace")) == ["proposal_email", "follow_up"]


async def test_the_sequences_outlive_their_outreach(outreach: Outreach) -> None:
    described = await outreach.house.handle(f"sponsor_outreach/{outreach.event}/1").describe()
    assert described.status == WorkflowExecutionStatus.COMPLETED
    row = await outreach.house.row(f"sponsor_outreach/{outreach.event}/1")
    assert (row["status"], row["name"]) == ("completed", "Sponsor Outreach: River Conf")
    await outreach.live(3.5)
    assert list(await outreach.sent("Millrace")) == ["proposal_email", "gentle_reminder"]


# -- answers --------------------------------------------------------------------------------------------------------


async def test_a_colleagues_answer_makes_the_sponsor_hot_proposes_a_meeting_and_ends_the_sequence(
    outreach: Outreach,
) -> None:
    await outreach.live(4)
    await outreach.replies("Millrace", "Bob <bob@millrace.example>")
    await outreach.live(30)
    assert await outreach.sent("Millrace") == {
        "proposal_email": 0,
        "gentle_reminder": 3,
        "schedule_meeting": 4,
        "sponsor_responded": 4,
    }
    assert await outreach.status("Millrace") == ("hot", "responded")
    row = await outreach.sequence("Millrace")
    assert (row["status"], row["steps_completed"], row["steps_total"]) == ("completed", 8, 8)
    became = await outreach.became("Millrace")
    for step in ("send_value_email", "send_social_proof", "send_last_chance"):
        assert became[step] == "skipped: ended by sponsor_responded"
    told = await outreach.pool.fetch("SELECT title FROM notifications")
    assert [row["title"] for row in told] == ["Millrace has answered the proposal"]
    assert list(await outreach.sent("Brightkiln"))[-1] == "last_chance"


async def test_an_answer_from_elsewhere_ends_nothing(outreach: Outreach) -> None:
    await outreach.replies("Millrace", "bob@elsewhere.example")
    await outreach.live(8)
    assert list(await outreach.sent("Millrace")) == ["proposal_email", "gentle_reminder", "value_reinforcement"]


async def test_a_refusal_is_thanked_for_once_and_nothing_follows(outreach: Outreach) -> None:
    await outreach.live(1)
    await outreach.replies("Millrace", "ada@millrace.example", "Thanks, but we are not interested.")
    await outreach.live()
    assert await outreach.sent("Millrace") == {"proposal_email": 0, "declined_thank_you": 1}
    assert await outreach.status("Millrace") == ("declined", "declined")


async def test_somebody_away_gets_the_next_mail_on_the_day_of_return_and_no_other_before(outreach: Outreach) -> None:
    await outreach.live(1)
    back: date = (outreach.start + 5 * DAY).date()
    await outreach.happens("Millrace", "message_auto_replied", reply=str(outreach.event), until=back.isoformat())
    await outreach.live(6)
    sent = await outreach.sent("Millrace")
    assert list(sent) == ["proposal_email", "gentle_reminder"]
    due = outreach.start + sent["gentle_reminder"] * DAY
    assert due.date() == back
    assert list(await outreach.sent("Brightkiln")) == ["proposal_email", "gentle_reminder"]
    assert (await outreach.sent("Brightkiln"))["gentle_reminder"] == 3


async def test_accepted_gets_no_more_mail_and_signed_becomes_a_sponsorship_with_its_deliverables(
    outreach: Outreach,
) -> None:
    await outreach.live(2)
    await outreach.says("Millrace", "accepted")
    await outreach.live(10)
    assert list(await outreach.sent("Millrace")) == ["proposal_email", "sponsor_accepted"]
    row = await outreach.sequence("Millrace")
    assert (row["status"], row["current_step"]) == ("active", "send_social_proof")
    assert (row["steps_completed"], row["steps_total"]) == (6, 8)
    assert await outreach.status("Millrace") == ("accepted", "accepted")
    await outreach.says("Millrace", "signed")
    await outreach.live(11)
    assert (await outreach.sequence("Millrace"))["status"] == "completed"
    assert await outreach.status("Millrace") == ("accepted", "signed")
    signed = await outreach.pool.fetchrow(
        """
        SELECT h.tier, count(d.id) FROM sponsorships h JOIN sponsor_deliverables d ON d.sponsorship_id = h.id
        WHERE h.event_id = $1 GROUP BY h.tier
        """,
        outreach.event,
    )
    assert signed is not None
    assert tuple(signed) == ("Silver", 4)


async def test_signed_after_the_sequence_has_ended_becomes_a_sponsorship_all_the_same(outreach: Outreach) -> None:
    await outreach.replies("Millrace", "ada@millrace.example")
    await outreach.live(1)
    assert (await outreach.sequence("Millrace"))["status"] == "completed"
    await outreach.says("Millrace", "accepted")
    await outreach.says("Millrace", "signed")
    await outreach.live(2)
    assert await outreach.status("Millrace") == ("accepted", "signed")
    assert await outreach.pool.fetchval("SELECT count(*) FROM sponsorships WHERE event_id = $1", outreach.event) == 1


async def test_a_signal_without_input_ends_a_sequence_as_the_plain_command_line_sends_it(outreach: Outreach) -> None:
    handle = outreach.house.handle((await outreach.sequence("Millrace"))["temporal_workflow_id"])
    await handle.signal("sponsor_responded")
    await handle.result()
    await outreach.live(1)
    assert set(await outreach.sent("Millrace")) == {"proposal_email", "schedule_meeting", "sponsor_responded"}
    assert await outreach.status("Millrace") == ("hot", "responded")


async def test_the_same_fact_told_twice_is_answered_once(outreach: Outreach) -> None:
    handle = outreach.house.handle((await outreach.sequence("Millrace"))["temporal_workflow_id"])
    await outreach.live(1)
    news = News(kind="sponsor_accepted", at=outreach.start + DAY, data={"occurrence": 1})
    await handle.execute_update("tell", news)
    await handle.execute_update("tell", news)
    await outreach.live(2)
    names = await outreach.pool.fetch(
        "SELECT step_id, round FROM workflow_execution_logs WHERE workflow_id = $1 AND step_id = 'mark_accepted'",
        (await outreach.sequence("Millrace"))["id"],
    )
    assert [tuple(row) for row in names] == [("mark_accepted", 0)]
