"""Twilio's deliveries in our words."""

from typing import Any
from uuid import UUID

import pytest

from providers.twilio_webhooks import message_id, read

ID = UUID("3f2b8c1e-0000-4000-8000-000000000001")


def delivery(query: str = "", **form: str) -> dict[str, Any]:
    return {"form": {"MessageSid": "SM1", **form}, "query": {"message": query}}


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("read", "read"),
        ("undelivered", "bounced"),
        ("failed", "failed"),
        ("canceled", "failed"),
        *[(status, "ignored") for status in ("accepted", "queued", "sending", "scheduled", "receiving", "new_one", "")],
    ],
)
def test_each_status_has_its_word_here(status: str, word: str) -> None:
    report = read(delivery(str(ID), MessageStatus=status))
    assert (report.word, report.provider_id, report.at) == (word, "SM1", None)


def test_our_id_is_in_the_callbacks_address() -> None:
    assert message_id(delivery(str(ID))) == ID
    assert message_id(delivery("nonsense")) is None
    assert message_id({"form": {}, "query": {}}) is None


@pytest.mark.parametrize(
    ("code", "why"), [("63024", "not on WhatsApp"), ("21610", "STOP"), ("63016", None), ("63049", None), ("", None)]
)
def test_only_some_errors_are_for_good(code: str, why: str | None) -> None:
    report = read(delivery(MessageStatus="failed", ErrorCode=code))
    assert (report.suppress, report.why) == (why, f"failed: {code}" if code else "failed")


def test_a_number_that_is_quoted_is_not_repeated() -> None:
    said = "The 'To' number whatsapp:+4915112345678 is not valid"
    report = read(delivery(MessageStatus="undelivered", ErrorCode="21211", ErrorMessage=said))
    assert report.why == "undelivered: 21211 The 'To' number a number is not valid"


def test_an_answer_brings_number_and_text_and_what_it_quotes() -> None:
    form = {"From": "whatsapp:+14155550199", "To": "whatsapp:+1", "Body": "Yes", "OriginalRepliedMessageSid": "SM0"}
    report = read(delivery(SmsStatus="received", **form))
    assert report.word == "received"
    assert report.answer is not None
    assert (report.answer.sender, report.answer.text, report.answer.answers) == ("+14155550199", "Yes", ("SM0",))
    pressed = read(delivery(SmsStatus="received", Body="", ButtonText="STOP", From="whatsapp:+1"))
    assert pressed.answer is not None
    assert pressed.answer.text == "STOP"
