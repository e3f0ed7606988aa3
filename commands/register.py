"""`eventos register EVENT EMAIL`: registers somebody, and says what they will be sent and when."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from commands.publish import EventReference
from commands.running import run
from database.connection import connect_pool
from settings import Settings
from starter import attendees, control

Address = Annotated[
    str, typer.Argument(metavar="EMAIL", help="Whom to register; an unknown address becomes a contact.")
]


def register(event: EventReference, email: Address) -> None:
    """Register somebody for a published event. What they are sent begins by itself, once."""
    run(_register(event, email), mendable=(control.ControlError,))


async def _register(reference: str, email: str) -> None:
    settings = Settings.from_environment().require("DATABASE_URL")
    pool = await connect_pool(settings.database_url)
    try:
        event = await control.find_event(pool, reference)
        touches = attendees.ahead(event)
        new = await attendees.register(pool, event, email)
    finally:
        await pool.close()
    console = Console(highlight=False)
    if not new:
        console.print(f"{email} was registered for {event.name} before, so nothing begins anew.")
        return
    console.print(f"{email} is registered for {event.name}.")
    zone = ZoneInfo(event.timezone or "UTC")
    table = Table("step", f"sent ({zone.key})", box=box.SIMPLE, pad_edge=False)
    for touch in touches:
        local = touch.at.astimezone(zone) if touch.at else None
        when = (
            f"not: {touch.why_not}" if local is None else "now" if touch.at == event.now else f"{local:%Y-%m-%d %H:%M}"
        )
        table.add_row(touch.step, when, style="dim" if local is None else None)
    console.print(table)
