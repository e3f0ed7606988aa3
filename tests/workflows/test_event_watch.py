"""The watch over an event, lived: on a stepped clock, and in real seconds."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import WorkflowExecutionStatus

from models.watch import event_watch_id
from starter.conductor import conduct
from tests.workflows.house import House, replay

DAY = timedelta(days=1)
LISBON = ZoneInfo("Europe/Lisbon")


@pytest.fixture
async def watching(working: House) -> AsyncIterator[House]:
    """A house at work, in which no automation is begun; its watches' histories are replayed at the end."""
    await working.pool.execute("UPDATE automation_rules SET enabled = FALSE")
    yield working
    # The seed's next event is published, and nobody has been told.
    rows = await working.pool.fetch("SELECT DISTINCT event_id FROM occurrences WHERE kind = 'event_status_change'")
    handles = [working.handle(event_watch_id(row["event_id"])) for row in rows]
    await replay([await handle.fetch_history() for handle in handles])
    for handle in handles:
        if (await handle.describe()).status == WorkflowExecutionStatus.RUNNING:
            await handle.terminate()


async def rule(house: House, kind: str, occurrence: str, **columns: Any) -> None:
    names = ["name", "kind", "occurrence", "workflow_type", *columns]
    await house.pool.execute(
        f"INSERT INTO automation_rules ({', '.join(names)}) VALUES ({', '.join(f'${n}' for n in range(1, len(names) + 1))})",
        *(f"{occurrence} rule", kind, occurrence, "custom", *columns.values()),
    )


async def told(house: House, event: UUID) -> list[tuple[str, datetime]]:
    """What the watch has written, with the instants it happened at."""
    rows = await house.pool.fetch(
        "SELECT kind, occurred_at FROM occurrences WHERE event_id = $1 AND data ? 'rule' ORDER BY id", event
    )
    return [(row["kind"], row["occurred_at"]) for row in rows]


async def until_told(house: House, event: UUID, *kinds: str) -> None:
    async def said() -> bool:
        return [kind for kind, _ in await told(house, event)] == list(kinds)

    await house.until(said)


async def closed(house: House, event: UUID) -> None:
    """Wait until the event's watch has completed."""

    async def over() -> bool:
        return (await house.handle(event_watch_id(event)).describe()).status == WorkflowExecutionStatus.COMPLETED

    await house.until(over)


async def live(house: House, event: UUID, until: datetime | None = None) -> list[datetime]:
    async with asyncio.timeout(60):
        return [now async for now in conduct(house.pool, house.client, event, until)]


async def rehearsed(house: House) -> tuple[UUID, datetime, datetime]:
    """A rehearsal that has just been published: its event, its start and its end."""
    event = await house.rehearsal()
    await house.set_event(event, status="published")
    row = await house.pool.fetchrow("SELECT starts_at, ends_at FROM events WHERE id = $1", event)
    assert row is not None
    return event, row["starts_at"], row["ends_at"]


# -- on a stepped clock ---------------------------------------------------------------------------------------------


async def test_a_rehearsal_lives_through_every_moment_exactly_and_ends_with_its_watch(watching: House) -> None:
    await rule(watching, "time", "two_days_left", moment="event_date - 2 days at 08:00")
    await rule(watching, "time", "week_after", moment="event_end + 7 days")
    event, starts, ends = await rehearsed(watching)

    instants = await live(watching, event)

    two_days = (starts.astimezone(LISBON) - 2 * DAY).replace(hour=8, minute=0, second=0, microsecond=0).astimezone(UTC)
    assert await told(watching, event) == [
        ("two_days_left", two_days),
        ("event_ended", ends),
        ("week_after", ends + 7 * DAY),
    ]
    _, *rest = instants
    assert rest[:3] == [two_days, ends, ends + 7 * DAY]
    assert len(rest) == 4  # and the end of the watch
    await closed(watching, event)
    assert await watching.pool.fetchval("SELECT count(*) FROM event_watches") == 0


async def test_a_moved_end_is_told_at_its_new_instant_and_not_at_the_old_one(watching: House) -> None:
    event, _, ends = await rehearsed(watching)
    await live(watching, event, until=ends - DAY)
    await watching.set_event(event, ends_at=ends + 10 * DAY)
    await live(watching, event, until=ends + 5 * DAY)
    assert await told(watching, event) == []
    await live(watching, event, until=ends + 10 * DAY)
    assert await told(watching, event) == [("event_ended", ends + 10 * DAY)]


async def test_an_end_that_is_moved_to_an_earlier_day_already_past_is_told_at_once(watching: House) -> None:
    event, _, ends = await rehearsed(watching)
    await live(watching, event, until=ends - DAY)
    await watching.set_event(event, starts_at=ends - 4 * DAY, ends_at=ends - 3 * DAY)
    await live(watching, event, until=ends - DAY + timedelta(minutes=1))
    assert await told(watching, event) == [("event_ended", ends - 3 * DAY)]


async def test_a_cancelled_event_is_not_watched_and_its_end_is_not_told(watching: House) -> None:
    event, _, _ = await rehearsed(watching)
    await live(
        watching,
        event,
        until=await watching.pool.fetchval("SELECT clock_now + interval '1 day' FROM events WHERE id = $1", event),
    )
    await watching.set_event(event, status="cancelled")
    await live(watching, event)
    await closed(watching, event)
    assert await told(watching, event) == []


async def test_conditions_are_looked_at_every_quarter_of_an_hour_and_told_when_they_come_to_hold(
    watching: House,
) -> None:
    event, starts, _ = await rehearsed(watching)
    await live(watching, event, until=starts - timedelta(minutes=50))
    await rule(watching, "condition", "it_begins", match="started and not ended")
    instants = await live(watching, event, until=starts + timedelta(hours=1))
    steps = {later - now for now, later in pairwise(instants[:-1])}
    assert steps == {timedelta(minutes=15)}
    assert await told(watching, event) == [("it_begins", starts + timedelta(minutes=10))]


async def test_a_condition_is_looked_at_after_every_occurrence_of_its_event(watching: House) -> None:
    event, _, _ = await rehearsed(watching)
    now = await watching.pool.fetchval("SELECT clock_now FROM events WHERE id = $1", event)
    await rule(watching, "condition", "is_sold_out", match="sold_out")
    await live(watching, event, until=now)
    await watching.set_event(event, capacity=1)
    await live(watching, event, until=now)
    assert await told(watching, event) == []
    await watching.pool.execute(
        """
        INSERT INTO occurrences (kind, rehearsal, event_id, subject, occurred_at)
        SELECT 'something', TRUE, id, 'anything', clock_now FROM events WHERE id = $1
        """,
        event,
    )
    await live(watching, event, until=now)
    assert await told(watching, event) == [("is_sold_out", now)]


# -- in real seconds ------------------------------------------------------------------------------------------------


async def test_real_events_are_watched_by_durable_timers(watching: House) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=10)
    event = await watching.event(starts_at=soon - timedelta(seconds=2), ends_at=soon)
    await rule(watching, "time", "second_before", moment="event_end - 1 second")
    await watching.set_event(event, status="published")
    await until_told(watching, event, "second_before", "event_ended")
    assert await told(watching, event) == [("second_before", soon - timedelta(seconds=1)), ("event_ended", soon)]
    written = await watching.pool.fetchval("SELECT created_at FROM occurrences WHERE kind = 'event_ended'")
    assert timedelta(0) <= written - soon < timedelta(minutes=5)  # without a timer it would look after fifteen


async def test_a_rule_that_comes_while_the_event_is_watched_is_followed_from_then_on(watching: House) -> None:
    event = await watching.event()
    await watching.set_event(event, status="published")
    await watching.quiet()
    starts = await watching.pool.fetchval("SELECT begun_at + interval '10 seconds' FROM event_watches")
    await rule(watching, "time", "ten_seconds_in", moment="10 seconds")
    await until_told(watching, event, "ten_seconds_in")
    assert await told(watching, event) == [("ten_seconds_in", starts)]


async def test_a_watch_that_was_ended_from_outside_is_begun_anew_by_the_next_change(watching: House) -> None:
    event = await watching.event()
    await watching.set_event(event, status="published")
    await watching.quiet()
    await watching.handle(event_watch_id(event)).terminate("by mistake")
    soon = datetime.now(UTC) + timedelta(seconds=2)
    await watching.set_event(event, starts_at=soon - timedelta(seconds=1), ends_at=soon)
    await until_told(watching, event, "event_ended")


async def test_an_event_that_is_published_again_is_watched_again(watching: House) -> None:
    event = await watching.event()
    for status in ("published", "draft", "published", "cancelled"):
        await watching.set_event(event, status=status)
        await watching.quiet()
        watched = await watching.pool.fetchval("SELECT count(*) FROM event_watches WHERE event_id = $1", event)
        if status == "published":
            assert watched == 1
        else:
            await closed(watching, event)
    assert await watching.pool.fetchval("SELECT count(*) FROM event_watches") == 0
