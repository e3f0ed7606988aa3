"""`eventos publish EVENT`: publishes an event, which begins its launch."""

from typing import Annotated

import typer
from rich.console import Console

from commands.running import run
from database.connection import connect_pool
from settings import Settings
from starter import control

EventReference = Annotated[str, typer.Argument(metavar="EVENT", help="The event's id, or its name or a part of it.")]


def publish(event: EventReference) -> None:
    """Publish an event. Its automations begin by themselves, once, whoever publishes it."""
    run(_publish(event), mendable=(control.ControlError,))


async def _publish(reference: str) -> None:
    settings = Settings.from_environment().require("DATABASE_URL")
    pool = await connect_pool(settings.database_url)
    try:
        event = await control.find_event(pool, reference)
        new = await control.publish(pool, event)
    finally:
        await pool.close()
    console = Console(highlight=False)
    if new:
        console.print(f"{event.name} is published. `eventos show {event.id}` tells what happens now, and what will.")
    else:
        console.print(
            f"{event.name} was published before, so nothing begins anew. `eventos show {event.id}` tells how it stands."
        )
