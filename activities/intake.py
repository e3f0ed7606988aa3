"""The intake pump: reads occurrences, in order per subject, and has each taken in once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg
import structlog
from temporalio import activity
from temporalio.service import RPCError, RPCStatusCode

from activities.listening import listening
from database import occurrences
from database.connection import Pool
from database.occurrences import Occurrence

log = structlog.get_logger()

ABREAST = 64
"""Subjects whose occurrences are taken in side by side."""

TURN = 60.0
"""Seconds after which the activity returns, so that the pump's workflow goes on with a fresh one."""

POLL = 1.0
"""Seconds between looks when no NOTIFY comes: the net beneath it."""

AWAY = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.CANCELLED)


class Intake:
    """Drains the table of occurrences. `take_in` says what came of one, and may be asked twice about the same."""

    def __init__(self, pool: Pool, listen_url: str, take_in: Callable[[Occurrence], Awaitable[str]]) -> None:
        self._pool = pool
        self._listen_url = listen_url
        self._take_in = take_in

    @activity.defn(name="intake")
    async def intake(self) -> None:
        """Take in what there is, for about a minute or until the worker stops."""
        async with AsyncExitStack() as stack:
            woken = await stack.enter_async_context(listening(self._listen_url, "eventos_occurrences"))
            busy: dict[str, asyncio.Task[None]] = {}
            stop = time.monotonic() + TURN
            try:
                while time.monotonic() < stop and not activity.is_worker_shutdown():
                    activity.heartbeat()
                    woken.clear()
                    found = await occurrences.due(self._pool, ABREAST - len(busy), busy) if len(busy) < ABREAST else []
                    for occurrence in found:
                        task = asyncio.create_task(self._one(occurrence))
                        busy[occurrence.subject] = task
                        task.add_done_callback(lambda _, subject=occurrence.subject: (busy.pop(subject, None), woken.set()))
                    if not found:
                        await self._idle(woken)
            finally:
                # What is under way may be done again by the next turn; it does no harm, so nobody waits for it long.
                if busy:
                    await asyncio.wait(list(busy.values()), timeout=5)
                for task in list(busy.values()):
                    task.cancel()

    async def _idle(self, woken: asyncio.Event) -> None:
        wait = await occurrences.next_attempt(self._pool)
        seconds = POLL if wait is None else min(POLL, max(wait.total_seconds(), 0.02))
        try:
            await asyncio.wait_for(woken.wait(), seconds)
        except TimeoutError:
            pass

    async def _one(self, occurrence: Occurrence) -> None:
        about = {"occurrence": occurrence.id, "kind": occurrence.kind}
        try:
            outcome = await self._take_in(occurrence)
            await occurrences.settle(self._pool, occurrence.id, outcome)
            log.info("occurrence_taken_in", outcome=outcome, **about)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            away = isinstance(error, (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)) or (
                isinstance(error, RPCError) and error.status in AWAY
            )
            log.warning("occurrence_failed", error=str(error), away=away, **about)
            try:
                held = await occurrences.fail(self._pool, occurrence.id, str(error) or type(error).__name__, counts=not away)
            except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
                return  # it stays open, and is read again when the database is back
            if held:
                log.error("occurrence_held", **about)
