"""An event that moves, or whose date or zone is missing."""

from datetime import UTC, datetime, timedelta

from database import control
from database.control import Scope
from tests.workflows.house import House
from workflows.timeline import email, social, step, timeline, update

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
    later = at(9) + DAY * 2
    await working.set_event(event, starts_at=later, ends_at=later + DAY)
    await working.until_row(id_, next_execution_at=later - DAY, current_step="reminder")

    back = at(9) + DAY
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


async def test_a_moment_that_passes_before_the_player_hears_of_the_move_is_not_missed(house: House) -> None:
    soon = at(1) + DAY
    event = await house.event(starts_at=soon, timezone="UTC")
    async with house.at_work():
        id_ = await house.begin(event, ANCHORED)
        await house.until_step(id_, "reminder", "success")
    due = await house.pool.fetchval(
        """
        UPDATE events SET starts_at = now() + interval '1 day 1 second', ends_at = now() + interval '2 days'
        WHERE id = $1 RETURNING starts_at - interval '1 day'
        """,
        event,
    )

    async def passed() -> bool:
        found: bool = await house.pool.fetchval("SELECT now() > $1", due)
        return found

    await house.until(passed)
    async with house.at_work():
        await house.until(lambda: rounds(house, id_, 2))


async def test_a_step_that_was_planned_for_an_old_date_is_not_queued_but_planned_anew(house: House) -> None:
    async with house.at_work():
        event = await house.event(starts_at=at(8) + DAY, timezone="UTC")
        id_ = await house.begin(event, ANCHORED)
        await house.until_row(id_, current_step="reminder")
        # The date moves, and nobody tells the player before it acts.
        moved = at(12) + DAY
        async with house.pool.acquire() as connection, connection.transaction():
            await connection.execute("UPDATE events SET starts_at = $2, ends_at = $2 WHERE id = $1", event, moved)
            await connection.execute("DELETE FROM occurrences WHERE kind = 'event_rescheduled'")
        row = await house.until_step(id_, "reminder", "success", seconds=60)
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


async def test_a_step_held_when_the_date_moves_is_over_and_tried_again_for_the_new_date(working: House) -> None:
    """What comes after it waits for that, too."""
    event = await working.event(starts_at=at(1) + DAY, timezone="UTC")
    steps = timeline(
        step("records", "event_date - 1 day", update("marketing_campaign"), late="run"),
        step("then", "0 seconds after records", social("linkedin")),
    )
    id_ = await working.begin(event, steps)
    why = "marketing_campaign: Nothing was generated for this campaign yet; put generate_marketing_content before it."
    await working.until_row(id_, last_error=why, next_execution_at=None)
    far = at(86400) + DAY
    await working.set_event(event, starts_at=far, ends_at=far + DAY)
    await working.until_row(id_, next_execution_at=far - DAY, current_step="records", last_error=None)
    assert await working.states(id_) == {"records": f"failed: the date was moved: {why}"}
    assert await working.pool.fetchval("SELECT count(*) FROM notifications") == 0

    await working.pool.execute(
        """
        INSERT INTO marketing_campaigns (event_id, automation_id, name) SELECT event_id, id, 'Launch'
        FROM automation_workflows WHERE event_id = $1
        """,
        event,
    )
    soon = at(1) + DAY
    await working.set_event(event, starts_at=soon, ends_at=soon + DAY)
    await working.until_step(id_, "then", "success", seconds=30)
    rows = await working.pool.fetch(
        "SELECT round, status FROM workflow_execution_logs WHERE step_id = 'records' ORDER BY round"
    )
    assert [tuple(row) for row in rows] == [(0, "failed"), (1, "success")]


async def test_once_the_last_step_is_skipped_nothing_is_next_though_the_event_is_still_ahead(working: House) -> None:
    event = await working.event()
    id_ = await working.begin(
        event,
        timeline(
            step("hello", "0 seconds", social("linkedin")),
            step("push", "1 second", social("twitter"), condition="doors_open", until="event_date"),
        ),
    )
    await working.until_step(id_, "push", "skipped")
    row = await working.until_row(id_, current_step=None, next_execution_at=None)
    assert row["status"] == "active"
