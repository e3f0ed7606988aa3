"""`eventos webhooks`: what providers reported, or what happened, and could not be taken in; and having it taken in again."""

import json
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from commands.running import run
from commands.show import JsonOption, console
from database import held
from database.connection import connect_pool
from database.held import Held
from models.phrases import nearest
from settings import Settings
from starter.control import ControlError

app = typer.Typer(help="What providers reported and could not be taken in; `replay` has it taken in again.")

SHORTEST = 4
"""Characters of an id that may stand for it."""


@app.callback(invoke_without_command=True)
def webhooks(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the deliveries and occurrences that are held: since when, what, and why."""
    if context.invoked_subcommand is None:
        run(_list(as_json))


@app.command()
def replay(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID...]", help="What to take in again, by its id; of a delivery's its beginning will do."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that is held.")] = False,
) -> None:
    """Have what is held taken in again; what then still cannot be is held again, with its reason."""
    run(_replay(ids or [], everything), mendable=(ControlError,))


async def _list(as_json: bool) -> None:
    settings = Settings.from_environment().require("DATABASE_URL")
    pool = await connect_pool(settings.database_url)
    try:
        found = await held.held(pool)
    finally:
        await pool.close()
    if as_json:
        typer.echo(json.dumps([{**one._asdict(), "held_at": one.held_at.isoformat()} for one in found], indent=2))
        return
    out = console()
    if not found:
        out.print("Nothing is held.")
        return
    table = Table("since (UTC)", box=box.SIMPLE, pad_edge=False)
    table.add_column("id", no_wrap=True)
    for column in ("what", "event", "why"):
        table.add_column(column)
    for one in found:
        table.add_row(f"{one.held_at:%Y-%m-%d %H:%M}", *map(escape, (one.id, one.kind, one.event or "", one.why)))
    out.print(table)
    out.print("`eventos webhooks replay ID` has it taken in again, --all everything.")


async def _replay(ids: list[str], everything: bool) -> None:
    if bool(ids) == everything:
        raise ControlError("Say which: one id or more, or --all. `eventos webhooks` lists what is held.")
    settings = Settings.from_environment().require("DATABASE_URL")
    pool = await connect_pool(settings.database_url)
    try:
        found = await held.held(pool)
        wanted = found if everything else [_meant(id_, found) for id_ in ids]
        if not wanted:
            raise ControlError("Nothing is held, so nothing was replayed.")
        count = await held.replay(pool, wanted)
    finally:
        await pool.close()
    typer.echo(
        f"Recorded: {count} {'is' if count == 1 else 'are'} taken in again. `eventos webhooks` lists what is held."
    )


def _meant(said: str, found: list[Held]) -> Held:
    """The one that a person means."""
    fitting = [one for one in found if one.id == said] or [
        one for one in found if len(said) >= SHORTEST and one.what == "delivery" and one.id.startswith(said)
    ]
    if not fitting:
        close = nearest(said, [one.id for one in found])
        raise ControlError(f"Nothing that is held is '{said}'{close}. `eventos webhooks` lists what is.")
    if len(fitting) > 1:
        raise ControlError(f"'{said}' fits {len(fitting)}; name one: {', '.join(one.id for one in fitting)}.")
    return fitting[0]
