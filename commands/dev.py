"""`eventos dev`: the whole system on this machine, with data that outlives it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from commands.running import run
from dev.stack import KEPT, Stack


def dev(
    data: Annotated[Path, typer.Option(help="Where the data is kept between runs.")] = KEPT,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the data of earlier runs first.")] = False,
) -> None:
    """Start PostgreSQL, Temporal, the sandbox and a worker; Ctrl-C stops them in order."""
    run(_dev(data, fresh))


async def _dev(data: Path, fresh: bool) -> None:
    console = Console()
    async with Stack(keep=data, fresh=fresh, console=console) as stack:
        table = Table("", "", box=None, show_header=False)
        for what, where in (
            ("Temporal Web UI", stack.temporal_ui),
            ("Sandbox inbox", stack.env["SANDBOX_URL"]),
            ("PostgreSQL", stack.env["DATABASE_URL"]),
            ("Temporal", stack.env["TEMPORAL_ADDRESS"]),
            ("Logs", str(stack.logs)),
            ("For a shell", f"source {stack.env_file}"),
        ):
            table.add_row(what, where)
        console.print(table, soft_wrap=True)
        console.print("Running; Ctrl-C stops everything.")
        try:
            await stack.wait()
        finally:
            console.print("Stopping ...")
