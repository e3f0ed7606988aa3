"""The protocol for WhatsApp and posts: without idempotency keys, what may have been sent is never sent blindly."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from activities.dispatch import Dispatch
from activities.posting import Posting
from database import claims
from database.batches import Batch
from database.connection import Pool
from database.outbox import enqueue
from models.automation import Action
from models.messages import Channel, WhatsAppMessage
from providers.accounts import Accounts
from tests.activities.conftest import Providers, end_leases, to_the_end
from tests.world import SOCIAL, WHATSAPP, World

PROVIDERS: dict[Channel, str] = {"whatsapp": "twilio", "linkedin": "linkedin", "twitter": "x", "facebook": "facebook"}
EACH = pytest.mark.parametrize("channel", list(PROVIDERS))


@pytest.fixture(autouse=True)
async def queued(pool: Pool, world: World) -> None:
    """One WhatsApp message and one post per platform are due."""
    await world.contact("vip@people.example", "+4915112345678")
    await enqueue(pool, world.request(WHATSAPP))
    await enqueue(pool, world.request(SOCIAL))


async def claimed(pool: Pool, channel: Channel) -> Batch:
    (batch,) = (await claims.claim(pool, channel, rehearsal=False, limit=1)).batches
    return batch


async def status(pool: Pool, channel: Channel) -> str:
    found: str = await pool.fetchval("SELECT status FROM messages WHERE channel = $1", channel)
    return found


@EACH
async def test_each_channel_sends_and_keeps_the_providers_id(
    channel: Channel, pool: Pool, providers: Providers, dispatch: Dispatch
) -> None:
    await dispatch.pump(channel, rehearsal=False).drain()

    (accepted,) = await providers.accepted(PROVIDERS[channel])
    assert await pool.fetchval("SELECT provider_id FROM messages WHERE channel = $1", channel) == accepted["id"]


@EACH
@pytest.mark.parametrize("line", ["claimed", "composed", "stored", "posted", "settled"])
async def test_a_crash_after_any_line_never_sends_twice_and_says_what_is_known(
    channel: Channel, line: str, pool: Pool, providers: Providers, dispatch: Dispatch
) -> None:
    batch = await claimed(pool, channel)
    if line != "claimed":
        async for passed in dispatch.pump(channel, rehearsal=False)._delivery.carry(batch):
            if passed == line:
                break

    await to_the_end(pool, dispatch, channel)

    accepted = len(await providers.accepted(PROVIDERS[channel]))
    if line == "stored":  # attempted, as far as anybody knows: it may have been sent, so it is not sent again
        assert (await status(pool, channel), accepted) == ("unknown", 0)
        assert await pool.fetchval("SELECT count(*) FROM notifications WHERE key LIKE 'unknown/%'") == 1
    else:
        assert (await status(pool, channel), accepted) == ("sent", 1)


@EACH
@pytest.mark.parametrize(
    ("fault", "outcome", "times"),
    [
        ("rate_limit", "sent", 1),
        ("error", "unknown", 0),
        ("timeout", "unknown", 0),
        ("drop", "sent", 1),
        ("gateway", "sent", 1),
    ],
)
async def test_a_faulty_answer_never_sends_twice(
    channel: Channel,
    fault: str,
    outcome: str,
    times: int,
    pool: Pool,
    providers: Providers,
    dispatch: Dispatch,
    accounts: Accounts,
) -> None:
    await providers.faults(PROVIDERS[channel], next=[fault])
    accounts.sender(channel)._wire._seconds = 4.0
    pump = dispatch.pump(channel, rehearsal=False)
    batch = await claimed(pool, channel)
    pump._launch(batch, pump._delivery.carry(batch))
    accounts.sender(channel).pace._paused_until = 0

    await to_the_end(pool, dispatch, channel)

    assert await status(pool, channel) == outcome
    assert len(await providers.accepted(PROVIDERS[channel])) == times


async def carried(pool: Pool, dispatch: Dispatch, channel: Channel) -> None:
    """The message is handed over, and whatever comes of it is written down."""
    async for _ in dispatch.pump(channel, rehearsal=False)._delivery.carry(await claimed(pool, channel)):
        pass


@EACH
async def test_what_a_gateways_error_hides_is_never_sent_again_however_late_the_list_shows_it(
    channel: Channel, pool: Pool, providers: Providers, dispatch: Dispatch
) -> None:
    await providers.faults(PROVIDERS[channel], next=["gateway"], lag=3600)
    await carried(pool, dispatch, channel)
    assert await status(pool, channel) == "sending"

    await to_the_end(pool, dispatch, channel)
    assert await status(pool, channel) == "unknown"
    assert await pool.fetchval("SELECT count(*) FROM notifications WHERE key LIKE 'unknown/%'") == 1

    await providers.faults(PROVIDERS[channel])
    await to_the_end(pool, dispatch, channel)
    assert await status(pool, channel) == "sent"
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 0
    assert len(await providers.accepted(PROVIDERS[channel])) == 1


async def test_of_two_messages_to_a_number_that_could_be_it_none_is_guessed_and_none_is_sent_again(
    pool: Pool, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    batch = await claimed(pool, "whatsapp")
    delivery = dispatch.pump("whatsapp", rehearsal=False)._delivery
    assert isinstance(delivery, Posting)
    message = await delivery._message(batch)
    assert isinstance(message, WhatsAppMessage)
    await accounts.whatsapp.send(replace(message, id=uuid4()))
    await providers.faults("twilio", next=["gateway"])
    async for _ in delivery.carry(batch):
        pass

    await to_the_end(pool, dispatch, "whatsapp")

    assert await status(pool, "whatsapp") == "unknown"
    assert len(await providers.accepted("twilio")) == 2


@pytest.mark.parametrize("channel", ["linkedin", "twitter", "facebook"])
async def test_where_the_list_may_not_be_read_a_person_is_told_and_the_step_goes_on(
    channel: Channel,
    pool: Pool,
    world: World,
    providers: Providers,
    dispatch: Dispatch,
    accounts: Accounts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accounts.sender(channel), "_token", "sending-only")
    await providers.faults(PROVIDERS[channel], next=["drop"])
    await carried(pool, dispatch, channel)

    await to_the_end(pool, dispatch, channel)

    assert await status(pool, channel) == "unknown"
    assert "cannot be read" in await pool.fetchval("SELECT reason FROM messages WHERE channel = $1", channel)
    journal = await world.journal(SOCIAL)
    assert (journal["open"], journal["result"]["unknown"]) == (2, 1)
    assert "answered 403" in journal["error_message"]
    titles = {row["title"] for row in await pool.fetch("SELECT title FROM notifications")}
    assert titles == {"A provider refuses to send", "It is not known whether a message was sent"}


@EACH
async def test_a_list_that_cannot_be_read_is_waited_for_and_after_an_hour_the_step_goes_on(
    channel: Channel, pool: Pool, providers: Providers, dispatch: Dispatch
) -> None:
    await providers.faults(PROVIDERS[channel], next=["drop"])
    await carried(pool, dispatch, channel)
    await providers.faults(PROVIDERS[channel], error=1, reads=True)
    for since, expected in ((timedelta(minutes=50), "sending"), (timedelta(minutes=61), "unknown")):
        await pool.execute("UPDATE batches SET first_posted_at = now() - $1::interval", since)
        await end_leases(pool)
        await dispatch.pump(channel, rehearsal=False).recover()
        assert await status(pool, channel) == expected

    await providers.faults(PROVIDERS[channel])
    await to_the_end(pool, dispatch, channel)
    assert await status(pool, channel) == "sent"
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 0


@EACH
async def test_what_is_reported_as_sent_while_its_words_are_made_is_not_sent_again(
    channel: Channel, pool: Pool, providers: Providers, dispatch: Dispatch
) -> None:
    async for line in dispatch.pump(channel, rehearsal=False)._delivery.carry(await claimed(pool, channel)):
        if line == "composed":
            await pool.execute("UPDATE messages SET status = 'sent' WHERE channel = $1", channel)

    await to_the_end(pool, dispatch, channel)

    assert await status(pool, channel) == "sent"
    assert await providers.accepted(PROVIDERS[channel]) == []


async def test_a_recipient_who_is_refused_fails_with_the_providers_words(
    world: World, providers: Providers, dispatch: Dispatch
) -> None:
    await providers.http.post(f"{providers.url}/_sandbox/stop", json={"address": "whatsapp:+4915112345678"})

    await dispatch.pump("whatsapp", rehearsal=False).drain()

    (failed,) = await world.messages("failed")
    assert "21610" in failed["reason"]
    assert (await world.journal(WHATSAPP))["status"] == "running"


async def test_an_organizer_without_an_approved_template_is_told_what_to_set(
    world: World, providers: Providers, dispatch: Dispatch
) -> None:
    await world.set_organizer(whatsapp_content={})

    await dispatch.pump("whatsapp", rehearsal=False).drain()

    assert "organizers.whatsapp_content" in (await world.journal(WHATSAPP))["error_message"]
    assert await providers.accepted() == []


async def test_all_posts_settled_end_the_step_once(pool: Pool, world: World, dispatch: Dispatch) -> None:
    for channel in ("linkedin", "twitter", "facebook"):
        assert await world.settled() == []
        await dispatch.pump(channel, rehearsal=False).drain()

    (told,) = await world.settled()
    assert (told["data"]["step"], told["data"]["state"], told["subject"]) == (
        SOCIAL.id,
        "success",
        f"automation/{world.automation}",
    )
    assert await pool.fetchval("SELECT social_posts_published FROM marketing_campaigns") == 3


async def test_a_number_that_twilio_refuses_is_told_to_nobody(pool: Pool, world: World, dispatch: Dispatch) -> None:
    await pool.execute("UPDATE messages SET address = '+15005550001' WHERE channel = 'whatsapp'")
    await dispatch.pump("whatsapp", rehearsal=False).drain()
    reason = "Twilio answered 400 (21211): the number does not exist."
    (told,) = await world.settled()
    assert (told["data"]["state"], told["data"]["reason"]) == ("failed", reason)
    assert (await world.journal(WHATSAPP))["error_message"] == (await world.row())["last_error"] == reason


async def test_a_whatsapp_template_shows_the_links_of_its_includes(
    world: World, pool: Pool, dispatch: Dispatch
) -> None:
    await world.set_event(details={"slack_link": "https://river.example/slack"})
    await world.set_organizer(whatsapp_content={"join_community": f"HX{2:032x}"})
    invitation = Action(
        verb="whatsapp", template="join_community", audience="vip_contacts", include=("slack_invite", "linkedin_group")
    )
    step = WHATSAPP.model_copy(update={"id": "community_invitation", "actions": (invitation,)})
    await enqueue(pool, world.request(step))
    await dispatch.pump("whatsapp", rehearsal=False).drain()
    rows = await pool.fetch("SELECT status, reason FROM messages WHERE step = 'community_invitation'")
    assert [(row["status"], row["reason"]) for row in rows] == [("sent", None)]


async def test_a_number_that_cannot_be_one_fails_alone_in_plain_words_and_is_not_suppressed(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch
) -> None:
    await world.contact("typo@people.example", "+1 555 1234")
    await world.contact("spelt@people.example", "+49 (0)170 1234567")
    await enqueue(pool, world.request(WHATSAPP.model_copy(update={"id": "second_broadcast"})))

    await dispatch.pump("whatsapp", rehearsal=False).drain()

    assert sorted(one["to"] for one in await providers.accepted("twilio")) == [
        "whatsapp:+4915112345678",
        "whatsapp:+4915112345678",
        "whatsapp:+491701234567",
    ]
    (failed,) = await world.messages("failed")
    assert failed["address"] == "+15551234"
    assert failed["reason"] == "the phone number cannot be one: its country code or its length is wrong; correct it"
    assert await pool.fetchval("SELECT count(*) FROM suppressions") == 0
