"""`eventos api-key create ORGANIZER`: a key with which another system may call the API."""

from typing import Annotated

import typer
from rich.console import Console

from commands.running import ERROR, run
from database import keys
from database.connection import connect_pool
from database.keys import Role
from settings import Settings

app = typer.Typer(help="Keys with which other systems may call the API.", no_args_is_help=True)


@app.callback()
def api_key() -> None:
    """Keys with which other systems may call the API."""


@app.command()
def create(
    organizer: Annotated[
        str, typer.Argument(metavar="ORGANIZER", help="The organizer's id, or its name or a part of it.")
    ],
    role: Annotated[
        Role, typer.Option(help="viewer looks, operator runs and steers, approver approves as well.")
    ] = "viewer",
) -> None:
    """Make a key of an organizer and print it, this once: only its hash is kept."""
    run(_create(organizer, role))


async def _create(reference: str, role: Role) -> int:
    settings = Settings.from_environment().require("DATABASE_URL")
    pool = await connect_pool(settings.database_url)
    try:
        found = await keys.organizers(pool, reference)
        if len(found) != 1:
            several = "".join(f"\n  {id_}  {name}" for id_, name in found)
            said = f"Several organizers match {reference!r}; name one by its id:{several}" if found else (
                f"There is no organizer {reference!r}."
            )  # fmt: skip
            Console(stderr=True).print(said, style="red", markup=False, highlight=False, soft_wrap=True)
            return ERROR
        token = await keys.create(pool, found[0][0], role)
    finally:
        await pool.close()
    typer.echo(token)
    typer.echo(f"{role} of {found[0][1]}. Keep it now: it cannot be shown again.", err=True)
    return 0
