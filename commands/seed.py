"""`eventos seed`: an organizer with a conference to try everything on."""

import typer

from commands.running import run
from database.connection import connect
from database.seed import seed as sow
from settings import Settings


def seed() -> None:
    """Add one organizer, one conference and 400 contacts; what is there already is left as it is."""
    run(_seed())


async def _seed() -> None:
    settings = Settings.from_environment().require("DATABASE_URL")
    connection = await connect(settings.database_url)
    try:
        seeded = await sow(connection)
    finally:
        await connection.close()
    added = ", ".join(f"{count} {table}" for table, count in seeded.added.items() if count)
    typer.echo(f"added {added}" if added else "everything was there already")
    typer.echo(f"organizer {seeded.organizer_id}\nevent     {seeded.event_id}")
