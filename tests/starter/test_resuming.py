"""What a resume brings is said of many at once, and is the sum of what it brings to each."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import get_args
from uuid import UUID, uuid4

import pytest

from database.connection import Pool
from database.control import Scope
from models.automation import Step
from models.definition import to_definition
from models.player import Policy
from starter import control, resuming
from starter.resuming import Resumption
from tests.world import World, make_world
from workflows import attendee_nurture, post_event_followup
from workflows.timeline import email, social, step, timeline, whatsapp

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OWN = timeline(
    step("hello", "0 hours", email("reminder_email"), condition="status == 'confirmed'"),
    step("ask", "1 day", email("reminder_email"), whatsapp("final_reminder"), late="latest", branch="way"),
    step("tell", "1 day", email("reminder_email"), condition="checked_in", late="latest", branch="way"),
    step("post", "2 hours after ask", social("linkedin", "twitter", optimal_time=True), late="skip"),
    step("remind", "1 day after post at 09:00", email("reminder_email"), until="event_date"),
    step("last", "event_date - 1 day", email("reminder_email"), late="skip", until="event_end"),
)
TIMELINES = {
    "attendee_nurture": (attendee_nurture.TIMELINE, OWN),
    "post_event_followup": (post_event_followup.TIMELINE,),
}


@pytest.fixture
async def world(pool: Pool) -> World:
    """A rehearsal, so that two looks are at the same instant."""
    world = await make_world(pool, clock=NOW)
    await world.people(70)
    await pool.execute(
        "INSERT INTO registrations (event_id, contact_id) SELECT $1, id FROM contacts WHERE organizer_id = $2",
        *(world.event, world.organizer),
    )
    await world.set_event(starts_at=NOW + 2 * DAY, ends_at=NOW + 3 * DAY)
    await pool.execute("DELETE FROM automation_workflows")
    return world


async def _pause(world: World, chance: Random, kind: str, subject: UUID, steps: tuple[Step, ...]) -> None:
    """An automation in the middle of its life, paused some days ago."""
    id_, started = uuid4(), NOW - chance.choice([0, 1, 2, 5, 9, 16]) * DAY - timedelta(minutes=chance.randrange(900))
    await world.pool.execute(
        """
        INSERT INTO automation_workflows (id, event_id, organizer_id, subject_id, name, workflow_type, definition, status,
            rules, temporal_workflow_id, started_at, paused_at, rehearsal)
        VALUES ($1, $2, $3, $4, $5, $5, $6, 'paused', 1, $7, $8, $9, TRUE)
        """,
        *(id_, world.event, world.organizer, subject, kind, to_definition(steps), str(id_), started),
        max(started, NOW - chance.choice([1, 4]) * DAY),
    )
    begun = {one.slot: one for one in steps[: chance.randrange(4)]}
    for one in begun.values():
        status = chance.choice(["success", "success", "skipped", "failed", "running"])
        due = started + chance.choice([0, 0, 1, 7]) * DAY
        await world.pool.execute(
            """
            INSERT INTO workflow_execution_logs (workflow_id, step_name, action_type, step_id, slot, round, status, due_at,
                ended_at, error_message)
            VALUES ($1, $2, 'email', $2, $3, 0, $4, $5, $6, $7)
            """,
            *(id_, one.id, one.slot, status, due, due + timedelta(minutes=1) if status != "running" else None),
            "no sender" if status == "running" and chance.random() < 0.5 else None,
        )


@pytest.fixture
async def crowd(world: World) -> World:
    """Journeys at many instants of two timelines, some of whose subjects differ, and a follow-up to audiences."""
    chance = Random(7)
    rows = await world.pool.fetch("SELECT id FROM registrations WHERE event_id = $1 ORDER BY id", world.event)
    for place, row in enumerate(rows):
        await _pause(world, chance, "attendee_nurture", row["id"], TIMELINES["attendee_nurture"][place % 2])
    await _pause(world, chance, "post_event_followup", world.event, post_event_followup.TIMELINE)
    await _pause(world, chance, "custom", world.event, OWN)
    await world.pool.execute(
        "UPDATE registrations SET status = 'waitlisted' WHERE id = ANY($1)", [row["id"] for row in rows[::7]]
    )
    await world.pool.execute("UPDATE automation_workflows SET status = 'paused'")
    return world


async def told(world: World, scope: Scope, policy: Policy) -> list[Resumption]:
    async with resuming.view(world.pool, scope) as view:
        return await view.foresee(policy)


def counts(found: list[Resumption]) -> dict[str, tuple[Counter[str], Counter[str]]]:
    summed: dict[str, tuple[Counter[str], Counter[str]]] = {}
    for one in found:
        numbers, skipped = summed.setdefault(one.kind, (Counter(), Counter()))
        numbers.update(automations=one.automations, steps=one.steps, messages=one.messages, moved=one.moved)
        skipped.update(one.skipped)
    return summed


@pytest.mark.parametrize("policy", get_args(Policy))
async def test_what_is_said_of_many_is_the_sum_of_what_is_said_of_each(crowd: World, policy: Policy) -> None:
    rows = await crowd.pool.fetch("SELECT id FROM automation_workflows")
    each = [one for row in rows for one in await told(crowd, Scope(automation_id=row["id"]), policy)]
    together = await told(crowd, Scope(event_id=crowd.event), policy)
    assert counts(together) == counts(each)
    assert sum(one.automations for one in together) == len(rows) == 72
    assert policy == "skip_all" or sum(one.messages for one in together) > 20


async def test_what_is_said_is_of_the_instant_of_the_resume_whatever_happens_after_it(crowd: World) -> None:
    scope = Scope(event_id=crowd.event)
    before = await told(crowd, scope, "send_all")
    async with resuming.view(crowd.pool, scope) as view:
        resumed = await control.resume(crowd.pool, scope, "send_all")
        await crowd.pool.execute(
            """
            INSERT INTO workflow_execution_logs (workflow_id, step_name, action_type, step_id, slot, round, status, due_at)
            SELECT id, step ->> 'id', 'email', step ->> 'id', step ->> 'id', 0, 'running', now()
            FROM automation_workflows, jsonb_array_elements(definition -> 'steps') step ON CONFLICT DO NOTHING
            """
        )
        await crowd.set_event(starts_at=NOW + 90 * DAY, ends_at=NOW + 91 * DAY)
        assert counts(await view.foresee("send_all", among=resumed)) == counts(before)
    assert len(resumed) == 72


async def test_what_somebody_else_resumed_first_is_not_counted_again(crowd: World) -> None:
    """Two orders at once: each says what it brought itself."""
    scope = Scope(event_id=crowd.event)
    async with resuming.view(crowd.pool, scope) as view:
        await control.resume(crowd.pool, Scope(event_id=crowd.event, workflow_type="attendee_nurture"), "by_policy")
        resumed = await control.resume(crowd.pool, scope, "by_policy")
        found = {one.kind: one.automations for one in await view.foresee("by_policy", among=resumed)}
    assert found == {"post_event_followup": 1, "custom": 1}


async def test_of_an_event_in_an_unknown_zone_it_says_that_nothing_can_be_foreseen(crowd: World) -> None:
    await crowd.set_event(timezone="Mars/Olympus")
    found = await told(crowd, Scope(event_id=crowd.event), "shift")
    assert [(one.automations, one.unknown.total()) for one in found] == [(70, 70), (1, 1), (1, 1)]
