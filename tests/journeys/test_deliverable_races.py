"""A deliverable that is handed in exactly while its deadline is decided, at every point.

Who has handed in is not told that it is overdue: the alert was decided before, or does not go out. Either way the sponsor is thanked
once and the organizer is asked once to look at it.
"""

import asyncio
from uuid import UUID

import pytest

from tests.journeys.stopping import Hosting, stopped_at
from tests.workflows.deliverable_stage import Office, at, open_office, tracker
from tests.workflows.house import House

AT = {
    # where the tracker waits: of which step, at which point, and whether an alert is about to leave that no hand-in stops
    "Logo": ("deadline_check", "asked", False),
    "Banner": ("deadline_check", "written", False),
    "Booth plan": ("deadline_check", "ending", False),
    "Lanyard": ("mark_overdue", "asked", False),
    "Badge": ("mark_overdue", "written", False),
    "Video": ("mark_overdue", "ending", False),
    "Talk": ("send_overdue_alert", "asked", False),
    "Demo": ("send_overdue_alert", "written", False),
    "Advert": ("send_overdue_alert", "committing", True),
    "Raffle": ("send_overdue_alert", "ending", True),
    "Flyer": ("send_thank_you", "written", False),
}
ALERT = ["deliverable_overdue", "deliverable_overdue_alert"]
THANKS = ["deliverable_review", "deliverable_thank_you"]


@pytest.fixture
async def office(house: House, hosting: Hosting) -> Office:  # noqa: ARG001 - it hosts them
    return await open_office(house)


async def told(office: Office, deliverable: UUID) -> list[str]:
    """What went out about a deliverable from its deadline on, in the order in which it was decided.

    What has expired does not count: the gates stop it, which the postman does not ask.
    """
    rows = await office.house.pool.fetch(
        """
        SELECT m.template FROM messages m JOIN automation_workflows a ON a.id = m.automation_id
        WHERE a.subject_id = $1 AND m.status = 'sent' AND m.sent_at >= $2
          AND coalesce(m.valid_until > m.sent_at, TRUE) ORDER BY m.created_at, m.template
        """,
        *(deliverable, at(20, 23, 59)),
    )
    return [row["template"] for row in rows]


@pytest.mark.timeout(180)
async def test_what_is_handed_in_while_the_deadline_is_decided_is_thanked_for_and_never_called_overdue_afterwards(
    office: Office,
) -> None:
    """After a hand-in nothing more is decided that chases it, and one thank-you and one review come of it."""
    house = office.house
    owed = {name: await office.owes(name=name) for name in AT}
    await office.live(at(20, 23))
    living = asyncio.create_task(office.live(at(22, 12)))
    points = {(await house.row(tracker(id_)))["id"]: AT[name][:2] for name, id_ in owed.items()}
    house.post_as = None
    async with stopped_at(house, points) as stopped:
        await stopped.meanwhile(*(office.set(id_, status="submitted") for id_ in owed.values()))
    house.post_as = "sent"
    await asyncio.wait_for(living, 60)

    for name, (step, point, leaving) in AT.items():
        messages = await told(office, owed[name])
        assert messages == [*(ALERT if leaving else ()), *THANKS], (step, point, messages)
        assert (await office.deliverable(owed[name]))["status"] == "submitted", (step, point)
