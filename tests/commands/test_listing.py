"""`eventos list`: five thousand attendees are one line, and nothing is lost by it."""

import json

import pytest

from database.connection import Pool, connect
from database.seed import seed
from tests.commands.test_control import NAME, an_automation, eventos


@pytest.fixture
async def crowd(database: str, pool: Pool) -> str:
    """A launch, and five thousand attendees of whom two have a problem, ten are paused, and four hundred are through."""
    connection = await connect(database)
    await seed(connection)
    await connection.close()
    await an_automation(pool)
    await pool.execute(
        """
        INSERT INTO automation_workflows (event_id, organizer_id, subject_id, name, workflow_type, definition, status,
            steps_completed, steps_total, rules, temporal_workflow_id, last_error, next_execution_at)
        SELECT e.id, e.organizer_id, gen_random_uuid(), 'Attendee: Somebody', 'attendee_nurture', '{"steps": []}',
               CASE WHEN n <= 10 THEN 'paused' WHEN n <= 410 THEN 'completed' ELSE 'active' END, 2, 10, 1,
               'attendee_nurture/' || n || '/1', CASE WHEN n > 4998 THEN 'the event has no time zone' END,
               timestamptz '2027-03-01T09:00Z' + n * interval '1 second'
        FROM events e, generate_series(1, 5000) n WHERE e.name = $1
        """,
        NAME,
    )
    return database


async def test_five_thousand_attendees_are_one_line_with_how_many_are_in_which_state(crowd: str) -> None:
    status, said = await eventos(crowd, "list")
    assert status == 0
    assert said.count("5,000 automations") == 1
    for words in ("4,590 active", "400 completed", "10 paused", "10000/50000", "2027-03-01 09:00"):
        assert words in said
    assert "Launch:" in said
    assert "Somebody" not in said


async def test_programs_are_told_the_same_and_can_have_every_one(crowd: str) -> None:
    status, said = await eventos(crowd, "list", "--json")
    assert status == 0
    launch, attendees = json.loads(said)
    assert (launch["members"], launch["statuses"], launch["status"]) == (1, {"active": 1}, "active")
    assert (attendees["id"], attendees["members"], attendees["status"], attendees["problems"]) == (None, 5000, None, 2)
    assert attendees["statuses"] == {"active": 4590, "completed": 400, "paused": 10}
    assert attendees["last_error"] == "the event has no time zone"

    status, said = await eventos(crowd, "list", "--json", "--all")
    rows = json.loads(said)
    assert (status, len(rows), len({row["id"] for row in rows})) == (0, 5001, 5001)
    assert [row["status"] for row in rows[-400:]] == ["completed"] * 400  # what runs comes first


async def test_a_limit_says_how_many_there_are_beyond_it(crowd: str) -> None:
    status, said = await eventos(crowd, "list", "--all", "--limit", "3")
    assert status == 0
    assert "and 4,998 more" in said
    status, said = await eventos(crowd, "list", "--limit", "0")
    assert status == 2


async def test_the_only_one_of_its_kind_is_listed_by_its_name_and_id(crowd: str, pool: Pool) -> None:
    await pool.execute("DELETE FROM automation_workflows WHERE temporal_workflow_id <> 'attendee_nurture/500/1'")
    [row] = json.loads((await eventos(crowd, "list", "--json"))[1])
    assert (row["name"], row["members"]) == ("Attendee: Somebody", 1)
    assert row["id"] == str(await pool.fetchval("SELECT id FROM automation_workflows"))
