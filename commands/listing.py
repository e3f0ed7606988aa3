"""`eventos list`: what runs and what has run, the many of a kind in one line."""

import json
from typing import Annotated, Any

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from commands.running import run
from commands.show import JsonOption, console
from commands.summary import SHORT
from database import listing
from database.connection import connect_pool
from database.listing import Line, Listing
from settings import Settings


def list_(
    unfolded: Annotated[
        bool,
        typer.Option("--all", help="Every automation by itself, also those of one sponsor, attendee or deliverable."),
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="No more lines than this.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the automations, with what each waits for; those about one person each are counted by kind and event."""
    run(_list(unfolded, limit, as_json))


async def _list(unfolded: bool, limit: int | None, as_json: bool) -> None:
    settings = Settings.from_environment().require("DATABASE_URL")
    pool = await connect_pool(settings.database_url)
    try:
        found = await listing.lines(pool, unfolded=unfolded, limit=limit)
    finally:
        await pool.close()
    if as_json:
        typer.echo(json.dumps([_said(line) for line in found.lines], indent=2))
    elif not found.lines:
        console().print("No automation runs. `eventos publish EVENT` begins one.")
    else:
        _print(found)


def _said(line: Line) -> dict[str, Any]:
    return {
        "id": str(line.id) if line.id else None,
        "name": _name(line),
        "type": line.workflow_type,
        "event": str(line.event_id),
        "status": next(iter(line.statuses)) if len(line.statuses) == 1 else None,
        "members": line.members,
        "statuses": line.statuses,
        "progress": f"{line.steps_completed}/{line.steps_total}",
        "next_execution": line.next_execution_at.isoformat() if line.next_execution_at else None,
        "last_error": line.last_error,
        "problems": line.problems,
        "awaits_approval": line.awaits,
        "awaiting_approval": line.awaiting,
    }


def _print(found: Listing) -> None:
    table = Table("automation", box=box.SIMPLE, pad_edge=False)
    for column in ("id", "status", "progress", "waits for", "until (UTC)"):
        table.add_column(column, no_wrap=True)
    table.add_column("problem")
    for line in found.lines:
        cells = (
            _name(line),
            str(line.id) if line.id else f"{line.members:,} automations",
            _statuses(line),
            f"{line.steps_completed}/{line.steps_total}",
            line.current_step or "",
            f"{line.next_execution_at:%Y-%m-%d %H:%M}" if line.next_execution_at else "",
            _problem(line),
        )
        table.add_row(*map(escape, cells))
    out = console()
    out.print(table)
    if (more := found.total - len(found.lines)) > 0:
        out.print(f"and {more:,} more; --limit shows as many as you like")


def _name(line: Line) -> str:
    return line.name or f"{SHORT.get(line.workflow_type, line.workflow_type)} of {line.event_name}"


def _statuses(line: Line) -> str:
    if line.id:
        return next(iter(line.statuses))
    counted = sorted(line.statuses.items(), key=lambda item: (-item[1], item[0]))
    return "\n".join(f"{count:,} {status}" for status, count in counted)


def _problem(line: Line) -> str:
    if line.id:
        return line.last_error or (f"waits for approval: eventos approve {line.id}" if line.awaits else "")
    said = [f"{line.problems:,} with a problem, such as: {line.last_error}"] if line.last_error else []
    said += [f"{line.awaiting:,} wait for approval"] if line.awaiting else []
    return "; ".join([*said, *(["`eventos list --all` names them"] if said else [])])
