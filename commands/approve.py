"""`eventos approve | reject`: shows what waits for a person, and takes the person's word about exactly that."""

import json
from typing import Annotated

import typer
from rich.markup import escape

from commands.control import AutomationArgument
from commands.running import run
from commands.show import JsonOption, console
from database.approvals import Content, Waiting, texts
from database.connection import connect_pool
from models.approval import Decide
from settings import Settings
from starter import control
from starter.client import connect
from starter.scopes import find_automation

BY = "the command line"

StepOption = Annotated[str | None, typer.Option("--step", help="Only if this step waits for it.")]
ContentOption = Annotated[
    str | None, typer.Option("--content", metavar="HASH", help="Only this piece; the beginning of its hash is enough.")
]


def approve(
    automation: AutomationArgument,
    step: StepOption = None,
    content: ContentOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Approve what is shown without asking.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what an automation has to send, and approve exactly that."""
    run(_approve(automation, step, content, yes, as_json), mendable=(control.ControlError,))


def reject(
    automation: AutomationArgument,
    note: Annotated[str, typer.Option("--note", help="Why, for whoever changes the words.")],
    step: StepOption = None,
    content: ContentOption = None,
) -> None:
    """Refuse what an automation has to send; of several proposals, `--content` leaves that sponsor out."""
    run(_reject(automation, note, step, content), mendable=(control.ControlError,))


async def _approve(automation: str, step: str | None, content: str | None, yes: bool, as_json: bool) -> int:
    settings = Settings.from_environment().require("DATABASE_URL", "TEMPORAL_ADDRESS")
    pool = await connect_pool(settings.database_url)
    try:
        id_ = await find_automation(pool, automation)
        waiting = await control.to_approve(pool, id_, step)
        chosen = _chosen(waiting, content)
        if as_json:
            typer.echo(json.dumps(_said(waiting), indent=2))
        else:
            _show(waiting, content)
        if not yes and (as_json or not typer.confirm("Approve exactly this?")):
            return 0 if as_json else 1
        client = await connect(settings)
        decision = Decide(step=waiting.step, content_hash=chosen, by=BY)
        typer.echo(await control.approve(client, pool, id_, decision), err=as_json)
        return 0
    finally:
        await pool.close()


async def _reject(automation: str, note: str, step: str | None, content: str | None) -> None:
    settings = Settings.from_environment().require("DATABASE_URL", "TEMPORAL_ADDRESS")
    pool = await connect_pool(settings.database_url)
    try:
        id_ = await find_automation(pool, automation)
        waiting = await control.to_approve(pool, id_, step)
        client = await connect(settings)
        decision = Decide(step=waiting.step, content_hash=_chosen(waiting, content), by=BY, note=note)
        typer.echo(await control.reject(client, pool, id_, decision))
    finally:
        await pool.close()


def _chosen(waiting: Waiting, content: str | None) -> str:
    """The hash that is decided about: of everything, or of the one piece that is named."""
    if content is None:
        return waiting.content_hash
    found = [one.content_hash for one in waiting.contents if content and one.content_hash.startswith(content)]
    if len(found) != 1:
        raise control.ControlError(
            f"{len(found)} pieces have a hash that begins with {content!r}; `eventos approve` shows all."
        )
    return found[0]


def _show(waiting: Waiting, content: str | None) -> None:
    out = console()
    state = (
        f"was rejected: {waiting.note or 'no reason given'}" if waiting.status == "rejected" else "waits for approval"
    )
    out.print(
        f"[bold]{escape(waiting.name)}[/]: {waiting.step} {escape(state)}, asked {waiting.asked_at:%Y-%m-%d %H:%M} UTC"
    )
    for one in waiting.contents:
        if content is None or one.content_hash.startswith(content):
            _show_content(one)
    if content is None:
        out.print(f"\nAll of it: {waiting.content_hash}")


def _show_content(one: Content) -> None:
    out = console()
    state = " (approved)" if one.approved else ""
    out.print(f"\n[bold]{one.kind} {escape(one.name)}[/]{state}  {one.content_hash}")
    for text in texts(one.slots):
        out.print(f"  {escape(text)}")


def _said(waiting: Waiting) -> dict[str, object]:
    return {
        "automation": str(waiting.automation_id),
        "name": waiting.name,
        "step": waiting.step,
        "status": waiting.status,
        "note": waiting.note,
        "asked_at": waiting.asked_at.isoformat(),
        "overdue_at": waiting.overdue_at.isoformat() if waiting.overdue_at else None,
        "content_hash": waiting.content_hash,
        "contents": [
            {
                "kind": one.kind,
                "name": one.name,
                "content_hash": one.content_hash,
                "approved": one.approved,
                "words": one.slots,
            }
            for one in waiting.contents
        ],
    }
