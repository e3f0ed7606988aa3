"""Real time: durable timers, what the row says meanwhile, and what a touch costs."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio.api.enums.v1 import EventType

from models.ids import INTAKE_WORKFLOW_ID, dispatch_workflow_id
from models.messages import CHANNELS
from tests.workflows.house import House
from workflows.timeline import email, social, step, timeline

TOUCHES = timeline(
    step("first", "1 second", social("linkedin")),
    step("second", "2 seconds", social("twitter")),
    step("third", "3 seconds", social("facebook")),
)


async def counted(house: House, workflow_id: str) -> Counter[str]:
    history = await house.handle(workflow_id).fetch_history()
    return Counter(EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events)


async def test_steps_come_due_on_durable_timers_and_the_row_says_so_meanwhile(working: House) -> None:
    event = await working.event()
    id_ = await working.begin(event, TOUCHES)

    start = (await working.until_row(id_, status="active", current_step="first"))["started_at"]
    row = await working.until_row(id_, next_execution_at=start + timedelta(seconds=1))
    assert (row["steps_completed"], row["steps_total"], row["completed_at"]) == (0, 3, None)

    row = await working.until_row(id_, current_step="second")
    assert row["next_execution_at"] == start + timedelta(seconds=2)
    row = await working.until_row(id_, steps_completed=1)
    assert row["completed_at"] is None

    row = await working.until_row(id_, status="completed")
    assert (row["steps_completed"], row["current_step"], row["next_execution_at"]) == (3, None, None)
    assert row["completed_at"] >= start + timedelta(seconds=3)
    for place, (name, known) in enumerate((await working.journal(id_)).items(), start=1):
        assert known["due_at"] == start + timedelta(seconds=place), name
        assert known["started_at"] >= known["due_at"], name


async def test_a_touch_costs_one_timer_and_one_local_activity(working: House) -> None:
    event = await working.event()
    six = timeline(*(step(f"touch_{n}", f"{n} seconds", social("linkedin")) for n in range(1, 7)))
    three = await working.begin(event, TOUCHES)
    other = await working.begin(await working.event(), six)
    await working.handle(three).result()
    await working.handle(other).result()

    more = await counted(working, other)
    more.subtract(await counted(working, three))
    added = {name: count for name, count in more.items() if count}

    # On a machine that stands still for a second two touches come due at one wake: that saves a timer, never costs one.
    wakes = added["TIMER_FIRED"]
    assert 1 <= wakes <= 3
    assert added == {
        "TIMER_STARTED": wakes,
        "TIMER_FIRED": wakes,
        "MARKER_RECORDED": 3,
        "WORKFLOW_TASK_SCHEDULED": wakes,
        "WORKFLOW_TASK_STARTED": wakes,
        "WORKFLOW_TASK_COMPLETED": wakes,
    }


async def test_a_broadcast_is_done_when_its_last_message_is_settled(working: House) -> None:
    working.post_as = None
    event = await working.event(contacts=5)
    id_ = await working.begin(
        event,
        timeline(
            step("announce", "0 seconds", email("announcement_email", to="all_contacts")),
            step("follow", "1 second after announce", social("linkedin")),
        ),
    )
    await working.until_step(id_, "announce", "running")
    row = await working.until_row(id_, current_step="announce")
    assert (row["next_execution_at"], row["steps_completed"]) == (None, 0)
    assert "follow" not in await working.journal(id_)

    assert await working.deliver() == 5
    working.post_as = "sent"
    await working.until_row(id_, current_step="follow", steps_completed=1)
    journal = await working.journal(id_)
    await working.until_row(id_, status="completed")
    follow = (await working.journal(id_))["follow"]
    assert follow["due_at"] == journal["announce"]["ended_at"] + timedelta(seconds=1)


@asynccontextmanager
async def process(house: House) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own, with its pumps; killed at the end."""
    settings = house.settings
    env = os.environ | {
        "DATABASE_URL": settings.database_url,
        "TEMPORAL_ADDRESS": settings.temporal_address,
        "TEMPORAL_TASK_QUEUE": house.queue,
        "PUBLIC_URL": settings.public_url,
        "SANDBOX_URL": settings.sandbox_url,
    }
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "worker", env=env, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield worker
    finally:
        worker.kill()
        await worker.wait()


async def test_a_worker_that_is_killed_in_the_middle_loses_nothing_and_repeats_nothing(house: House) -> None:
    # Their condition never holds, so that only the player's own work is measured, and no provider is asked.
    touches = timeline(*(each.model_copy(update={"condition": "proposal_opened"}) for each in TOUCHES))
    id_ = await house.begin(await house.event(), touches)
    try:
        async with process(house):
            await house.until_row(id_, current_step="second", seconds=40)
        async with process(house):
            row = await house.until_row(id_, status="completed", seconds=40)
    finally:
        for pump in (
            INTAKE_WORKFLOW_ID,
            *(dispatch_workflow_id(c, rehearsal=r) for c in CHANNELS for r in (True, False)),
        ):
            await house.handle(pump).terminate()
    assert row["steps_completed"] == 3
    rows = await house.pool.fetch("SELECT step_id, due_at, started_at FROM workflow_execution_logs ORDER BY due_at")
    assert [row["step_id"] for row in rows] == ["first", "second", "third"]
    assert all(row["started_at"] >= row["due_at"] for row in rows)
