"""An event that moves, or whose date or zone is missing."""

from datetime import UTC, datetime, timedelta

from database import control
from database.control import Scope
from tests.workflows.house import House
from workflows.timeline import email, social, step, timeline

DAY = timedelta(days=1)
ANCHORED = timeline(
    step("opening", "0 seconds", social("linkedin")),
    step("reminder", "event_date - 1 day", social("twitter"), late="latest", until="event_date"),
)


def at(seconds: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


async def test_a_moved_date_is_adopted_while_waiting(working: House) -> None:
    event = await working.event()
    id_ = await working.begin(event, ANCHORED)
    await working.until_row(id_, current_step="reminder")
    moved = at(40 * 86400)
    await working.set_event(event, starts_at=moved, ends_at=moved + DAY)
    zone_days = moved - DAY  # no clock change between the two
    row = await working.until_row(id_, date_revision=1)
    row = await working.until_row(id_, next_execution_at=zone_days)
    assert row["status"] == "active"


async def test_a_step_done_for_the_old_date_begins_a_new_round_for_the_new_one(working: House) -> None:
    soon = at(1) + DAY
    event = await working.event(starts_at=soon, timezone="UTC")
    id_ = await working.begin(event, ANCHORED)
    await working.until_step(id_, "reminder", "success")
    later = at(2) + DAY * 2
    await working.set_event(event, starts_at=later, ends_at=later + DAY)
    await working.until_row(id_, next_execution_at=later - DAY, current_step="reminder")

    back = at(2) + DAY
    await working.set_event(event, starts_at=back, ends_at=back + DAY)
    row = await working.until_step(id_, "reminder", "success")
    await working.until(lambda: rounds(working, id_, 2))
    rows = await working.pool.fetch(
        "SELECT round, due_at FROM workflow_execution_logs WHERE step_id = 'reminder' ORDER BY 1"
    )
    assert [(row["round"], row["due_at"]) for row in rows] == [(0, soon - DAY), (1, back - DAY)]
    assert row["round"] in (0, 1)


async def rounds(house: House, id_: str, count: int) -> bool:
    found: int = await house.pool.fetchval(
        """
        SELECT count(*) FROM workflow_execution_logs l JOIN automation_workflows a ON a.id = l.workflow_id
        WHERE a.temporal_workflow_id = $1 AND l.step_id = 'reminder' AND l.status = 'success'
        """,
        id_,
    )
    return found == count


async def test_a_date_that_moves_away_and_back_begins_nothing_anew(working: House) -> None:
    soon = at(1) + DAY
    event = await working.event(starts_at=soon, timezone="UTC")
    id_ = await working.begin(event, ANCHORED)
    await working.until_step(id_, "reminder", "success")
    await working.set_event(event, starts_at=soon + DAY, ends_at=soon + DAY * 2)
    await working.until_row(id_, next_execution_at=soon, current_step="reminder")
    await working.set_event(event, starts_at=soon, ends_at=soon + DAY)
    await working.until_row(id_, date_revision=2)
    await working.until_row(id_, next_execution_at=None, current_step=None)
    assert set(await working.journal(id_)) == {"opening", "reminder"}


async def test_a_step_that_was_planned_for_an_old_date_is_not_queued_but_planned_anew(house: House) -> None:
    event = await house.event(starts_at=at(2) + DAY, timezone="UTC")
    async with house.at_work():
        id_ = await house.begin(event, ANCHORED)
        await house.until_row(id_, current_step="reminder")
        # The date moves, and nobody tells the player before it acts.
        moved = at(4) + DAY
        async with house.pool.acquire() as connection, connection.transaction():
            await connection.execute("UPDATE events SET starts_at = $2, ends_at = $2 WHERE id = $1", event, moved)
            await connection.execute("DELETE FROM occurrences WHERE kind = 'event_rescheduled'")
        row = await house.until_step(id_, "reminder", "success")
        assert row["due_at"] == moved - DAY
        assert row["started_at"] >= moved - DAY


async def test_an_event_without_a_date_is_held_with_a_clear_problem_and_goes_on_when_it_has_one(working: House) -> None:
    event = await working.event(starts_at=None, ends_at=None)
    id_ = await working.begin(event, ANCHORED)
    problem = "the event has no start date: set it, and what counts from event_date goes on"
    row = await working.until_row(id_, last_error=problem)
    assert (row["status"], row["next_execution_at"]) == ("active", None)
    assert await working.journal(id_) == {}
    told = await working.pool.fetchrow("SELECT title, body FROM notifications")
    assert told is not None
    assert (told["title"], told["body"]) == ("Automations of River Conf cannot go on", problem)

    starts = at(5 * 86400)
    await working.set_event(event, starts_at=starts, ends_at=starts + DAY)
    row = await working.until_row(id_, current_step="reminder", last_error=None)
    assert row["next_execution_at"] is not None
    await working.until_step(id_, "opening", "success")


async def test_an_unknown_zone_holds_it_and_a_known_one_lets_it_go_on(working: House) -> None:
    event = await working.event(timezone="Europe/Berln")
    id_ = await working.begin(event, ANCHORED)

    async def says() -> bool:
        return "'Europe/Berln' is not a time zone" in ((await working.row(id_))["last_error"] or "")

    await working.until(says)
    assert await working.journal(id_) == {}
    await working.set_event(event, timezone="Europe/Berlin")
    await working.until_row(id_, current_step="reminder", last_error=None)


async def test_an_event_that_has_no_date_can_still_be_cancelled(working: House) -> None:
    event = await working.event(starts_at=None, ends_at=None)
    id_ = await working.begin(event, ANCHORED)
    await working.until_row(id_, status="active", next_execution_at=None)
    await control.cancel(working.pool, Scope(event_id=event), "no more")
    await working.handle(id_).result()
    assert (await working.row(id_))["status"] == "cancelled"


async def test_a_step_that_would_come_due_after_the_event_is_skipped_when_the_event_begins(working: House) -> None:
    event = await working.event(starts_at=at(2))
    id_ = await working.begin(
        event,
        timeline(
            step("announce", "0 seconds", email("announcement_email", to="all_contacts")),
            step("push", "14 days", social("linkedin"), until="event_date"),
        ),
    )
    row = await working.until_row(id_, status="completed")
    states = await working.states(id_)
    assert states == {"announce": "success", "push": "skipped: event_date came before it was due"}
    assert row["steps_completed"] == 2
