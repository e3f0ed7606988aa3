"""The pump: it wakes, stops, survives kills and outages, and keeps rehearsals away from the world."""

import asyncio
import contextlib
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities import dispatch as dispatching
from activities.dispatch import Dispatch
from database.connection import Pool
from database.outbox import enqueue
from models.player import DispatchInput
from providers.accounts import Accounts
from tests.activities.conftest import Providers, end_leases, to_the_end
from tests.world import EMAIL, World, make_world

ROOT = Path(__file__).parent.parent.parent


async def sent(world: World) -> int:
    return (await world.counts()).get("sent", 0)


async def until_sent(world: World, count: int, seconds: float = 60) -> None:
    began = time.monotonic()
    while await sent(world) < count:
        assert time.monotonic() - began < seconds, await world.counts()
        await asyncio.sleep(0.02)


async def test_the_activity_beats_wakes_at_once_and_stops_when_the_worker_does(
    pool: Pool, world: World, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "POLL", 600.0)  # only what wakes it is faster
    environment = ActivityEnvironment()
    beats: list[object] = []
    environment.on_heartbeat = lambda *details: beats.append(details)
    running = asyncio.create_task(environment.run(dispatch.dispatch, DispatchInput(channel="email", rehearsal=False)))
    await asyncio.sleep(1.2)  # idle
    await world.people(3)

    await enqueue(pool, world.request())
    await until_sent(world, 3)

    assert len(beats) >= 2
    environment.worker_shutdown()
    await asyncio.wait_for(running, 60)


async def test_a_message_released_later_goes_at_its_moment(
    pool: Pool, world: World, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "POLL", 600.0)  # only the moment itself is sooner
    await world.people(1)
    due = datetime.now(UTC).timestamp() + 1.4
    await enqueue(pool, world.request(now=datetime.fromtimestamp(due, UTC)))
    stop, woken = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(dispatch.pump("email", rehearsal=False).run(stop, woken))

    await until_sent(world, 1)
    stop.set()
    woken.set()
    await running

    (message,) = await world.messages()
    assert message["sent_at"].timestamp() >= due


async def test_a_pump_killed_again_and_again_neither_loses_nor_repeats(
    database: str, pool: Pool, world: World, providers: Providers, dispatch: Dispatch
) -> None:
    await world.people(1500)
    await enqueue(pool, world.request())
    await providers.faults(slow=0.05)
    for kill in range(4):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.activities.pump_process", database, providers.url, cwd=ROOT
        )
        try:
            await until_sent(world, 100 + 200 * kill)
        finally:
            process.kill()
            await process.wait()
        await end_leases(pool)

    await providers.faults()
    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 1500}
    accepted = await providers.accepted_ids()
    assert (len(accepted), set(accepted.values())) == (1500, {1})
    assert (await world.journal())["result"]["sent"] == 1500
    assert (await world.row())["tasks_successful"] == 1500


async def test_with_one_answer_in_five_at_fault_everybody_still_gets_one_mail(
    pool: Pool,
    world: World,
    providers: Providers,
    dispatch: Dispatch,
    accounts: Accounts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await world.people(1990)
    for n in range(10):
        await world.contact(f"bad,{n}@people.example")
    await enqueue(pool, world.request())
    await providers.faults(rate_limit=0.05, error=0.05, timeout=0.05, drop=0.05, seed=7)
    accounts.email._wire._seconds = 2.0
    monkeypatch.setattr(accounts.email.pace, "pause", lambda _: None)  # a test does not wait out the pauses

    await dispatch.pump("email", rehearsal=False).drain()
    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 1990, "failed": 10}
    accepted = await providers.accepted_ids()
    assert (len(accepted), set(accepted.values())) == (1990, {1})
    journal = await world.journal()
    assert (journal["open"], journal["status"]) == (0, "success")
    assert len(await world.settled()) == 1


async def test_a_database_that_hangs_up_in_the_middle_is_waited_for(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch
) -> None:
    await world.people(600)
    await enqueue(pool, world.request())
    await providers.faults(slow=0.05)
    stop = asyncio.Event()
    running = asyncio.create_task(dispatch.pump("email", rehearsal=False).run(stop, asyncio.Event(), seconds=30))
    await until_sent(world, 100)
    for _ in range(3):
        with contextlib.suppress(Exception):
            await pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)
    stop.set()
    await running

    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 600}
    accepted = await providers.accepted_ids()
    assert (len(accepted), set(accepted.values())) == (600, {1})


async def test_a_rehearsal_reaches_the_sandbox_account_and_no_other(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch
) -> None:
    shadow = await make_world(pool, clock=datetime(2027, 3, 10, 9, 0, tzinfo=UTC))
    for one in (world, shadow):
        await one.people(2)
        await enqueue(pool, one.request(EMAIL, now=one.started))

    await dispatch.pump("email", rehearsal=True).drain()

    assert {message["account"] for message in await providers.accepted()} == {"rehearsal-resend"}
    assert await shadow.counts() == {"sent": 2}
    assert await world.counts() == {"queued": 2}


async def test_the_limit_of_an_account_is_kept_and_used(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(1000)
    await enqueue(pool, world.request())
    await providers.http.post(f"{providers.url}/_sandbox/limits", json={"provider": "resend", "per_second": 10})
    accounts.email.pace.per_second = 10

    began = time.monotonic()
    await dispatch.pump("email", rehearsal=False).drain()
    seconds = time.monotonic() - began

    assert await world.counts() == {"sent": 1000}
    assert await providers.requests() == 10
    assert seconds > 0.85
