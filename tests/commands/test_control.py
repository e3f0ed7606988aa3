"""The commands that steer: what they change, what they refuse, and how they say so."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from database.connection import Pool, connect
from database.seed import seed
from dev.sandbox import ROOT
from models.definition import to_definition
from workflows.event_launch import TIMELINE

NAME = "Buildcraft Lisbon"


async def eventos(database: str, *arguments: str) -> tuple[int, str]:
    """Run the command line in a process of its own; its exit status and everything it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *arguments),
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database, "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


@pytest.fixture
async def seeded(database: str) -> str:
    """A database with the seed's conference in it."""
    connection = await connect(database)
    await seed(connection)
    await connection.close()
    return database


async def test_publishing_is_recorded_once_and_says_where_to_look(seeded: str, pool: Pool) -> None:
    status, said = await eventos(seeded, "publish", "buildcraft")
    assert status == 0
    assert "Buildcraft Lisbon is published" in said

    status, said = await eventos(seeded, "publish", NAME)
    assert status == 0
    assert "published before" in said
    assert await pool.fetchval("SELECT count(*) FROM occurrences WHERE kind = 'event_status_change'") == 1


async def test_an_unknown_event_is_refused_by_name(seeded: str) -> None:
    status, said = await eventos(seeded, "publish", "Nowhere Conf")
    assert status == 1
    assert "There is no event 'Nowhere Conf'" in said


async def test_a_name_that_fits_two_events_is_refused_with_both_ids(seeded: str, pool: Pool) -> None:
    other = await pool.fetchval("INSERT INTO events (name) VALUES ('Buildcraft Porto') RETURNING id")
    status, said = await eventos(seeded, "publish", "buildcraft")
    assert status == 1
    assert str(other) in said
    assert "fits 2 events" in said


async def test_an_event_that_lacks_dates_zone_and_organizer_is_told_everything_at_once(seeded: str, pool: Pool) -> None:
    await pool.execute("INSERT INTO events (name) VALUES ('Bare')")
    status, said = await eventos(seeded, "publish", "Bare")
    assert status == 1
    for column in ("events.organizer_id", "events.starts_at", "events.ends_at", "events.timezone"):
        assert column in said
    assert await pool.fetchval("SELECT status FROM events WHERE name = 'Bare'") == "draft"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("starts_at = now() - interval '1 day'", "which is past"),
        ("timezone = 'Europe/Lisbonne'", "'Europe/Lisbonne' is not a time zone"),
        ("ends_at = starts_at - interval '1 hour'", "it ends before it starts"),
    ],
)
async def test_an_event_that_cannot_be_launched_is_refused_with_the_reason(
    seeded: str, pool: Pool, change: str, words: str
) -> None:
    await pool.execute(f"UPDATE events SET {change} WHERE name = $1", NAME)
    status, said = await eventos(seeded, "publish", NAME)
    assert status == 1
    assert words in said
    assert await pool.fetchval("SELECT status FROM events WHERE name = $1", NAME) == "draft"


async def test_pausing_resuming_and_cancelling_nothing_is_refused(seeded: str) -> None:
    for verb, words in (
        ("pause", "nothing was paused"),
        ("resume", "nothing was resumed"),
        ("cancel", "nothing was cancelled"),
    ):
        status, said = await eventos(seeded, verb, NAME)
        assert status == 1
        assert words in said


async def test_a_pause_is_one_statement_that_also_tells_the_workflow(seeded: str, pool: Pool) -> None:
    await an_automation(pool)
    status, said = await eventos(seeded, "pause", NAME)
    assert (status, "1 automation" in said) == (0, True)
    assert await pool.fetchval("SELECT status FROM automation_workflows") == "paused"
    assert await pool.fetchval("SELECT kind FROM occurrences WHERE automation_id IS NOT NULL") == "paused"

    status, said = await eventos(seeded, "pause", NAME)
    assert (status, "nothing was paused" in said) == (1, True)

    status, said = await eventos(seeded, "resume", NAME, "--policy", "send_all")
    assert status == 0
    assert await pool.fetchval("SELECT data ->> 'policy' FROM occurrences WHERE kind = 'resumed'") == "send_all"


async def test_list_and_show_speak_json_to_programs(seeded: str, pool: Pool) -> None:
    automation = await an_automation(pool)
    status, said = await eventos(seeded, "list", "--json")
    assert status == 0
    [row] = json.loads(said)
    assert row["id"] == automation
    assert (row["type"], row["status"], row["progress"]) == ("event_launch", "active", "0/9")

    status, said = await eventos(seeded, "show", NAME, "--json")
    assert status == 0
    [automation] = json.loads(said)["automations"]
    assert (automation["type"], automation["steps_total"], len(automation["steps"])) == ("event_launch", 9, 9)


async def test_show_tells_what_is_ahead_and_when(seeded: str, pool: Pool) -> None:
    await an_automation(pool)
    await pool.execute("UPDATE automation_workflows SET started_at = '2026-11-22T12:00Z'")
    await pool.execute("UPDATE events SET starts_at = '2027-01-07T09:00Z' WHERE name = $1", NAME)

    status, said = await eventos(seeded, "show", NAME, "--json")

    assert status == 0
    ahead = {step["name"]: step for step in json.loads(said)["automations"][0]["steps"]}
    assert {step["status"] for step in ahead.values()} == {"ahead"}
    assert ahead["week_1_reminder"]["due_at"] == "2026-11-29T12:00:00+00:00"
    assert ahead["final_reminder"]["due_at"] == "2027-01-06T09:00:00+00:00"
    # As if each step ended at once: the announcement goes out now, so the posts are due an hour from now.
    assert datetime.fromisoformat(ahead["post_social_media"]["due_at"]) - datetime.now(UTC) < timedelta(hours=1)


async def test_an_unreachable_database_is_named_without_its_password() -> None:
    status, said = await eventos("postgresql://eventos:secret@127.0.0.1:1/eventos", "list")
    assert status == 1
    assert "127.0.0.1:1" in said
    assert "secret" not in said


async def test_an_unreachable_temporal_is_named(seeded: str, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    automation = await an_automation(pool)
    status, said = await eventos(seeded, "retry", automation, "send_announcement")
    assert status == 1
    assert "Temporal at 127.0.0.1:1" in said


async def test_a_missing_setting_is_named_with_what_it_is_for() -> None:
    status, said = await eventos("", "list")
    assert status == 1
    assert "DATABASE_URL" in said


async def an_automation(pool: Pool) -> str:
    """A row of an event launch that is under way."""
    id_ = uuid4()
    await pool.execute(
        """
        INSERT INTO automation_workflows (id, event_id, organizer_id, subject_id, name, workflow_type, definition, status,
                                          steps_total, rules, temporal_workflow_id)
        SELECT $1, id, organizer_id, id, 'Event Launch: ' || name, 'event_launch', $3, 'active', 9, 1, 'event_launch/x/1'
        FROM events WHERE name = $2
        """,
        id_,
        NAME,
        to_definition(TIMELINE),
    )
    return str(id_)
