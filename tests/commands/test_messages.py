"""`eventos messages`: the ledger for people and for programs, filtered, and without addresses unless they are asked for."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from database.connection import Pool
from tests.commands.test_control import eventos
from tests.world import World, make_world

AT = datetime(2026, 12, 1, 17, 30, tzinfo=UTC)


@pytest.fixture
async def world(pool: Pool) -> World:
    """Three messages of two steps: one opened, one skipped, one queued for a later day."""
    world = await make_world(pool)
    await pool.execute("UPDATE events SET timezone = 'Asia/Tokyo' WHERE id = $1", world.event)
    log = await pool.fetchval(
        """
        INSERT INTO workflow_execution_logs (workflow_id, slot, round, step_id, step_name, action_type, status)
        VALUES ($1, 'tell', 0, 'tell', 'Tell', 'email', 'running') RETURNING id
        """,
        world.automation,
    )
    for step, address, status, reason, days, opened in (
        ("first", "ada@people.example", "sent", None, 0, AT + timedelta(hours=1)),
        ("first", "ben@people.example", "skipped", "no consent to email", 0, None),
        ("second", "ada@people.example", "queued", None, 3, None),
    ):
        await pool.execute(
            """
            INSERT INTO messages (key, rehearsal, organizer_id, event_id, automation_id, log_id, step, channel, address, template,
                                  status, reason, release_at, opened_at)
            VALUES ($1, FALSE, $2, $3, $4, $5, $6, 'email', $7, 'announcement_email', $8, $9, $10, $11)
            """,
            *(f"{step}/{address}", world.organizer, world.event, world.automation, log, step, address, status, reason),
            *(AT + timedelta(days=days), opened),
        )
    return world


async def test_the_table_says_who_got_what_when_and_why_not_in_the_events_zone(world: World, database: str) -> None:
    status, said = await eventos(database, "messages", str(world.event))
    assert status == 0
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "when (Asia/Tokyo) step channel status then why" in lines
    assert "Wed 02 Dec 02:30 first email sent opened" in lines
    assert "Wed 02 Dec 02:30 first email skipped no consent to email" in lines
    assert "Sat 05 Dec 02:30 second email queued" in lines
    assert "people.example" not in said

    status, said = await eventos(database, "messages", str(world.event), "--addresses", "--status", "skipped")
    assert (status, "ben@people.example" in said, "ada@people.example" in said) == (0, True, False)


async def test_programs_get_the_latest_that_fit_and_how_many_there_are(world: World, database: str) -> None:
    about = ("messages", str(world.event), "--json")
    status, said = await eventos(database, *about, "--limit", "1", "--automation", str(world.automation))
    answer = json.loads(said)
    assert (status, answer["fitting"]) == (0, 3)
    [one] = answer["messages"]
    assert (one["step"], one["status"], one["at"]) == ("second", "queued", "2026-12-04T17:30:00+00:00")
    assert "address" not in one

    status, said = await eventos(database, *about, "--step", "first", "--addresses")
    assert {one["address"] for one in json.loads(said)["messages"]} == {"ada@people.example", "ben@people.example"}


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        (("--status", "skiped"), "did you mean 'skipped'?"),
        (("--step", "frist"), "did you mean 'first'?"),
        (("--limit", "0"), "--limit"),
    ],
)
async def test_a_filter_that_fits_nothing_there_is_names_what_there_is(
    world: World, database: str, filters: tuple[str, str], words: str
) -> None:
    status, said = await eventos(database, "messages", str(world.event), *filters)
    assert status in (1, 2)
    assert words in said
