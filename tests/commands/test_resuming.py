"""`eventos resume` says what it brings, and `--dry-run` says it before."""

import pytest

from database.connection import Pool, connect
from database.seed import seed
from models.definition import to_definition
from tests.commands.test_control import NAME, eventos
from workflows.timeline import email, step, timeline

JOURNEY = timeline(
    step("welcome", "0 seconds", email("announcement_email")),
    step("tips", "2 days", email("reminder_email"), late="skip"),
    step("reminder", "3 days", email("reminder_email")),
    step("farewell", "30 days", email("reminder_email")),
)


@pytest.fixture
async def paused(database: str, pool: Pool) -> str:
    """Five thousand journeys that began four days ago and were paused a day later, after their welcome."""
    connection = await connect(database)
    await seed(connection)
    await connection.close()
    await pool.execute(
        """
        WITH journeys AS (
            INSERT INTO automation_workflows (event_id, organizer_id, subject_id, name, workflow_type, definition, status,
                rules, temporal_workflow_id, started_at, paused_at)
            SELECT e.id, e.organizer_id, gen_random_uuid(), 'Attendee', 'attendee_nurture', $2, 'paused', 1,
                   'attendee_nurture/' || n || '/1', now() - interval '4 days', now() - interval '3 days'
            FROM events e, generate_series(1, 5000) n WHERE e.name = $1 RETURNING id, started_at
        )
        INSERT INTO workflow_execution_logs (workflow_id, step_name, action_type, step_id, slot, round, status, due_at, ended_at)
        SELECT id, 'welcome', 'email', 'welcome', 'welcome', 0, 'success', started_at, started_at FROM journeys
        """,
        *(NAME, to_definition(JOURNEY)),
    )
    return database


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("by_policy", "5,000 steps go now, with 5,000 messages; 5,000 skipped (5,000 late)"),
        ("send_all", "10,000 steps go now, with 10,000 messages; none is skipped"),
        ("skip_all", "0 steps go now; 10,000 skipped"),
        ("shift", "0 steps go now; none is skipped; 15,000 move"),
    ],
)
async def test_a_dry_run_says_what_each_policy_would_bring_and_changes_nothing(
    paused: str, pool: Pool, policy: str, words: str
) -> None:
    status, said = await eventos(paused, "resume", NAME, "--policy", policy, "--dry-run")
    assert status == 0
    assert f"Nothing was changed. 5,000 automations of {NAME} would go on" in said
    assert f"attendee_nurture (5,000): {words}" in said
    assert await pool.fetchval("SELECT count(*) FROM automation_workflows WHERE status = 'paused'") == 5000
    assert await pool.fetchval("SELECT count(*) FROM occurrences WHERE kind = 'resumed'") == 0


async def test_a_resume_says_the_same_as_it_is_recorded(paused: str, pool: Pool) -> None:
    status, said = await eventos(paused, "resume", "attendee_nurture/7/1")
    assert status == 0
    assert "Recorded: 1 automation of Attendee resumed." in said
    assert "1 step goes now, with 1 message; 1 skipped (1 late)" in said
    assert await pool.fetchval("SELECT count(*) FROM automation_workflows WHERE status = 'paused'") == 4999

    status, said = await eventos(paused, "resume", "attendee_nurture/7/1", "--dry-run")
    assert (status, "is active, so nothing was resumed" in said) == (1, True)


async def test_what_the_pause_held_is_counted_apart_from_what_is_too_late(paused: str, pool: Pool) -> None:
    await pool.execute(
        """
        INSERT INTO messages (key, rehearsal, organizer_id, event_id, automation_id, log_id, step, channel, address, template,
                              release_at, valid_until)
        SELECT 'held/' || v, FALSE, a.organizer_id, a.event_id, a.id, l.id, 'welcome', 'email', 'a@example.org',
               'announcement_email', 'infinity', now() + v * interval '1 day'
        FROM automation_workflows a JOIN workflow_execution_logs l ON l.workflow_id = a.id, unnest(ARRAY[-1, 1, 2]) v WHERE temporal_workflow_id = 'attendee_nurture/7/1'
        """
    )
    status, said = await eventos(paused, "resume", "attendee_nurture/7/1", "--dry-run")
    assert status == 0
    assert "2 held before go out, if the gates let them; 1 held before are too late" in said
