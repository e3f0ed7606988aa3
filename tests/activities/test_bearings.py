"""Where an automation stands: its anchors, the instants of its steps, what it waits for."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.bearings import BearingsActivities
from database.connection import Pool
from models.automation import FOREVER
from models.definition import to_definition
from models.player import Asked, Bearings, Finish, Rest
from tests.world import World, make_world
from workflows.timeline import social, step, timeline

STEPS = timeline(
    step("post", "0 hours", social("linkedin")),
    step("push", "2 hours after post", social("twitter")),
    step("reminder", "event_date - 3 days", social("twitter"), until="event_date"),
)


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


async def look(world: World, **more: object) -> Bearings:
    asked = Asked(automation_id=world.automation, event_id=world.event, steps=STEPS, **more)  # type: ignore[arg-type]
    return await ActivityEnvironment().run(BearingsActivities(world.pool).look, asked)


async def rest(world: World, **more: object) -> None:
    wish = {"automation_id": world.automation, "event_id": world.event} | more
    await ActivityEnvironment().run(BearingsActivities(world.pool).rest, Rest(**wish))  # type: ignore[arg-type]


async def test_the_first_look_begins_an_automation_and_a_later_one_does_not_begin_it_again(world: World) -> None:
    await world.set_automation(status="pending", started_at=None)
    first = await look(world)
    again = await look(world)
    row = await world.row()
    assert first.status == again.status == row["status"] == "active"
    assert first.anchors.start == again.anchors.start == row["started_at"]


@pytest.mark.parametrize("status", ["paused", "cancelled", "completed"])
async def test_a_look_leaves_every_other_status_as_it_is(world: World, status: str) -> None:
    await world.set_automation(status=status)
    assert (await look(world)).status == status
    assert (await world.row())["status"] == status


async def test_instants_are_wall_times_of_the_events_zone_and_wait_for_what_has_not_ended(world: World) -> None:
    bearings = await look(world)
    zone = ZoneInfo("Europe/Berlin")
    starts = (await world.pool.fetchval("SELECT starts_at FROM events WHERE id = $1", world.event)).astimezone(zone)
    three_days_before = (starts.replace(tzinfo=None) - timedelta(days=3)).replace(tzinfo=zone).astimezone(UTC)
    assert bearings.instants.due["reminder"] == three_days_before
    assert bearings.instants.until["reminder"] == starts
    assert bearings.instants.due["push"] is None
    ended = bearings.anchors.start + timedelta(minutes=5)
    assert (await look(world, ended={"post": ended})).instants.due["push"] == ended + timedelta(hours=2)


async def test_a_look_adopts_the_revision_of_the_dates(world: World) -> None:
    await world.set_event(starts_at=datetime.now(UTC) + timedelta(days=9))
    assert (await look(world)).anchors.date_revision == 1
    assert (await world.row())["date_revision"] == 1


async def test_a_look_brings_every_move_that_the_player_has_missed_in_order(world: World) -> None:
    first, second = (datetime(2027, 6, day, 9, tzinfo=UTC) for day in (1, 9))
    assert (await look(world, date_revision=0)).moves == ()
    await world.set_event(starts_at=first, timezone="UTC")
    await world.set_event(timezone="Mars/Base")
    await world.set_event(starts_at=second, timezone="UTC")
    missed = (await look(world, date_revision=0)).moves
    assert [move.instants.until["reminder"] for move in missed] == [first, second]
    assert missed[0].at < missed[1].at
    assert (await look(world, date_revision=2)).moves == missed[1:]
    assert (await look(world)).moves == ()


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("starts_at", None, "the event has no start date: set it, and what counts from event_date goes on"),
        ("timezone", None, "the event has no time zone: set events.timezone to an IANA name such as 'Europe/Berlin'"),
        ("timezone", "Mars/Base", "'Mars/Base' is not a time zone"),
    ],
)
async def test_what_an_event_lacks_is_a_problem_and_never_a_delay_of_nothing(
    world: World, column: str, value: str | None, problem: str
) -> None:
    await world.set_event(**{column: value})
    bearings = await look(world)
    assert bearings.problem is not None
    assert bearings.problem.startswith(problem)
    await rest(world, until=FOREVER, step="post", problem=bearings.problem)
    await rest(world, until=FOREVER, step="post", problem=bearings.problem)
    assert (await world.row())["last_error"] == bearings.problem
    assert await world.pool.fetchval("SELECT array_agg(body) FROM notifications") == [bearings.problem]

    await world.set_event(starts_at=world.started + timedelta(days=60), timezone="Europe/Berlin")
    assert (await look(world)).problem is None
    assert (await world.row())["last_error"] is None


async def test_a_rest_keeps_the_step_and_its_instant_and_a_rehearsals_wake(pool: Pool) -> None:
    world = await make_world(pool, clock=datetime(2026, 3, 2, 9, tzinfo=UTC))
    soon, later = world.started + timedelta(hours=1), world.started + timedelta(days=1)
    await rest(world, until=soon, step="post", next_at=later)
    row = await world.row()
    assert (row["rest_until"], row["current_step"], row["next_execution_at"]) == (soon, "post", later)
    await rest(world, until=FOREVER, step=None)
    infinite = await pool.fetchval("SELECT rest_until = 'infinity' FROM automation_workflows")
    assert (infinite, (await world.row())["current_step"]) == (True, None)
    await look(world)
    assert (await world.row())["rest_until"] is None


async def test_an_automation_whose_row_is_gone_is_told_apart_from_a_failure(world: World) -> None:
    world.automation = uuid4()
    with pytest.raises(ApplicationError) as gone:
        await look(world)
    assert (gone.value.type, gone.value.non_retryable) == ("UnknownAutomation", True)


async def test_the_end_closes_the_row_and_what_still_ran_in_its_journal(world: World) -> None:
    await world.pool.execute(
        """
        INSERT INTO workflow_execution_logs (workflow_id, slot, step_id, step_name, action_type, status)
        VALUES ($1, 'post', 'post', 'Post', 'social', 'running')
        """,
        world.automation,
    )
    await world.set_automation(definition=to_definition(STEPS))
    wish = Finish(automation_id=world.automation, event_id=world.event, status="cancelled")
    await ActivityEnvironment().run(BearingsActivities(world.pool).finish, wish)
    row = await world.row()
    assert (row["status"], row["steps_completed"], row["next_execution_at"]) == ("cancelled", len(STEPS), None)
    assert row["completed_at"] is not None
    journal = await world.journal(STEPS[0])
    assert (journal["status"], journal["result"]["reason"]) == ("skipped", "the automation was cancelled")


async def test_a_cancellation_is_not_overwritten_by_a_completion(world: World) -> None:
    await world.set_automation(status="cancelled")
    wish = Finish(automation_id=world.automation, event_id=world.event, status="completed")
    await ActivityEnvironment().run(BearingsActivities(world.pool).finish, wish)
    assert (await world.row())["status"] == "cancelled"
