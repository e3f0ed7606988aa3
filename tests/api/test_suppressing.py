"""Suppressions: who bounces for good, complains or says STOP is written to no more, whatever else they said before or after."""

from datetime import timedelta
from typing import Any

import pytest

from database.claims import claim
from database.connection import Pool
from database.outbox import enqueue
from models.automation import Step
from models.messages import Channel
from starter.webhooks import Webhooks
from tests.api.conftest import NOON, NUMBER, at, facts, inbound, ledger, suppressed, tags
from tests.serving import Api, take_in
from tests.world import EMAIL, WHATSAPP, World


async def passes(world: World, step: Step) -> bool:
    """Whether a message of a step gets past the gates."""
    await enqueue(world.pool, world.request(step))
    channel: Channel = "whatsapp" if step.actions[0].verb == "whatsapp" else "email"
    return bool((await claim(world.pool, channel, rehearsal=False, limit=1)).batches)


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("email.bounced", {"bounce": {"type": "Permanent", "message": "no such user"}}, "hard bounce"),
        ("email.complained", {}, "complaint"),
        ("email.suppressed", {"suppressed": {"reason": "previous_complaint", "message": "on the list"}}, "complaint"),
        (
            "email.suppressed",
            {"suppressed": {"type": "OnAccountSuppressionList", "message": "on the list"}},
            "hard bounce",
        ),
        ("email.bounced", {"bounce": {"type": "Transient", "message": "mailbox full"}}, None),
        ("email.failed", {"failed": {"reason": "reached_daily_quota"}}, None),
    ],
)
async def test_an_address_that_bounces_for_good_or_complains_is_written_to_no_more(
    api: Api,
    pool: Pool,
    webhooks: Webhooks,
    message: dict[str, Any],
    kind: str,
    data: dict[str, Any],
    reason: str | None,
) -> None:
    for _ in range(2):
        await api.resend(kind, created_at=at(5), tags=tags(message), **data)
    await take_in(pool, webhooks)
    assert await suppressed(pool) == ({("email", "ada@people.example"): reason} if reason else {})
    row = await ledger(pool, message["id"])
    column = "complained_at" if kind == "email.complained" else "bounced_at"
    assert row[column] == NOON + timedelta(seconds=5)
    assert await facts(pool, message["id"]) == [f"message_{column.removesuffix('_at')}"]
    if kind == "email.bounced":
        assert row["reason"] == f"bounced: {data['bounce']['message']}"


async def test_stop_on_whatsapp_suppresses_the_number_and_start_takes_that_back_alone(
    api: Api, pool: Pool, webhooks: Webhooks, whatsapp: dict[str, Any]
) -> None:
    await api.twilio(inbound(" Stop. "))
    await take_in(pool, webhooks)
    assert await suppressed(pool) == {("whatsapp", NUMBER): "STOP"}
    assert await facts(pool, whatsapp["id"]) == []
    await api.twilio(inbound("START"))
    await take_in(pool, webhooks)
    assert await suppressed(pool) == {}

    await pool.execute(
        "INSERT INTO suppressions VALUES ($1, 'whatsapp', $2, 'not on WhatsApp')", whatsapp["organizer_id"], NUMBER
    )
    await api.twilio(inbound("STOP"))
    await api.twilio(inbound("start"))
    await take_in(pool, webhooks)
    assert await suppressed(pool) == {("whatsapp", NUMBER): "not on WhatsApp"}


async def test_stop_and_start_on_whatsapp_leave_an_unsubscription_as_it_was(
    api: Api, pool: Pool, webhooks: Webhooks, world: World, whatsapp: dict[str, Any]
) -> None:
    await api.http.post(f"/unsubscribe/{whatsapp['id']}")
    alert = WHATSAPP.model_copy(update={"id": "alert", "priority": 1})
    await api.twilio(inbound("STOP"))
    await take_in(pool, webhooks)
    assert not await passes(world, alert)
    assert (await world.messages("skipped"))[0]["reason"] == "suppressed: STOP"
    await api.twilio(inbound("START"))
    await take_in(pool, webhooks)
    assert await suppressed(pool) == {("whatsapp", NUMBER): "unsubscribed"}
    assert await passes(world, alert.model_copy(update={"id": "second_alert"}))


@pytest.mark.parametrize("what", ["email.complained", "email.bounced"])
@pytest.mark.parametrize("first", ["the mail program's post", "the provider's report"])
async def test_who_reports_spam_and_unsubscribes_gets_nothing_more_whichever_comes_first(
    api: Api, pool: Pool, webhooks: Webhooks, world: World, message: dict[str, Any], what: str, first: str
) -> None:
    async def report() -> None:
        await api.resend(what, tags=tags(message), bounce={"type": "Permanent", "message": "no"})
        await take_in(pool, webhooks)

    if first == "the provider's report":
        await report()
    await api.http.post(f"/unsubscribe/{message['id']}")
    if first != "the provider's report":
        await report()

    assert not await passes(world, EMAIL.model_copy(update={"id": "final_details", "priority": 1}))
    reason = "complaint" if what == "email.complained" else "hard bounce"
    assert (await world.messages("skipped"))[0]["reason"] == f"suppressed: {reason}"
