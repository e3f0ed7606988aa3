"""The intake pump: reads occurrences, in order per subject, and has each taken in once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import structlog
from temporalio import activity
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from activities import failures
from activities.listening import listening
from database import occurrences, webhooks
from database.connection import Pool
from database.occurrences import Occurrence

log = structlog.get_logger()

ABREAST = 64
"""Subjects whose occurrences are taken in side by side."""

TURN = 60.0
"""Seconds after which the activity returns, so that the pump's workflow goes on with a fresh one."""

POLL = 1.0
"""Seconds between looks when no NOTIFY comes: the net beneath it."""

BREATH = 0.005
"""Seconds between looks while there is much to do, so that each finds several."""

FORGET = 5.0
"""Seconds between looks for reports of providers that have been kept long enough."""

FORGOTTEN = 2000
"""Reports that are cleared at a stretch: more in an hour than providers deliver, and little enough not to be felt."""

STOP = 3.0
"""Seconds that what is under way may take when the turn ends."""

UNREACHABLE = (
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.CANCELLED,
)


class Intake:
    """Drains the table of occurrences. `take_in` says what came of one, and may be asked twice about the same.

    What providers reported is kept for `retention` after it was taken in.
    """

    def __init__(
        self,
        pool: Pool,
        listen_url: str,
        take_in: Callable[[Occurrence], Awaitable[str]],
        retention: timedelta = timedelta(days=30),
    ) -> None:
        self._pool = pool
        self._listen_url = listen_url
        self._take_in = take_in
        self._retention = retention
        self._forgot_at = -FORGET

    @activity.defn(name="intake")
    async def intake(self) -> None:
        """Take in what there is, for about a minute or until the worker stops."""
        async with listening(self._listen_url, "eventos_occurrences") as woken:
            busy: dict[str, asyncio.Task[None]] = {}
            stopping = asyncio.create_task(activity.wait_for_worker_shutdown())
            stopping.add_done_callback(lambda _: woken.set())
            stop = time.monotonic() + TURN
            try:
                while time.monotonic() < stop and not activity.is_worker_shutdown():
                    activity.heartbeat()
                    await self._forget()
                    woken.clear()
                    room = ABREAST - len(busy)
                    found = await occurrences.due(self._pool, room, busy) if room else []
                    for occurrence in found:
                        busy[occurrence.subject] = asyncio.create_task(self._one(occurrence, busy, woken))
                    if not found:
                        await self._idle(woken)
                    if busy:
                        await asyncio.sleep(BREATH)
            finally:
                stopping.cancel()
                await _wind_up(list(busy.values()))

    async def _forget(self) -> None:
        """Now and then: what providers reported stays in the ledger, the report itself goes; it names people."""
        if time.monotonic() - self._forgot_at < FORGET:
            return
        self._forgot_at = time.monotonic()
        if count := await webhooks.forget(self._pool, self._retention, FORGOTTEN):
            log.info("webhook_bodies_deleted", count=count)

    async def _idle(self, woken: asyncio.Event) -> None:
        wait = await occurrences.next_attempt(self._pool)
        seconds = POLL if wait is None else min(POLL, wait.total_seconds())
        with suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), max(seconds, 0))

    async def _one(self, occurrence: Occurrence, busy: dict[str, "asyncio.Task[None]"], woken: asyncio.Event) -> None:
        about = {"occurrence": occurrence.id, "kind": occurrence.kind}
        try:
            outcome = await self._take_in(occurrence)
            await occurrences.settle(self._pool, occurrence.id, outcome)
            log.debug("occurrence_taken_in", outcome=outcome, **about)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is kept with the occurrence
            await self._fail(occurrence, error, about)
        finally:
            del busy[occurrence.subject]
            woken.set()

    async def _fail(self, occurrence: Occurrence, error: Exception, about: dict[str, object]) -> None:
        said, away = failures.words(error), _away(error)
        log.warning("occurrence_failed", error=said, away=away, **about)
        try:
            held = await occurrences.fail(self._pool, occurrence.id, said, counts=not away)
        except Exception as unkept:
            if not failures.away(unkept):
                raise
            return  # it stays open, and is read again when the database is back
        if held:
            log.error("occurrence_held", **about)


def _away(error: Exception) -> bool:
    """Whether the database or Temporal is away, or this worker stops; that is no fault of the occurrence."""
    if isinstance(error, RPCError):
        return error.status in UNREACHABLE
    return failures.away(error) or isinstance(error, WorkflowUpdateRPCTimeoutOrCancelledError)


async def _wind_up(tasks: "list[asyncio.Task[None]]") -> None:
    """Let what is under way come to its end, for a moment. The next turn may do it again; that does no harm."""
    if not tasks:
        return
    await asyncio.wait(tasks, timeout=STOP)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=STOP / 3)
