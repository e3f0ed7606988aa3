"""The conductor: steps a rehearsal's clock from one due instant to the next, whenever everything is at rest."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from temporalio.client import Client

from database import automations, rehearsals, watch
from database.connection import Pool
from models.player import News
from starter.client import NotReady, tell

LOOK = 0.02
"""Real seconds between looks at whether everything is at rest."""

ABREAST = 64
"""Automations that are told the time side by side."""

AGAIN = 1.0
"""Real seconds before a workflow that could not hear is told once more."""

PATIENCE = 120.0
"""Real seconds for which a workflow may be unable to hear: a killed worker's tasks time out one after the other."""


class Actor(Protocol):
    """Somebody beside the automations who does something at instants of their own: the sandbox's people, a story."""

    async def next_instant(self, now: datetime) -> datetime | None:
        """When they do something next, not before `now`; None if only something new could make them."""

    async def react(self, now: datetime) -> None:
        """Do what is due at `now`; all of it is done when this returns."""


async def conduct(
    pool: Pool, client: Client, event_id: UUID, until: datetime | None = None, actors: Sequence[Actor] = ()
) -> AsyncIterator[datetime]:
    """Live a rehearsal to its end, or to `until` exactly, yielding each instant once everything due at it has happened.

    What `actors` do next is an instant like any other. They act while everything is at rest, in the order given, and what
    they bring about is taken in before time moves on.

    A round begins by telling every automation whose rest is over, so a crash between writing the clock and telling costs
    nothing. Time moves only when nothing is busy, no occurrence is unread and no message is due.
    """
    while True:
        still = await _stillness(pool, client, event_id)
        ahead = [still.next_instant]
        for actor in actors:
            at = await actor.next_instant(still.clock_now)
            if at is not None and at <= still.clock_now:
                await actor.react(still.clock_now)
                break
            ahead.append(at)
        else:
            yield still.clock_now
            to = min((at for at in ahead if at is not None), default=None)
            if until is not None and (to is None or to > until):
                to = until if until > still.clock_now else None
            if to is None:
                return
            await rehearsals.step_clock(pool, event_id, to)


async def _stillness(pool: Pool, client: Client, event_id: UUID) -> rehearsals.Stillness:
    """Tell every automation whose rest is over, until all are at rest and nothing is unread or due."""
    room = asyncio.Semaphore(ABREAST)

    async def tell_one(due: tuple[UUID, str], at: datetime) -> None:
        async with room:
            await _tell(pool, client, due, at)

    while True:
        for_whom = await rehearsals.due_automations(pool, event_id)
        still = await rehearsals.stillness(pool, event_id)
        if for_whom:
            await asyncio.gather(*(tell_one(due, still.clock_now) for due in for_whom))
        elif still.at_rest:
            return still
        else:
            await asyncio.sleep(LOOK)


async def _tell(pool: Pool, client: Client, due: tuple[UUID, str], at: datetime) -> None:
    automation_id, workflow_id = due
    news, once = News(kind="clock", at=at), f"clock-{at.isoformat()}"
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if not await tell(client, workflow_id, news, rehearsal=True, once=once):
                await automations.lose(pool, automation_id) or await watch.lose(pool, automation_id)
            return
        except NotReady:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(AGAIN)
