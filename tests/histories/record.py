"""Records a finished launch for the replay test: `python -m tests.histories.record`.

Run it when a change to a workflow is released under a new version of the rules, and keep the older files: a running
automation goes on under the code of today with the history of the day it began.
"""

import asyncio
import os
import socket
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from temporalio.client import WorkflowHistory

from database.connection import connect, connect_pool
from database.seed import seed
from dev.stack import Stack
from settings import Settings
from starter import rehearsal
from starter.client import connect as connect_temporal
from starter.conductor import conduct
from tests.workflows.house import House, replay

HERE = Path(__file__).parent
LAUNCH = HERE / "event_launch_v1.json"


async def live(house: House) -> WorkflowHistory:
    """Live a launch to its end on a stepped clock."""
    connection = await connect(house.settings.database_url)
    seeded = await seed(connection)
    await connection.close()
    event = await rehearsal.copy(house.pool, seeded.event_id, datetime.now(UTC).replace(microsecond=0))
    await rehearsal.publish(house.pool, event)
    async for _ in conduct(house.pool, house.client, event):
        pass
    await house.handle(f"event_launch/{event}/1").result()
    (history,) = await house.histories()
    return history


async def main() -> None:
    """Live a launch on a stack of its own, and write its history."""
    async with AsyncExitStack() as held:
        stack = await held.enter_async_context(Stack(worker=False))
        settings = Settings.from_environment(stack.env)
        pool = await connect_pool(settings.database_url)
        held.push_async_callback(pool.close)
        house = House(pool, await connect_temporal(settings), settings, f"record-{uuid4().hex[:8]}")
        house.settings = settings.model_copy(update={"task_queue": house.queue})
        async with house.at_work():
            history = await live(house)
        await replay([history])
        # Whose machine it was is nobody's business.
        recorded = history.to_json().replace(f"{os.getpid()}@{socket.gethostname()}", "recorder")
        await asyncio.to_thread(LAUNCH.write_text, recorded + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
