"""Numbered SQL files, each applied once, in order, whoever asks and however often."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from database.connection import Connection

DIRECTORY = Path(__file__).parent / "migrations"
FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
ADVISORY_LOCK = 7_304_511_203
"""Any number, as long as it is always this one."""
MIGRATION_SECONDS = 3600.0

CREATE_LEDGER = """
CREATE TABLE IF NOT EXISTS eventos_migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
)
"""


class MigrationError(Exception):
    """The migrations cannot bring this database up to date."""


class MigrationsMisnumbered(MigrationError):
    """The files do not count 0001, 0002, ... without a gap."""


class MigrationChanged(MigrationError):
    """A file is no longer what was applied."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} was changed after it was applied to this database. Put it back as it was and write a new migration; "
            "a local stack's database is made anew by `eventos dev --fresh`."
        )


class MigrationUnknown(MigrationError):
    """The database is ahead of this program."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The database has {name}, which this version does not know. Install the version that brought it."
        )


class MigrationFailed(MigrationError):
    """PostgreSQL refused a statement; nothing of its file was kept."""

    def __init__(self, migration: "Migration", error: asyncpg.PostgresError) -> None:
        position = int(error.as_dict().get("position") or 1)
        line = migration.sql.count("\n", 0, position - 1) + 1
        super().__init__(f"{migration.name} line {line}: {error}. Nothing of this file was kept; those before it were.")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of SQL statements."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """What the ledger remembers of the file's words, whatever the line endings."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(directory: Path = DIRECTORY) -> list[Migration]:
    """The files of `directory` in order."""
    found: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        match = FILE_NAME.fullmatch(path.name)
        if match is None or int(match[1]) != len(found) + 1:
            raise MigrationsMisnumbered(
                f"{path.name}: expected a name that begins with {len(found) + 1:04d}_. Number the files without gaps."
            )
        found.append(Migration(int(match[1]), path.name, path.read_text(encoding="utf-8")))
    return found


async def migrate(connection: Connection, directory: Path = DIRECTORY) -> list[Migration]:
    """Apply what is missing and return it. Two at once wait for each other, and the second finds nothing to do.

    The advisory lock belongs to the session, so `connection` must be a direct one, not a transaction pooler's.
    """
    await connection.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK, timeout=MIGRATION_SECONDS)
    try:
        await connection.execute(CREATE_LEDGER)
        missing = await pending(connection, directory)
        for migration in missing:
            await _apply(connection, migration)
        return missing
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", ADVISORY_LOCK)


async def pending(connection: Connection, directory: Path = DIRECTORY) -> list[Migration]:
    """What `migrate` would apply; changes nothing, and raises what `migrate` would raise before it begins."""
    files = migrations(directory)
    if await connection.fetchval("SELECT to_regclass('eventos_migrations')") is None:
        return files
    applied = {
        row["number"]: row for row in await connection.fetch("SELECT number, name, checksum FROM eventos_migrations")
    }
    for migration in files:
        row = applied.pop(migration.number, None)
        if row is not None and row["checksum"] != migration.checksum:
            raise MigrationChanged(migration.name)
    if applied:
        raise MigrationUnknown(applied[min(applied)]["name"])
    known = await connection.fetchval("SELECT coalesce(max(number), 0) FROM eventos_migrations")
    return [migration for migration in files if migration.number > known]


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql, timeout=MIGRATION_SECONDS)
            await connection.execute(
                "INSERT INTO eventos_migrations (number, name, checksum) VALUES ($1, $2, $3)",
                migration.number,
                migration.name,
                migration.checksum,
            )
    except asyncpg.PostgresError as error:
        raise MigrationFailed(migration, error) from error
