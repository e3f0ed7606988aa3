"""The conductor: steps a rehearsal's clock from one due instant to the next, whenever everything is at rest."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from temporalio.client import Client

from database import rehearsals
from database.connection import Pool
from models.player import News
from starter.client import tell

LOOK = 0.02
"""Real seconds between looks at whether everything is at rest."""


async def conduct(pool: Pool, client: Client, event_id: UUID, until: datetime | None = None) -> AsyncIterator[datetime]:
    """Live a rehearsal to its end (or `until`), yielding each instant once everything due at it has happened.

    A round begins by telling every automation whose rest is over, so a crash between writing the clock and telling costs
    nothing. Time moves only when nothing is busy, no occurrence is unread and no message is due.
    """
    while True:
        await _tell_due(pool, client, event_id)
        now = await _stillness(pool, event_id)
        if now is None:
            continue
        yield now.clock_now
        ahead = now.next_instant
        if ahead is None or (until is not None and ahead > until):
            return
        await rehearsals.step_clock(pool, event_id, ahead)


async def _stillness(pool: Pool, event_id: UUID) -> rehearsals.Stillness | None:
    """Wait until the rehearsal is at rest; None if an automation's rest ended meanwhile and it must be told."""
    while True:
        now = await rehearsals.stillness(pool, event_id)
        if now.at_rest:
            return None if await rehearsals.due_automations(pool, event_id) else now
        await asyncio.sleep(LOOK)


async def _tell_due(pool: Pool, client: Client, event_id: UUID) -> None:
    at = (await rehearsals.stillness(pool, event_id)).clock_now
    await asyncio.gather(
        *(
            tell(client, workflow_id, News(kind="clock", at=at), rehearsal=True, once=f"clock-{at.isoformat()}")
            for _, workflow_id in await rehearsals.due_automations(pool, event_id)
        )
    )
