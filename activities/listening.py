"""LISTEN on a dedicated connection: a wake without a payload."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from database.connection import connect


@asynccontextmanager
async def listening(url: str, *channels: str) -> AsyncIterator[asyncio.Event]:
    """An event that is set whenever somebody notifies one of `channels`. A pooler would swallow LISTEN, so the way is direct."""
    woken = asyncio.Event()

    def wake(*_: Any) -> None:
        woken.set()

    connection = await connect(url)
    try:
        for channel in channels:
            await connection.add_listener(channel, wake)
        yield woken
    finally:
        await connection.close(timeout=5)
