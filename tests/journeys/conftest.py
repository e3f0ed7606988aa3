"""The worker of journeys that kill it."""

from collections.abc import AsyncIterator

import pytest

from dev.stack import environment
from tests.journeys.stopping import Hosting
from tests.workflows.house import House


@pytest.fixture
async def hosting(house: House, database: str, temporal_server: str, sandbox: str) -> AsyncIterator[Hosting]:
    env = environment(database_url=database, temporal_address=temporal_server, sandbox_url=sandbox)
    hosting = Hosting(env | {"TEMPORAL_TASK_QUEUE": house.queue})
    await hosting.begin()
    async with house.at_work(worker=False):
        yield hosting
        await hosting.kill()
