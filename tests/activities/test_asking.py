"""Messages that no webhook mentions: the provider is asked, and what it says is taken in like a webhook."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest

from activities.asking import AT_ONCE
from activities.dispatch import Dispatch
from database import unmentioned
from database.connection import Pool
from database.outbox import enqueue
from models.messages import Channel
from providers.accounts import Accounts
from starter.webhooks import Webhooks
from tests.activities.conftest import Providers, to_the_end
from tests.serving import take_in
from tests.world import EMAIL, SOCIAL, WHATSAPP, World, make_world

NOWHERE = "http://127.0.0.1:1/webhooks"
ACCOUNTS = {"resend": "live-resend", "twilio": "AC" + "1" * 32}


async def deaf(providers: Providers, *scripts: Mapping[str, Any]) -> None:
    """People receive and react, and the webhooks that tell of it go where nobody listens."""
    for provider, account in ACCOUNTS.items():
        endpoint = {"provider": provider, "account": account, "url": NOWHERE, "secret": "whsec_AAAA"}
        (await providers.http.post(f"{providers.url}/_sandbox/endpoints", json=endpoint)).raise_for_status()
    (await providers.http.post(f"{providers.url}/_sandbox/scripts", json=list(scripts))).raise_for_status()


async def sent(pool: Pool, providers: Providers, dispatch: Dispatch, channel: Channel = "email") -> None:
    """The messages are sent, and something has become of each."""
    await dispatch.pump(channel, rehearsal=False).drain()
    account = ACCOUNTS["twilio"]
    for row in await pool.fetch("SELECT provider_id FROM messages WHERE channel = $1", channel):
        if channel == "email":
            address, name = f"/resend/emails/{row['provider_id']}", "last_event"
            sign = f"Bearer {ACCOUNTS['resend']}"
        else:
            address, name = f"/twilio/2010-04-01/Accounts/{account}/Messages/{row['provider_id']}.json", "status"
            sign = f"Basic {b64encode(f'{account}:live-twilio'.encode()).decode()}"
        said = "sent"
        while said == "sent":
            answer = await providers.http.get(f"{providers.url}{address}", headers={"Authorization": sign})
            said = answer.json()[name]
            await asyncio.sleep(0.01)


async def asked(pool: Pool, dispatch: Dispatch, accounts: Accounts, channel: Channel = "email") -> list[str]:
    """Time passes, and the provider is asked once more; what came of its answers."""
    await pool.execute("UPDATE batches SET ask_at = now() WHERE ask_at IS NOT NULL")
    await dispatch.pump(channel, rehearsal=False).ask()
    return await take_in(pool, Webhooks(pool, accounts.email, None))


async def suppressed(pool: Pool) -> dict[str, str]:
    return {row["address"]: row["reason"] for row in await pool.fetch("SELECT address, reason FROM suppressions")}


async def test_what_no_webhook_told_of_a_mail_is_learnt_from_the_provider(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    who = ("delivered", "bounce", "complain", "click")
    await deaf(providers, *({"who": f"{what}@people.example", "what": what} for what in who))
    for what in who:
        await world.contact(f"{what}@people.example")
    await enqueue(pool, world.request())
    await sent(pool, providers, dispatch)

    outcomes = await asked(pool, dispatch, accounts)

    assert len(outcomes) == 4
    rows = {row["address"].split("@")[0]: row for row in await world.messages()}
    assert {what for what, row in rows.items() if row["delivered_at"]} == {"delivered", "complain", "click"}
    assert (rows["bounce"]["bounced_at"] is None, rows["complain"]["complained_at"] is None) == (False, False)
    assert rows["click"]["opened_at"] is None  # who opened it, a person or a scanner, only a webhook tells
    assert await suppressed(pool) == {"bounce@people.example": "hard bounce", "complain@people.example": "complaint"}
    kinds = await pool.fetch("SELECT kind FROM occurrences WHERE kind LIKE 'message%' ORDER BY kind")
    assert [row["kind"] for row in kinds] == ["message_bounced", "message_complained"]
    assert await asked(pool, dispatch, accounts) == []


@pytest.mark.parametrize(
    ("what", "column", "reason"),
    [("delivered", "delivered_at", None), ("open", "opened_at", None), ("bounce", "bounced_at", "not on WhatsApp")],
)
async def test_what_no_callback_told_of_a_whatsapp_message_is_learnt_from_the_provider(
    what: str,
    column: str,
    reason: str | None,
    pool: Pool,
    world: World,
    providers: Providers,
    dispatch: Dispatch,
    accounts: Accounts,
) -> None:
    await deaf(providers, {"what": what})
    await world.contact("vip@people.example", "+4915112345678")
    await enqueue(pool, world.request(WHATSAPP))
    await sent(pool, providers, dispatch, "whatsapp")

    assert len(await asked(pool, dispatch, accounts, "whatsapp")) == 1

    (message,) = await world.messages()
    assert message[column] is not None
    assert await suppressed(pool) == ({"+4915112345678": reason} if reason else {})


async def test_the_provider_is_asked_after_one_six_and_twenty_four_hours_and_then_no_more(
    pool: Pool, world: World, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(2)
    await enqueue(pool, world.request())
    await dispatch.pump("email", rehearsal=False).drain()
    assert await unmentioned.due(pool, "email", 10) == []  # webhooks have an hour

    waits = []
    while (
        wait := await pool.fetchval("SELECT round(extract(epoch FROM ask_at - now()) / 3600)::int FROM batches")
    ) is not None:
        waits.append(wait)
        assert await asked(pool, dispatch, accounts) == []

    assert waits == [1, 6, 24]
    assert {message["asked"] for message in await world.messages()} == {3}


async def test_what_a_webhook_mentioned_is_not_asked_about(pool: Pool, world: World, dispatch: Dispatch) -> None:
    await world.people(4)
    await enqueue(pool, world.request())
    await dispatch.pump("email", rehearsal=False).drain()
    silent, *mentioned = await world.messages()
    for column, message in zip(("delivered_at", "bounced_at", "complained_at"), mentioned, strict=True):
        await pool.execute(f"UPDATE messages SET {column} = now() WHERE id = $1", message["id"])

    await pool.execute("UPDATE batches SET ask_at = now()")

    assert [one.id for one in await unmentioned.due(pool, "email", 10)] == [silent["id"]]


async def test_each_message_is_asked_about_once_in_a_round_and_a_look_asks_about_few(
    pool: Pool, world: World, dispatch: Dispatch
) -> None:
    await world.people(230)
    await enqueue(pool, world.request())
    await dispatch.pump("email", rehearsal=False).drain()
    await pool.execute("UPDATE batches SET ask_at = now()")

    looks = [await unmentioned.due(pool, "email", 60) for _ in range(5)]

    assert [len(look) for look in looks] == [60, 60, 60, 50, 0]
    assert len({one.id for look in looks for one in look}) == 230


async def test_when_every_answer_brings_news_the_operator_hears_once_that_webhooks_do_not_arrive(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await deaf(providers)
    await world.people(2 * AT_ONCE)
    await enqueue(pool, world.request())
    await sent(pool, providers, dispatch)

    for _ in range(2):
        assert len(await asked(pool, dispatch, accounts)) == AT_ONCE

    (told,) = await pool.fetch("SELECT organizer_id, title, body FROM notifications")
    assert (told["organizer_id"], told["title"]) == (None, "The webhooks of a provider do not arrive")
    assert "Resend" in told["body"]


async def test_what_the_provider_may_not_or_cannot_be_asked_stops_nothing(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    await dispatch.pump("email", rehearsal=False).drain()
    accounts.email._key = "sending-only"
    assert await asked(pool, dispatch, accounts) == []
    await providers.faults(error=1, reads=True)
    accounts.email._key = "live-resend"
    assert await asked(pool, dispatch, accounts) == []

    assert await world.counts() == {"sent": 3}
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 0


async def test_a_pump_that_tends_asks_by_itself(
    pool: Pool, world: World, providers: Providers, dispatch: Dispatch
) -> None:
    await deaf(providers)
    await world.people(3)
    await enqueue(pool, world.request())
    await sent(pool, providers, dispatch)
    await pool.execute("UPDATE batches SET ask_at = now()")

    stop = asyncio.Event()
    running = asyncio.create_task(dispatch.pump("email", rehearsal=False).run(stop, asyncio.Event(), seconds=600))
    while await pool.fetchval("SELECT count(*) FROM webhook_deliveries") < 3:
        await asyncio.sleep(0.02)
    stop.set()
    await running


async def test_of_rehearsals_and_posts_no_provider_is_asked(pool: Pool, world: World, dispatch: Dispatch) -> None:
    shadow = await make_world(pool, clock=world.started)
    await shadow.people(2)
    await enqueue(pool, shadow.request(EMAIL, now=shadow.started))
    await enqueue(pool, world.request(SOCIAL))
    await to_the_end(pool, dispatch, "email", live_only=False)
    await to_the_end(pool, dispatch, "linkedin")
    await dispatch.pump("email", rehearsal=True).ask()
    await dispatch.pump("linkedin", rehearsal=False).ask()

    assert await shadow.counts() == {"sent": 2}
    assert await pool.fetchval("SELECT count(ask_at) FROM batches") == 0
