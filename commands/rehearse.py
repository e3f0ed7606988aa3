"""`eventos rehearse EVENT`: what an event's automations would do, lived on a copy of it against the sandbox."""

import time

from commands.lived import print_report, report
from commands.living import Living
from commands.publish import EventReference
from commands.running import ERROR, run
from commands.show import console as wide_console
from commands.story import TOLD, approve, publish
from database.connection import connect_pool
from settings import Settings
from starter import control, rehearsal
from starter.client import connect
from starter.conductor import conduct
from starter.people import People
from starter.scenes import Scene, Scenes, Stage


async def approve_if_asked(here: Stage) -> None:
    """Approve what waits, if anything does."""
    await approve(here)


STORY = (
    Scene("0 hours", "The event is published.", publish),
    Scene("1 hour", "What waits for approval is approved.", approve_if_asked),
)


def rehearse(event: EventReference) -> None:
    """Live an event's automations to the last on a copy of it, in a minute; nothing leaves the machine. Needs a worker."""
    run(_rehearse(event), mendable=(control.ControlError,))


async def _rehearse(reference: str) -> int:
    settings = Settings.from_environment().require("DATABASE_URL", "TEMPORAL_ADDRESS", "SANDBOX_URL")
    console = wide_console()
    pool = await connect_pool(settings.database_url)
    try:
        client = await connect(settings)
        event = await control.find_event(pool, reference)
        control.publishable(event)
        begun = time.monotonic()
        copy = await rehearsal.copy(pool, event.id, event.now)
        living = Living(console, pool, copy, event.timezone or "UTC")
        async with People(settings.sandbox_url) as people:
            scenes = Scenes(Stage(pool, client, copy), STORY, event.now, living.say)
            await living.watch(conduct(pool, client, copy, actors=(people, scenes)))
        said = await report(pool, copy, settings.sandbox_url, time.monotonic() - begun, TOLD)
        return ERROR if print_report(console, said, event.timezone or "UTC") else 0
    finally:
        await pool.close()
