"""What a touch of a journey costs beside a bare workflow: python -m tests.benchmarks.touches [--journeys N] [--touches N].

The bare workflow has one timer and one local activity per touch, and the activity is the very one that a touch ends in: what is
compared is what the player adds. Both live in real time on the same worker, server and database, one after the other.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import typer
import uvloop
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

import logs
from activities.bearings import BearingsActivities
from activities.outbox import Outbox
from database.connection import Pool
from models.automation import Action, Step
from models.definition import to_definition
from models.messages import Enqueue
from models.player import AutomationInput
from tests.benchmarks.journeys import APART, Bare, Journey
from tests.benchmarks.parts import note, say, say_machine, servers
from tests.world import World, make_world
from worker import runner

QUEUE = "bench"
EVENTS, CPU = 1.1, 1.25
"""What a touch may cost, as a multiple of the bare one's."""


@dataclass
class Cost:
    """What one kind of workflow cost, per workflow."""

    events: float
    """In its history."""
    cpu: float
    """Seconds of the worker's process."""


def timeline(touches: int) -> tuple[Step, ...]:
    """So many mails to one person, a moment apart."""
    mail = Action(verb="email", template="welcome_preparation")
    return tuple(
        Step(id=f"touch_{at}", name=f"Touch {at}", moment=f"{APART * at} seconds", actions=(mail,), priority=2)
        for at in range(1, touches + 1)
    )


async def automations(pool: Pool, world: World, steps: Sequence[Step], count: int) -> list[tuple[UUID, UUID]]:
    """Rows of automations that nobody has begun, each with a registration of its own: their ids and subjects."""
    registered = await pool.fetch(
        """
        INSERT INTO registrations (event_id, contact_id)
        SELECT $1, c.id FROM contacts c
        WHERE c.organizer_id = $2 AND NOT EXISTS (SELECT 1 FROM registrations r WHERE r.contact_id = c.id) LIMIT $3
        RETURNING id
        """,
        *(world.event, world.organizer, count),
    )
    rows = [(uuid4(), row["id"]) for row in registered]
    await pool.executemany(
        """
        INSERT INTO automation_workflows (id, event_id, organizer_id, subject_id, workflow_type, name, definition, status,
            steps_total, rules, temporal_workflow_id)
        VALUES ($1::uuid, $3, $4, $2, 'attendee_nurture', 'Journey', $5, 'pending', $6, 1, 'bench/' || $1::uuid)
        """,
        [(*row, world.event, world.organizer, to_definition(steps), len(steps)) for row in rows],
    )
    return rows


async def measure(pool: Pool, count: int, start: Callable[[], Awaitable[list[WorkflowHandle[Any, Any]]]]) -> Cost:
    """Start them all and wait until every touch is queued."""
    there = await pool.fetchval("SELECT count(*) FROM messages")
    cpu = time.process_time()
    handles = await start()
    async with asyncio.timeout(300):
        while await pool.fetchval("SELECT count(*) FROM messages") < there + count:
            await asyncio.sleep(0.2)
    await asyncio.sleep(1)  # their last workflow tasks are reported
    cpu = time.process_time() - cpu
    lengths = [(await handle.describe()).raw_description.workflow_execution_info.history_length for handle in handles]
    return Cost(sum(lengths) / len(handles), cpu / len(handles))


async def main(journeys: int, touches: int) -> None:
    """Measure both and print their ratio."""
    say_machine()
    steps = timeline(touches)
    async with servers(temporal=True) as parts:
        pool, client = parts.pool, await parts.client()
        await pool.execute("UPDATE automation_rules SET enabled = FALSE")
        world = await make_world(pool)
        await world.people(2 * journeys)
        outbox, bearings = Outbox(pool), BearingsActivities(pool)
        worker = Worker(
            client,
            task_queue=QUEUE,
            workflows=[Bare, Journey],
            activities=[outbox.enqueue, bearings.look, bearings.rest, bearings.finish],
            workflow_runner=runner(),
        )
        async with worker:
            bare = await measure(pool, journeys * touches, lambda: start_bare(client, pool, world, steps, journeys))
            ours = await measure(pool, journeys * touches, lambda: start_ours(client, pool, world, steps, journeys))
    note(f"a bare workflow of {touches} touches: {bare.events:.1f} events, {1e3 * bare.cpu:.1f} ms of worker CPU")
    events, cpu = ours.events / bare.events, ours.cpu / bare.cpu
    say(f"a journey of {touches} touches: {ours.events:.1f} events, {events:.2f}x", events, EVENTS, below=True)
    say(f"a journey of {touches} touches: {1e3 * ours.cpu:.1f} ms of worker CPU, {cpu:.2f}x", cpu, CPU, below=True)


async def start_bare(
    client: Client, pool: Pool, world: World, steps: Sequence[Step], count: int
) -> list[WorkflowHandle[Any, Any]]:
    """The workflows that the player is compared with."""
    now = datetime.now(UTC)
    handles: list[WorkflowHandle[Any, Any]] = []
    for automation, _ in await automations(pool, world, steps, count):
        touches = [
            Enqueue(
                automation_id=automation,
                event_id=world.event,
                step=step,
                round=0,
                due=now,
                now=now,
                date_revision=0,
                tell=False,
            )
            for step in steps
        ]
        handles.append(await client.start_workflow(Bare.run, touches, id=f"bench/{automation}", task_queue=QUEUE))
    return handles


async def start_ours(
    client: Client, pool: Pool, world: World, steps: Sequence[Step], count: int
) -> list[WorkflowHandle[Any, Any]]:
    """Journeys as a worker plays them."""
    handles: list[WorkflowHandle[Any, Any]] = []
    for automation, subject in await automations(pool, world, steps, count):
        about = AutomationInput(
            automation_id=automation,
            event_id=world.event,
            subject_id=subject,
            workflow_type="attendee_nurture",
            steps=tuple(steps),
        )
        handles.append(await client.start_workflow(Journey.run, about, id=f"bench/{automation}", task_queue=QUEUE))
    return handles


def run(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="touches", description=__doc__)
    parser.add_argument("--journeys", type=int, default=60, help="workflows of each kind")
    parser.add_argument("--touches", type=int, default=10, help="touches of each")
    chosen = parser.parse_args(arguments)
    logs.set_up("warning")
    typer.echo("A touch of a journey beside a bare workflow's")
    uvloop.run(main(chosen.journeys, chosen.touches))


if __name__ == "__main__":
    run()
