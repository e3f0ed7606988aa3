"""How a command runs: to its end, or to an error that says what to do, and always to an exit status that means something."""

import asyncio
import signal
from collections.abc import Coroutine

import typer
from rich.console import Console

from database.connection import DatabaseUnreachable
from database.migrate import MigrationError
from dev.child import PartFailed
from dev.temporal_binary import TemporalNotFound
from settings import MissingSettings
from starter.client import NotReady, TemporalUnreachable

MENDABLE: tuple[type[Exception], ...] = (
    DatabaseUnreachable,
    MigrationError,
    MissingSettings,
    NotReady,
    PartFailed,
    TemporalNotFound,
    TemporalUnreachable,
)
"""Errors whose message tells a person what to do; a traceback would only hide it."""

ERROR = 1
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM


def run(main: Coroutine[object, object, int | None], *, mendable: tuple[type[Exception], ...] = ()) -> None:
    """Run `main` and leave with the status it returns, 1 for a mendable error, 130 for Ctrl-C and 143 for SIGTERM.

    Ctrl-C and SIGTERM cancel `main`, so what it holds open in `with` and `finally` is put away first.
    """
    try:
        status = asyncio.run(_until_terminated(main)) or 0
    except MENDABLE + mendable as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        status = ERROR
    except KeyboardInterrupt:
        status = INTERRUPTED
    raise typer.Exit(status)


async def _until_terminated(main: Coroutine[object, object, int | None]) -> int | None:
    work = asyncio.ensure_future(main)
    terminated = asyncio.Event()

    def terminate() -> None:
        terminated.set()
        work.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await work
    except asyncio.CancelledError:
        if terminated.is_set():
            return TERMINATED
        raise
