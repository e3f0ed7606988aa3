"""An event whose row is deleted: everything that runs for it ends, soon and for good, and nothing more is sent."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from asyncpg import DeadlockDetectedError
from temporalio.client import WorkflowExecutionStatus

from database import control
from database.control import Scope
from models.watch import event_watch_id
from tests.workflows.deliverable_stage import at, open_office, tracker
from tests.workflows.house import House, replay
from workflows.timeline import email, step, timeline

LATER = timeline(step("announce", "30 days", email("announcement_email", to="all_contacts")))
OVER = (WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.CANCELED)


async def until_over(house: House, *workflows: str) -> None:
    """Wait until these have ended by themselves; what they did can be replayed."""
    for id_ in workflows:

        async def over(id_: str = id_) -> bool:
            return (await house.handle(id_).describe()).status in OVER

        await house.until(over, 30)
    await replay([await house.handle(id_).fetch_history() for id_ in workflows])


async def nothing_is_left(house: House) -> None:
    """Every occurrence was taken in, none is held, and there is no message that could be sent."""
    await house.quiet()
    assert await house.pool.fetch("SELECT kind, last_error FROM occurrences WHERE held_at IS NOT NULL") == []
    assert await house.pool.fetchval("SELECT count(*) FROM messages") == 0


async def owed(house: House, event: UUID) -> UUID:
    """A logo that a sponsor of an event owes in twenty days."""
    id_: UUID = await house.pool.fetchval(
        """
        WITH sponsor AS (
            INSERT INTO sponsors (organizer_id, name, contact_email)
            SELECT organizer_id, 'Acme', 'ada@acme.example' FROM events WHERE id = $1 RETURNING id
        ), agreed AS (
            INSERT INTO sponsorships (event_id, sponsor_id) SELECT $1, id FROM sponsor RETURNING id
        )
        INSERT INTO sponsor_deliverables (sponsorship_id, event_id, name, deliverable_type, due_date)
        SELECT id, $1, 'Logo', 'logo', $2 FROM agreed RETURNING id
        """,
        *(event, (datetime.now(UTC) + timedelta(days=20)).date()),
    )
    return id_


async def delete(house: House, event: UUID) -> None:
    """Delete an event; PostgreSQL may refuse one that meets others at work on it, and then it is asked again."""
    while True:
        try:
            await house.pool.execute("DELETE FROM events WHERE id = $1", event)
            break
        except DeadlockDetectedError:
            continue


async def test_everything_that_waits_for_months_ends_when_its_event_is_deleted(working: House) -> None:
    """An attendee's, a tracker that listens for ever, one that is paused, one without dates, and the watch."""
    await working.pool.execute("UPDATE automation_rules SET enabled = FALSE WHERE workflow_type = 'event_launch'")
    event = await working.event(contacts=1)
    await working.set_event(event, status="published")
    registration = await working.pool.fetchval(
        "INSERT INTO registrations (event_id, contact_id, status) SELECT $1, id, 'confirmed' FROM contacts RETURNING id",
        event,
    )
    logo = await owed(working, event)
    paused = await working.begin(event, LATER, uuid4())
    await working.quiet()
    attendee = f"attendee_nurture/{registration}/1"
    for id_ in (attendee, tracker(logo), paused):
        await working.until_row(id_, status="active")
    await control.pause(working.pool, Scope(automation_id=(await working.row(paused))["id"]))
    await working.quiet()
    other = await working.event()
    stays = await working.begin(other, LATER)

    await delete(working, event)

    await until_over(working, attendee, tracker(logo), paused, event_watch_id(event))
    await nothing_is_left(working)
    assert (await working.handle(stays).describe()).status == WorkflowExecutionStatus.RUNNING


async def test_a_rehearsal_ends_with_its_event(working: House) -> None:
    office = await open_office(working)
    logo = await office.owes()
    await office.live(at(8, 15))
    await working.pool.execute("DELETE FROM events WHERE id = $1", office.event)
    await until_over(working, tracker(logo))
    await nothing_is_left(working)


async def test_what_had_still_to_begin_for_a_deleted_event_does_not(house: House) -> None:
    """The worker is away while it is published and deleted: what it finds then is about nothing."""
    event = await house.event()
    await house.set_event(event, status="published")
    logo = await owed(house, event)
    await house.begin(event, LATER)
    (begun,) = await house.automations(event)
    await house.pool.execute("DELETE FROM events WHERE id = $1", event)
    async with house.at_work():
        await until_over(house, begun["temporal_workflow_id"])
        await nothing_is_left(house)
    assert await house.pool.fetchval("SELECT count(*) FROM automation_workflows WHERE subject_id = $1", logo) == 0
