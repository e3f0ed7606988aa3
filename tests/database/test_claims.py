"""Claims and gates: who goes next, who does not, and why, in plain words."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from database import claims, recovery
from database.batches import Batch, hand_back
from database.connection import Pool
from database.outbox import enqueue
from database.settlement import Outcome, settle
from models.messages import Channel
from tests.world import EMAIL, WHATSAPP, World, make_world

NIGHT = datetime(2027, 3, 10, 23, 30, tzinfo=UTC)
MORNING = datetime(2027, 3, 10, 9, 0, tzinfo=UTC)


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


async def claim(pool: Pool, channel: Channel = "email", *, rehearsal: bool = False, limit: int = 100) -> Batch | None:
    batches = (await claims.claim(pool, channel, rehearsal=rehearsal, limit=limit)).batches
    return batches[0] if batches else None


async def sent(pool: Pool, batch: Batch | None) -> None:
    assert batch is not None
    assert await settle(pool, batch, [Outcome(m.id, "sent", None, f"re_{m.id}") for m in batch.messages])


async def reasons(world: World) -> dict[str, str | None]:
    return {m["address"]: m["reason"] for m in await world.messages() if m["status"] not in ("sending", "sent")}


async def test_a_claim_takes_at_most_its_limit_and_nothing_twice(pool: Pool, world: World) -> None:
    await world.people(250)
    await enqueue(pool, world.request())

    found = await asyncio.gather(*(claim(pool) for _ in range(8)))
    while (batch := await claim(pool)) is not None:
        found.append(batch)

    ids = [message.id for batch in found if batch for message in batch.messages]
    assert max(len(batch.messages) for batch in found if batch) == 100
    assert len(ids) == len(set(ids)) == 250


async def test_the_most_urgent_go_first_and_organizers_share(pool: Pool, world: World) -> None:
    other = await make_world(pool)
    await world.people(300)
    await other.people(300)
    await enqueue(pool, world.request())
    await enqueue(pool, other.request())
    await other.contact("urgent@people.example")
    urgent = EMAIL.model_copy(update={"id": "urgent", "priority": 1})
    await pool.execute("DELETE FROM contacts WHERE organizer_id = $1 AND email LIKE 'person-%'", other.organizer)
    await enqueue(pool, other.request(urgent))

    batch = await claim(pool)

    assert batch is not None
    assert batch.messages[0].address == "urgent@people.example"
    shares = [sum(m.organizer_id == w.organizer for m in batch.messages) for w in (world, other)]
    assert min(shares) >= 49


async def test_the_queue_of_a_small_organizer_does_not_wait_for_a_large_one(pool: Pool, world: World) -> None:
    await world.people(2000)
    await enqueue(pool, world.request())
    small = await make_world(pool)
    await small.people(3)
    await enqueue(pool, small.request())

    batch = await claim(pool)

    assert batch is not None
    assert sum(m.organizer_id == small.organizer for m in batch.messages) == 3
    assert len(batch.messages) == 100


async def test_rehearsal_messages_are_invisible_to_the_live_claim_and_the_other_way_round(
    pool: Pool, world: World
) -> None:
    shadow = await make_world(pool, clock=MORNING)
    for w in (world, shadow):
        await w.people(5)
        await enqueue(pool, w.request(now=w.started))

    live, rehearsed = await claim(pool), await claim(pool, rehearsal=True)

    assert live is not None
    assert rehearsed is not None
    assert {m.organizer_id for m in live.messages} == {world.organizer}
    assert {m.organizer_id for m in rehearsed.messages} == {shadow.organizer}


async def test_a_rehearsal_message_is_due_by_its_events_clock(pool: Pool) -> None:
    shadow = await make_world(pool, clock=MORNING)
    await shadow.people(1)
    await enqueue(pool, shadow.request(now=MORNING + timedelta(hours=1)))

    assert await claim(pool, rehearsal=True) is None
    await shadow.set_event(clock_now=MORNING + timedelta(hours=1))
    batch = await claim(pool, rehearsal=True)
    await sent(pool, batch)

    (message,) = await shadow.messages()
    assert message["sent_at"] == MORNING + timedelta(hours=1)
    assert (await shadow.journal())["ended_at"] == MORNING + timedelta(hours=1)


async def test_each_gate_says_why_in_plain_words(pool: Pool, world: World) -> None:
    await world.contact("fine@people.example")
    await world.contact("no-consent@people.example", email_consent=False)
    await world.contact("Complained@people.example")
    await pool.execute(
        "INSERT INTO suppressions (organizer_id, channel, address, reason) VALUES ($1, 'email', 'complained@people.example', 'complaint')",
        world.organizer,
    )
    await enqueue(pool, world.request())

    batch = await claim(pool)

    assert batch is not None
    assert [m.address for m in batch.messages] == ["fine@people.example"]
    assert await reasons(world) == {
        "no-consent@people.example": "no consent to email",
        "complained@people.example": "suppressed: complaint",
    }
    await sent(pool, batch)
    journal = await world.journal()
    assert journal["result"]["skipped"] == {"no consent to email": 1, "suppressed: complaint": 1}
    assert (journal["status"], journal["open"]) == ("success", 0)


async def test_what_a_person_has_to_have_passes_consent_and_unsubscription_but_no_complaint(
    pool: Pool, world: World
) -> None:
    names = ("no-consent", "unsubscribed", "complained")
    for name in names:
        await world.contact(f"{name}@people.example", email_consent=name != "no-consent")
    await pool.executemany(
        "INSERT INTO suppressions (organizer_id, channel, address, reason) VALUES ($1, 'email', $2, $3)",
        [
            (world.organizer, "unsubscribed@people.example", "unsubscribed"),
            (world.organizer, "complained@people.example", "complaint"),
        ],
    )
    await enqueue(pool, world.request(EMAIL.model_copy(update={"priority": 1})))

    batch = await claim(pool)

    assert batch is not None
    assert sorted(m.address.partition("@")[0] for m in batch.messages) == ["no-consent", "unsubscribed"]
    assert await reasons(world) == {"complained@people.example": "suppressed: complaint"}


async def test_of_several_things_that_stand_against_an_address_an_unsubscription_is_the_weakest(
    pool: Pool, world: World
) -> None:
    for name, reasons_ in (("first", ("complaint", "unsubscribed")), ("last", ("unsubscribed", "hard bounce"))):
        await world.contact(f"{name}@people.example")
        for reason in reasons_:
            await pool.execute(
                "INSERT INTO suppressions (organizer_id, channel, address, reason) VALUES ($1, 'email', $2, $3)",
                *(world.organizer, f"{name}@people.example", reason),
            )
    await enqueue(pool, world.request(EMAIL.model_copy(update={"priority": 1})))

    assert await claim(pool) is None

    assert await reasons(world) == {
        "first@people.example": "suppressed: complaint",
        "last@people.example": "suppressed: hard bounce",
    }


async def test_whatsapp_needs_an_opt_in(pool: Pool, world: World) -> None:
    await world.contact("vip@people.example", "+4915112345678", whatsapp_opt_in=False)
    await enqueue(pool, world.request(WHATSAPP))

    assert await claim(pool, "whatsapp", limit=1) is None

    assert await reasons(world) == {"+4915112345678": "no opt-in to WhatsApp"}
    journal = await world.journal(WHATSAPP)
    assert (journal["status"], journal["result"]["reason"]) == ("skipped", "no opt-in to WhatsApp")
    (told,) = await world.settled()
    assert told["data"]["state"] == "skipped"


async def test_a_number_is_stopped_however_it_is_written(pool: Pool, world: World) -> None:
    await world.contact(None, "+49 (0)170 1234567")
    await world.contact(None, "+49 0170 7654321")
    await pool.execute(
        "INSERT INTO suppressions (organizer_id, channel, address, reason) VALUES ($1, 'whatsapp', '+491701234567', 'STOP')",
        world.organizer,
    )
    await enqueue(pool, world.request(WHATSAPP))

    batches = (await claims.claim(pool, "whatsapp", rehearsal=False, limit=1, batches=2)).batches

    assert [message.address for batch in batches for message in batch.messages] == ["+491707654321"]
    assert await reasons(world) == {"+491701234567": "suppressed: STOP"}


async def test_one_number_gets_a_step_once_however_often_and_differently_it_is_written(
    pool: Pool, world: World
) -> None:
    for phone in ("+49 (0)170 1234567", "+49 170 1234567", "+49 0170 / 1234567"):
        await world.contact(None, phone)
    await enqueue(pool, world.request(WHATSAPP))

    found = await claims.claim(pool, "whatsapp", rehearsal=False, limit=1, batches=5)
    await claims.claim(pool, "whatsapp", rehearsal=False, limit=1, batches=5)

    assert [message.address for batch in found.batches for message in batch.messages] == ["+491701234567"]
    assert await reasons(world) == {"+491701234567": "another contact has the same address"}
    assert await world.counts() == {"sending": 1, "skipped": 1}
    assert (await world.journal(WHATSAPP))["result"]["skipped"] == {"another contact has the same address": 2}


async def test_a_message_past_its_time_is_skipped_as_expired(pool: Pool, world: World) -> None:
    await world.people(2)
    await enqueue(pool, world.request(valid_until=datetime.now(UTC) - timedelta(seconds=1)))

    assert await claim(pool) is None

    assert set((await reasons(world)).values()) == {"expired before it could be sent"}


@pytest.mark.parametrize("table", ["automation_workflows", "events"])
async def test_messages_of_a_cancelled_automation_or_event_are_cancelled(table: str, pool: Pool, world: World) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    await pool.execute(f"UPDATE {table} SET status = 'cancelled'")

    assert await claim(pool) is None

    assert await world.counts() == {"cancelled": 3}
    assert (await world.journal())["open"] == 0


async def test_a_pause_holds_for_ever_and_the_sweep_frees_what_is_paused_no_more(pool: Pool, world: World) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    await world.set_automation(status="paused")
    assert await claim(pool) is None
    assert await pool.fetchval("SELECT count(*) FROM messages WHERE release_at = 'infinity' AND NOT counted") == 3
    assert await recovery.sweep(pool, "email", rehearsal=False) == 0

    await world.set_automation(status="active")

    assert await recovery.sweep(pool, "email", rehearsal=False) == 3
    batch = await claim(pool)
    assert batch is not None
    assert len(batch.messages) == 3


async def test_a_resume_between_the_gate_and_the_hold_leaves_nothing_held(pool: Pool, world: World) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    await world.set_automation(status="paused")
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("UPDATE automation_workflows SET status = 'active'")
        assert (await claims.claim(pool, "email", rehearsal=False, limit=100)).idle  # gives way
        await transaction.commit()

    batch = await claim(pool)

    assert batch is not None
    assert len(batch.messages) == 3


async def test_of_two_messages_on_a_topic_one_goes_and_the_other_waits_until_it_is_settled(
    pool: Pool, world: World
) -> None:
    await world.contact("guest@people.example")
    steps = [EMAIL.model_copy(update={"id": f"final_{n}", "topic": "final"}) for n in range(2)]
    for step in steps:
        await enqueue(pool, world.request(step))

    winner = await claim(pool)
    assert winner is not None
    assert len(winner.messages) == 1
    assert await claim(pool) is None
    await pool.execute("UPDATE messages SET not_before = NULL")
    assert await claim(pool) is None
    assert len(await world.messages("queued")) == 1

    await sent(pool, winner)
    await pool.execute("UPDATE messages SET not_before = NULL")
    assert await claim(pool) is None
    (loser,) = await world.messages("skipped")
    assert loser["reason"].startswith("covered by final_")


async def test_topics_never_collide_however_many_claim_at_once(pool: Pool, world: World) -> None:
    await world.people(60)
    for n in range(3):
        await enqueue(pool, world.request(EMAIL.model_copy(update={"id": f"final_{n}", "topic": "final"})))

    for _ in range(30):
        for batch in await asyncio.gather(*(claim(pool, limit=25) for _ in range(4))):
            if batch:
                await sent(pool, batch)
        await pool.execute("UPDATE messages SET not_before = NULL")

    assert await world.counts() == {"sent": 60, "skipped": 120}


async def test_what_is_handed_back_passes_the_gates_again(pool: Pool, world: World) -> None:
    await world.people(2)
    await enqueue(pool, world.request())
    batch = await claim(pool)
    assert batch is not None
    await hand_back(pool, batch)
    await world.set_automation(status="cancelled")

    assert await claim(pool) is None

    assert await world.counts() == {"cancelled": 2}
    assert await pool.fetchval("SELECT count(*) FROM batches") == 0


async def test_the_next_release_is_known_to_the_moment(pool: Pool, world: World) -> None:
    await world.people(1)
    assert await recovery.next_release(pool, "email") is None
    await enqueue(pool, world.request(now=datetime.now(UTC) + timedelta(seconds=30)))

    wait = await recovery.next_release(pool, "email")

    assert wait is not None
    assert timedelta(seconds=25) < wait <= timedelta(seconds=30)
