"""The conductor: steps a rehearsal's clock from one due instant to the next, whenever everything is at rest."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from temporalio.client import Client

from database import automations, rehearsals, watch
from database.connection import Pool
from models.player import News
from starter.client import tell
from starter.people import People

LOOK = 0.02
"""Real seconds between looks at whether everything is at rest."""


async def conduct(
    pool: Pool, client: Client, event_id: UUID, until: datetime | None = None, people: People | None = None
) -> AsyncIterator[datetime]:
    """Live a rehearsal to its end, or to `until` exactly, yielding each instant once everything due at it has happened.

    `people` are the sandbox's: what they do next is an instant like any other, and their webhooks are taken in before time
    moves on.

    A round begins by telling every automation whose rest is over, so a crash between writing the clock and telling costs
    nothing. Time moves only when nothing is busy, no occurrence is unread and no message is due.
    """
    while True:
        still = await _stillness(pool, client, event_id)
        reaction = await people.next_instant(still.clock_now) if people else None
        if people and reaction is not None and reaction <= still.clock_now:
            await people.react(still.clock_now)
            continue
        yield still.clock_now
        ahead = min((at for at in (still.next_instant, reaction) if at is not None), default=None)
        if until is not None and (ahead is None or ahead > until):
            ahead = until if until > still.clock_now else None
        if ahead is None:
            return
        await rehearsals.step_clock(pool, event_id, ahead)


async def _stillness(pool: Pool, client: Client, event_id: UUID) -> rehearsals.Stillness:
    """Tell every automation whose rest is over, until all are at rest and nothing is unread or due."""
    while True:
        for_whom = await rehearsals.due_automations(pool, event_id)
        still = await rehearsals.stillness(pool, event_id)
        if for_whom:
            await asyncio.gather(*(_tell(pool, client, due, still.clock_now) for due in for_whom))
        elif still.at_rest:
            return still
        else:
            await asyncio.sleep(LOOK)


async def _tell(pool: Pool, client: Client, due: tuple[UUID, str], at: datetime) -> None:
    automation_id, workflow_id = due
    news = News(kind="clock", at=at)
    if not await tell(client, workflow_id, news, rehearsal=True, once=f"clock-{at.isoformat()}"):
        await automations.lose(pool, automation_id) or await watch.lose(pool, automation_id)
