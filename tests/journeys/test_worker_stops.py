"""The worker's end: in the middle of a broadcast it finishes or hands back what is in flight, and says so by its status."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from database import events
from database.connection import Pool, connect, connect_pool
from database.seed import seed, seed_contacts
from dev.stack import Stack
from dev.worker import Worker
from settings import Settings
from starter import rehearsal, reports
from starter.client import connect as connect_temporal
from starter.conductor import conduct

CONTACTS = 20_000


@pytest.fixture
async def stack() -> AsyncIterator[Stack]:
    """Everything but a worker."""
    async with Stack(worker=False) as stack:
        yield stack


@pytest.fixture
async def settings(stack: Stack) -> Settings:
    return Settings.from_environment(stack.env)


@pytest.fixture
async def ledger(settings: Settings) -> AsyncIterator[Pool]:
    pool = await connect_pool(settings.database_url)
    yield pool
    await pool.close()


@pytest.mark.timeout(300)
async def test_sigterm_in_the_middle_of_a_broadcast_leaves_nothing_in_flight_and_another_worker_goes_on(
    stack: Stack, settings: Settings, ledger: Pool
) -> None:
    connection = await connect(settings.database_url)
    seeded = await seed(connection)
    await seed_contacts(connection, seeded.organizer_id, CONTACTS)
    await connection.close()
    rehearsed = await rehearsal.copy(ledger, seeded.event_id, datetime.now(UTC))
    worker = Worker(os.environ | stack.env, settings.task_queue, stack.logs / "worker.log")
    client = await connect_temporal(settings)
    await worker.ready(client)
    try:
        await rehearsal.publish(ledger, rehearsed)
        while await _count(ledger, "sent") < 500:
            await asyncio.sleep(0.05)
        asked = time.monotonic()
        os.kill(worker.child.pid, signal.SIGTERM)
        status = await worker.child.ended()
        took = time.monotonic() - asked

        assert status == 0, worker.child.said()
        assert took < 12  # its own limit is ten seconds; a process takes a moment to end
        assert await _count(ledger, "sending") == 0
        assert 0 < await _count(ledger, "queued") < CONTACTS

        worker.begin()
        async for _ in conduct(ledger, client, rehearsed, until=(await _start(ledger, rehearsed))):
            pass
        compared = await reports.compare(ledger, rehearsed, settings.sandbox_url)
        assert (compared["duplicates"], compared["lost"], compared["unknown"]) == (0, 0, 0)
        assert compared["accepted"] > CONTACTS
    finally:
        worker.child.stop()


async def _count(pool: Pool, status: str) -> int:
    count: int = await pool.fetchval("SELECT count(*) FROM messages WHERE status = $1", status)
    return count


async def _start(pool: Pool, event_id: UUID) -> datetime:
    event = await events.get(pool, event_id)
    assert event is not None
    return event.now
