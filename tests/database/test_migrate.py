"""Migrations: each once, in order, whoever asks; and the specification's tables to the letter."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from database.connection import connect
from database.migrate import (
    DIRECTORY,
    MigrationChanged,
    MigrationFailed,
    MigrationsMisnumbered,
    MigrationUnknown,
    migrate,
    migrations,
    pending,
)

ROOT = Path(__file__).parent.parent.parent
CLI = [sys.executable, "cli.py", "migrate"]

SPECIFIED = {
    "automation_workflows": (
        "id uuid!, event_id uuid!, created_by uuid, name text!, workflow_type text!, definition jsonb!, status text, current_step text, "
        "steps_completed integer, steps_total integer, tasks_executed integer, tasks_successful integer, tasks_failed integer, "
        "last_error text, retry_count integer, max_retries integer, started_at timestamptz, completed_at timestamptz, "
        "next_execution_at timestamptz, created_at timestamptz, updated_at timestamptz"
    ),
    "workflow_execution_logs": (
        "id uuid!, workflow_id uuid!, step_id text!, step_name text!, action_type text!, status text!, result jsonb, error_message text, "
        "started_at timestamptz, completed_at timestamptz, duration_ms integer, created_at timestamptz"
    ),
    "sponsor_deliverables": (
        "id uuid!, sponsorship_id uuid!, event_id uuid!, name text!, description text, deliverable_type text!, due_date date!, "
        "submitted_date date, status text, file_url text, file_type text, file_size_bytes integer, requires_approval boolean, "
        "approved_by uuid, approved_at timestamptz, rejection_reason text, workflow_id uuid, reminders_sent integer, "
        "last_reminder_sent_at timestamptz, metadata jsonb, created_at timestamptz, updated_at timestamptz"
    ),
}
"""The specification's columns in its order; `!` is NOT NULL."""

SPECIFIED_INDEXES = {
    "idx_workflows_event",
    "idx_workflows_status",
    "idx_workflows_next_execution",
    "idx_execution_logs_workflow",
    "idx_deliverables_sponsorship",
    "idx_deliverables_event",
    "idx_deliverables_status",
    "idx_deliverables_due_date",
    "idx_deliverables_overdue",
}


@pytest.fixture
def two_files(tmp_path):
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (id INTEGER);")
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE second (id INTEGER);\nINSERT INTO second VALUES (1);")
    return tmp_path


@pytest.fixture
async def connection(empty_database):
    connection = await connect(empty_database)
    yield connection
    await connection.close()


async def test_a_second_run_finds_nothing_to_do(connection):
    first = await migrate(connection)
    assert [migration.name for migration in first] == [path.name for path in sorted(DIRECTORY.glob("*.sql"))]
    assert await migrate(connection) == []
    assert await pending(connection) == []


async def test_two_processes_at_once_apply_each_migration_once(empty_database):
    environment = {"DATABASE_URL": empty_database, "PATH": ""}
    both = [
        await asyncio.create_subprocess_exec(*CLI, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE)
        for _ in range(2)
    ]
    said = [(await process.communicate())[0].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    applied = re.findall(r"applied (\S+)", "".join(said))
    assert applied == [migration.name for migration in migrations()]
    assert sorted("up to date" in text for text in said) == [False, True]


async def test_an_existing_table_of_the_application_keeps_its_rows_and_gets_what_is_missing(connection):
    await connection.execute(
        "CREATE TABLE organizers (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), name TEXT NOT NULL, email TEXT NOT NULL,"
        " postal_address TEXT NOT NULL DEFAULT '', timezone TEXT NOT NULL DEFAULT 'UTC', logo TEXT)"
    )
    await connection.execute(
        "INSERT INTO organizers (name, email, logo) VALUES ('Guild', 'a@example.com', 'guild.svg')"
    )
    await migrate(connection)
    row = await connection.fetchrow("SELECT logo, whatsapp_content FROM organizers")
    assert tuple(row) == ("guild.svg", {})


async def test_a_file_changed_after_it_was_applied_is_refused_by_name(connection, two_files):
    await migrate(connection, two_files)
    (two_files / "0001_first.sql").write_text("CREATE TABLE first (id BIGINT);")
    with pytest.raises(MigrationChanged, match=r"0001_first\.sql was changed after it was applied"):
        await migrate(connection, two_files)


async def test_other_line_endings_are_no_change(connection, two_files):
    await migrate(connection, two_files)
    path = two_files / "0002_second.sql"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert await migrate(connection, two_files) == []


async def test_a_failing_file_leaves_nothing_of_itself_and_names_its_line(connection, two_files):
    (two_files / "0003_third.sql").write_text(
        "CREATE TABLE third (id INTEGER);\nCREATE TABLE second (id INTEGER);\nSELEC 1;"
    )
    with pytest.raises(MigrationFailed, match=r"0003_third\.sql line 3: .*SELEC"):
        await migrate(connection, two_files)
    assert await connection.fetchval("SELECT to_regclass('third')") is None
    assert [migration.name for migration in await pending(connection, two_files)] == ["0003_third.sql"]


async def test_a_database_ahead_of_the_program_is_refused(connection, two_files):
    await migrate(connection, two_files)
    (two_files / "0002_second.sql").unlink()
    with pytest.raises(MigrationUnknown, match=r"0002_second\.sql"):
        await migrate(connection, two_files)


async def test_looking_for_what_is_missing_changes_nothing(connection, two_files):
    assert len(await pending(connection, two_files)) == 2
    assert await connection.fetchval("SELECT to_regclass('eventos_migrations')") is None


@pytest.mark.parametrize("name", ["0004_gap.sql", "0002_twice.sql", "third.sql", "0003-Third.sql"])
def test_a_file_out_of_number_is_refused(two_files, name):
    (two_files / name).write_text("")
    with pytest.raises(MigrationsMisnumbered, match=re.escape(next(n for n in (name, "0002_twice.sql") if n))):
        migrations(two_files)


@pytest.mark.parametrize("table", SPECIFIED)
async def test_the_specifications_columns_are_there_as_written_and_first(pool, table):
    rows = await pool.fetch(
        """
        SELECT attname, format_type(atttypid, NULL) AS type, attnotnull FROM pg_attribute
        WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
        """,
        table,
    )
    short = {"timestamp with time zone": "timestamptz"}
    columns = [f"{row['attname']} {short.get(row['type'], row['type'])}{'!' * row['attnotnull']}" for row in rows]
    specified = SPECIFIED[table].split(", ")
    assert columns[: len(specified)] == specified


async def test_the_specifications_indexes_are_there(pool):
    names = await pool.fetch("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")
    assert {row["indexname"] for row in names} >= SPECIFIED_INDEXES


async def test_a_status_the_specification_does_not_know_is_refused(pool):
    definitions = await pool.fetch(
        "SELECT conrelid::regclass::text AS of, pg_get_constraintdef(oid) AS says FROM pg_constraint"
    )
    said = {of: " ".join(row["says"] for row in definitions if row["of"] == of) for of in SPECIFIED}
    for word in ("event_launch", "custom", "pending", "active", "paused", "completed", "failed", "cancelled"):
        assert f"'{word}'" in said["automation_workflows"]
    for word in ("pending", "running", "success", "failed", "skipped"):
        assert f"'{word}'" in said["workflow_execution_logs"]
    for word in ("logo", "other", "pending", "in_progress", "submitted", "approved", "rejected", "overdue"):
        assert f"'{word}'" in said["sponsor_deliverables"]
