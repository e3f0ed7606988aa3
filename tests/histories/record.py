"""Records histories of automations, and what today's code commands along them: `python -m tests.histories.record`.

Without more it lives again what is missing or no longer leads to the same commands; with names of histories it lives those,
with `--all` everything. `--texts` lives nothing and writes the commands beside the histories anew; it refuses where Temporal
itself would refuse the history. CONTRIBUTING.md says when each may be done.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from temporalio.client import WorkflowHistory

import logs
from database.connection import connect, connect_pool, create_database
from database.migrate import migrate
from dev.stack import Stack
from settings import Settings
from starter.client import connect as connect_temporal
from tests.histories.commands import commands
from tests.histories.lives import LIVES, Life
from tests.workflows.house import House, open_house

HERE = Path(__file__).parent
NEXT = HERE / "unreleased"
"""Histories of what is not yet released, the only ones that are recorded again. A release renames the directory."""


def recorded() -> list[Path]:
    """Every history that is kept, of the versions released and of the next."""
    return sorted(HERE.glob("*/*.json"))


def read(file: Path) -> WorkflowHistory:
    """A history that is kept."""
    return WorkflowHistory.from_json(name_of(file), file.read_text(encoding="utf-8"))


def name_of(file: Path) -> str:
    """The name of a history."""
    return file.stem


def text_of(file: Path) -> Path:
    """Where the commands of a history are kept."""
    return file.with_name(f"{name_of(file)}.txt")


def lines_of(history: str) -> str:
    """The same JSON with one event per line, so that a difference between two recordings can be read.

    Where a failure came from in the code is left out: it names the recorder's directories, and no workflow reads it.
    """

    def untraced(part: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in part.items() if key != "stackTrace"}

    found = json.loads(history, object_hook=untraced)["events"]
    events = (json.dumps(event, separators=(",", ":"), ensure_ascii=False) for event in found)
    return '{"events":[\n' + ",\n".join(events) + "\n]}\n"


async def holds(file: Path) -> bool:
    """Whether today's code answers a history with the commands that are kept beside it."""
    if not file.exists() or not text_of(file).exists():
        return False
    found = await commands(read(file))
    return found.refused is None and found.text == text_of(file).read_text(encoding="utf-8")


async def keep(house: House, name: str, workflow: str) -> None:
    """Fetch what Temporal has recorded of a workflow, and write it and its commands."""
    id_, _, run = workflow.partition("#")
    history = await house.client.get_workflow_handle(id_, run_id=run or None).fetch_history()
    # Whose machine it was is nobody's business.
    written = history.to_json().replace(f"{os.getpid()}@{socket.gethostname()}", "recorder")
    file = NEXT / f"{name}.json"
    file.write_text(lines_of(written), encoding="utf-8")
    found = await commands(read(file))
    if found.refused:
        raise RuntimeError(f"{name} cannot be replayed right after it was lived: {found.refused}")
    text_of(file).write_text(found.text, encoding="utf-8")


async def live(stack: Stack, life: Life) -> None:
    """Live one life in a database of its own, and keep its histories."""
    settings = Settings.from_environment(stack.env)
    url = urlunsplit(urlsplit(settings.database_url)._replace(path=f"/life_{uuid4().hex[:12]}"))
    await create_database(settings.database_url, urlsplit(url).path[1:])
    connection = await connect(url)
    await migrate(connection)
    await connection.close()
    pool = await connect_pool(url)
    client, queue = await connect_temporal(settings), f"life-{uuid4().hex[:8]}"
    try:
        async with (
            open_house(pool, client, url, settings.temporal_address, settings.sandbox_url or "", queue) as house,
            house.at_work(),
        ):
            for name, workflow in (await life.script(house)).items():
                await keep(house, name, workflow)
    finally:
        await pool.close()


async def record(names: list[str], *, everything: bool) -> None:
    """Live what is asked for; with no names what no longer holds."""
    NEXT.mkdir(exist_ok=True)
    chosen = []
    for life in LIVES:
        asked = set(names) & set(life.histories)
        if everything or asked or (not names and not all([await holds(NEXT / f"{n}.json") for n in life.histories])):
            chosen.append(life)
    if not chosen:
        sys.stderr.write("Every history leads to the commands that are kept beside it; nothing was recorded.\n")
        return
    async with AsyncExitStack() as held:
        stack = await held.enter_async_context(Stack(worker=False))
        for life in chosen:
            sys.stderr.write(f"living {', '.join(life.histories)}\n")
            await live(stack, life)


async def write_texts() -> None:
    """Write the commands of every history anew, where Temporal would go on with it."""
    for file in recorded():
        found = await commands(read(file))
        if found.refused:
            sys.exit(f"{name_of(file)} is refused, so its automations could not go on: {found.refused}")
        text_of(file).write_text(found.text, encoding="utf-8")


def main() -> None:
    """Record, or write the texts."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories.record", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *(name for life in LIVES for name in life.histories)])
    parser.add_argument("--all", action="store_true", help="live everything again")
    parser.add_argument("--texts", action="store_true", help="write the commands anew, and no history")
    asked = parser.parse_args()
    logs.set_up("critical", "console")
    asyncio.run(write_texts() if asked.texts else record(asked.names, everything=asked.all))


if __name__ == "__main__":
    main()
