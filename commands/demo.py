"""`eventos demo`: a whole launch on this machine, lived on a stepped clock, with every step shown as it happens."""

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx2
import typer
from rich.console import Console
from rich.markup import escape

from commands.running import ERROR, run
from commands.show import console as wide_console
from commands.show import steps_table, wall_clock, why_not
from database import events
from database.connection import Pool, connect, connect_pool
from database.reports import is_under_way
from database.seed import seed
from dev.stack import Stack
from settings import Settings
from starter import rehearsal, reports
from starter.client import connect as connect_temporal
from starter.conductor import conduct
from workflows.event_launch import TIMELINE


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running, with the same event published in real time.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report as JSON to this file.")] = None,
    faults: Annotated[float, typer.Option(min=0, max=0.5, help="Share of provider answers that go wrong.")] = 0.0,
    kills: Annotated[int, typer.Option(min=0, max=9, help="How often the worker is killed (-9) while it runs.")] = 0,
) -> None:
    """Publish an event and watch its launch campaign, months in a minute; status 0 only if every step did what it should."""
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
            begun = time.monotonic()
            if faults:
                await _set_faults(settings.sandbox_url, faults)
            rehearsal_id = await rehearsal.copy(pool, seeded.event_id, datetime.now(UTC).replace(microsecond=0))
            killer = asyncio.create_task(_kill(stack, pool, rehearsal_id, console, kills))
            try:
                await _live(pool, settings, rehearsal_id, console)
            finally:
                spared = not killer.done()
                killer.cancel()
            said = await _report(pool, settings, rehearsal_id, time.monotonic() - begun)
            if report is not None:
                report.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
            problems = _show(console, said, await _zone(pool, rehearsal_id))
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
                console.print(f"[red]the launch was over before the worker had been killed {kills} times[/]")
    return ERROR if problems or spared else 0


async def _live(pool: Pool, settings: Settings, event_id: UUID, console: Console) -> None:
    """Publish the rehearsal and step its clock to the end, showing each step once it has ended."""
    client = await connect_temporal(settings)
    zone = await _zone(pool, event_id)
    console.print("\n[bold]The launch, on a stepped clock[/]")
    await rehearsal.publish(pool, event_id)
    shown: set[tuple[str, int]] = set()
    async for _ in conduct(pool, client, event_id):
        for automation in await reports.automations(pool, event_id):
            for step in automation["steps"]:
                key = (step["name"], step["round"])
                if key in shown or step["status"] in ("pending", "running", "ahead"):
                    continue
                shown.add(key)
                not_sent = why_not(step)
                said = f"{step['sent']} sent" if step["queued"] else step["status"]
                console.print(
                    f"  {wall_clock(step['due_at'], zone)}  [bold]{step['name']}[/]  {said}"
                    + (f" [dim]({escape(not_sent)})[/]" if not_sent else "")
                )


async def _kill(stack: Stack, pool: Pool, event_id: UUID, console: Console, times: int) -> None:
    """End the worker's process as a crash would, each time in the middle of another step; the stack starts another."""
    steps = [step.id for step in TIMELINE]
    for count in range(times):
        step = steps[count * len(steps) // times]
        while not await is_under_way(pool, event_id, step):
            await asyncio.sleep(0.002)
        assert stack.worker is not None
        stack.worker.child.kill()
        console.print(f"  [red]worker killed[/] in the middle of {step} ({count + 1} of {times})")


async def _set_faults(sandbox_url: str, share: float) -> None:
    """Let a share of all answers go wrong, in four ways alike."""
    each = share / 4
    async with httpx2.AsyncClient(base_url=sandbox_url) as http:
        wish = {"provider": "all", "rate_limit": each, "error": each, "timeout": each, "drop": each, "seed": 1}
        (await http.post("/_sandbox/faults", json=wish)).raise_for_status()


async def _report(pool: Pool, settings: Settings, event_id: UUID, seconds: float) -> dict[str, Any]:
    return {
        "automations": await reports.automations(pool, event_id),
        "messages": await reports.compare(pool, event_id, settings.sandbox_url),
        "seconds": round(seconds, 1),
    }


def _show(console: Console, said: dict[str, Any], zone: str) -> Sequence[str]:
    """Print the result, and what is wrong with it if anything is."""
    console.print()
    for automation in said["automations"]:
        console.print(steps_table(automation, zone))
    messages = said["messages"]
    console.print(
        f"{messages['accepted']} messages accepted, {messages['duplicates']} twice, {messages['lost']} lost, "
        f"{messages['unknown']} unknown, in {said['seconds']} seconds"
    )
    problems = [f"{word}: {messages[word]}" for word in ("duplicates", "lost") if messages[word]]
    if not said["automations"]:
        problems.append("no automation was begun")
    for automation in said["automations"]:
        if automation["status"] != "completed":
            problems.append(f"{automation['type']} is {automation['status']}")
        problems += [
            f"{step['name']} is {step['status']}: {why_not(step)}"
            for step in automation["steps"]
            if step["status"] != "success" and not (step["status"] == "skipped" and step.get("reason"))
        ]
    for problem in problems:
        console.print(f"[red]{escape(problem)}[/]")
    return problems


async def _zone(pool: Pool, event_id: UUID) -> str:
    event = await events.get(pool, event_id)
    return (event and event.timezone) or "UTC"


def _addresses(console: Console, stack: Stack) -> None:
    console.print(f"Temporal Web UI  {stack.temporal_ui}\nSandbox inbox    {stack.env['SANDBOX_URL']}", soft_wrap=True)
