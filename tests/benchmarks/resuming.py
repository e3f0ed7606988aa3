"""Many journeys resumed at once, and what is said of it: python -m tests.benchmarks.resuming [--people N].

Everybody registered at an hour of their own, and the pause of three days lay over the week before the event.
"""

import argparse
import time

import typer
import uvloop

import logs
from database import control
from database.connection import Pool
from database.control import Scope
from models.definition import to_definition
from models.player import Policy
from starter import resuming
from starter.resuming import Resumption
from tests.benchmarks.parts import note, say, say_machine, servers
from tests.world import World, make_world
from workflows.attendee_nurture import TIMELINE

POLICIES: tuple[Policy, ...] = ("by_policy", "send_all", "skip_all", "shift")
ALONE = 100
"""Journeys that are looked at one by one, to compare with."""
WANTED = 15
"""Times as fast as that."""

_REGISTER = """
    INSERT INTO registrations (event_id, contact_id) SELECT $1, id FROM contacts WHERE organizer_id = $2
"""
_ACCOMPANY = """
    INSERT INTO automation_workflows (event_id, organizer_id, subject_id, name, workflow_type, definition, status, rules,
        temporal_workflow_id, started_at, paused_at)
    SELECT event_id, $2, id, 'Attendee Engagement', 'attendee_nurture', $3, 'paused', 1, 'attendee_nurture/' || id || '/1',
           now() - interval '4 days' - random() * interval '40 days', now() - interval '3 days'
    FROM registrations WHERE event_id = $1
"""
_PLAY = """
    INSERT INTO workflow_execution_logs (workflow_id, step_name, action_type, step_id, slot, round, status, due_at, ended_at,
        result)
    SELECT a.id, step, 'email', step, step, 0, 'success', started_at + after, started_at + after + random() * interval '1 minute',
           '{"queued": 1, "sent": 1}'
    FROM automation_workflows a,
         (VALUES ('registration_confirmation', interval '0'), ('welcome_preparation', '168 hours'),
                 ('speaker_highlights', '336 hours')) AS played(step, after)
    WHERE event_id = $1 AND workflow_type = 'attendee_nurture' AND started_at + after < paused_at
"""


async def paused(pool: Pool, people: int) -> World:
    """A world in which so many journeys stand still."""
    world = await make_world(pool)
    await world.people(people)
    await world.pool.execute(
        "UPDATE events SET starts_at = now() + interval '5 days', ends_at = now() + interval '7 days' WHERE id = $1",
        world.event,
    )
    await pool.execute(_REGISTER, world.event, world.organizer)
    await pool.execute(_ACCOMPANY, world.event, world.organizer, to_definition(TIMELINE))
    await pool.execute(_PLAY, world.event)
    await pool.execute("ANALYZE")
    return world


async def said(pool: Pool, scope: Scope, policy: Policy) -> Resumption:
    """What is said of the one kind in a scope."""
    async with resuming.view(pool, scope) as view:
        [found] = await view.foresee(policy)
    return found


async def main(people: int) -> None:
    """Measure and print."""
    say_machine()
    async with servers() as parts:
        world = await paused(parts.pool, people)
        scope = Scope(event_id=world.event)
        for policy in POLICIES:
            began = time.perf_counter()
            for automation in await parts.pool.fetch(
                "SELECT id FROM automation_workflows WHERE status = 'paused' LIMIT $1", ALONE
            ):
                await said(parts.pool, Scope(automation_id=automation["id"]), policy)
            alone = (time.perf_counter() - began) * people / ALONE
            began = time.perf_counter()
            found = await said(parts.pool, scope, policy)
            seconds = time.perf_counter() - began
            assert found.automations == people, found
            counts = f"{found.steps:,} go, {found.skipped.total():,} skipped, {found.moved:,} move"
            say(f"{policy}: {counts}, said in {seconds:.2f} s", alone / seconds, WANTED)
        began = time.perf_counter()
        async with resuming.view(parts.pool, scope):
            await control.resume(parts.pool, scope, "by_policy")
            recorded = time.perf_counter() - began
        note(f"resumed, with a view of what was before, after {recorded:.2f} s")


def run(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="resuming", description=__doc__)
    parser.add_argument("--people", type=int, default=5000, help="how many journeys are paused")
    chosen = parser.parse_args(arguments)
    logs.set_up("warning")
    typer.echo("A resume of many journeys")
    uvloop.run(main(chosen.people))


if __name__ == "__main__":
    run()
