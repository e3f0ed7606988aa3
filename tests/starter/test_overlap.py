"""What the plan says is covered is what the gate will find covered: TIMELINES' rule of precedence, asked in two places."""

from datetime import timedelta
from itertools import product
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest

from database import events
from database.connection import Pool
from models.automation import Step
from starter.planning import outlook
from tests.world import World, make_world
from workflows import attendee_nurture, event_launch, post_event_followup

STATUSES = (None, "pending", "active", "paused", "completed", "cancelled", "failed")
"""None: there is no such automation."""
JOURNALS = ("nothing", "skipped", "failed", "begun", "written to her", "written to others")
"""What has become of the step that has precedence."""
TIMELINES = {
    "attendee_nurture": attendee_nurture.TIMELINE,
    "post_event_followup": post_event_followup.TIMELINE,
    "event_launch": event_launch.TIMELINE,
}
THEIRS = {"thank_you": "thank_you_survey", "recordings": "content_delivery", "next_event": "next_event_preview"}
MINE = {"thank_you": "thank_you_survey", "recordings": "content_recap", "next_event": "community_next_event"}


class Situation(NamedTuple):
    """How the automation that has precedence stands."""

    status: str | None
    journal: str
    addressed: bool
    """Whether it is about to write to the person in question."""
    overlap: str


SITUATIONS = [Situation(*parts) for parts in product(STATUSES, JOURNALS, (True, False), ("precedence", "all"))]


@pytest.fixture
async def world(pool: Pool) -> World:
    """One event with one guest; no rule begins anything by itself."""
    await pool.execute("UPDATE automation_rules SET enabled = FALSE")
    world = await make_world(pool)
    await world.contact("guest@people.example")
    await pool.execute("DELETE FROM automation_workflows")
    return world


async def begin(world: World, kind: str, subject: UUID, status: str, steps: tuple[Step, ...] | None = None) -> UUID:
    return await world.begin(kind, subject, steps or TIMELINES[kind], status)


async def journal(world: World, automation: UUID, step: str, said: str) -> None:
    """Write what has become of a step."""
    if said == "nothing":
        return
    status, queued = (said, None) if said in ("skipped", "failed") else ("running", {"queued": 1})
    log: UUID = await world.pool.fetchval(
        """
        INSERT INTO workflow_execution_logs (workflow_id, slot, step_id, step_name, action_type, status, due_at, result)
        VALUES ($1, $2, $2, $2, 'email', $3, now(), $4) RETURNING id
        """,
        *(automation, step, status, queued if said.startswith("written") else None),
    )
    if said.startswith("written"):
        await world.pool.execute(
            """
            INSERT INTO messages (key, rehearsal, organizer_id, event_id, automation_id, log_id, step, channel, address, template,
                                  release_at)
            VALUES ($1, FALSE, $2, $3, $4, $5, $6, 'email', $7, 'announcement_email', now())
            """,
            *(str(uuid4()), world.organizer, world.event, automation, log, step),
            "guest@people.example" if said == "written to her" else "somebody@people.example",
        )


async def covered(world: World, automation: UUID, topic: str, channel: str = "email") -> str | None:
    """What the gate says of the guest's message on a topic."""
    by: str | None = await world.pool.fetchval(
        """
        SELECT eventos_covered(jsonb_populate_record(NULL::messages, jsonb_build_object('event_id', $1::uuid,
            'organizer_id', $2::uuid, 'automation_id', $3::uuid, 'topic', $4::text, 'channel', $5::text,
            'person_id', $6::uuid, 'address', 'guest@people.example')))
        """,
        *(world.event, world.organizer, automation, topic, channel, world.contacts[0]),
    )
    return by


async def planned(world: World, kind: str, channel: str = "email") -> dict[str, str | None]:
    """By which step the plan says that the steps of the one automation of a kind are covered."""
    [event] = await events.find(world.pool, str(world.event))
    [strand] = [one for one in (await outlook(world.pool, event)).strands if one.type == kind]
    found: dict[str, str | None] = {}
    for step in strand.steps:
        whys = [step.why, *(why for reach in step.reaches if reach.channel == channel for why in reach.without)]
        found[step.step] = next(
            (why.removeprefix("covered by ") for why in whys if why.startswith("covered by ")), None
        )
    return found


async def after_the_event(world: World, *, addressed: bool) -> UUID:
    """The event ended an hour ago; the guest, who was there or was not, is accompanied."""
    await world.set_event(starts_at=world.started - timedelta(days=1), ends_at=world.started - timedelta(hours=1))
    other = await world.contact("other@people.example")
    registration: UUID = await world.pool.fetchval(
        "INSERT INTO registrations (event_id, contact_id) VALUES ($1, $2) RETURNING id", world.event, world.contacts[0]
    )
    await world.pool.execute("INSERT INTO registrations (event_id, contact_id) VALUES ($1, $2)", world.event, other)
    present = world.contacts[0] if addressed else other
    await world.pool.execute("UPDATE registrations SET checked_in_at = now() WHERE contact_id = $1", present)
    return await begin(world, "attendee_nurture", registration, "active")


async def test_after_the_event_the_plan_and_the_gate_agree_on_what_the_follow_up_covers(world: World) -> None:
    found = set()
    for addressed in (True, False):
        nurture = await after_the_event(world, addressed=addressed)
        for situation in (one for one in SITUATIONS if one.addressed is addressed):
            await world.set_organizer(overlap=situation.overlap)
            if situation.status is not None:
                winner = await begin(world, "post_event_followup", world.event, situation.status)
                for step in THEIRS.values():
                    await journal(world, winner, step, situation.journal)
            said = await planned(world, "attendee_nurture")
            for topic, step in MINE.items():
                by = await covered(world, nurture, topic)
                assert said[step] == by, (situation, topic)
                found.add((topic, by))
            await world.pool.execute("DELETE FROM automation_workflows WHERE workflow_type = 'post_event_followup'")
        await world.pool.execute("DELETE FROM automation_workflows")
        await world.pool.execute("DELETE FROM registrations")
    assert found == {(topic, by) for topic, step in THEIRS.items() for by in (step, None)}


async def test_a_follow_up_without_such_a_step_covers_nothing_in_plan_and_gate(world: World) -> None:
    nurture = await after_the_event(world, addressed=True)
    steps = tuple(step for step in post_event_followup.TIMELINE if step.topic != "recordings")
    await begin(world, "post_event_followup", world.event, "active", steps)
    said = await planned(world, "attendee_nurture")
    for topic, step in MINE.items():
        assert said[step] == await covered(world, nurture, topic)
    assert said["content_recap"] is None
    assert said["thank_you_survey"] == "thank_you_survey"


@pytest.mark.parametrize("addressed", [True, False])
async def test_before_the_event_the_plan_and_the_gate_agree_on_what_a_journey_covers(
    world: World, *, addressed: bool
) -> None:
    """The other way round: of the launch's last reminder and the attendee's own, the attendee's own goes out."""
    registration: UUID = await world.pool.fetchval(
        "INSERT INTO registrations (event_id, contact_id) VALUES ($1, $2) RETURNING id", world.event, world.contacts[0]
    )
    launch = await begin(world, "event_launch", world.event, "active")
    found = set()
    for situation in (one for one in SITUATIONS if one.addressed is addressed):
        await world.set_organizer(overlap=situation.overlap)
        if situation.status is not None:
            winner = await begin(
                world, "attendee_nurture", registration if situation.addressed else uuid4(), situation.status
            )
            await journal(world, winner, "final_details", situation.journal)
        said, by = (await planned(world, "event_launch"))["final_reminder"], await covered(world, launch, "final")
        assert said == by, situation
        found.add(by)
        by_phone = (await planned(world, "event_launch", "whatsapp"))["final_reminder"]
        assert by_phone == await covered(world, launch, "final", "whatsapp") is None
        await world.pool.execute("DELETE FROM automation_workflows WHERE workflow_type = 'attendee_nurture'")
    assert found == ({"final_details", None} if addressed else {None})


@pytest.mark.parametrize("addressed", [True, False])
async def test_a_follow_up_that_is_still_to_begin_is_foreseen_to_cover_as_the_gate_finds_once_it_has(
    world: World, *, addressed: bool
) -> None:
    """Whoever was not there is not thanked by it, and the plan does not say so."""
    nurture = await after_the_event(world, addressed=addressed)
    await world.set_event(starts_at=world.started - timedelta(days=1), ends_at=world.started + timedelta(hours=1))
    await world.pool.execute("UPDATE automation_rules SET enabled = workflow_type = 'post_event_followup'")
    foreseen = await planned(world, "attendee_nurture")
    await begin(world, "post_event_followup", world.event, "active")
    assert {step: foreseen[step] for step in MINE.values()} == {
        step: await covered(world, nurture, topic) for topic, step in MINE.items()
    }
    assert (foreseen["thank_you_survey"] is None) is not addressed


@pytest.mark.parametrize("overlap", ["precedence", "all"])
async def test_the_plan_says_of_somebody_who_was_not_there_that_nobody_thanks_them(world: World, overlap: str) -> None:
    await after_the_event(world, addressed=False)
    await world.set_organizer(overlap=overlap)
    [event] = await events.find(world.pool, str(world.event))
    [strand] = [one for one in (await outlook(world.pool, event)).strands if one.type == "attendee_nurture"]
    said = {step.step: (step.verdict, step.why) for step in strand.steps}
    assert said["thank_you_survey"] == ("skipped", "was not there")
    assert said["content_recap"][0] == "goes"
