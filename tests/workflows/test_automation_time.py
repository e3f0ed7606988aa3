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
EVERY_VERSION = """
    CREATE TABLE versions AS SELECT * FROM automation_workflows WHERE FALSE;
    CREATE FUNCTION note_version() RETURNS TRIGGER LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO versions SELECT NEW.*; RETURN NULL; END $$;
    CREATE TRIGGER note_version AFTER UPDATE ON automation_workflows FOR EACH ROW EXECUTE FUNCTION note_version();
"""


async def counted(house: House, workflow_id: str) -> Counter[str]:
    history = await house.handle(workflow_id).fetch_history()
    return Counter(EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events)


async def test_steps_come_due_on_durable_timers_and_the_row_says_so_meanwhile(working: House) -> None:
    await working.pool.execute(EVERY_VERSION)
    after = {"first": 6, "second": 7, "third": 8}
    steps = timeline(*(step(name, f"{seconds} seconds", social("linkedin")) for name, seconds in after.items()))
    id_ = await working.begin(await working.event(), steps)

    row = await working.until_row(id_, status="completed", seconds=60)
    start = row["started_at"]
    due = {name: start + timedelta(seconds=seconds) for name, seconds in after.items()}
    assert (row["steps_completed"], row["current_step"], row["next_execution_at"]) == (3, None, None)
    assert row["completed_at"] >= due["third"]
    for name, known in (await working.journal(id_)).items():
        assert known["due_at"] == due[name], name
        assert known["started_at"] >= known["due_at"], name

    waits = await working.pool.fetch("SELECT * FROM versions WHERE next_execution_at IS NOT NULL")
    assert waits[0]["current_step"] == "first"
    for version in waits:
        assert version["next_execution_at"] == due[version["current_step"]]
        assert version["steps_completed"] <= list(after).index(version["current_step"])
        assert (version["steps_total"], version["completed_at"], version["status"]) == (3, None, "active")


async def test_a_touch_costs_one_timer_and_one_local_activity(working: House) -> None:
    event = await working.event()
    six = timeline(*(step(f"touch_{n}", f"{n} seconds", social("linkedin")) for n in range(1, 7)))
    three = await working.begin(event, TOUCHES)
    other = await working.begin(await working.event(), six)
    await working.handle(three).result()
    await working.handle(other).result()

    few, many = await counted(working, three), await counted(working, other)
    for touches, counts in ((3, few), (6, many)):
        # Touches that come due while the machine stands still share a wake: that saves a timer, never costs one.
        assert counts["TIMER_STARTED"] == counts["TIMER_FIRED"] <= touches
    wakes = many["TIMER_FIRED"] - few["TIMER_FIRED"]
    many.subtract(few)
    assert {
        name: count for name, count in many.items() if count and not name.startswith(("TIMER", "WORKFLOW_TASK"))
    } == {"MARKER_RECORDED": 3}
    assert {many[f"WORKFLOW_TASK_{part}"] for part in ("SCHEDULED", "STARTED", "COMPLETED")} == {wakes}


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
    await working.until_row(id_, status="completed")
    journal = await working.journal(id_)
    assert journal["follow"]["due_at"] == journal["announce"]["ended_at"] + timedelta(seconds=1)


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


async def begun(house: House, id_: str) -> bool:
    """Whether its first step has ended."""
    return bool((await house.row(id_))["steps_completed"])


async def test_a_worker_that_is_killed_in_the_middle_loses_nothing_and_repeats_nothing(house: House) -> None:
    # Their condition never holds, so that only the player's own work is measured, and no provider is asked.
    touches = timeline(*(each.model_copy(update={"condition": "proposal_opened"}) for each in TOUCHES))
    id_ = await house.begin(await house.event(), touches)
    try:
        async with process(house):
            await house.until(lambda: begun(house, id_), seconds=60)
        async with process(house):
            row = await house.until_row(id_, status="completed", seconds=60)
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
