"""Resend's deliveries in our words."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from models.replies import answered_message, is_automatic, reply_address
from providers.errors import Rejected
from providers.resend import Resend
from providers.resend_webhooks import message_id, read
from tests.providers.conftest import Loopback, Sandbox

ID = UUID("3f2b8c1e-0000-4000-8000-000000000001")


def event(kind: str, **data: Any) -> dict[str, Any]:
    return {"type": f"email.{kind}", "created_at": "2026-11-22T23:41:12.126Z", "data": data}


@pytest.mark.parametrize(
    "kind", ["sent", "delivered", "opened", "clicked", "bounced", "complained", "failed", "suppressed"]
)
def test_each_word_of_a_mail_has_its_word_here(kind: str) -> None:
    report = read(event(kind, email_id="re-1", message_id="<1@x>", tags={"message_id": str(ID)}))
    assert (report.word, report.message_id, report.provider_id, report.rfc_id) == (kind, ID, "re-1", "<1@x>")
    assert report.at == datetime(2026, 11, 22, 23, 41, 12, 126000, UTC)


@pytest.mark.parametrize(
    "kind", ["email.delivery_delayed", "email.scheduled", "contact.created", "inbox.email.received", "x"]
)
def test_other_words_are_ignored(kind: str) -> None:
    assert read({"type": kind, "data": {}}).word == "ignored"


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ({"message_id": str(ID)}, ID),
        ([{"name": "message_id", "value": str(ID)}], ID),
        ([7, {"name": "other", "value": "x"}], None),
        ({"message_id": "no id"}, None),
        ({"message_id": None}, None),
        ("message_id", None),
        (None, None),
    ],
)
def test_our_id_is_found_in_tags_of_either_form(tags: Any, found: UUID | None) -> None:
    assert message_id(event("sent", tags=tags)) == found


def test_a_mail_that_came_in_is_known_by_the_address_it_was_sent_to() -> None:
    assert message_id(event("received", to=["x@y.example"], cc=[f"Hall <{reply_address(ID, 'in.example')}>"])) == ID
    assert message_id(event("received", to=["x@y.example"], tags={"message_id": str(ID)})) is None


@pytest.mark.parametrize("data", [{"bounce": None}, {"bounce": "x"}, {"bounce": []}, {"click": 7}, {"created_at": 7}])
def test_fields_of_another_shape_than_documented_do_no_harm(data: dict[str, Any]) -> None:
    for kind in ("bounced", "clicked", "failed", "suppressed", "received", "opened"):
        report = read(event(kind, **data))
        assert (report.word, report.scanner) == (kind, False)


def test_an_address_that_a_server_quotes_is_not_repeated() -> None:
    report = read(
        event("bounced", bounce={"type": "Permanent", "message": "550 5.1.1 <ada@people.example>: unknown user"})
    )
    assert report.why == "bounced: 550 5.1.1 <an address>: unknown user"


async def test_a_received_mail_is_fetched_with_its_text_and_its_headers(loopback: Loopback) -> None:
    account = Resend(loopback.url, "re_in")
    to = reply_address(ID, "in.example")
    mail = {
        "id": "1",
        "from": "Ada <ada@x.example>",
        "to": [f"Hall <{to}>"],
        "cc": None,
        "subject": "Re: Come",
        "text": "Yes!",
    }
    headers = {"In-Reply-To": "<1@resend>", "REFERENCES": "<0@resend>\r\n <1@resend>", "Auto-Submitted": "auto-replied"}
    loopback.answer(200, {"object": "email", **mail, "headers": headers})
    answer = await account.receive("e-1")
    await account.aclose()
    assert loopback.asked[0].path == "/emails/receiving/e-1"
    assert answered_message(answer.recipients) == ID
    assert (answer.sender, answer.subject, answer.text) == ("Ada <ada@x.example>", "Re: Come", "Yes!")
    assert answer.answers == ("<1@resend>", "<0@resend>", "<1@resend>")
    assert is_automatic(answer.headers, answer.subject)


async def test_a_received_mail_that_is_gone_is_refused(sandbox: Sandbox) -> None:
    account = Resend(f"{sandbox.url}/resend", "re_in")
    with pytest.raises(Rejected, match="Email not found"):
        await account.receive(str(uuid4()))
    await account.aclose()
