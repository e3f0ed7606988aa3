"""A sandbox process of its own, on a free port, as new for every test."""

import asyncio
import sys
from collections.abc import AsyncIterator

import httpx2
import pytest

START_SECONDS = 20


@pytest.fixture(scope="session")
async def address() -> AsyncIterator[str]:
    """The base URL of a sandbox that runs as long as the tests do, and ends cleanly."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), START_SECONDS)).decode()
    assert line.startswith("sandbox listening on http://127.0.0.1:"), line
    yield line.split()[-1]
    process.terminate()
    assert await asyncio.wait_for(process.wait(), START_SECONDS) == 0


@pytest.fixture
async def sandbox(address: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a sandbox with nothing in it."""
    async with httpx2.AsyncClient(base_url=address, timeout=10) as client:
        (await client.post("/_sandbox/reset")).raise_for_status()
        yield client
