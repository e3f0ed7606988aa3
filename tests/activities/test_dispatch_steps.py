"""Steps on their way out: pauses, missing facts, and what a mail carries."""

from activities.compose import Composer
from activities.dispatch import Dispatch
from database import batches
from database.connection import Pool
from database.outbox import enqueue
from tests.activities.conftest import Providers, claimed, sent_once, to_the_end
from tests.world import World


async def test_a_missing_fact_of_one_person_fails_that_message_only(
    pool: Pool, world: World, dispatch: Dispatch
) -> None:
    await world.people(4)
    await world.contact("nameless@people.example", first_name="")
    await world.contact("odd@people.example", timezone="Nowhere/Land")
    await enqueue(pool, world.request())

    await dispatch.pump("email", rehearsal=False).drain()

    assert sum((await world.counts()).values()) == 6
    assert (await world.counts())["sent"] >= 4


async def test_a_missing_fact_of_the_event_holds_the_step_with_the_reason(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch
) -> None:
    await world.people(250)
    await enqueue(pool, world.request())
    await pool.execute("UPDATE events SET venue = '', city = '' WHERE id = $1", world.event)

    await dispatch.pump("email", rehearsal=False).drain()

    assert await world.counts() == {"failed": 250}
    journal = await world.journal()
    assert journal["status"] == "running"
    assert "event." in journal["error_message"]
    assert (await world.row())["last_error"] == journal["error_message"]
    (told,) = await world.settled()
    assert told["data"]["state"] == "failed"
    assert await providers.requests() == 1, "nobody is written to but the organizer"


async def test_a_pause_holds_what_has_not_left_and_a_resume_lets_it_go(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch
) -> None:
    await world.people(150)
    await enqueue(pool, world.request())
    batch = await claimed(pool)
    await world.set_automation(status="paused")
    pump = dispatch.pump("email", rehearsal=False)
    await pump.drain()
    assert len(await world.messages("queued")) == 50
    assert {m["counted"] for m in await world.messages("queued")} == {False}
    await batches.hand_back(pool, batch)
    await pump.drain()
    assert await providers.accepted() == []
    journal = await world.journal()
    assert (journal["open"], journal["result"]["held"]) == (0, 150)

    await world.set_automation(status="active")
    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 150}
    sent_once(await world.messages(), await providers.accepted_ids())
    assert (await world.journal())["result"] == {"queued": 150, "sent": 150, "failed": 0, "unknown": 0, "skipped": {}}
    assert len(await world.settled()) == 1


async def test_mail_carries_our_id_and_a_one_click_unsubscribe_link(
    pool: Pool,
    world: World,
) -> None:
    await world.people(1)
    await enqueue(pool, world.request())
    batch = await claimed(pool)
    ((message, mail),) = (await Composer(pool, "https://eventos.example").mails(batch)).ready

    assert mail.headers == {
        "List-Unsubscribe": f"<https://eventos.example/unsubscribe/{message.id}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert (mail.sender, mail.reply_to) == ("River Conferences <hello@river.example>", "hello@river.example")
