"""A sandbox process of its own, on a free port, as new for every test."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

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


async def asked(sandbox: httpx2.AsyncClient, provider: str, count: int) -> None:
    """Wait until a provider has been asked so many times."""
    async with asyncio.timeout(60):
        while (await sandbox.get("/_sandbox/counts")).json()["providers"][provider]["requests"] < count:
            await asyncio.sleep(0.01)


async def within_a_second(ask: Callable[[], Awaitable[Any]], refused: Callable[[Any], bool]) -> Any:
    """Ask again until the requests came fast enough for the limit of a second to be felt; the last answers."""
    answers = await ask()
    for _ in range(9):
        if refused(answers):
            break
        await asyncio.sleep(1.05)
        answers = await ask()
    return answers


@pytest.fixture
async def sandbox(address: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a sandbox with nothing in it."""
    async with httpx2.AsyncClient(base_url=address, timeout=60) as client:
        (await client.post("/_sandbox/reset")).raise_for_status()
        yield client
