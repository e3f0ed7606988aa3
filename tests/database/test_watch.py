"""The watch's decisions: what time and conditions bring about is written down once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from database import watch
from database.connection import Pool
from models.automation import FOREVER
from tests.world import World, make_world

DAY = timedelta(days=1)
NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
async def world(pool: Pool) -> World:
    """A rehearsal of an event that starts in sixty days, watched from now on."""
    world = await make_world(pool, clock=NOW)
    await watch.begin(pool, world.event)
    return world


async def rule(world: World, kind: str, occurrence: str, **columns: Any) -> UUID:
    columns = {"workflow_type": "custom"} | columns
    names = ["name", "kind", "occurrence", *columns]
    id_: UUID = await world.pool.fetchval(
        f"INSERT INTO automation_rules ({', '.join(names)}) VALUES ({', '.join(f'${n}' for n in range(1, len(names) + 1))}) "
        "RETURNING id",
        *(f"{occurrence} rule", kind, occurrence, *columns.values()),
    )
    return id_


async def written(world: World) -> list[tuple[str, datetime, dict[str, Any]]]:
    rows = await world.pool.fetch(
        """
        SELECT kind, occurred_at, data FROM occurrences WHERE event_id = $1 AND data ? 'rule' ORDER BY id
        """,
        world.event,
    )
    return [(row["kind"], row["occurred_at"], row["data"]) for row in rows]


async def at(world: World, now: datetime) -> Any:
    await world.set_event(clock_now=now)
    return await watch.look(world.pool, world.event)


async def ends(world: World) -> datetime:
    end: datetime = await world.pool.fetchval("SELECT ends_at FROM events WHERE id = $1", world.event)
    return end


async def test_the_end_of_an_event_is_written_once_however_often_it_is_looked_at(world: World) -> None:
    end = await ends(world)
    before = await watch.look(world.pool, world.event)
    assert (before.wake, before.awaits, before.over) == (end, "event_ended", False)
    assert await written(world) == []

    looks = await asyncio.gather(*(at(world, end) for _ in range(5)))

    assert {look.wake for look in looks} == {end + 90 * DAY}
    assert await written(world) == [
        ("event_ended", end, {"moment": "event_end", "rule": None, "status": "published", "date_revision": 0})
    ]


async def test_a_time_rule_writes_its_own_occurrence_at_its_moment_in_the_events_zone(world: World) -> None:
    starts = await world.pool.fetchval("SELECT starts_at FROM events WHERE id = $1", world.event)
    id_ = await rule(world, "time", "two_days_left", moment="event_date - 2 days at 08:00")
    look = await watch.look(world.pool, world.event)
    due = (starts - 2 * DAY).replace(hour=6, minute=0)  # Berlin is two hours ahead by then
    assert (look.wake, look.awaits) == (due, "two_days_left")

    await at(world, due + timedelta(hours=5))

    ((kind, occurred, data),) = await written(world)
    assert (kind, occurred, data["rule"]) == ("two_days_left", due, str(id_))


async def test_plain_spans_count_from_the_beginning_of_the_watch(world: World) -> None:
    await rule(world, "time", "a_week_on_sale", moment="7 days")
    assert (await watch.look(world.pool, world.event)).wake == NOW + 7 * DAY


async def test_a_moved_date_times_the_rules_anew_and_each_revision_is_written_once(world: World) -> None:
    await rule(world, "time", "day_before", moment="event_date - 1 day")
    starts = await world.pool.fetchval("SELECT starts_at FROM events WHERE id = $1", world.event)
    await at(world, starts - DAY)
    await world.set_event(starts_at=starts + 10 * DAY, ends_at=starts + 11 * DAY)
    look = await watch.look(world.pool, world.event)
    assert look.wake == starts + 9 * DAY
    await at(world, starts + 9 * DAY)
    await at(world, starts + 11 * DAY)
    await at(world, starts + 12 * DAY)

    told = await written(world)
    assert [(kind, data["date_revision"]) for kind, _, data in told] == [
        ("day_before", 0),
        ("day_before", 1),
        ("event_ended", 1),
    ]


async def test_what_had_passed_when_the_watch_began_is_not_made_up_for(pool: Pool) -> None:
    world = await make_world(pool, clock=NOW)
    await rule(world, "time", "two_months_left", moment="event_date - 61 days")
    await watch.begin(pool, world.event)
    await watch.look(pool, world.event)
    assert await written(world) == []


async def test_what_came_due_while_nobody_looked_is_written_when_somebody_does(world: World) -> None:
    await rule(world, "time", "a_week_on_sale", moment="7 days")
    await at(world, NOW + 9 * DAY)
    assert [(kind, occurred) for kind, occurred, _ in await written(world)] == [("a_week_on_sale", NOW + 7 * DAY)]


async def test_a_real_rule_that_comes_later_is_not_told_what_was_before_it(pool: Pool) -> None:
    world = await make_world(pool)
    await watch.begin(pool, world.event)
    await pool.execute("UPDATE event_watches SET begun_at = now() - interval '10 days'")
    await rule(world, "time", "a_week_on_sale", moment="7 days")
    await watch.look(pool, world.event)
    assert await written(world) == []


async def test_a_rule_that_is_changed_or_switched_on_again_makes_up_for_nothing_that_had_passed_by_then(
    world: World,
) -> None:
    changed = await rule(world, "time", "day_before", moment="event_date - 1 day")
    off = await rule(world, "time", "a_day_on_sale", moment="1 day", enabled=False)
    await at(world, NOW + 3 * DAY)
    await world.pool.execute("UPDATE automation_rules SET moment = '2 days' WHERE id = $1", changed)
    await world.pool.execute("UPDATE automation_rules SET enabled = TRUE WHERE id = $1", off)
    await at(world, NOW + 4 * DAY)
    assert await written(world) == []


async def test_a_condition_is_written_when_it_comes_to_hold_and_not_while_it_does(world: World) -> None:
    await world.set_event(capacity=2)
    await rule(world, "condition", "is_sold_out", match="sold_out and status == 'published'")
    look = await watch.look(world.pool, world.event)
    assert (look.wake, look.awaits) == (NOW + timedelta(minutes=15), "the conditions of its rules")
    guests = [await world.contact(f"guest{n}@people.example") for n in range(2)]
    for contact in guests:
        assert await written(world) == []
        await world.pool.execute(
            "INSERT INTO registrations (event_id, contact_id) VALUES ($1, $2)", world.event, contact
        )
        await asyncio.gather(*(watch.ask_conditions(world.pool, world.event) for _ in range(4)))
    await at(world, NOW + timedelta(minutes=15))
    assert [(kind, data["status"]) for kind, _, data in await written(world)] == [("is_sold_out", "published")]

    for status in ("cancelled", "confirmed"):
        await world.pool.execute("UPDATE registrations SET status = $1 WHERE contact_id = $2", status, guests[0])
        await watch.ask_conditions(world.pool, world.event)
    assert [kind for kind, _, _ in await written(world)] == ["is_sold_out", "is_sold_out"]


async def test_a_deadline_that_only_time_brings_near_is_noticed_by_the_regular_look(world: World) -> None:
    await world.pool.execute(
        """
        WITH sponsor AS (INSERT INTO sponsors (organizer_id, name) VALUES ($1, 'Northwind') RETURNING id),
             deal AS (INSERT INTO sponsorships (event_id, sponsor_id) SELECT $2, id FROM sponsor RETURNING id)
        INSERT INTO sponsor_deliverables (sponsorship_id, event_id, name, deliverable_type, due_date)
        SELECT id, $2, 'Logo', 'logo', $3 FROM deal
        """,
        *(world.organizer, world.event, (NOW + 9 * DAY).date()),
    )
    await rule(world, "condition", "hurry", match="deliverables_due_within_a_week and not deliverables_overdue")
    await watch.look(world.pool, world.event)
    assert await written(world) == []
    await at(world, NOW + 2 * DAY)
    assert [kind for kind, _, _ in await written(world)] == ["hurry"]


@pytest.mark.parametrize(
    ("kind", "column", "says", "why"),
    [
        ("time", "moment", "event_dat - 2 days", "did you mean 'event_date'"),
        ("time", "moment", "2 days after send_announcement", "a rule counts from event_date, event_end"),
        ("condition", "match", "sold_out or half_full", "only 'and' may join"),
    ],
)
async def test_a_rule_that_cannot_be_read_is_told_to_the_organizer_once_and_disturbs_no_other(
    world: World, kind: str, column: str, says: str, why: str
) -> None:
    await rule(world, kind, "never", **{column: says})
    await rule(world, "time", "a_week_on_sale", moment="7 days")
    await watch.look(world.pool, world.event)
    await at(world, NOW + 7 * DAY)
    told = await world.pool.fetch("SELECT title, body FROM notifications")
    assert [row["title"] for row in told] == ["The rule 'never rule' cannot be followed"]
    assert why in told[0]["body"]
    assert [kind for kind, _, _ in await written(world)] == ["a_week_on_sale"]


@pytest.mark.parametrize(
    ("workflow_type", "said"),
    [("attendee_nurture", "registration_confirmed"), ("deliverable_tracking", "deliverable_added")],
)
@pytest.mark.parametrize(
    ("kind", "column", "says"),
    [("time", "moment", "1 day"), ("time", "moment", "every day at 09:00"), ("condition", "match", "has_dates")],
)
async def test_a_rule_that_begins_what_neither_time_nor_a_condition_can_name_is_told_once_and_brings_nothing(
    world: World, workflow_type: str, said: str, kind: str, column: str, says: str
) -> None:
    await rule(world, kind, "never", workflow_type=workflow_type, **{column: says})
    for days in range(3):
        await at(world, NOW + days * DAY)
        await watch.ask_conditions(world.pool, world.event)
    assert await written(world) == []
    (told,) = await world.pool.fetch("SELECT title, body FROM notifications")
    assert told["title"] == "The rule 'never rule' cannot be followed"
    assert f"write it as a rule of kind 'event' for {said}" in told["body"]


async def test_a_rule_that_is_switched_off_or_somebody_elses_brings_nothing(world: World, pool: Pool) -> None:
    other = await make_world(pool, clock=NOW)
    await rule(world, "time", "never", moment="1 day", organizer_id=other.organizer)
    await rule(world, "time", "not_now", moment="1 day", enabled=False)
    await at(world, NOW + 2 * DAY)
    assert await written(world) == []


async def test_a_rehearsal_follows_the_rules_of_the_organizer_it_was_copied_from(world: World, pool: Pool) -> None:
    original = await make_world(pool)
    await world.set_organizer(rehearsal_of=original.organizer)
    await rule(world, "time", "a_day_in", moment="1 day", organizer_id=original.organizer)
    await at(world, NOW + DAY)
    assert [kind for kind, _, _ in await written(world)] == ["a_day_in"]


@pytest.mark.parametrize("status", ["cancelled", "draft"])
async def test_a_watch_is_over_when_its_event_is_cancelled_or_taken_back(world: World, status: str) -> None:
    await world.set_event(status=status)
    assert (await watch.look(world.pool, world.event)).over
    assert (await watch.look(world.pool, world.event)).over
    assert await watch.begin(world.pool, world.event) is None


async def test_a_watch_is_over_ninety_days_after_the_event(world: World) -> None:
    end = await ends(world)
    last = (await at(world, end)).wake
    assert not (await at(world, last - timedelta(seconds=1))).over
    assert (await at(world, last)).over


async def test_an_event_without_dates_or_with_an_unknown_zone_waits_for_news(world: World) -> None:
    await world.set_event(starts_at=None, ends_at=None)
    look = await watch.look(world.pool, world.event)
    assert (look.wake, look.awaits) == (FOREVER, "news")
    assert await world.pool.fetchval("SELECT rest_until = 'infinity' FROM event_watches")
    await world.set_event(ends_at=NOW + DAY, timezone="Europe/Berln")
    assert (await watch.look(world.pool, world.event)).wake == NOW + DAY


async def test_a_changed_rule_is_news_for_every_watch(world: World, pool: Pool) -> None:
    await pool.execute("DELETE FROM occurrences")
    await make_world(pool)
    await rule(world, "time", "a_week_on_sale", moment="7 days")
    told = await pool.fetch("SELECT event_id, rehearsal FROM occurrences WHERE kind = 'rules_changed'")
    assert [tuple(row) for row in told] == [(world.event, True)]


async def test_only_events_that_people_know_of_are_watched(world: World, pool: Pool) -> None:
    begun = await watch.begin(pool, world.event)
    assert begun is not None
    assert (begun.temporal_workflow_id, begun.rehearsal) == (f"event_watch/{world.event}", True)
    await world.set_event(clock_now=NOW + 400 * DAY)
    await watch.lose(pool, world.event)
    assert await watch.begin(pool, world.event) is None
