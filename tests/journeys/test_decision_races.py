"""A fact that arrives while a step is being decided, at every possible point, also with the worker killed there.

On the third day a sequence sends a gentle reminder, or a follow-up if the proposal was opened; here
the opening arrives while that is being decided. Whatever was written first holds, and never do both go out.
"""

import asyncpg
import pytest

from tests.journeys.stopping import Hosting, stopped_at
from tests.workflows.house import House
from tests.workflows.sponsor_stage import Outreach, begin

REMINDED, FOLLOWED_UP = "gentle_reminder", "follow_up"
AT = {
    # where the sequence waits: of which step, at which point, and what goes out if the worker is killed there
    "Stratus Yard": ("send_gentle_reminder", "asked", FOLLOWED_UP),
    "Millrace": ("send_gentle_reminder", "written", FOLLOWED_UP),
    "Brightkiln": ("send_gentle_reminder", "committing", REMINDED),
    "Quayside": ("send_gentle_reminder", "answered", REMINDED),
    "Larkspur": ("check_opened", "written", FOLLOWED_UP),
    "Foxglove": ("check_opened", "ending", FOLLOWED_UP),
}
"""Until the decision is committed nothing is decided; from then on it is, though nobody was told."""


@pytest.fixture
async def outreach(house: House, hosting: Hosting) -> Outreach:  # noqa: ARG001 - it hosts them
    """Six sequences that wait for their third day."""
    begun = await begin(house, sponsors=tuple(AT))
    await begun.live(2)
    return begun


async def decided(outreach: Outreach, sponsor: str) -> list[asyncpg.Record]:
    """What the journal says of the place that the two branches share."""
    rows: list[asyncpg.Record] = await outreach.pool.fetch(
        "SELECT step_id, status FROM workflow_execution_logs WHERE workflow_id = $1 AND slot = 'third_day'",
        (await outreach.sequence(sponsor))["id"],
    )
    return rows


@pytest.mark.timeout(180)
@pytest.mark.parametrize("killed", [False, True], ids=["the worker goes on", "the worker is killed there"])
async def test_an_opening_that_arrives_while_the_third_day_is_decided_never_yields_both_branches(
    outreach: Outreach, hosting: Hosting, killed: bool
) -> None:
    """One of the two mails goes out, once, on the third day; the other does not; and the seventh day comes as always."""
    sequences = {sponsor: await outreach.sequence(sponsor) for sponsor in AT}
    points = {row["id"]: AT[sponsor][:2] for sponsor, row in sequences.items()}
    async with stopped_at(outreach.house, points, outreach.live(8)) as stopped:
        for row in sequences.values():
            await outreach.house.handle(row["temporal_workflow_id"]).signal("proposal_opened")
        if killed:
            await hosting.kill()
    if killed:
        await hosting.begin()
    await stopped.lived()

    for sponsor, (_, point, after_kill) in AT.items():
        sent = await outreach.sent(sponsor)
        third_day = [template for template in (REMINDED, FOLLOWED_UP) if template in sent]
        journal = await decided(outreach, sponsor)
        assert len(third_day) == 1, (sponsor, point, sent)
        assert sent[third_day[0]] == 3, (sponsor, point, sent)
        assert [row["status"] for row in journal] == ["success"], (sponsor, point, journal)
        assert list(sent) == ["proposal_email", third_day[0], "value_reinforcement"], (sponsor, point, sent)
        if killed:
            assert third_day == [after_kill], (sponsor, point, sent)
    twice = await outreach.pool.fetch("SELECT automation_id, template FROM messages GROUP BY 1, 2 HAVING count(*) > 1")
    assert twice == []
