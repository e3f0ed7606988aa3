"""Overlap: of two automations that cover one topic the one with precedence sends, if it really does write to this person."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from database import claims
from database.connection import Pool
from database.outbox import enqueue
from models.automation import Action, Step
from models.messages import Enqueue
from tests.world import World, make_world
from workflows.post_event_followup import TIMELINE

FOLLOWUP = {step.id: step for step in TIMELINE}
FINAL = Step(
    id="final_reminder",
    name="Final reminder",
    moment="event_date - 1 day",
    actions=(
        Action(verb="email", template="final_reminder", audience="registered_attendees"),
        Action(verb="whatsapp", template="final_reminder", audience="registered_attendees"),
    ),
    topic="final",
)
NURTURE = (
    Step(id="final_details", name="Final details", moment="0 hours", actions=(Action(verb="email", template="f"),), topic="final"),
    Step(id="thank_you_survey", name="Thanks", moment="0 hours", actions=(Action(verb="email", template="t"),), topic="thank_you"),
    Step(id="content_recap", name="Recap", moment="0 hours", actions=(Action(verb="email", template="c"),), topic="recordings"),
    Step(id="community_next_event", name="Next", moment="0 hours", actions=(Action(verb="email", template="n"),), topic="next_event"),
)  # fmt: skip


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


async def guest(world: World, name: str = "guest", **columns: Any) -> tuple[UUID, UUID]:
    """Somebody registered: the contact and the registration."""
    contact = await world.contact(f"{name}@people.example", "+4915112345678", vip=False, whatsapp_opt_in=True)
    registration: UUID = await world.pool.fetchval(
        "INSERT INTO registrations (event_id, contact_id) VALUES ($1, $2) RETURNING id", world.event, contact
    )
    for name_, value in columns.items():
        await world.pool.execute(f"UPDATE registrations SET {name_} = $2 WHERE id = $1", registration, value)
    return contact, registration


async def send(world: World, step: Step, automation_id: UUID | None = None, person: UUID | None = None) -> None:
    """Queue a step as its automation would; with `person`, to its subject alone."""
    request = world.request(step)
    if automation_id is not None:
        request = request.model_copy(update={"automation_id": automation_id})
    if person is not None:
        request = _alone(request)
        await enqueue(world.pool, request)
        await world.pool.execute(
            "DELETE FROM messages WHERE automation_id = $1 AND person_id <> $2", automation_id, person
        )
        return
    await enqueue(world.pool, request)


def _alone(request: Enqueue) -> Enqueue:
    actions = tuple(action.model_copy(update={"audience": "registered_attendees"}) for action in request.step.actions)
    return request.model_copy(update={"step": request.step.model_copy(update={"actions": actions})})


async def fates(world: World, automation_id: UUID | None = None) -> dict[tuple[str, str], str]:
    """What a claim makes of an automation's messages, by channel and address."""
    for channel in ("email", "whatsapp"):
        await claims.claim(world.pool, channel, rehearsal=False, limit=100)
    rows = await world.pool.fetch(
        "SELECT channel, address, status, reason FROM messages WHERE automation_id = $1",
        automation_id or world.automation,
    )
    return {(row["channel"], row["address"].split("@")[0]): row["reason"] or row["status"] for row in rows}


async def test_the_launchs_last_mail_gives_way_to_the_attendees_own_and_its_whatsapp_does_not(world: World) -> None:
    _, registration = await guest(world)
    await world.begin("attendee_nurture", registration, NURTURE)
    await send(world, FINAL)
    assert await fates(world) == {
        ("email", "guest"): "covered by final_details",
        ("whatsapp", "+4915112345678"): "sending",
    }


@pytest.mark.parametrize("status", ["cancelled", "failed"])
async def test_an_automation_that_is_cancelled_or_failed_covers_nothing(world: World, status: str) -> None:
    _, registration = await guest(world)
    await world.begin("attendee_nurture", registration, NURTURE, status)
    await send(world, FINAL)
    assert (await fates(world))["email", "guest"] == "sending"


@pytest.mark.parametrize("status", ["pending", "active", "paused", "completed"])
async def test_one_that_waits_runs_pauses_or_is_done_covers(world: World, status: str) -> None:
    _, registration = await guest(world)
    await world.begin("attendee_nurture", registration, NURTURE, status)
    await send(world, FINAL)
    assert (await fates(world))["email", "guest"] == "covered by final_details"


async def test_somebody_elses_journey_covers_nobody_but_them(world: World) -> None:
    _, registration = await guest(world)
    await world.begin("attendee_nurture", registration, NURTURE)
    other = await world.contact("other@people.example")
    await world.pool.execute("INSERT INTO registrations (event_id, contact_id) VALUES ($1, $2)", world.event, other)
    await send(world, FINAL)
    found = await fates(world)
    assert (found["email", "guest"], found["email", "other"]) == ("covered by final_details", "sending")


async def test_a_journey_whose_own_step_was_taken_out_or_skipped_covers_nothing(world: World) -> None:
    _, registration = await guest(world)
    id_ = await world.begin("attendee_nurture", registration, NURTURE)
    await world.pool.execute(
        """
        INSERT INTO workflow_execution_logs (workflow_id, slot, step_id, step_name, action_type, status)
        VALUES ($1, 'final_details', 'final_details', 'Final details', 'email', 'skipped')
        """,
        id_,
    )
    await send(world, FINAL)
    assert (await fates(world))["email", "guest"] == "sending"

    _, other = await guest(world, "other")
    await world.begin("attendee_nurture", other, NURTURE[1:])
    again = FINAL.model_copy(update={"id": "final_again"})
    await send(world, again)
    assert (await fates(world))["email", "other"] == "sending"


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("thank_you_survey", "thank_you_survey"),
        ("content_recap", "content_delivery"),
        ("community_next_event", "next_event_preview"),
    ],
)
async def test_after_the_event_the_follow_up_sends_and_the_attendees_journey_is_covered(
    world: World, mine: str, theirs: str
) -> None:
    contact, registration = await guest(world)
    nurture = await world.begin("attendee_nurture", registration, NURTURE)
    followup = await world.begin("post_event_followup", world.event, TIMELINE)
    step = next(step for step in NURTURE if step.id == mine)
    await send(world, step, nurture, contact)
    assert await fates(world, nurture) == {("email", "guest"): f"covered by {theirs}"}

    await send(world, FOLLOWUP[theirs], followup)
    assert await fates(world, followup) == {("email", "guest"): "sending"}


async def test_who_was_not_there_is_not_thanked_by_the_follow_up_and_so_not_covered_by_it(world: World) -> None:
    contact, registration = await guest(world)
    await guest(world, "present", checked_in_at=world.started)
    nurture = await world.begin("attendee_nurture", registration, NURTURE)
    await world.begin("post_event_followup", world.event, TIMELINE)
    await send(world, NURTURE[1], nurture, contact)
    assert await fates(world, nurture) == {("email", "guest"): "sending"}


async def test_once_the_follow_up_has_queued_its_mails_only_those_who_get_one_are_covered(world: World) -> None:
    _, early = await guest(world, "early")
    followup = await world.begin("post_event_followup", world.event, TIMELINE)
    await send(world, FOLLOWUP["content_delivery"], followup)
    late, registration = await guest(world, "late")
    nurtures = {
        "early": await world.begin("attendee_nurture", early, NURTURE),
        "late": await world.begin("attendee_nurture", registration, NURTURE),
    }
    await send(world, NURTURE[2], nurtures["late"], late)
    await send(world, NURTURE[2], nurtures["early"], world.contacts[0])
    assert await fates(world, nurtures["late"]) == {("email", "late"): "sending"}
    assert await fates(world, nurtures["early"]) == {("email", "early"): "covered by content_delivery"}


async def test_an_organizer_may_have_both_sent(world: World) -> None:
    await world.set_organizer(overlap="all")
    contact, registration = await guest(world)
    nurture = await world.begin("attendee_nurture", registration, NURTURE)
    followup = await world.begin("post_event_followup", world.event, TIMELINE)
    await send(world, NURTURE[2], nurture, contact)
    await send(world, FOLLOWUP["content_delivery"], followup)
    assert await fates(world, nurture) == {("email", "guest"): "sending"}
    assert await fates(world, followup) == {("email", "guest"): "sending"}


async def test_the_loser_is_covered_also_while_the_winner_is_not_due_yet(world: World) -> None:
    contact, registration = await guest(world)
    nurture = await world.begin("attendee_nurture", registration, NURTURE)
    followup = await world.begin("post_event_followup", world.event, TIMELINE)
    later = world.request(FOLLOWUP["content_delivery"], now=world.started + timedelta(hours=1))
    await enqueue(world.pool, later.model_copy(update={"automation_id": followup}))
    await send(world, NURTURE[2], nurture, contact)
    assert await fates(world, nurture) == {("email", "guest"): "covered by content_delivery"}
