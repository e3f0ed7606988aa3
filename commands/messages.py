"""`eventos messages EVENT`: who got what, when, and why not."""

import json
from typing import Annotated, Any
from uuid import UUID

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from commands.publish import EventReference
from commands.running import run
from commands.show import STYLES, JsonOption, console, wall_clock
from database import ledger
from database.connection import connect_pool
from database.ledger import Entry
from models.phrases import either, nearest
from settings import Settings
from starter import control

READ = ("delivered", "opened", "clicked")


def messages(
    event: EventReference,
    step: Annotated[str | None, typer.Option("--step", help="Only those of this step.")] = None,
    status: Annotated[
        str | None, typer.Option("--status", help=f"Only those that are {either(ledger.STATUSES)}.")
    ] = None,
    automation: Annotated[UUID | None, typer.Option("--automation", help="Only those of this automation.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the latest.")] = 50,
    addresses: Annotated[bool, typer.Option("--addresses", help="Show to which address, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show an event's messages: when each went to whom, what became of it, and why one did not go."""
    run(_messages(event, step, status, automation, limit, addresses, as_json), mendable=(control.ControlError,))


async def _messages(
    reference: str,
    step: str | None,
    status: str | None,
    automation: UUID | None,
    limit: int,
    addresses: bool,
    as_json: bool,
) -> None:
    if status is not None and status not in ledger.STATUSES:
        raise control.ControlError(
            f"No message is ever '{status}'{nearest(status, ledger.STATUSES)}; it is {either(ledger.STATUSES)}."
        )
    settings = Settings.from_environment().require("DATABASE_URL")
    pool = await connect_pool(settings.database_url)
    try:
        event = await control.find_event(pool, reference)
        found, fitting = await ledger.entries(
            pool, event.id, step=step, status=status, automation_id=automation, limit=limit
        )
        steps = await ledger.steps(pool, event.id) if step is not None and not found else []
    finally:
        await pool.close()
    if step is not None and not found and step not in steps:
        raise control.ControlError(
            f"Step '{step}'{nearest(step, steps)} has no messages; those that have: {either(steps)}."
        )
    if as_json:
        said = {"event": str(event.id), "fitting": fitting, "messages": [_said(one, addresses) for one in found]}
        typer.echo(json.dumps(said, indent=2))
        return
    out = console()
    if not found:
        out.print(f"{event.name} has no messages that fit.")
        return
    out.print(_table(found, event.timezone or "UTC", addresses))
    if fitting > len(found):
        out.print(f"The latest {len(found)} of {fitting}; --limit shows more.")


def _table(found: list[Entry], zone: str, addresses: bool) -> Table:
    table = Table(f"when ({zone})", "step", box=box.SIMPLE, pad_edge=False)
    for column in (*(["to"] if addresses else []), "channel", "status", "then"):
        table.add_column(column, no_wrap=column != "to")
    table.add_column("why")
    for one in found:
        then = [word for word in READ if getattr(one, f"{word}_at")]
        table.add_row(
            wall_clock(one.at.isoformat(), zone),
            escape(one.step + (f" (round {one.round})" if one.round else "")),
            *([escape(one.address)] if addresses else []),
            one.channel,
            f"[{STYLES.get(one.status, 'default')}]{one.status}[/]",
            ", ".join(then),
            escape(one.reason or ""),
        )
    return table


def _said(one: Entry, addresses: bool) -> dict[str, Any]:
    return {
        key: value if isinstance(value, int | str | None) else value.isoformat() if key.endswith("at") else str(value)
        for key, value in one._asdict().items()
        if addresses or key != "address"
    }
