"""Deciding steps and filling the outbox: the journal's doors for the player."""

from collections.abc import Awaitable
from typing import TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.alive import alive
from database import decisions, journal, outbox
from database.connection import Pool
from models.approval import Decided
from models.messages import Enqueue, Enqueued
from models.player import Begin, Begun, End, Ended, Free, Freed

T = TypeVar("T")


class Outbox:
    """The activities that write the journal. Each is safe to repeat: what was decided the first time is answered again."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def enqueue(self, request: Enqueue) -> Enqueued:
        """Decide one round of a step, and queue its messages; for a large audience that takes a while."""
        if activity.info().is_local:
            return await final(outbox.enqueue(self._pool, request))
        async with alive():
            return await final(outbox.enqueue(self._pool, request))

    @activity.defn
    async def begin_step(self, begin: Begin) -> Begun:
        """Decide one round of a step without messages."""
        return await final(journal.begin_step(self._pool, begin))

    @activity.defn
    async def end_step(self, end: End) -> Ended:
        """Journal how such a step ended, or that it is held."""
        return await final(journal.end_step(self._pool, end))

    @activity.defn
    async def decide(self, decided: Decided) -> str:
        """Take in what a person decided about generated content."""
        return await final(decisions.decide(self._pool, decided))

    @activity.defn
    async def free_step(self, free: Free) -> Freed:
        """Let go of a held step."""
        return await final(journal.free_step(self._pool, free))


async def final(call: Awaitable[T]) -> T:
    """What no repetition can mend ends the activity for good; the player then holds the step and says why."""
    try:
        return await call
    except (ValueError, LookupError) as error:
        raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from error
