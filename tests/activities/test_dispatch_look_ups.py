"""What was posted and may not be posted again: the provider is asked what it accepted, and a person hears what nobody knows."""

from activities.compose import Composer
from activities.dispatch import Dispatch
from activities.mailing import Mailing
from database.connection import Pool
from database.outbox import enqueue
from providers.accounts import Accounts
from tests.activities.conftest import Providers, claimed, die_after, end_leases, to_the_end
from tests.world import World, make_world


async def test_a_key_older_than_23_hours_is_looked_up_and_never_posted_again(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    await die_after("stored", Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1")), await claimed(pool))
    await pool.execute("UPDATE batches SET first_posted_at = now() - interval '24 hours'")

    await to_the_end(pool, dispatch)

    assert await world.counts() == {"unknown": 3}
    assert await providers.requests() == 0
    journal = await world.journal()
    assert (journal["status"], journal["result"]["unknown"], journal["open"]) == ("success", 3, 0)
    assert await pool.fetchval("SELECT title FROM notifications") == "It is not known whether a message was sent"


async def test_what_the_provider_lists_settles_an_unknown_outcome_as_sent(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    await die_after("posted", Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1")), await claimed(pool))
    await world.set_automation(status="cancelled")

    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 3}
    assert await providers.requests() == 1


async def test_a_posted_mail_that_may_no_longer_go_is_not_posted_again(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    await die_after("stored", Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1")), await claimed(pool))
    await world.set_automation(status="cancelled")

    await to_the_end(pool, dispatch)

    assert await world.counts() == {"unknown": 3}
    assert await providers.accepted() == []


async def test_a_posted_mail_waits_while_its_automation_is_paused(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    await die_after("stored", Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1")), await claimed(pool))
    await world.set_automation(status="paused")
    pump = dispatch.pump("email", rehearsal=False)
    await end_leases(pool)
    await pump.recover()
    assert await world.counts() == {"sending": 3}
    assert await providers.accepted() == []

    await world.set_automation(status="active")
    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 3}


async def test_an_unknown_message_found_later_turns_to_sent_in_the_journal(
    pool: Pool, world: World, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(2)
    await enqueue(pool, world.request())
    batch = await claimed(pool)
    await die_after("stored", Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1")), batch)
    await world.set_automation(status="cancelled")
    await to_the_end(pool, dispatch)
    assert await world.counts() == {"unknown": 2}

    ready = (await Composer(pool, "http://127.0.0.1").mails(batch)).ready
    payload = accounts.email.compose([mail for _, mail in ready])
    await accounts.email.post(payload, str(batch.id))
    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 2}
    assert (await world.journal())["result"] == {"queued": 2, "sent": 2, "failed": 0, "unknown": 0, "skipped": {}}
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 0  # nobody looks for what is found


async def test_what_was_accepted_is_told_apart_by_its_place_in_the_request_also_when_others_of_it_are_deleted(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    gone = await make_world(pool)
    for one in (world, gone):
        await one.people(4)
        await enqueue(pool, one.request())
    batch = await claimed(pool)
    await die_after("posted", Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1")), batch)
    assert {message.event_id for message in batch.messages} == {world.event, gone.event}
    await pool.execute("DELETE FROM events WHERE id = $1", gone.event)

    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 4}
    accepted = {mail["message_id"]: mail["id"] for mail in await providers.accepted("resend")}
    assert len(accepted) == 8
    for message in await world.messages():
        assert message["provider_id"] == accepted[str(message["id"])]


async def test_with_a_key_that_may_only_send_what_is_not_known_is_shown_to_a_person(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    accounts.email._key = "sending-only"
    await die_after("posted", Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1")), await claimed(pool))
    await pool.execute("UPDATE batches SET first_posted_at = now() - interval '24 hours'")

    await to_the_end(pool, dispatch)

    assert await world.counts() == {"unknown": 3}
    journal = await world.journal()
    assert (journal["status"], journal["open"]) == ("success", 0)
    assert "restricted_api_key" in journal["error_message"]
    body = await pool.fetchval("SELECT body FROM notifications WHERE key LIKE 'unknown/%'")
    assert "cannot be read" in body
    assert await providers.requests() == 1


async def test_a_mail_that_is_reported_as_sent_while_its_words_are_made_holds_back_no_other_and_is_not_sent_again(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    batch = await claimed(pool)
    async for line in Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1")).carry(batch):
        if line == "composed":
            await pool.execute("UPDATE messages SET status = 'sent' WHERE id = $1", batch.messages[1].id)

    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 3}
    assert set(await providers.accepted_ids()) == {str(batch.messages[place].id) for place in (0, 2)}
