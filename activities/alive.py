"""A sign of life from an activity that waits for somebody else, so that a killed worker is noticed in seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

BEAT = 3.0
"""Seconds between signs of life; the heartbeat time-outs of `workflows.calls` are a multiple of it."""


@asynccontextmanager
async def alive() -> AsyncIterator[None]:
    """Heartbeat for as long as the body lasts."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
