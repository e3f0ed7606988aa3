"""A deliverable that is handed in exactly while its deadline is decided, at every point, also with the worker killed there.

Who has handed in is not told that it is overdue, also where the alert was decided before: it does not go out. The sponsor is thanked
once and the organizer is asked once to look at it.
"""

from uuid import UUID

import pytest

from tests.journeys.stopping import Hosting, stopped_at
from tests.workflows.deliverable_stage import Office, at, open_office, tracker
from tests.workflows.house import House

HANDED_IN = "skipped: the condition does not hold: not deliverable_submitted"
NOTHING = ("success", HANDED_IN)
"""Nothing is decided: the check finds it handed in, and the alert is called off."""
CHECKED = ("skipped: the condition does not hold: deliverable_submitted", HANDED_IN)
"""It was checked in vain. That alone alerts nobody: the alert, begun or not, has queued nothing and is called off."""
PREPARED = (CHECKED[0], "skipped: nobody to write to in the step's audience and the_organizer")
"""The alert is under way and its messages were not committed: by now they concern nobody."""
QUEUED = (CHECKED[0], "skipped: it was handed in meanwhile")
"""The alert is decided and its messages are queued: they die at the gate, also if they were committed only after the hand-in."""

AT = {
    # where the tracker waits: of which step, at which point, and what the check and the alert come to if the worker is killed there
    "Logo": ("deadline_check", "asked", NOTHING),
    "Banner": ("deadline_check", "written", NOTHING),
    "Booth plan": ("deadline_check", "ending", NOTHING),
    "Lanyard": ("mark_overdue", "asked", CHECKED),
    "Badge": ("mark_overdue", "written", CHECKED),
    "Video": ("mark_overdue", "ending", CHECKED),
    "Talk": ("send_overdue_alert", "asked", PREPARED),
    "Demo": ("send_overdue_alert", "written", PREPARED),
    "Advert": ("send_overdue_alert", "committing", QUEUED),
    "Raffle": ("send_overdue_alert", "ending", PREPARED),
    "Flyer": ("send_thank_you", "written", QUEUED),
}
"""Until a decision is committed nothing is decided; from then on it is, though nobody was told."""
THANKS = ["deliverable_review", "deliverable_thank_you"]


@pytest.fixture
async def office(house: House, hosting: Hosting) -> Office:  # noqa: ARG001 - it hosts them
    return await open_office(house)


async def told(office: Office, deliverable: UUID) -> list[str]:
    """What went out about a deliverable from its deadline on, in the order in which it was decided."""
    rows = await office.house.pool.fetch(
        """
        SELECT m.template FROM messages m JOIN automation_workflows a ON a.id = m.automation_id
        WHERE a.subject_id = $1 AND m.status = 'sent' AND m.sent_at >= $2 ORDER BY m.created_at, m.template
        """,
        *(deliverable, at(20, 23, 59)),
    )
    return [row["template"] for row in rows]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("killed", [False, True], ids=["the worker goes on", "the worker is killed there"])
async def test_what_is_handed_in_while_the_deadline_is_decided_is_thanked_for_and_never_called_overdue_afterwards(
    office: Office, hosting: Hosting, killed: bool
) -> None:
    """After a hand-in nothing more goes out that chases it, and one thank-you and one review come of it."""
    house = office.house
    owed = {name: await office.owes(name=name) for name in AT}
    await office.live(at(20, 23))
    points = {(await house.row(tracker(id_)))["id"]: AT[name][:2] for name, id_ in owed.items()}
    house.post_as = None
    async with stopped_at(house, points, office.live(at(22, 12))) as stopped:
        await stopped.meanwhile(*(office.set(id_, status="submitted") for id_ in owed.values()))
        if killed:
            await hosting.kill()
    if killed:
        await hosting.begin()
    house.post_as = "sent"
    await stopped.lived()

    for name, (step, point, after_kill) in AT.items():
        messages = await told(office, owed[name])
        states = await house.states(tracker(owed[name]))
        assert messages == THANKS, (step, point, messages)
        assert (await office.deliverable(owed[name]))["status"] == "submitted", (step, point)
        if killed:
            assert (states["deadline_check"], states["send_overdue_alert"]) == after_kill, (step, point, states)
