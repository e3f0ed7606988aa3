"""`eventos migrate`: brings the database up to date."""

import typer

from commands.running import run
from database.connection import connect
from database.migrate import migrate as apply
from settings import Settings


def migrate() -> None:
    """Apply the migrations that DATABASE_URL does not have yet; safe to repeat."""
    run(_migrate())


async def _migrate() -> None:
    settings = Settings.from_environment().require("DATABASE_URL")
    connection = await connect(settings.database_listen_url or settings.database_url)
    try:
        applied = await apply(connection)
    finally:
        await connection.close()
    for migration in applied:
        typer.echo(f"applied {migration.name}")
    if not applied:
        typer.echo("up to date")
