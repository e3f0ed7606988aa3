"""Whom `pause`, `resume` and `cancel` concern: one automation, an event, a kind; and what they answer where nothing is to be done."""

import pytest

from database.connection import Pool, connect
from database.seed import seed
from models.definition import to_definition
from tests.commands.test_control import NAME, an_automation, eventos
from workflows import attendee_nurture


@pytest.fixture
async def two(database: str, pool: Pool) -> str:
    """The launch of an event, and an attendee's journey at another."""
    connection = await connect(database)
    await seed(connection)
    await connection.close()
    await an_automation(pool)
    await pool.execute(
        """
        WITH other AS (INSERT INTO events (name) VALUES ('Harbour Days') RETURNING id)
        INSERT INTO automation_workflows (event_id, subject_id, name, workflow_type, definition, status, rules,
                                          temporal_workflow_id)
        SELECT id, gen_random_uuid(), 'Attendee', 'attendee_nurture', $1, 'active', 1,
               'attendee_nurture/one/1' FROM other
        """,
        to_definition(attendee_nurture.TIMELINE),
    )
    return database


async def states(pool: Pool) -> dict[str, str]:
    rows = await pool.fetch("SELECT workflow_type, status FROM automation_workflows")
    return {row["workflow_type"]: row["status"] for row in rows}


async def test_an_automation_is_steered_by_its_id_its_beginning_or_its_temporal_id(two: str, pool: Pool) -> None:
    id_ = str(await pool.fetchval("SELECT id FROM automation_workflows WHERE workflow_type = 'attendee_nurture'"))
    status, said = await eventos(two, "pause", id_[:13])
    assert (status, "1 automation of Attendee paused" in said) == (0, True)
    assert await states(pool) == {"event_launch": "active", "attendee_nurture": "paused"}
    status, said = await eventos(two, "resume", "attendee_nurture/one/1")
    assert status == 0, said
    assert (await eventos(two, "cancel", id_))[0] == 0
    assert await states(pool) == {"event_launch": "active", "attendee_nurture": "cancelled"}


async def test_a_kind_alone_means_every_event_and_no_rehearsal(two: str, pool: Pool) -> None:
    await pool.execute(
        """
        INSERT INTO automation_workflows (event_id, subject_id, name, workflow_type, definition, status, rules,
                                          temporal_workflow_id, rehearsal)
        SELECT id, gen_random_uuid(), 'Rehearsed', 'attendee_nurture', '{"steps": []}', 'active', 1, 'r', TRUE FROM events LIMIT 1
        """
    )
    status, said = await eventos(two, "pause", "--kind", "attendee_nurture")
    assert (status, "1 automation of all events" in said) == (0, True)
    assert await pool.fetchval("SELECT status FROM automation_workflows WHERE rehearsal") == "active"
    assert (await states(pool))["event_launch"] == "active"


async def test_what_cannot_be_done_says_how_it_stands_and_since_when(two: str, pool: Pool) -> None:
    launch = str(await pool.fetchval("SELECT id FROM automation_workflows WHERE workflow_type = 'event_launch'"))
    for arguments, words in (
        (("resume", launch), f"Event Launch: {NAME} is active, so nothing was resumed."),
        (("pause", f"{launch[:-4]}ffff"), f"(did you mean {launch}?)"),
        (("pause", "attendee_nurture/one/2"), "(did you mean attendee_nurture/one/1?)"),
        (("pause", launch, "--kind", "custom"), "is of kind event_launch, not custom"),
        (("pause", "--kind", "event_lunch"), "(did you mean 'event_launch'?)"),
        (("pause",), "Say which"),
    ):
        status, said = await eventos(two, *arguments)
        assert (status, words in " ".join(said.split())) == (1, True), said
    await pool.execute(
        "UPDATE automation_workflows SET status = 'paused', paused_at = '2026-11-22T12:00Z' WHERE id::text = $1", launch
    )
    status, said = await eventos(two, "pause", launch)
    assert (status, "is paused already, since 2026-11-22 12:00 UTC, so nothing was paused" in said) == (1, True)
    status, said = await eventos(two, "pause", NAME)
    assert (status, "1 is paused (since 2026-11-22 12:00 UTC)" in said) == (1, True)
    await pool.execute("UPDATE automation_workflows SET status = 'completed'")
    status, said = await eventos(two, "cancel", launch)
    assert (status, "is completed, so nothing was cancelled" in said) == (1, True)


async def test_a_cancellation_says_how_much_of_it_had_ended_and_still_had_something_to_send(
    two: str, pool: Pool
) -> None:
    launch = await pool.fetchval("SELECT id FROM automation_workflows WHERE workflow_type = 'event_launch'")
    await pool.execute(
        """
        WITH ended AS (UPDATE automation_workflows SET status = 'completed', completed_at = now() WHERE id = $1 RETURNING *),
        log AS (
            INSERT INTO workflow_execution_logs (workflow_id, slot, step_id, step_name, action_type, status)
            SELECT id, 'last', 'last', 'Last', 'email', 'success' FROM ended RETURNING id
        )
        INSERT INTO messages (key, rehearsal, organizer_id, event_id, automation_id, log_id, step, channel, address, template, release_at)
        SELECT n::text, FALSE, a.organizer_id, a.event_id, a.id, log.id, 'last', 'email', 'ada@people.example', 'last', now() + '1 day'
        FROM ended a, log, generate_series(1, 3) n
        """,
        launch,
    )
    status, said = await eventos(two, "cancel", NAME)
    assert (status, "Of these 1 had ended, with 3 messages still to go." in " ".join(said.split())) == (0, True), said
    assert (await states(pool))["event_launch"] == "cancelled"
