"""The protocol for mail: whatever happens on the way, nobody is written to twice and nobody is forgotten."""

import asyncio

import pytest

from activities.compose import Composer
from activities.dispatch import Dispatch
from activities.mailing import Mailing
from database import batches, claims, recovery, settlement
from database.connection import Pool
from database.outbox import enqueue
from database.settlement import Outcome
from database.tallies import Change, tally
from providers.accounts import Accounts
from tests.activities.conftest import Providers, claimed, die_after, end_leases, sent_once, to_the_end
from tests.world import World

LINES = ("claimed", "composed", "stored", "posted", "settled")


@pytest.mark.parametrize("line", LINES)
async def test_a_crash_after_any_line_neither_loses_nor_repeats_a_mail(
    line: str, pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(120)
    await enqueue(pool, world.request())
    await die_after(line, Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1")), await claimed(pool))

    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 120}
    sent_once(await world.messages(), await providers.accepted_ids())
    journal = await world.journal()
    assert (journal["status"], journal["open"]) == ("success", 0)
    assert journal["result"] == {"queued": 120, "sent": 120, "failed": 0, "unknown": 0, "skipped": {}}
    assert len(await world.settled()) == 1


@pytest.mark.parametrize("line", ["handed back", "stored", "posted", "settled"])
async def test_a_crash_in_the_middle_of_a_recovery_is_recovered_as_well(
    line: str, pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(30)
    await enqueue(pool, world.request())
    mailing = Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1"))
    await die_after("claimed" if line == "handed back" else "posted", mailing, await claimed(pool))
    await end_leases(pool)
    (overdue,) = await recovery.take_over(pool, "email", rehearsal=False, limit=10)
    async for passed in mailing.recover(overdue):
        if passed == line:
            break
    else:
        raise AssertionError(f"recovery has no line '{line}'")

    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 30}
    sent_once(await world.messages(), await providers.accepted_ids())


@pytest.mark.parametrize("line", ["halved", "stored", "posted", "settled"])
async def test_a_crash_while_a_bad_mail_is_being_found_leaves_the_others_their_mail(
    line: str, pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(9)
    await world.contact("bad,address@people.example")
    await enqueue(pool, world.request())
    refused = False
    async for passed in Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1")).carry(await claimed(pool)):
        refused = refused or passed == "halved"
        if refused and passed == line:
            break

    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 9, "failed": 1}
    sent_once(await world.messages(), await providers.accepted_ids())


async def test_a_bad_recipient_alone_fails_and_the_other_99_get_their_mail(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch
) -> None:
    await world.people(99)
    await world.contact("bad,address@people.example")
    await enqueue(pool, world.request())

    await dispatch.pump("email", rehearsal=False).drain()

    assert await world.counts() == {"sent": 99, "failed": 1}
    (failed,) = await world.messages("failed")
    assert failed["address"] == "bad,address@people.example"
    assert "Invalid `to` field" in failed["reason"]
    sent_once(await world.messages(), await providers.accepted_ids())
    row = await world.row()
    assert (row["tasks_executed"], row["tasks_successful"], row["tasks_failed"]) == (100, 99, 1)


@pytest.mark.parametrize("fault", ["rate_limit", "error", "timeout", "drop"])
async def test_a_faulty_answer_neither_loses_nor_repeats_a_mail(
    fault: str,
    pool: Pool,
    world: World,
    providers: Providers,
    dispatch: Dispatch,
    accounts: Accounts,
) -> None:
    await world.people(230)
    await enqueue(pool, world.request())
    await providers.faults(next=[fault, "none", fault])
    accounts.email._wire._seconds = 4.0

    pump = dispatch.pump("email", rehearsal=False)
    await pump.drain()
    accounts.email.pace.pause(0)
    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 230}
    sent_once(await world.messages(), await providers.accepted_ids())


async def test_a_rate_limit_is_waited_for_and_is_no_failure(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch
) -> None:
    await world.people(5)
    await enqueue(pool, world.request())
    await providers.faults(next=["rate_limit"])

    await dispatch.pump("email", rehearsal=False).drain()
    await to_the_end(pool, dispatch)

    assert await providers.requests() == 2
    assert await world.counts() == {"sent": 5}
    row = await world.row()
    assert (row["last_error"], row["tasks_executed"], row["tasks_failed"]) == (None, 5, 0)


async def test_an_account_that_is_refused_is_shown_and_forgotten_when_it_works_again(
    pool: Pool, world: World, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(5)
    await enqueue(pool, world.request())
    accounts.email._key = "invalid-key"
    stop, woken = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(dispatch.pump("email", rehearsal=False).run(stop, woken))
    async with asyncio.timeout(60):
        while not await pool.fetchval("SELECT count(*) FROM notifications"):
            await asyncio.sleep(0.02)
    stop.set()
    woken.set()
    await running

    assert await world.counts() == {"queued": 5}
    journal = await world.journal()
    assert journal["status"] == "running"
    assert "API key is invalid" in journal["error_message"]
    assert (await world.row())["last_error"] == journal["error_message"]
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 1

    accounts.email._key = "live-resend"
    accounts.email.pace._paused_until = 0
    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 5}
    assert (await world.journal())["error_message"] is None
    assert (await world.row())["last_error"] is None
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 0


async def test_a_worker_thought_dead_cannot_post_or_settle_what_its_successor_has(
    pool: Pool,
    world: World,
) -> None:
    await world.people(10)
    await enqueue(pool, world.request())
    zombie = await claimed(pool)
    await end_leases(pool)
    await recovery.take_over(pool, "email", rehearsal=False, limit=10)

    assert not await batches.store(pool, zombie, b"late")
    assert not await settlement.settle(pool, zombie, [Outcome(m.id, "failed", "late") for m in zombie.messages])
    assert not await batches.hand_back(pool, zombie)
    assert not await batches.split(pool, zombie)
    assert await world.counts() == {"sending": 10}


async def test_no_request_starts_after_the_lease(
    pool: Pool, world: World, providers: Providers, accounts: Accounts
) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    batch = await claimed(pool)
    await end_leases(pool)

    lines = [line async for line in Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1")).carry(batch)]

    assert lines == ["composed"]
    assert await providers.requests() == 0


@pytest.mark.parametrize(
    ("change", "becomes", "reason"),
    [
        ("UPDATE events SET starts_at = starts_at + interval '1 day'", "sending", None),
        ("UPDATE automation_workflows SET status = 'paused'", "queued", "held while the automation is paused"),
        ("UPDATE automation_workflows SET status = 'cancelled'", "cancelled", "the automation was cancelled"),
        ("UPDATE events SET status = 'cancelled'", "cancelled", "the event was cancelled"),
    ],
    ids=["moved", "paused", "cancelled", "event cancelled"],
)
async def test_what_is_changed_while_the_words_are_made_holds_for_them_too(
    change: str, becomes: str, reason: str | None, pool: Pool, world: World, providers: Providers, accounts: Accounts
) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    mailing = Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1"))
    async for line in mailing.carry(await claimed(pool)):
        assert line == "composed"
        await pool.execute(change)

    assert await world.counts() == {"queued": 3}
    await claims.claim(pool, "email", rehearsal=False, limit=100)
    assert {(m["status"], m["reason"]) for m in await world.messages()} == {(becomes, reason)}
    assert await providers.requests() == 0


async def test_several_dispatchers_at_once_send_each_mail_once_and_count_exactly(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch
) -> None:
    await world.people(900)
    await enqueue(pool, world.request())

    await asyncio.gather(*(dispatch.pump("email", rehearsal=False).drain() for _ in range(3)))
    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 900}
    sent_once(await world.messages(), await providers.accepted_ids())
    row = await world.row()
    assert (row["tasks_executed"], row["tasks_successful"]) == (900, 900)
    assert (await world.journal())["open"] == 0
    assert await pool.fetchval("SELECT emails_sent FROM marketing_campaigns") == 900


async def test_a_stopping_pump_finishes_or_hands_back(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch
) -> None:
    await world.people(400)
    await enqueue(pool, world.request())
    await providers.faults(slow=0.2)
    stop = asyncio.Event()
    running = asyncio.create_task(dispatch.pump("email", rehearsal=False).run(stop, asyncio.Event()))
    await asyncio.sleep(0.3)
    stop.set()
    await asyncio.wait_for(running, 60)

    assert set(await world.counts()) <= {"sent", "queued"}


async def test_a_webhook_that_overtakes_our_own_commit_changes_nothing_for_the_others(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    batch = await claimed(pool)
    await die_after("posted", Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1")), batch)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE messages SET status = 'sent' WHERE id = $1", batch.messages[1].id)
        await tally(connection, [Change(batch.messages[1].log_id, "sending", "sent", counted=True)], "email")

    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 3}
    sent_once(await world.messages(), await providers.accepted_ids())
    assert (await world.journal())["result"]["sent"] == 3
