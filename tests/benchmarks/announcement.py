"""An announcement to a large audience, measured: python -m tests.benchmarks.announcement [--contacts N] [--limited N].

PostgreSQL, the sandbox and the worker share the machine. What is printed are ratios of one run, with the machine's facts.
"""

import argparse
import resource
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import typer
import uvloop
from pydantic import SecretStr

import logs
from activities.dispatch import Dispatch
from database.connection import Pool
from database.outbox import enqueue
from providers.accounts import Accounts, live
from settings import Settings
from tests.benchmarks.parts import say, say_machine, servers
from tests.world import World, make_world

REQUESTS_PER_SECOND = 10


@dataclass
class Stack:
    """What a run needs."""

    pool: Pool
    accounts: Accounts
    dispatch: Dispatch
    sandbox: str

    async def limit(self, per_second: int | None) -> None:
        """Set the provider's limit, and adopt it."""
        async with httpx2.AsyncClient() as http:
            await http.post(f"{self.sandbox}/_sandbox/reset")
            await http.post(f"{self.sandbox}/_sandbox/limits", json={"provider": "resend", "per_second": per_second})
        self.accounts.email.pace.per_second = per_second or float("inf")


@asynccontextmanager
async def stack() -> AsyncIterator[Stack]:
    """Servers of our own with the accounts and the dispatcher of a worker."""
    async with servers() as parts:
        settings = Settings(resend_api_url=f"{parts.sandbox}/resend", resend_api_key=SecretStr("bench"))
        accounts = live(settings)
        dispatch = Dispatch(
            parts.pool, accounts, accounts, public_url="https://eventos.example", listen_url=parts.database
        )
        yield Stack(parts.pool, accounts, dispatch, parts.sandbox)
        await accounts.aclose()


async def announce(stack: Stack, contacts: int) -> tuple[World, float]:
    """A world of its own with its announcement in the queue, and how long queueing took."""
    world = await make_world(stack.pool)
    await world.people(contacts)
    await stack.pool.execute("ANALYZE")
    began = time.perf_counter()
    answer = await enqueue(stack.pool, world.request())
    assert answer.open == contacts, answer
    return world, time.perf_counter() - began


async def carry(stack: Stack, world: World, contacts: int) -> float:
    """Seconds from the first claim to the last message settled."""
    began = time.perf_counter()
    await stack.dispatch.pump("email", rehearsal=False).drain()
    seconds = time.perf_counter() - began
    assert await world.counts() == {"sent": contacts}, await world.counts()
    return seconds


async def main(contacts: int, limited: int) -> None:
    """Measure and print."""
    say_machine()
    async with stack() as parts:
        await parts.limit(None)
        world, queueing = await announce(parts, contacts)
        cpu = time.process_time()
        unlimited = await carry(parts, world, contacts)
        cpu = time.process_time() - cpu
        await parts.limit(REQUESTS_PER_SECOND)
        world, _ = await announce(parts, limited)
        at_limit = await carry(parts, world, limited)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    rate, share = contacts / unlimited, limited / at_limit / (100 * REQUESTS_PER_SECOND)
    say(f"{contacts:,} contacts queued in {queueing:.1f} s", queueing * 100_000 / contacts, 10.0, below=True)
    say(f"{rate:,.0f} messages/s from claim to settled, {1e6 * cpu / contacts:.0f} us of worker CPU each", rate, 4000.0)
    say(f"{share:.1%} of {REQUESTS_PER_SECOND} requests/s, {limited:,} messages", share, 0.95)
    say(f"{memory:.0f} MB of worker memory at its peak", memory, 300.0, below=True)


def run(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="announcement", description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000, help="the audience without a limit")
    parser.add_argument("--limited", type=int, default=20_000, help="the audience at 10 requests/s")
    chosen = parser.parse_args(arguments)
    logs.set_up("warning")
    typer.echo("Announcement to a large audience")
    uvloop.run(main(chosen.contacts, chosen.limited))


if __name__ == "__main__":
    run()
