"""Many registrations at once, and their event moved: python -m tests.benchmarks.registrations [--people N].

The worker is a process of its own. One statement registers everybody; one statement moves the event by a day.
"""

import argparse
import asyncio
import time
from datetime import timedelta

import typer
import uvloop
from rich.console import Console
from temporalio.client import Client
from temporalio.worker import Worker

import logs
from database.connection import Pool, connect_pool
from dev.stack import Stack
from settings import Settings
from starter.client import connect
from tests.benchmarks.journeys import Bare
from tests.benchmarks.parts import note, say_machine
from tests.world import World, make_world
from worker import runner

ABREAST = 64
"""Requests to Temporal at the same time, as intake has them."""


async def bare_rate(client: Client, count: int) -> float:
    """How many workflows that do nothing are started per second."""
    queue, turns = "bench", asyncio.Semaphore(ABREAST)

    async def start(place: int) -> None:
        async with turns:
            await client.start_workflow(Bare.run, [], id=f"bench/bare/{place}", task_queue=queue)

    async with Worker(client, task_queue=queue, workflows=[Bare], workflow_runner=runner()):
        begun = time.perf_counter()
        await asyncio.gather(*(start(place) for place in range(count)))
        return count / (time.perf_counter() - begun)


async def until(pool: Pool, question: str, wanted: int, *arguments: object) -> None:
    """Ask until the answer is what is wanted."""
    async with asyncio.timeout(1800):
        while await pool.fetchval(question, *arguments) < wanted:
            await asyncio.sleep(0.25)


async def register(pool: Pool, world: World, people: int) -> float:
    """Register everybody; seconds until each has a journey with its confirmation in the queue."""
    begun = time.perf_counter()
    await pool.execute(
        "INSERT INTO registrations (event_id, contact_id) SELECT $1, id FROM contacts WHERE organizer_id = $2",
        *(world.event, world.organizer),
    )
    queued = "SELECT count(*) FROM messages WHERE event_id = $1 AND step = 'registration_confirmation'"
    await until(pool, queued, people, world.event)
    return time.perf_counter() - begun


async def move(pool: Pool, world: World, people: int) -> tuple[float, float]:
    """Move the event by a day; seconds until the statement is done, and until every journey has its new instants."""
    begun = time.perf_counter()
    day = timedelta(days=1)
    await pool.execute(
        "UPDATE events SET starts_at = starts_at + $2::interval, ends_at = ends_at + $2::interval WHERE id = $1",
        *(world.event, day),
    )
    recorded = time.perf_counter() - begun
    timed = """
        SELECT count(*) FROM automation_workflows a JOIN events e ON e.id = a.event_id
        WHERE e.id = $1 AND a.workflow_type = 'attendee_nurture' AND a.date_revision = e.date_revision
    """
    await until(pool, timed, people, world.event)
    return recorded, time.perf_counter() - begun


async def main(people: int) -> None:
    """Measure and print."""
    say_machine()
    async with Stack(console=Console(quiet=True)) as stack:
        settings = Settings.from_environment(stack.env)
        client, pool = await connect(settings), await connect_pool(settings.database_url)
        bare = await bare_rate(client, min(people, 2000))
        await pool.execute("UPDATE automation_rules SET enabled = workflow_type = 'attendee_nurture'")
        world = await make_world(pool)
        await world.people(people)
        began = await register(pool, world, people)
        moved = await pool.fetchval("SELECT now()")
        recorded, timed = await move(pool, world, people)
        stale = await pool.fetchval(
            """
            SELECT count(*) FROM messages m JOIN events e ON e.id = m.event_id
            WHERE e.id = $1 AND m.date_revision < e.date_revision AND m.sent_at > $2::timestamptz + $3::interval
            """,
            *(world.event, moved, timedelta(seconds=recorded)),
        )
        await pool.close()
    rate = people / began
    note(f"{people:,} registered in one statement, each with its confirmation queued after {began:.0f} s: {rate:.0f}/s")
    note(f"that is {rate / bare:.2f}x of the {bare:.0f}/s at which workflows that do nothing are started")
    note(f"their event moved: recorded after {recorded:.2f} s, every journey re-timed after {timed:.0f} s")
    note(f"{stale} messages sent for the old date after that")


def run(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="registrations", description=__doc__)
    parser.add_argument("--people", type=int, default=5000, help="how many register")
    chosen = parser.parse_args(arguments)
    logs.set_up("warning")
    typer.echo("Registrations, many at once")
    uvloop.run(main(chosen.people))


if __name__ == "__main__":
    run()
