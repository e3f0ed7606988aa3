"""`eventos demo`: a whole event on this machine, lived on a stepped clock, with everything shown as it happens."""

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx2
import typer
from rich.console import Console

from commands.lived import print_report
from commands.lived import report as lived
from commands.living import Living
from commands.running import ERROR, run
from commands.show import console as wide_console
from commands.story import SPONSORS, STORY, TOLD, people
from database import events
from database.connection import Pool, connect, connect_pool
from database.reports import under_way
from database.seed import seed
from dev.stack import Stack
from settings import Settings
from starter import rehearsal
from starter.client import connect as connect_temporal
from starter.conductor import conduct
from starter.people import People
from starter.scenes import Scenes, Stage
from workflows import event_launch, post_event_followup

KILLED_IN = [step.id for step in (*event_launch.TIMELINE, *post_event_followup.TIMELINE)]
"""Steps in whose middle the worker may be killed, in their order."""


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running, with the same event published in real time.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report as JSON to this file.")] = None,
    faults: Annotated[float, typer.Option(min=0, max=0.5, help="Share of provider answers that go wrong.")] = 0.0,
    kills: Annotated[int, typer.Option(min=0, max=9, help="How often the worker is killed (-9) while it runs.")] = 0,
) -> None:
    """Live a whole event, months in a minute or two; status 0 only if every step did what it should."""
    run(_demo(keep, report, faults, kills))


async def _demo(keep: bool, report: Path | None, faults: float, kills: int) -> int:
    console = wide_console()
    async with Stack(console=console) as stack:
        settings = Settings.from_environment(stack.env)
        pool = await connect_pool(settings.database_url)
        try:
            connection = await connect(settings.database_url)
            try:
                seeded = await seed(connection)
            finally:
                await connection.close()
            if faults:
                await _set_faults(settings.sandbox_url, faults)
            begun, clock = time.monotonic(), datetime.now(UTC).replace(microsecond=0)
            rehearsal_id = await rehearsal.copy(pool, seeded.event_id, clock)
            killer = asyncio.create_task(_kill(stack, pool, rehearsal_id, console, kills))
            try:
                await stack.during(_live(pool, settings, rehearsal_id, clock, console))
            finally:
                spared = not killer.done()
                killer.cancel()
            said = await lived(pool, rehearsal_id, settings.sandbox_url, time.monotonic() - begun, TOLD)
            if report is not None:
                report.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
            wrong = print_report(console, said, await _zone(pool, rehearsal_id), _unlike_the_story(said))
            _addresses(console, stack)
            if keep:
                await events.publish(pool, seeded.event_id)
                console.print(
                    "\nThe same event is now published in real time: its durable timers wait in the Temporal Web UI under "
                    f"[bold]event_launch/{seeded.event_id}/1[/]. Ctrl-C stops everything."
                )
                await stack.wait()
        finally:
            await pool.close()
            if spared:
                console.print(f"[red]the event was over before the worker had been killed {kills} times[/]")
    return ERROR if wrong or spared else 0


async def _live(pool: Pool, settings: Settings, event_id: UUID, begun: datetime, console: Console) -> None:
    """Play the story, and step the clock to the end."""
    client = await connect_temporal(settings)
    console.print("\n[bold]The story, on a stepped clock[/]")
    living = Living(console, pool, event_id, await _zone(pool, event_id))
    async with People(settings.sandbox_url) as audience:
        await audience.follow(people(begun))
        scenes = Scenes(Stage(pool, client, event_id), STORY, begun, living.say)
        await living.watch(conduct(pool, client, event_id, actors=(audience, scenes)))


async def _kill(stack: Stack, pool: Pool, event_id: UUID, console: Console, times: int) -> None:
    """End the worker's process as a crash would, each time in the middle of another step; the stack starts another.

    The kills are spread over the event's life. A step that was over before anybody looked leaves its place to the next.
    """
    ahead = 0
    for count in range(times):
        ahead = max(ahead, count * len(KILLED_IN) // times)
        steps = KILLED_IN[ahead : len(KILLED_IN) - (times - count - 1)]
        while (step := await under_way(pool, event_id, steps)) is None:
            await asyncio.sleep(0.002)
        ahead = KILLED_IN.index(step) + 1
        assert stack.worker is not None
        stack.worker.child.kill()
        console.print(f"  [red]worker killed[/] in the middle of {step} ({count + 1} of {times})")


async def _set_faults(sandbox_url: str, share: float) -> None:
    """Let a share of all answers go wrong, in four ways alike."""
    each = share / 4
    async with httpx2.AsyncClient(base_url=sandbox_url) as http:
        wish = {"provider": "all", "rate_limit": each, "error": each, "timeout": each, "drop": each, "seed": 1}
        (await http.post("/_sandbox/faults", json=wish)).raise_for_status()


def _unlike_the_story(said: Mapping[str, Any]) -> list[str]:
    """What became of sponsors and of what they owe otherwise than the story has it."""
    wrong = [
        f"{sponsor} is {said['sponsors'].get(sponsor, 'not among the matches')}, and should be {status}"
        for sponsor, status in SPONSORS.items()
        if said["sponsors"].get(sponsor) != status
    ]
    wrong += [
        f"{row['name']} of {row['sponsor']} is {row['status']}"
        for row in said["deliverables"]
        if row["status"] not in ("approved", "submitted")
    ]
    return wrong


async def _zone(pool: Pool, event_id: UUID) -> str:
    event = await events.get(pool, event_id)
    return (event and event.timezone) or "UTC"


def _addresses(console: Console, stack: Stack) -> None:
    console.print(f"Temporal Web UI  {stack.temporal_ui}\nSandbox inbox    {stack.env['SANDBOX_URL']}", soft_wrap=True)
