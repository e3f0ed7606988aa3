"""A mail pump as a process of its own, to be killed: python -m tests.activities.pump_process DATABASE_URL SANDBOX_URL."""

import asyncio
import sys

from pydantic import SecretStr

from activities.dispatch import Dispatch
from database.connection import connect_pool
from providers.accounts import live
from settings import Settings


async def main(database: str, sandbox: str) -> None:
    pool = await connect_pool(database)
    settings = Settings(resend_api_url=f"{sandbox}/resend", resend_api_key=SecretStr("live-resend"))
    accounts = live(settings)
    accounts.email.pace.per_second = float("inf")
    dispatch = Dispatch(pool, accounts, accounts, public_url="http://127.0.0.1:8000", listen_url=database)
    await dispatch.pump("email", rehearsal=False).run(asyncio.Event(), asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
