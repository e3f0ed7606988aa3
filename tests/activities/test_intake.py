"""The intake pump: every occurrence once, in order per subject, and nobody stuck behind somebody else's trouble."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import ActivityEnvironment

from activities import intake as taking_in
from activities.intake import Intake
from database import occurrences, webhooks
from database.connection import Pool
from database.occurrences import HOLD_AFTER, Occurrence

TakeIn = Callable[[Occurrence], Awaitable[str]]


async def happens(pool: Pool, subject: str, kind: str = "told", **columns: Any) -> int:
    values = {"kind": kind, "subject": subject} | columns
    names = ", ".join(values)
    places = ", ".join(f"${at}" for at in range(1, len(values) + 1))
    id_: int = await pool.fetchval(
        f"INSERT INTO occurrences ({names}, occurred_at) VALUES ({places}, now()) RETURNING id", *values.values()
    )
    return id_


@asynccontextmanager
async def pumping(pool: Pool, database: str, take_in: TakeIn) -> AsyncIterator[ActivityEnvironment]:
    """The pump's activity, running until the body is left; then the worker stops."""
    environment = ActivityEnvironment()
    running = asyncio.create_task(environment.run(Intake(pool, database, take_in).intake))
    try:
        yield environment
    finally:
        environment.worker_shutdown()
        with suppress(asyncpg.PostgresError):
            await asyncio.wait_for(running, 60)


async def settled(pool: Pool, seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while await pool.fetchval("SELECT count(*) FROM occurrences WHERE processed_at IS NULL AND held_at IS NULL"):
            await asyncio.sleep(0.02)


async def row(pool: Pool, id_: int) -> dict[str, Any]:
    found = await pool.fetchrow("SELECT * FROM occurrences WHERE id = $1", id_)
    assert found is not None
    return dict(found)


async def test_occurrences_of_a_subject_are_taken_in_in_their_order_and_subjects_side_by_side(
    pool: Pool, database: str
) -> None:
    taken: list[tuple[str, int]] = []
    abreast = most = 0

    async def take_in(occurrence: Occurrence) -> str:
        nonlocal abreast, most
        abreast += 1
        most = max(most, abreast)
        await asyncio.sleep(0.002 * (occurrence.id % 5))
        taken.append((occurrence.subject, occurrence.id))
        abreast -= 1
        return "told"

    ids = [(f"subject/{n % 7}", await happens(pool, f"subject/{n % 7}")) for n in range(70)]
    async with pumping(pool, database, take_in):
        await settled(pool)
    for subject in {subject for subject, _ in ids}:
        assert [id_ for s, id_ in taken if s == subject] == [id_ for s, id_ in ids if s == subject]
    assert len(taken) == 70
    assert most == 7


async def test_a_new_occurrence_wakes_the_pump_at_once(
    pool: Pool, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking_in, "POLL", 600.0)  # only what wakes it is faster
    heard = asyncio.Event()

    async def take_in(_: Occurrence) -> str:
        heard.set()
        return "told"

    async with pumping(pool, database, take_in):
        await asyncio.sleep(0.3)  # idle
        await happens(pool, "subject/1")
        await asyncio.wait_for(heard.wait(), 60)


async def test_facts_come_before_a_fan_out(pool: Pool) -> None:
    fan = await happens(pool, "automation/1", lane=1)
    fact = await happens(pool, "automation/2", lane=0)
    assert [one.id for one in await occurrences.due(pool, 10, [])] == [fact, fan]


async def test_a_row_that_fails_backs_off_and_holds_up_only_its_own_subject(pool: Pool, database: str) -> None:
    broken, behind = await happens(pool, "subject/1", "broken"), await happens(pool, "subject/1")
    others = [await happens(pool, f"subject/{n}") for n in range(2, 6)]
    tries: list[float] = []

    async def take_in(occurrence: Occurrence) -> str:
        if occurrence.id == broken:
            tries.append(time.monotonic())
            raise ValueError("nobody knows what that means")
        return "told"

    async with pumping(pool, database, take_in):
        async with asyncio.timeout(60):
            while len(tries) < 3:
                await asyncio.sleep(0.02)
    assert tries[1] - tries[0] >= 0.24
    assert tries[2] - tries[1] >= 0.49
    found = await row(pool, broken)
    assert (found["processed_at"], found["held_at"]) == (None, None)
    assert found["last_error"] == "nobody knows what that means"
    assert (await row(pool, behind))["processed_at"] is None
    assert all([(await row(pool, id_))["outcome"] == "told" for id_ in others])


async def test_a_row_that_goes_on_failing_is_held_with_a_notification_and_its_subject_goes_on(
    pool: Pool, database: str
) -> None:
    broken = await happens(pool, "subject/1", "broken", attempts=HOLD_AFTER - 1)
    behind = await happens(pool, "subject/1")

    async def take_in(occurrence: Occurrence) -> str:
        if occurrence.kind == "broken":
            raise ValueError("nobody knows what that means")
        return "told"

    async with pumping(pool, database, take_in):
        await settled(pool)
    found = await row(pool, broken)
    assert (found["attempts"], found["processed_at"]) == (HOLD_AFTER, None)
    assert found["held_at"] is not None
    assert (await row(pool, behind))["outcome"] == "told"
    told = await pool.fetchrow("SELECT key, body FROM notifications")
    assert told is not None
    assert (told["key"], told["body"]) == (f"occurrence/{broken}", "broken: nobody knows what that means")


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("reset"),
        asyncpg.ConnectionDoesNotExistError("gone"),
        RPCError("unavailable", RPCStatusCode.UNAVAILABLE, b""),
        WorkflowUpdateRPCTimeoutOrCancelledError(),
    ],
)
async def test_an_outage_of_temporal_or_the_database_does_not_count(
    pool: Pool, database: str, error: Exception
) -> None:
    id_ = await happens(pool, "subject/1", attempts=HOLD_AFTER - 1)
    tries = 0

    async def take_in(_: Occurrence) -> str:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise error
        await pool.execute("SELECT 1")
        return "told"

    # The wait after a failure doubles with every attempt that counted; this one shall not wait so long.
    await pool.execute("UPDATE occurrences SET attempts = 0")
    async with pumping(pool, database, take_in):
        await settled(pool)
    found = await row(pool, id_)
    assert (found["attempts"], found["outcome"], found["held_at"]) == (0, "told", None)


async def test_a_database_that_goes_away_in_the_middle_leaves_every_row_to_be_read_again(
    pool: Pool, database: str
) -> None:
    ids = [await happens(pool, f"subject/{n}") for n in range(4)]
    cut = False

    async def take_in(_: Occurrence) -> str:
        nonlocal cut
        if not cut:
            cut = True
            await pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            )
        return "told"

    for _ in range(2):
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError):
            async with pumping(pool, database, take_in):
                await settled(pool)
    assert [(await row(pool, id_))["outcome"] for id_ in ids] == ["told"] * 4
    assert [((await row(pool, id_))["attempts"], (await row(pool, id_))["last_error"]) for id_ in ids] == [
        (0, None)
    ] * 4


async def test_a_stopping_worker_gets_its_answer_within_five_seconds(
    pool: Pool, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert taking_in.STOP + taking_in.STOP / 3 < 5
    monkeypatch.setattr(taking_in, "STOP", 0.3)
    id_ = await happens(pool, "subject/1")
    stuck = asyncio.Event()

    async def take_in(_: Occurrence) -> str:
        stuck.set()
        await asyncio.sleep(3600)
        return "never"

    environment = ActivityEnvironment()
    running = asyncio.create_task(environment.run(Intake(pool, database, take_in).intake))
    await stuck.wait()
    begun = time.monotonic()
    environment.worker_shutdown()
    await asyncio.wait_for(running, 60)
    assert time.monotonic() - begun >= 0.3
    assert (await row(pool, id_))["attempts"] == 0


async def test_an_idle_pump_stops_at_once(pool: Pool, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking_in, "POLL", 600.0)  # only the worker's end is sooner

    async def take_in(_: Occurrence) -> str:
        raise AssertionError

    async with pumping(pool, database, take_in):
        await asyncio.sleep(0.1)  # idle


async def test_the_body_of_a_report_is_deleted_in_time_and_a_repetition_of_it_still_counts_once(
    pool: Pool, database: str
) -> None:
    """Reports name people. What was taken in a month ago keeps its row and loses its body; what was taken in yesterday,
    and what nobody has taken in however old it is, is whole.
    """

    async def take_in(_: Occurrence) -> str:
        return "told"

    for key, age in (("old", "31 days"), ("young", "1 day"), ("open", None)):
        assert await webhooks.store(pool, "resend", key, {"to": "ada@people.example"}, None, rehearsal=False)
        await pool.execute(
            "UPDATE webhook_deliveries SET received_at = now() - interval '40 days', processed_at = now() - $2::text::interval "
            "WHERE delivery_key = $1",
            *(key, age),
        )

    async def kept() -> set[str]:
        rows = await pool.fetch("SELECT delivery_key FROM webhook_deliveries WHERE body IS NOT NULL")
        return {row["delivery_key"] for row in rows}

    async with pumping(pool, database, take_in), asyncio.timeout(60):
        while "old" in await kept():
            await asyncio.sleep(0.02)
    assert await kept() == {"young", "open"}
    assert not await webhooks.store(pool, "resend", "old", {"to": "ada@people.example"}, None, rehearsal=False)
    forgotten = await pool.fetchval("SELECT id FROM webhook_deliveries WHERE delivery_key = 'old'")
    found = await webhooks.load(pool, forgotten)
    assert found is not None
    assert (found.processed, found.body) == (True, {})
