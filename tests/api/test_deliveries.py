"""What follows from a delivery: the ledger, the suppressions, the facts; in any order, and once."""

import asyncio
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from database.connection import Pool
from models.replies import reply_address
from providers.resend_webhooks import REHEARSAL_SECRET
from starter.webhooks import Webhooks
from tests.api.conftest import NOON, NUMBER, at, facts, inbound, ledger, sent_mail, suppressed, tags
from tests.serving import SECRET, Api, take_in
from tests.world import WHATSAPP, World, make_world


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=lambda order: "".join(map(str, order)))
async def test_whatever_the_order_and_however_often_the_ledger_says_the_same(
    api: Api, pool: Pool, webhooks: Webhooks, message: dict[str, Any], order: tuple[int, ...]
) -> None:
    events = [("email.delivered", 10), ("email.opened", 300), ("email.opened", 900)]
    for which in (*order, *order):
        kind, seconds = events[which]
        assert (
            await api.resend(kind, created_at=at(seconds), tags=tags(message), id_=f"msg_{which}")
        ).status_code == 204
        await take_in(pool, webhooks)
    await take_in(pool, webhooks, patient=False)
    await take_in(pool, webhooks, patient=False)

    row = await ledger(pool, message["id"])
    assert (row["delivered_at"], row["opened_at"]) == (NOON + timedelta(seconds=10), NOON + timedelta(seconds=300))
    assert (row["scanned_at"], row["clicked_at"], row["bounced_at"], row["status"]) == (None, None, None, "sent")
    assert await facts(pool, message["id"]) == ["message_opened"]


async def test_a_fact_names_ids_and_nobody(api: Api, pool: Pool, webhooks: Webhooks, message: dict[str, Any]) -> None:
    await api.resend("email.delivered", created_at=at(1), tags=tags(message))
    await api.resend("email.opened", created_at=at(60), tags=tags(message))
    await take_in(pool, webhooks)
    row = await pool.fetchrow("SELECT * FROM occurrences WHERE kind = 'message_opened'")
    assert row is not None
    assert row["data"] == {
        "message": str(message["id"]),
        "step": "send_announcement",
        "round": 0,
        "person": str(message["person_id"]),
    }
    assert (row["automation_id"], row["occurred_at"]) == (message["automation_id"], NOON + timedelta(seconds=60))


async def test_who_clicks_has_opened(api: Api, pool: Pool, webhooks: Webhooks, message: dict[str, Any]) -> None:
    click = {"link": "https://river.example", "userAgent": "Mozilla/5.0", "timestamp": at(90)}
    await api.resend("email.delivered", created_at=at(1), tags=tags(message))
    await api.resend("email.clicked", created_at=at(95), tags=tags(message), click=click)
    await take_in(pool, webhooks)
    row = await ledger(pool, message["id"])
    assert row["opened_at"] == row["clicked_at"] == NOON + timedelta(seconds=90)
    assert await facts(pool, message["id"]) == ["message_opened", "message_clicked"]


@pytest.mark.parametrize(
    ("seconds", "agent"),
    [(3, "Mozilla/5.0"), (600, "Mozilla/5.0 (compatible; Barracuda Sentinel)")],
    ids=["too fast", "known"],
)
async def test_what_a_scanner_opens_or_clicks_is_marked_and_is_no_fact(
    api: Api, pool: Pool, webhooks: Webhooks, message: dict[str, Any], seconds: int, agent: str
) -> None:
    await api.resend("email.delivered", created_at=at(1), tags=tags(message))
    await api.resend("email.opened", created_at=at(seconds), tags=tags(message), open={"userAgent": agent})
    await api.resend("email.clicked", created_at=at(seconds + 1), tags=tags(message), click={"userAgent": agent})
    await take_in(pool, webhooks)
    row = await ledger(pool, message["id"])
    assert (row["scanned_at"], row["opened_at"], row["clicked_at"]) == (NOON + timedelta(seconds=seconds), None, None)
    assert await facts(pool, message["id"]) == []


async def test_an_open_waits_for_its_delivery_to_tell_a_person_from_a_scanner(
    api: Api, pool: Pool, webhooks: Webhooks, message: dict[str, Any]
) -> None:
    await api.resend("email.opened", created_at=at(62), tags=tags(message))
    (outcome,) = await take_in(pool, webhooks, patient=False)
    assert "has not been reported as delivered" in outcome
    await api.resend("email.delivered", created_at=at(60), tags=tags(message))
    await take_in(pool, webhooks, patient=False)
    await take_in(pool, webhooks, patient=False)
    row = await ledger(pool, message["id"])
    assert (row["opened_at"], row["scanned_at"]) == (None, NOON + timedelta(seconds=62))


async def test_without_our_id_a_message_is_found_by_the_providers(
    api: Api, pool: Pool, webhooks: Webhooks, message: dict[str, Any]
) -> None:
    await api.resend("email.delivered", created_at=at(5), email_id=message["provider_id"])
    await take_in(pool, webhooks)
    assert (await ledger(pool, message["id"]))["delivered_at"] is not None


@pytest.mark.parametrize("status", ["queued", "sending", "unknown"])
@pytest.mark.parametrize("word", ["sent", "delivered", "read", "undelivered"])
async def test_what_a_provider_reports_as_accepted_is_sent_whatever_the_ledger_was_about_to_do_with_it(
    api: Api, pool: Pool, webhooks: Webhooks, world: World, whatsapp: dict[str, Any], status: str, word: str
) -> None:
    await pool.execute("UPDATE messages SET status = $1, sent_at = NULL, provider_id = NULL", status)
    if status == "unknown":
        await pool.execute("UPDATE workflow_execution_logs SET open = 0, result = result || '{\"unknown\": 1}'::jsonb")

    for _ in range(2):
        await api.twilio({"MessageSid": "SM-out", "MessageStatus": word}, query=f"message={whatsapp['id']}")
    await take_in(pool, webhooks)

    row = await ledger(pool, whatsapp["id"])
    assert (row["status"], row["provider_id"], row["sent_at"] is not None) == ("sent", "SM-out", True)
    journal = await world.journal(WHATSAPP)
    assert (journal["status"], journal["open"]) == ("success" if status != "unknown" else journal["status"], 0)
    assert (journal["result"]["sent"], journal["result"]["unknown"]) == (1, 0)


async def test_what_failed_and_a_person_queued_again_is_not_taken_for_sent_by_a_late_report(
    api: Api, pool: Pool, webhooks: Webhooks, whatsapp: dict[str, Any]
) -> None:
    query = f"message={whatsapp['id']}"
    await pool.execute("UPDATE messages SET status = 'unknown', provider_id = NULL")
    await api.twilio({"MessageSid": "SM-out", "MessageStatus": "failed"}, query=query)
    await take_in(pool, webhooks)
    assert (await ledger(pool, whatsapp["id"]))["status"] == "failed"
    await pool.execute("UPDATE messages SET status = 'queued', provider_id = NULL")

    await api.twilio({"MessageSid": "SM-out", "MessageStatus": "sent"}, query=query)
    await take_in(pool, webhooks)
    assert (await ledger(pool, whatsapp["id"]))["status"] == "queued"


async def test_a_failure_that_overtakes_its_message_finds_it_later(
    api: Api, pool: Pool, webhooks: Webhooks, message: dict[str, Any]
) -> None:
    await pool.execute("UPDATE messages SET status = 'sending'")
    await api.resend("email.failed", created_at=at(5), tags=tags(message))
    assert "just being sent" in (await take_in(pool, webhooks))[0]
    await pool.execute("UPDATE messages SET status = 'sent'")
    await take_in(pool, webhooks, patient=False)
    assert (await ledger(pool, message["id"]))["bounced_at"] == NOON + timedelta(seconds=5)


async def test_a_delivery_that_finds_no_message_is_held_and_shown_after_a_day(
    api: Api, pool: Pool, webhooks: Webhooks
) -> None:
    await api.resend("email.delivered", tags={"message_id": str(uuid4())})
    for _ in range(3):
        (outcome,) = await take_in(pool, webhooks, patient=False)
        assert "looked at again in" in outcome
    await pool.execute("UPDATE webhook_deliveries SET received_at = now() - interval '25 hours'")
    assert (await take_in(pool, webhooks, patient=False))[0].startswith("held: no message is known")
    assert await take_in(pool, webhooks, patient=False) == []
    row = await pool.fetchrow("SELECT tries, held_at, processed_at FROM webhook_deliveries")
    assert row is not None
    assert (row["tries"], row["held_at"] is not None, row["processed_at"]) == (4, True, None)
    assert await pool.fetchval("SELECT title FROM notifications") == "What a provider reports cannot be taken in"


async def test_what_was_unknown_is_settled_by_what_the_provider_reports(
    api: Api, pool: Pool, webhooks: Webhooks, world: World
) -> None:
    await sent_mail(world, "ada@people.example", "bob@people.example")
    first, second = await world.messages()
    await pool.execute("UPDATE messages SET status = 'unknown', sent_at = NULL, provider_id = NULL, counted = FALSE")
    journal = {"queued": 2, "sent": 0, "failed": 0, "unknown": 2, "skipped": {}}
    await pool.execute("UPDATE workflow_execution_logs SET status = 'success', open = 0, result = $1", journal)

    await api.resend("email.delivered", created_at=at(5), tags=tags(first), email_id="re-1")
    await api.resend("email.failed", created_at=at(6), tags=tags(second), failed={"reason": "no"})
    await take_in(pool, webhooks)
    await take_in(pool, webhooks, patient=False)

    row = await ledger(pool, first["id"])
    assert (row["status"], row["provider_id"], row["sent_at"]) == ("sent", "re-1", NOON + timedelta(seconds=5))
    assert (await ledger(pool, second["id"]))["status"] == "failed"
    assert (await world.journal())["result"] == journal | {"sent": 1, "failed": 1, "unknown": 0}


async def test_a_rehearsals_delivery_touches_no_real_message_and_a_real_one_no_rehearsals(
    api: Api, pool: Pool, webhooks: Webhooks, message: dict[str, Any]
) -> None:
    world = await make_world(pool, clock=NOON + timedelta(days=30))
    rehearsed = await sent_mail(world, "ada@people.example")
    bounce: dict[str, Any] = {"bounce": {"type": "Permanent", "message": "no"}}
    rehearsal: dict[str, Any] = {"path": "/webhooks/rehearsal/resend", "secret": REHEARSAL_SECRET}
    await api.resend("email.bounced", tags=tags(message), **bounce, **rehearsal)
    await api.resend("email.bounced", tags=tags(rehearsed), **bounce)
    outcomes = await take_in(pool, webhooks, patient=False)
    assert ["no message is known" in outcome for outcome in outcomes] == [True, True]
    assert await suppressed(pool) == {}

    await api.resend("email.bounced", tags=tags(rehearsed), **bounce, **rehearsal)
    await take_in(pool, webhooks)
    assert (await ledger(pool, rehearsed["id"]))["bounced_at"] == NOON + timedelta(days=30)
    assert await pool.fetchval("SELECT organizer_id FROM suppressions") == world.organizer


async def test_what_nobody_acts_on_is_kept_and_left(api: Api, pool: Pool, webhooks: Webhooks) -> None:
    await api.resend("domain.updated", id="1")
    await api.resend("email.thought_of", email_id="1")
    await api.twilio({"MessageSid": "SM1", "MessageStatus": "queued"})
    assert all(outcome.startswith("nobody acts on") for outcome in await take_in(pool, webhooks))
    assert await pool.fetchval("SELECT count(*) FROM webhook_deliveries WHERE processed_at IS NOT NULL") == 3


async def test_twilio_tells_delivered_read_and_undelivered(
    api: Api, pool: Pool, webhooks: Webhooks, whatsapp: dict[str, Any]
) -> None:
    query = f"message={whatsapp['id']}"
    for status in ("sent", "delivered", "read"):
        await api.twilio({"MessageSid": "SM-out", "MessageStatus": status}, query=query)
    await take_in(pool, webhooks)
    row = await ledger(pool, whatsapp["id"])
    assert None not in (row["delivered_at"], row["opened_at"])
    assert await facts(pool, whatsapp["id"]) == ["message_opened"]

    await api.twilio({"MessageSid": "SM-out", "MessageStatus": "undelivered", "ErrorCode": "63024"}, query=query)
    await take_in(pool, webhooks)
    assert await suppressed(pool) == {("whatsapp", NUMBER): "not on WhatsApp"}
    assert (await ledger(pool, whatsapp["id"]))["reason"] == "undelivered: 63024"


async def test_an_answer_on_whatsapp_belongs_to_the_latest_message_to_that_number(
    api: Api, pool: Pool, webhooks: Webhooks, whatsapp: dict[str, Any]
) -> None:
    await api.twilio(inbound("See you there! Please stop by our booth."))
    await take_in(pool, webhooks)
    reply = await pool.fetchrow("SELECT * FROM replies")
    assert reply is not None
    assert (reply["message_id"], reply["automatic"]) == (whatsapp["id"], False)
    assert await facts(pool, whatsapp["id"]) == ["message_replied"]
    assert (await ledger(pool, whatsapp["id"]))["replied_at"] is not None
    assert await suppressed(pool) == {}


async def test_an_answer_by_mail_finds_its_message_by_the_address_alone_also_after_an_outage(
    api: Api, pool: Pool, webhooks: Webhooks, message: dict[str, Any], sandbox: str
) -> None:
    endpoint = {"provider": "resend", "account": "re_tests", "url": f"{api.url}/webhooks/resend", "secret": SECRET}
    mail = {"from": "hall@river.example", "to": "x@people.example", "subject": "Come", "text": "Come"}
    async with httpx2.AsyncClient(base_url=sandbox) as http:
        await http.post("/_sandbox/endpoints", json=endpoint | {"stepped": True})
        await http.post("/_sandbox/scripts", json=[{"what": "reply", "text": "With pleasure."}])
        reply_to = reply_address(message["id"], "in.river.example")
        await http.post(
            "/resend/emails", json=mail | {"reply_to": reply_to}, headers={"authorization": "Bearer re_tests"}
        )
        await http.post("/_sandbox/react", json={"account": "re_tests", "now": at(86400)})

        await http.post("/_sandbox/faults", json={"provider": "resend", "error": 1, "reads": True})
        outcomes = await take_in(pool, webhooks)
        assert any("Resend answered 500" in outcome for outcome in outcomes)
        assert await pool.fetchval("SELECT count(*) FROM replies") == 0
        await http.post("/_sandbox/faults", json={"provider": "resend"})
        await take_in(pool, webhooks, patient=False)
    reply = await pool.fetchrow("SELECT * FROM replies")
    assert reply is not None
    assert (reply["message_id"], reply["body"], reply["automatic"]) == (message["id"], "With pleasure.", False)
    assert (await ledger(pool, message["id"]))["replied_at"] == NOON + timedelta(days=1)
    assert await facts(pool, message["id"]) == ["message_replied"]


async def test_the_same_delivery_taken_in_twice_at_once_changes_things_once(
    api: Api, pool: Pool, webhooks: Webhooks, whatsapp: dict[str, Any]
) -> None:
    await api.twilio(inbound("Yes!"))
    delivery = await pool.fetchval("SELECT id FROM webhook_deliveries")
    outcomes = await asyncio.gather(*(webhooks.take_in(delivery) for _ in range(5)))
    assert sorted(set(outcomes)) in (["an answer"], ["an answer", "taken in already"])
    assert await facts(pool, whatsapp["id"]) == ["message_replied"]
    assert await pool.fetchval("SELECT count(*) FROM replies") == 1
