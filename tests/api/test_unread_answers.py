"""Answers by mail whose text cannot be fetched: they wait, stop what is written meanwhile, and count in the end."""

from datetime import datetime, timedelta
from typing import Any

from database.connection import Pool
from models.replies import reply_address
from starter.webhooks import Webhooks
from tests.api.conftest import facts, ledger
from tests.serving import Api, take_in

A_DAY_AGO = "UPDATE webhook_deliveries SET received_at = now() - interval '25 hours'"


async def answered(api: Api, to: str, **data: Any) -> None:
    """Resend reports a mail that came in, and does not give out its text."""
    mail = {"email_id": "unreadable", "from": "Ada <ada@people.example>", "to": [to], "subject": "Re: Come"}
    assert (await api.resend("email.received", **(mail | data))).status_code == 204


async def test_an_answer_that_cannot_be_read_yet_waits_and_has_nothing_written_meanwhile(
    api: Api, pool: Pool, webhooks: Webhooks, message: dict[str, Any]
) -> None:
    await answered(api, reply_address(message["id"], "in.river.example"))
    for _ in range(6):
        (outcome,) = await take_in(pool, webhooks, patient=False)
        assert "Resend answered 404" in outcome
        assert "looked at again in" in outcome
    assert await facts(pool, message["id"]) == ["message_unread"]
    row = await pool.fetchrow(
        "SELECT o.data, d.received_at FROM occurrences o, webhook_deliveries d WHERE o.kind = 'message_unread'"
    )
    assert row is not None
    assert datetime.fromisoformat(row["data"]["until"]) - row["received_at"] > timedelta(hours=25)
    assert (await ledger(pool, message["id"]))["replied_at"] is None


async def test_an_answer_that_nobody_can_read_is_an_answer_after_a_day_and_a_person_is_told(
    api: Api, pool: Pool, webhooks: Webhooks, message: dict[str, Any]
) -> None:
    await answered(api, reply_address(message["id"], "in.river.example"))
    await pool.execute(A_DAY_AGO)

    (outcome,) = await take_in(pool, webhooks, patient=False)

    assert outcome.startswith("an answer; its text cannot be read: Resend answered 404")
    assert await facts(pool, message["id"]) == ["message_replied"]
    reply = await pool.fetchrow("SELECT * FROM replies")
    assert reply is not None
    assert (reply["message_id"], reply["sender"], reply["body"]) == (message["id"], "Ada <ada@people.example>", "")
    assert (await ledger(pool, message["id"]))["replied_at"] is not None
    assert (
        await pool.fetchval("SELECT title FROM notifications") == "Somebody has answered, and nobody here can read it"
    )
    assert await take_in(pool, webhooks, patient=False) == []


async def test_of_an_unreadable_answer_the_subject_still_tells_that_a_machine_wrote_it(
    api: Api, pool: Pool, webhooks: Webhooks, message: dict[str, Any]
) -> None:
    await answered(api, reply_address(message["id"], "in.river.example"), subject="Out of office until 2026-12-14")
    await pool.execute(A_DAY_AGO)
    await take_in(pool, webhooks, patient=False)
    assert await facts(pool, message["id"]) == ["message_auto_replied"]


async def test_an_unreadable_mail_that_names_no_message_is_held_with_both_reasons(
    api: Api, pool: Pool, webhooks: Webhooks
) -> None:
    await answered(api, "hello@in.river.example")
    assert "looked at again in" in (await take_in(pool, webhooks, patient=False))[0]
    await pool.execute(A_DAY_AGO)
    (outcome,) = await take_in(pool, webhooks, patient=False)
    assert outcome.startswith("held: its text cannot be read: Resend answered 404")
    assert "it answers no message that is known here" in outcome
    assert await pool.fetchval("SELECT held_at FROM webhook_deliveries") is not None
