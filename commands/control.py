"""`eventos pause | resume | cancel | retry | skip | modify`: steers what is running."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError

from commands.running import run
from database.connection import Pool, connect_pool
from database.control import Owed, Scope
from database.control import owed as owed_by
from models.changes import Change
from models.player import Policy, StepOrder
from settings import Settings
from starter import control, resuming
from starter.client import connect
from starter.resuming import Resumption
from starter.scopes import aim, find_automation

KindOption = Annotated[
    str | None,
    typer.Option(
        "--kind", help="Only this kind of automation, such as event_launch; without an event, in every event."
    ),
]
ScopeArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[AUTOMATION|EVENT]", help="An automation's id, its beginning or its Temporal id; or an event."
    ),
]


def pause(which: ScopeArgument = None, kind: KindOption = None) -> None:
    """Pause automations: from now on no step and no message of them. Nothing is lost."""
    done = "paused; from now on no message of them leaves"
    run(_change(which, kind, control.pause, done), mendable=(control.ControlError,))


def resume(
    which: ScopeArgument = None,
    kind: KindOption = None,
    policy: Annotated[
        Policy,
        typer.Option(
            help="What fell due meanwhile: treat as late (by_policy), send all, skip all, or shift: move it by the pause."
        ),
    ] = "by_policy",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would bring, and change nothing.")] = False,
) -> None:
    """Resume paused automations, and say what goes now, is skipped or moves."""
    run(_resume(which, kind, policy, dry_run), mendable=(control.ControlError,))


async def _resume(which: str | None, kind: str | None, policy: Policy, dry_run: bool) -> None:
    settings = Settings.from_environment().require("DATABASE_URL")
    pool = await connect_pool(settings.database_url)
    try:
        found = await aim(pool, which, kind)
        async with resuming.view(pool, found.scope) as view:
            if dry_run:
                ahead = await view.foresee(policy)
                if not ahead:
                    await control.nothing(pool, found.scope, "paused", "resumed")
                count = _automations(sum(one.automations for one in ahead), found.name)
                typer.echo(f"Nothing was changed. {count} would go on:")
            else:
                resumed = await control.resume(pool, found.scope, policy)
                typer.echo(f"Recorded: {_automations(len(resumed), found.name)} resumed.")
                ahead = await view.foresee(policy, among=resumed)
            for one in ahead:
                typer.echo(f"  {one.kind} ({one.automations:,}): {_brought(one)}")
    finally:
        await pool.close()


def _automations(count: int, name: str) -> str:
    return f"{count:,} automation{'s' if count != 1 else ''} of {name}"


def _brought(one: Resumption) -> str:
    """What a resume brings to the automations of a kind, in words."""
    parts = [f"{one.steps:,} step{'s go' if one.steps != 1 else ' goes'} now"]
    parts[0] += f", with {one.messages:,} message{'s' if one.messages != 1 else ''}" if one.messages else ""
    parts += [f"{one.held.free:,} held before go out, if the gates let them"] if one.held and one.held.free else []
    parts += [f"{one.held.over:,} held before are too late"] if one.held and one.held.over else []
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in one.skipped.most_common())
    parts += [f"{one.skipped.total():,} skipped ({reasons})"] if reasons else ["none is skipped"]
    parts += [f"{one.moved:,} move"] if one.moved else []
    parts += [f"{count:,} cannot be foreseen: {why}" for why, count in one.unknown.items()]
    return "; ".join(parts)


def cancel(which: ScopeArgument = None, kind: KindOption = None) -> None:
    """Cancel automations for good; what is queued is not sent."""
    run(_change(which, kind, control.cancel, "cancelled; what is queued is not sent"), mendable=(control.ControlError,))


async def _change(
    reference: str | None, kind: str | None, change: Callable[[Pool, Scope], Awaitable[int]], done: str
) -> None:
    settings = Settings.from_environment().require("DATABASE_URL")
    pool = await connect_pool(settings.database_url)
    try:
        found = await aim(pool, reference, kind)
        owed = await owed_by(pool, found.scope)
        count = await change(pool, found.scope)
    finally:
        await pool.close()
    typer.echo(f"Recorded: {_automations(count, found.name)} {done}.{_ended(owed)}")


def _ended(owed: Owed) -> str:
    """How many of them had ended before, and with how much left to send."""
    if not owed.messages:
        return ""
    messages = f"{owed.messages:,} message{'s' if owed.messages != 1 else ''}"
    return f" Of these {owed.automations:,} had ended, with {messages} still to go."


AutomationArgument = Annotated[
    str,
    typer.Argument(
        metavar="AUTOMATION",
        help="The automation's id, its beginning or its Temporal id; `eventos list --all` shows it.",
    ),
]
StepArgument = Annotated[str, typer.Argument(metavar="STEP", help="The step's id.")]


def retry(automation: AutomationArgument, step: StepArgument) -> None:
    """Try a held step once more."""
    run(_order(automation, "retry", step), mendable=(control.ControlError,))


def skip(automation: AutomationArgument, step: StepArgument) -> None:
    """Give a held step up, and go on behind it."""
    run(_order(automation, "skip", step), mendable=(control.ControlError,))


def modify(
    automation: AutomationArgument,
    file: Annotated[
        Path, typer.Argument(metavar="FILE.json", exists=True, dir_okay=False, help="The steps to change, as JSON.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would come to, and change nothing.")] = False,
    by: Annotated[str, typer.Option(help="Who changes it, for the revisions.")] = "the command line",
    reason: Annotated[str, typer.Option(help="Why, for the revisions.")] = "",
) -> None:
    """Change steps that have not begun. `{"steps": {"STEP": {"delay": "8 days"}}}`; null takes a step away."""
    run(_modify(automation, file, dry_run, by, reason), mendable=(control.ControlError,))


async def _modify(automation: str, file: Path, dry_run: bool, by: str, reason: str) -> None:
    settings = Settings.from_environment().require("DATABASE_URL", "TEMPORAL_ADDRESS")
    text = await asyncio.to_thread(file.read_bytes)
    change = _change_in(text, file).model_copy(update={"dry_run": dry_run, "by": by, "reason": reason})
    pool = await connect_pool(settings.database_url)
    try:
        client = await connect(settings)
        revised = await control.modify(client, pool, await find_automation(pool, automation), change)
    finally:
        await pool.close()
    typer.echo("Nothing was changed. It would be:" if revised.number is None else f"Revision {revised.number}:")
    for verb, ids in (("added", revised.added), ("changed", revised.changed), ("removed", revised.removed)):
        for id_ in ids:
            due = revised.due.get(id_)
            typer.echo(f"  {verb} {id_}" + (f", due {due:%Y-%m-%d %H:%M} UTC" if due else ""))


def _change_in(text: bytes, file: Path) -> Change:
    try:
        said = json.loads(text)
        return Change(steps=said["steps"] if isinstance(said, dict) and "steps" in said else said)
    except json.JSONDecodeError as error:
        raise control.ControlError(f"{file} is not JSON: {error}.") from error
    except ValidationError as error:
        raise control.ControlError(
            f'{file} holds no steps: write {{"steps": {{"STEP": {{"delay": "8 days"}}}}}}.'
        ) from error


async def _order(automation: str, verb: Literal["retry", "skip"], step: str) -> None:
    settings = Settings.from_environment().require("DATABASE_URL", "TEMPORAL_ADDRESS")
    pool = await connect_pool(settings.database_url)
    try:
        client = await connect(settings)
        id_ = await find_automation(pool, automation)
        typer.echo(await control.order(client, pool, id_, verb, StepOrder(step=step, by="the command line")))
    finally:
        await pool.close()
