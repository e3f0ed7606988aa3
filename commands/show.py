"""`eventos show EVENT`: what happened, what comes next, and why."""

import json
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from commands.publish import EventReference
from commands.running import run
from database import reports, revisions
from database.connection import connect_pool
from models.changes import difference
from settings import Settings
from starter import control
from starter import reports as reporting

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
STYLES = {
    "ahead": "dim",
    "waits": "magenta",
    "success": "green",
    "running": "cyan",
    "failed": "red",
    "skipped": "yellow",
    "held": "red",
}


def show(
    event: EventReference,
    as_json: JsonOption = False,
    changes: Annotated[bool, typer.Option("--revisions", help="Show how the timelines were changed instead.")] = False,
) -> None:
    """Show an event's automations step by step: due when, sent to how many, skipped for which reason."""
    run(_revisions(event, as_json) if changes else _show(event, as_json), mendable=(control.ControlError,))


async def _revisions(reference: str, as_json: bool) -> None:
    settings = Settings.from_environment().require("DATABASE_URL")
    pool = await connect_pool(settings.database_url)
    try:
        event = await control.find_event(pool, reference)
        found = await revisions.of_event(pool, event.id)
    finally:
        await pool.close()
    if as_json:
        said = [{**one._asdict(), "automation_id": str(one.automation_id), "at": one.at.isoformat()} for one in found]
        typer.echo(json.dumps(said, indent=2))
        return
    table = Table("automation", "revision", "at", "by", "what", "why", box=box.SIMPLE, pad_edge=False)
    for one in found:
        at = wall_clock(one.at.isoformat(), event.timezone or "UTC")
        what = "\n".join(difference(one.before, one.after))
        table.add_row(str(one.automation_id), str(one.number), at, *map(escape, (one.author, what, one.reason)))
    console().print(table if found else f"No timeline of {event.name} was ever changed.")


async def _show(reference: str, as_json: bool) -> None:
    settings = Settings.from_environment().require("DATABASE_URL")
    pool = await connect_pool(settings.database_url)
    try:
        event = await control.find_event(pool, reference)
        found = await reporting.automations(pool, event.id)
        told = await reports.notifications(pool, event.id)
    finally:
        await pool.close()
    if as_json:
        typer.echo(json.dumps({"event": str(event.id), "automations": found}, indent=2))
        return
    out = console()
    if not found:
        out.print(f"Nothing of {event.name} is automated yet. `eventos publish {event.id}` begins its launch.")
    for automation in found:
        out.print(steps_table(automation, event.timezone or "UTC"))
    for title, body in told:
        out.print(f"[bold]{escape(title)}[/]: {escape(body)}")


def console() -> Console:
    """Where tables go; what is not a terminal gets lines long enough for them."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=120)


def steps_table(automation: dict[str, Any], zone: str) -> Table:
    """The steps of one automation as a table, times on the event's wall clock."""
    title = f"{automation['type']}: {automation['status']}, {automation['steps_completed']} of {automation['steps_total']} steps"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE, pad_edge=False)
    for column in ("step", f"due ({zone})", "status", "sent"):
        table.add_column(column, no_wrap=True)
    table.add_column("not sent, and why")
    for step in automation["steps"]:
        table.add_row(
            step["name"] + (f" (round {step['round']})" if step["round"] else ""),
            wall_clock(step["due_at"], zone),
            f"[{STYLES.get(step['status'], 'default')}]{step['status']}[/]",
            f"{step['sent']} of {step['queued']}" if step["queued"] else "",
            escape(why_not(step)),
        )
    return table


def wall_clock(instant: str | None, zone: str) -> str:
    """An instant as people at the event read it."""
    return f"{datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)):%a %d %b %H:%M}" if instant else ""


def why_not(step: dict[str, Any]) -> str:
    """Everything of a step that did not go out, and what mail went without, in plain words."""
    parts = [f"{count} {reason}" for reason, count in step["skipped"].items()]
    parts += [f"{step[word]} {word}" for word in ("failed", "unknown") if step[word]]
    parts += [f"{sum(whys.values())} without {include}" for include, whys in step.get("missing", {}).items()]
    parts += [step[word] for word in ("reason", "error") if step.get(word)]
    return "; ".join(parts)
