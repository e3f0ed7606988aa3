"""What every benchmark stands on: servers of its own, the machine's facts, and a line per figure."""

import os
import platform
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from database.connection import Pool, connect, connect_pool
from database.migrate import migrate
from dev.postgres import Postgres
from dev.sandbox import Sandbox
from dev.temporal import Temporal


@dataclass
class Servers:
    """What was started for one benchmark, all of it on this machine and gone afterwards."""

    place: Path
    database: str
    pool: Pool
    sandbox: str
    temporal: str = ""

    async def client(self) -> Client:
        """A client of the Temporal server."""
        return await Client.connect(self.temporal, data_converter=pydantic_data_converter)


@asynccontextmanager
async def servers(*, temporal: bool = False) -> AsyncIterator[Servers]:
    """PostgreSQL with our tables and the sandbox, and a Temporal server if asked for; nothing is left behind."""
    async with AsyncExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="eventos-bench-")))
        place.chmod(0o711)
        postgres = await Postgres.start(place / "postgres", log=place / "postgres.log", port=0)
        stack.callback(Postgres.forget, place / "postgres")
        stack.callback(postgres.child.stop)
        sandbox = await Sandbox.start(log=place / "sandbox.log", port=0)
        stack.callback(sandbox.child.stop)
        connection = await connect(postgres.url())
        await migrate(connection)
        await connection.close()
        pool = await connect_pool(postgres.url())
        stack.callback(pool.terminate)
        found = Servers(place, postgres.url(), pool, sandbox.url)
        if temporal:
            server = await Temporal.start(log=place / "temporal.log", port=0, ui_port=None)
            stack.callback(server.child.stop)
            found.temporal = server.address
        yield found


def say_machine() -> None:
    """What the figures were measured on."""
    load = os.getloadavg()[0]
    typer.echo(
        f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f} before, Python {platform.python_version()}, {sys.platform}"
    )


def say(text: str, value: float, wanted: float, *, below: bool = False) -> None:
    """One line: what was measured, whether it is what is wanted, and how far from it; above 1 is better than wanted."""
    ratio = wanted / value if below else value / wanted
    typer.echo(f"  {text:<76} {'reached' if ratio >= 1 else 'missed '}  x{ratio:.2f}")


def note(text: str) -> None:
    """A figure for which nothing is promised."""
    typer.echo(f"  {text}")


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
