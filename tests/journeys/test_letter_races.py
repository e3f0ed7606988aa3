"""A sequence is stopped while the model writes its second letter, also with the worker killed there."""

import asyncio

import httpx2
import pytest

from database import control
from database.control import Scope
from models.player import News
from tests.journeys.stopping import Hosting
from tests.workflows.house import House
from tests.workflows.sponsor_stage import DAY, Outreach, begin

AT = {
    # what stops the sequence, how the letter then stands, and what goes out beside the proposal
    "Stratus Yard": ("sponsor_responded", "ended by sponsor_responded", {"schedule_meeting", "sponsor_responded"}),
    "Millrace": ("sponsor_declined", "ended by sponsor_declined", {"declined_thank_you"}),
    "Brightkiln": ("cancelled", "they are a partner already", set[str]()),
}


@pytest.fixture
async def outreach(house: House, hosting: Hosting) -> Outreach:  # noqa: ARG001 - it hosts them
    """Three sequences whose proposals were opened, and which wait for their third day."""
    begun = await begin(house, sponsors=tuple(AT))
    await begun.live(0.5)
    for sponsor in AT:
        await begun.opens(sponsor)
    await begun.live(2)
    return begun


async def answer_after(outreach: Outreach, seconds: float) -> None:
    """The model thinks for so long."""
    async with httpx2.AsyncClient(base_url=str(outreach.house.settings.sandbox_url)) as http:
        wish = {"provider": "openai", "slow": seconds}
        (await http.post("/_sandbox/faults", json=wish)).raise_for_status()


async def stop(outreach: Outreach, sponsor: str) -> None:
    """What stops this sponsor's sequence happens."""
    row, what = await outreach.sequence(sponsor), AT[sponsor][0]
    if what == "cancelled":
        await control.cancel(outreach.pool, Scope(automation_id=row["id"]), "they are a partner already")
    else:
        news = News(kind=what, at=outreach.start + 3 * DAY)
        await outreach.house.handle(row["temporal_workflow_id"]).signal(what, news)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("killed", [False, True], ids=["the worker goes on", "the worker is killed there"])
async def test_a_letter_that_is_being_written_when_its_sequence_is_stopped_does_not_go_out(
    outreach: Outreach, hosting: Hosting, killed: bool
) -> None:
    """An answer is answered, a refusal thanked for, a cancellation followed by nothing; and no follow-up goes out."""
    await answer_after(outreach, 12.0)
    living = asyncio.create_task(outreach.live(8))
    for row in (await outreach.sequences()).values():
        await outreach.house.until_step(row["temporal_workflow_id"], "send_follow_up", "running")
    for sponsor in AT:
        await stop(outreach, sponsor)
    if killed:
        await hosting.kill()
        await answer_after(outreach, 0.0)
        await hosting.begin()
    await asyncio.wait_for(living, 150)

    for sponsor, (what, why, answers) in AT.items():
        assert set(await outreach.sent(sponsor)) == {"proposal_email", *answers}, what
        assert (await outreach.became(sponsor))["send_follow_up"] == f"skipped: {why}", what
    twice = await outreach.pool.fetch("SELECT automation_id, template FROM messages GROUP BY 1, 2 HAVING count(*) > 1")
    assert twice == []
