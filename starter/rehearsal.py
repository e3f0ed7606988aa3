"""Rehearse an event: the real workflows on a copy of it, against the sandbox, on a stepped clock."""

from datetime import datetime
from uuid import UUID, uuid4

from database import events, rehearsals
from database.connection import Pool


async def copy(pool: Pool, event_id: UUID, clock_now: datetime) -> UUID:
    """A fresh copy of an event in a scope of its own, not yet published, its clock at `clock_now`."""
    return await rehearsals.copy_event(pool, event_id, uuid4(), clock_now)


async def publish(pool: Pool, rehearsal_id: UUID) -> None:
    """Publish the copy: from here on it lives like any event, as fast as its conductor steps the clock."""
    await events.publish(pool, rehearsal_id)
