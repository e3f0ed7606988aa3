"""Notices: past the shut gates of a cancelled event goes one mail per attendee, and nothing else."""

from datetime import time
from uuid import UUID, uuid4

import pytest

from database import automations, cancellations, claims, journal, notices, notifications
from database.connection import Pool
from database.outbox import enqueue
from models.definition import to_definition
from models.player import Begin
from starter import rows
from tests.world import EMAIL, World, make_world
from workflows.attendee_nurture import TIMELINE

CANCELLED = "UPDATE events SET status = 'cancelled' WHERE id = $1"


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


async def attendees(world: World, count: int) -> None:
    """So many confirmed registrations, each accompanied."""
    await world.people(count)
    await world.pool.execute(
        "INSERT INTO registrations (event_id, contact_id) SELECT $1, id FROM contacts WHERE organizer_id = $2 ORDER BY email",
        *(world.event, world.organizer),
    )
    await world.pool.execute(
        """
        INSERT INTO automation_workflows (event_id, organizer_id, subject_id, name, workflow_type, definition, status, rules,
            temporal_workflow_id, started_at)
        SELECT event_id, $2, id, 'Attendee', 'attendee_nurture', $3, 'active', 1, id::text, now()
        FROM registrations WHERE event_id = $1
        """,
        *(world.event, world.organizer, to_definition(TIMELINE)),
    )


async def confirm(world: World, person: int = 1, step: int = 0) -> None:
    """Queue a touch of one of them, as the player would."""
    automation = await world.pool.fetchval(
        """
        SELECT a.id FROM automation_workflows a JOIN registrations r ON r.id = a.subject_id JOIN contacts c ON c.id = r.contact_id
        WHERE c.email = 'person-' || $1::text || '@people.example'
        """,
        str(person),
    )
    request = world.request(TIMELINE[step]).model_copy(update={"automation_id": automation})
    await enqueue(world.pool, request)


async def cancel(world: World) -> int:
    """What intake makes of the cancellation."""
    async with world.pool.acquire() as connection, connection.transaction():
        ended = await cancellations.end(connection, world.event)
    return ended.told if ended else 0


async def claim_all(world: World) -> dict[tuple[str, str], int]:
    """What a dispatcher's claims make of everything that is queued, by step and what became of it."""
    for alone in (False, True):
        for _ in range(50):
            if (await claims.claim(world.pool, "email", rehearsal=False, limit=100, batches=50, alone=alone)).idle:
                break
    rows = await world.pool.fetch(
        "SELECT step, coalesce(reason, status) AS fate, count(*) FROM messages WHERE event_id = $1 GROUP BY 1, 2",
        world.event,
    )
    return {(row["step"], row["fate"]): row["count"] for row in rows}


async def test_of_a_cancelled_event_the_notice_goes_out_and_nothing_else(world: World) -> None:
    await attendees(world, 3)
    await enqueue(world.pool, world.request())
    await confirm(world)
    await world.pool.execute(CANCELLED, world.event)
    assert await cancel(world) == 3
    assert await cancel(world) == 0
    assert await claim_all(world) == {
        ("event_cancelled", "sending"): 3,
        ("registration_confirmation", "the event was cancelled"): 1,
        ("send_announcement", "the event was cancelled"): 3,
    }


@pytest.mark.parametrize(
    ("change", "fate"),
    [
        ("UPDATE registrations SET status = 'cancelled' WHERE event_id = $1", "the registration is not confirmed"),
        ("UPDATE events SET status = 'published' WHERE id = $1", "the event was cancelled"),
        ("UPDATE messages SET priority = 2 WHERE event_id = $1", "the event was cancelled"),
        ("UPDATE messages SET template = 'day_of_welcome' WHERE event_id = $1", "the event was cancelled"),
        ("UPDATE messages SET step = 'day_of_welcome' WHERE event_id = $1", "the event was cancelled"),
        ("UPDATE messages SET round = 0 WHERE event_id = $1", "the event was cancelled"),
    ],
)
async def test_the_gate_opens_for_the_notice_alone(world: World, change: str, fate: str) -> None:
    await attendees(world, 1)
    await world.pool.execute(CANCELLED, world.event)
    await cancel(world)
    await world.pool.execute(change, world.event)
    assert [said for _, said in await claim_all(world)] == [fate]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE organizers SET event_cancelled_notice = FALSE WHERE $1::uuid IS NOT NULL",
        "UPDATE registrations SET status = 'cancelled' WHERE event_id = $1",
        "UPDATE automation_workflows SET status = 'completed' WHERE event_id = $1",
        "UPDATE events SET starts_at = now() - interval '2 days', ends_at = now() - interval '1 day' WHERE id = $1",
    ],
)
async def test_who_is_not_coming_any_more_is_not_told(world: World, change: str) -> None:
    await attendees(world, 2)
    await world.pool.execute(change, world.event)
    await world.pool.execute(CANCELLED, world.event)
    assert await cancel(world) == 0


async def test_five_thousand_attendees_are_told_in_one_statement(world: World) -> None:
    await attendees(world, 5000)
    await world.pool.execute(CANCELLED, world.event)
    assert await cancel(world) == 5000
    assert (
        await world.pool.fetchval("SELECT count(DISTINCT address) FROM messages WHERE step = 'event_cancelled'") == 5000
    )


async def test_a_confirmation_that_a_move_overtook_goes_out_with_the_new_date(world: World) -> None:
    """Nobody loses a ticket because the event was moved in the second between registering and sending."""
    await attendees(world, 1)
    await confirm(world)
    await confirm(world, step=4)
    await world.pool.execute("UPDATE events SET starts_at = starts_at + interval '1 day' WHERE id = $1", world.event)
    assert await notices.event_moved(world.pool, world.event) == 0
    assert await claim_all(world) == {
        ("registration_confirmation", "sending"): 1,
        ("logistics_reminder", "held because the event's date was moved"): 1,
    }
    revision = "SELECT date_revision FROM messages WHERE step = 'registration_confirmation'"
    assert await world.pool.fetchval(revision) == 1


async def test_who_was_told_another_date_is_told_the_newest_once_per_move(world: World) -> None:
    await attendees(world, 2)
    await confirm(world)
    await claim_all(world)
    move = (
        "UPDATE events SET starts_at = starts_at + interval '1 day', ends_at = ends_at + interval '1 day' WHERE id = $1"
    )
    await world.pool.execute(move, world.event)
    assert [await notices.event_moved(world.pool, world.event) for _ in range(2)] == [1, 0]
    await world.pool.execute(move, world.event)
    assert await notices.event_moved(world.pool, world.event) == 1
    found = await claim_all(world)
    assert found[("event_moved", "the event's date was moved")] == 1
    assert found[("event_moved", "sending")] == 1


async def test_a_moved_zone_alone_is_no_news(world: World) -> None:
    await attendees(world, 1)
    await confirm(world)
    await claim_all(world)
    await world.pool.execute("UPDATE events SET timezone = 'Europe/Madrid' WHERE id = $1", world.event)
    assert await notices.event_moved(world.pool, world.event) == 0


async def test_a_message_of_another_person_is_none_of_the_registrations(world: World) -> None:
    await attendees(world, 1)
    await confirm(world)
    await world.pool.execute("UPDATE messages SET person_id = $1", uuid4())
    assert [said for _, said in await claim_all(world)] == ["the registration is not confirmed"]


MOVE = "UPDATE events SET starts_at = starts_at + interval '1 day', ends_at = ends_at + interval '1 day' WHERE id = $1"


async def taken_up(world: World) -> UUID:
    """The one attendee's automation is over, another generation begins, and what intake then says."""
    await world.pool.execute(
        "UPDATE automation_workflows SET status = 'cancelled' WHERE workflow_type = 'attendee_nurture'"
    )
    id_: UUID = await world.pool.fetchval(
        """
        INSERT INTO automation_workflows (event_id, organizer_id, subject_id, generation, name, workflow_type, definition, status,
            rules, temporal_workflow_id)
        SELECT event_id, organizer_id, subject_id, generation + 1, name, workflow_type, definition, 'pending', rules,
               subject_id || '/' || generation + 1
        FROM automation_workflows WHERE workflow_type = 'attendee_nurture' ORDER BY generation DESC LIMIT 1 RETURNING id
        """
    )
    await rows.taken_up(world.pool, world.event, id_)
    return id_


async def test_that_an_event_takes_place_after_all_is_said_with_the_date_that_holds_when_it_is_sent(
    world: World,
) -> None:
    """Moved between the notice and its sending: no second mail, and none that is dropped for speaking of the old date."""
    await attendees(world, 1)
    await confirm(world)
    await claim_all(world)
    await world.pool.execute(CANCELLED, world.event)
    await cancel(world)
    await claim_all(world)
    await world.set_event(status="published")
    await taken_up(world)
    await world.pool.execute(MOVE, world.event)
    assert await notices.event_moved(world.pool, world.event) == 0
    assert await claim_all(world) == {
        ("registration_confirmation", "sending"): 1,
        ("event_cancelled", "sending"): 1,
        ("event_takes_place", "sending"): 1,
    }
    revision = "SELECT date_revision FROM messages WHERE step = 'event_takes_place'"
    assert await world.pool.fetchval(revision) == 1


async def test_what_somebody_who_is_taken_up_hears_is_said_once_however_often_it_is_looked_at(world: World) -> None:
    await attendees(world, 1)
    await confirm(world)
    await claim_all(world)
    await world.pool.execute(MOVE, world.event)
    automation = await taken_up(world)
    for _ in range(2):
        await rows.taken_up(world.pool, world.event, automation)
        assert await notices.event_moved(world.pool, world.event) == 0
    found = await claim_all(world)
    assert found == {("registration_confirmation", "sending"): 1, ("event_moved", "sending"): 1}


async def test_a_step_that_comes_due_before_the_cancellation_is_read_ends_its_automation_for_it_with_the_notice(
    world: World,
) -> None:
    """However often the player asks, and whoever reads the cancellation afterwards: one notice for everybody."""
    await attendees(world, 2)
    await world.pool.execute(CANCELLED, world.event)
    for _ in range(2):
        await confirm(world)
    status = "SELECT status, cancelled_because FROM automation_workflows WHERE workflow_type = 'attendee_nurture'"
    ended = [tuple(row) for row in await world.pool.fetch(f"{status} ORDER BY status DESC")]
    assert ended == [("cancelled", "the event was cancelled"), ("active", None)]
    assert await cancel(world) == 1
    assert await claim_all(world) == {("event_cancelled", "sending"): 2}


async def test_every_automation_that_finds_its_event_cancelled_says_so_for_every_step(world: World) -> None:
    """A launch whose step comes due: whether it sends, or does something else first."""
    await world.pool.execute(CANCELLED, world.event)
    generate = EMAIL.model_copy(update={"id": "generate"})
    about = Begin(
        automation_id=world.automation,
        event_id=world.event,
        step=generate,
        round=0,
        due=world.started,
        now=world.started,
    )
    assert (await journal.begin_step(world.pool, about)).outcome == "cancelled"
    assert (await enqueue(world.pool, world.request())).outcome == "cancelled"
    await automations.finish(world.pool, world.automation, "cancelled")
    found = await world.pool.fetch(
        "SELECT step_id, result FROM workflow_execution_logs WHERE workflow_id = $1", world.automation
    )
    assert {row["step_id"]: row["result"]["reason"] for row in found} == dict.fromkeys(
        ("send_announcement", "post_social_media", "send_whatsapp_broadcast"), "the event was cancelled"
    )


async def test_the_organizer_gets_the_notice_of_an_attendees_held_step_and_registers_for_nothing(world: World) -> None:
    await attendees(world, 1)
    automation = await world.pool.fetchval(
        "SELECT id FROM automation_workflows WHERE workflow_type = 'attendee_nurture'"
    )
    async with world.pool.acquire() as connection, connection.transaction():
        await notifications.tell_by_mail(
            connection,
            automation_id=automation,
            key="held/1",
            title="A step could not be carried out",
            body="It is held.",
        )
    await world.set_organizer(cap_messages=1, quiet_from=time(0), quiet_until=time(23, 59))

    (batch,) = (await claims.claim(world.pool, "email", rehearsal=False, limit=10)).batches

    assert [message.address for message in batch.messages] == ["hello@river.example"]
