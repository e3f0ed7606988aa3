"""`eventos create EVENT FILE.json --name NAME`: begins a timeline of one's own."""

import asyncio
import json
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from activities.revising import known_here
from commands.publish import EventReference
from commands.running import run
from database.connection import connect_pool
from models.moments import zone_named
from providers import accounts
from settings import Settings
from starter import control, custom
from starter.client import connect
from worker import deeds


def create(
    event: EventReference,
    file: Annotated[
        Path, typer.Argument(metavar="FILE.json", exists=True, dir_okay=False, help="The timeline, in the stored form.")
    ],
    name: Annotated[str, typer.Option(help="What the automation is called; one of each name for an event.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and begin nothing.")] = False,
) -> None:
    """Begin a timeline of your own for an event, or name everything that is wrong with it."""
    run(_create(event, file, name, dry_run), mendable=(control.ControlError,))


async def _create(reference: str, file: Path, name: str, dry_run: bool) -> None:
    settings = Settings.from_environment().require("DATABASE_URL", "TEMPORAL_ADDRESS")
    try:
        definition = json.loads(await asyncio.to_thread(file.read_bytes))
    except ValueError as error:
        raise control.ControlError(f"{file} is not JSON: {error}.") from error
    pool = await connect_pool(settings.database_url)
    live = accounts.live(settings)
    try:
        event = await control.find_event(pool, reference)
        known = known_here(deeds(pool, live, None).targets, "custom")
        client = await connect(settings)
        created = await custom.create(
            client, pool, settings.task_queue, event, definition, name, known, dry_run=dry_run
        )
    finally:
        await live.aclose()
        await pool.close()
    zone = zone_named(event.timezone or "UTC")
    typer.echo(
        f"{name} has begun for {event.name}: {created.workflow_id}"
        if created.workflow_id
        else "Nothing was begun. It would be:"
    )
    for step in created.steps:
        typer.echo(f"  {step.id}: {step.moment}" + _due(created, step.id, zone))


def _due(created: custom.Created, step: str, zone: ZoneInfo) -> str:
    due = created.due.get(step)
    return f", {due.astimezone(zone):%A %Y-%m-%d %H:%M}" if due else ""
