"""A house for automations."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from database.connection import Pool
from tests.workflows.house import House, open_house


@pytest.fixture
async def house(
    pool: Pool, temporal: Client, database: str, temporal_server: str, sandbox: str, task_queue: str
) -> AsyncIterator[House]:
    """The worker is not yet at work; every history is replayed at the end."""
    async with open_house(pool, temporal, database, temporal_server, sandbox, task_queue) as house:
        yield house


@pytest.fixture
async def working(house: House) -> AsyncIterator[House]:
    """A house whose worker is at work."""
    async with house.at_work():
        yield house
