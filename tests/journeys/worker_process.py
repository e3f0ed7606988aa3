"""A worker without dispatch pumps as a process of its own, to be killed: python -m tests.journeys.worker_process.

It says `at work` when it is.
"""

import asyncio
import sys

import worker
from database.connection import connect_pool
from providers import accounts
from settings import Settings
from starter.client import connect


async def main() -> None:
    settings = Settings.from_environment()
    pool = await connect_pool(settings.database_url, min_size=2, max_size=20)
    hosted = worker.build(
        await connect(settings), pool, settings, accounts.live(settings), accounts.rehearsal(settings)
    )
    async with hosted:
        sys.stdout.write("at work\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
