"""Scenes: played at their instants, in their order, by the event's dates as they are then."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from database import application, events
from starter.scenes import NothingDone, Scene, Scenes, Stage
from tests.workflows.house import House

START = datetime(2027, 3, 1, 9, tzinfo=UTC)


async def live(house: House, event: UUID, *story: Scene) -> list[tuple[datetime, str]]:
    """Play a story from one instant to the next; what was told, and when."""
    told: list[tuple[datetime, str]] = []
    scenes = Scenes(Stage(house.pool, house.client, event), story, START, lambda at, says: told.append((at, says)))
    now = START
    while (at := await scenes.next_instant(now)) is not None:
        now = at
        await scenes.react(now)
    return told


async def nothing(_: Stage) -> None:
    pass


async def test_a_scene_that_counts_from_the_event_follows_its_date(house: House) -> None:
    event = await house.event(starts_at=START + timedelta(days=20))

    async def move(here: Stage) -> None:
        await application.move_event(here.pool, here.event_id, timedelta(days=1))

    told = await live(
        house,
        event,
        Scene("event_date - 2 days", "near", nothing),
        Scene("3 days", "moved", move),
        Scene("2 days at 12:00", "noon in Berlin", nothing),
    )

    assert told == [
        (START.replace(day=3, hour=11), "noon in Berlin"),
        (START + timedelta(days=3), "moved"),
        (START + timedelta(days=19), "near"),
    ]


async def test_a_scene_that_finds_nobody_says_so_instead_of_passing_over_it(house: House) -> None:
    event = await house.event(contacts=0)
    with pytest.raises(NothingDone, match="1 day: Two register"):
        await live(
            house,
            event,
            Scene("1 day", "Two register.", lambda here: application.register(here.pool, here.event_id, 2)),
        )


async def test_an_event_is_moved_with_its_programme(house: House) -> None:
    event = await house.event(starts_at=START)
    await house.pool.execute(
        "INSERT INTO sessions (event_id, title, starts_at, ends_at) VALUES ($1, 'Opening', $2, $2)", event, START
    )
    await application.move_event(house.pool, event, timedelta(days=1))
    moved = await events.get(house.pool, event)
    assert moved is not None
    assert moved.starts_at == START + timedelta(days=1)
    assert await house.pool.fetchval("SELECT starts_at FROM sessions WHERE event_id = $1", event) == moved.starts_at
