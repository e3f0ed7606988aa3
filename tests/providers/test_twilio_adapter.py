"""WhatsApp, by the real SDK over HTTP."""

import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import pytest

from models.messages import WhatsAppMessage
from providers.errors import Rejected, Unavailable
from providers.twilio import Twilio
from providers.twilio_webhooks import read

CALLBACK = "https://events.example/webhooks/twilio"
FROM = "whatsapp:+15005550006"
TEMPLATE = "HX" + "0" * 32


def message(to: str = "+4915112345678", **variables: str) -> WhatsAppMessage:
    return WhatsAppMessage(uuid4(), to, TEMPLATE, variables or {"1": "Ada"}, attempted_at=datetime.now(UTC))


def account_at(
    url: str, sid: str = "AC1", token: str = "token", sender: str = FROM, callback: str = CALLBACK
) -> Twilio:
    return Twilio(url, sid, token, sender, callback)


@pytest.fixture
async def account(sandbox: Any) -> AsyncIterator[Twilio]:
    async with aclosing(account_at(f"{sandbox.url}/twilio")) as account:
        yield account


@pytest.fixture
async def told(loopback: Any) -> AsyncIterator[Twilio]:
    async with aclosing(account_at(loopback.url)) as account:
        yield account


async def test_a_message_is_accepted_under_its_sid_with_our_id_in_the_callback(sandbox: Any, account: Twilio) -> None:
    one = message()
    sid = await account.send(one)
    (row,) = await sandbox.accepted("twilio")
    assert (row["id"], row["message_id"]) == (sid, str(one.id))
    assert (row["to"], row["from"], row["template"]) == ("whatsapp:+4915112345678", FROM, TEMPLATE)


async def test_the_request_names_template_variables_and_callback(loopback: Any, told: Twilio) -> None:
    one = message(**{"1": "Zoë", "2": "9:00"})
    loopback.answer(201, {"sid": "SM1"})
    assert await told.send(one) == "SM1"
    form = parse_qs(loopback.asked[0].body.decode())
    assert loopback.asked[0].path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert form["ContentVariables"] == ['{"1": "Zoë", "2": "9:00"}']
    assert form["StatusCallback"] == [f"{CALLBACK}?message={one.id}"]
    assert "Body" not in form


async def test_two_accounts_work_side_by_side_and_the_environment_has_no_say(
    sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACCOUNT_SID", "AUTH_TOKEN", "EDGE", "REGION"):
        monkeypatch.setenv(f"TWILIO_{name}", "elsewhere")
    url = f"{sandbox.url}/twilio"
    async with aclosing(account_at(url)) as one, aclosing(account_at(url, sid="AC2")) as two:
        sids = [await one.send(message()), await two.send(message())]
    assert [row["id"] for row in await sandbox.accepted("twilio", "AC1")] == sids[:1]
    assert [row["id"] for row in await sandbox.accepted("twilio", "AC2")] == sids[1:]


async def test_missing_settings_are_named_together_when_a_message_is_sent_and_not_before(
    sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "of another account")
    async with aclosing(account_at(f"{sandbox.url}/twilio", token="", sender="")) as account:
        with pytest.raises(Rejected, match="TWILIO_AUTH_TOKEN and TWILIO_WHATSAPP_FROM") as refusal:
            await account.send(message())
    assert refusal.value.scope == "account"
    assert await sandbox.requests("twilio") == 0


async def test_a_callback_to_a_host_with_an_underscore_is_refused_before_twilio_does(sandbox: Any) -> None:
    url, callback = f"{sandbox.url}/twilio", "https://my_events.example/webhooks/twilio"
    async with aclosing(account_at(url, callback=callback)) as account:
        with pytest.raises(Rejected, match=r"my_events\.example.*PUBLIC_URL"):
            await account.send(message())


async def test_without_a_public_address_no_callback_is_asked_for(loopback: Any) -> None:
    loopback.answer(201, {"sid": "SM1"})
    async with aclosing(account_at(loopback.url, callback="")) as account:
        await account.send(message())
    assert b"StatusCallback" not in loopback.asked[0].body


async def test_credentials_that_are_refused_name_the_variable_to_set(sandbox: Any) -> None:
    async with aclosing(account_at(f"{sandbox.url}/twilio", token="invalid")) as account:
        with pytest.raises(Rejected, match=r"20003.*TWILIO_AUTH_TOKEN") as refusal:
            await account.send(message())
    assert refusal.value.scope == "account"


async def test_a_recipient_who_opted_out_refuses_this_message_only(account: Twilio) -> None:
    with pytest.raises(Rejected, match="unsubscribed recipient") as refusal:
        await account.send(message("+15005550004"))
    assert (refusal.value.scope, refusal.value.code) == ("message", "21610")


@pytest.mark.parametrize(("number", "code"), [("+15005550001", "21211"), ("+12", "21211"), (FROM, "21266")])
async def test_a_number_that_twilio_quotes_is_not_repeated(account: Twilio, number: str, code: str) -> None:
    with pytest.raises(Rejected) as refusal:
        await account.send(message(number))
    assert (refusal.value.scope, refusal.value.code) == ("message", code)
    assert number.removeprefix("whatsapp:+") not in str(refusal.value).replace(code, "")


async def test_a_number_that_does_not_exist_is_said_in_our_words(loopback: Any, told: Twilio) -> None:
    loopback.answer(400, {"code": 21614, "message": "To number: 0151 12345678, is not a mobile number"})
    with pytest.raises(Rejected) as refusal:
        await told.send(message())
    assert str(refusal.value) == "Twilio answered 400 (21614): the number does not exist."


async def test_a_sender_that_is_no_channel_refuses_the_account(loopback: Any, told: Twilio) -> None:
    loopback.answer(400, {"code": 63007, "message": "Twilio could not find a Channel", "status": 400})
    with pytest.raises(Rejected, match="TWILIO_WHATSAPP_FROM") as refusal:
        await told.send(message())
    assert refusal.value.scope == "account"


async def test_a_rate_limit_says_that_nothing_was_done_and_pauses_the_pace(sandbox: Any, account: Twilio) -> None:
    await sandbox.fault("twilio", next=["rate_limit"])
    before = time.monotonic()
    with pytest.raises(Unavailable, match="Too Many Requests") as unavailable:
        await account.send(message())
    assert unavailable.value.refused
    assert account.pace._paused_until > before + 0.5


async def test_a_retry_after_is_kept_though_the_sdk_drops_the_headers(loopback: Any, told: Twilio) -> None:
    loopback.answer(503, {"code": 20503, "message": "Service unavailable"}, {"retry-after": "30"})
    with pytest.raises(Unavailable, match="Service unavailable") as unavailable:
        await told.send(message())
    assert (unavailable.value.retry_after, unavailable.value.refused) == (timedelta(seconds=30), False)


@pytest.mark.parametrize("code", [20429, 63018, 0])
async def test_a_rate_limit_is_waited_out_for_as_long_as_twilio_asks(loopback: Any, told: Twilio, code: int) -> None:
    loopback.answer(429, {"code": code, "message": "Too Many Requests"}, {"retry-after": "30"})
    with pytest.raises(Unavailable) as unavailable:
        await told.send(message())
    assert (unavailable.value.retry_after, unavailable.value.refused) == (timedelta(seconds=30), True)
    assert told.pace.wait() > 20


async def test_an_error_as_problem_details_keeps_its_words(loopback: Any, told: Twilio) -> None:
    problem = {"type": "https://twilio.example/63024", "title": "Invalid recipient", "status": 400, "code": 63024}
    loopback.answer(400, problem)
    with pytest.raises(Rejected, match="Invalid recipient") as refusal:
        await told.send(message())
    assert refusal.value.code == "63024"


@pytest.mark.parametrize(("status", "body"), [(502, b"<html>Bad Gateway</html>"), (201, b"<html>Hello</html>")])
async def test_a_page_instead_of_an_answer_leaves_open_what_was_done(
    loopback: Any, told: Twilio, status: int, body: bytes
) -> None:
    loopback.answer(status, body)
    with pytest.raises(Unavailable) as unavailable:
        await told.send(message())
    assert not unavailable.value.refused


async def test_what_was_accepted_without_our_hearing_is_found(sandbox: Any, account: Twilio) -> None:
    one = message()
    await sandbox.fault("twilio", next=["drop"])
    with pytest.raises(Unavailable) as unavailable:
        await account.send(one)
    assert not unavailable.value.refused
    (row,) = await sandbox.accepted("twilio")
    assert await account.find(one) == row["id"]


async def test_what_never_arrived_is_not_found(account: Twilio) -> None:
    await account.send(message("+4915100000001"))
    assert await account.find(message()) is None


async def test_a_message_known_as_another_is_not_taken_for_this_one(account: Twilio) -> None:
    sid = await account.send(message())
    assert await account.find(message(), known=[sid]) is None


async def test_of_two_that_could_be_it_none_is_guessed(account: Twilio) -> None:
    one = message()
    sids = [await account.send(one), await account.send(one)]
    assert await account.find(one) is None
    assert await account.find(one, known=sids[:1]) == sids[1]


async def test_the_variables_tell_two_messages_to_one_number_apart(account: Twilio) -> None:
    first, second = message(**{"1": "Spring Gala"}), message(**{"1": "Winter Ball"})
    await account.send(first)
    sid = await account.send(second)
    assert await account.find(second) == sid


async def test_a_message_from_before_the_first_attempt_is_not_it(account: Twilio) -> None:
    one = message()
    await account.send(one)
    assert await account.find(replace(one, attempted_at=datetime.now(UTC) + timedelta(minutes=5))) is None


@pytest.mark.parametrize(
    ("status", "error", "word", "suppress"),
    [
        ("delivered", None, "delivered", None),
        ("read", None, "read", None),
        ("undelivered", 63024, "bounced", "not on WhatsApp"),
        ("failed", 30008, "failed", None),
    ],
)
async def test_what_became_of_a_message_reads_like_its_callback(
    loopback: Any, told: Twilio, status: str, error: int | None, word: str, suppress: str | None
) -> None:
    loopback.answer(200, {"sid": "SM1", "status": status, "error_code": error, "error_message": None})
    ours = uuid4()
    body = await told.became("SM1", ours)
    assert body is not None
    report = read(body)
    assert (report.word, report.message_id, report.provider_id, report.suppress) == (word, ours, "SM1", suppress)
    assert loopback.asked[0].path == "/2010-04-01/Accounts/AC1/Messages/SM1.json"


async def test_of_a_message_that_is_only_sent_nothing_became_yet(account: Twilio) -> None:
    assert await account.became(await account.send(message()), uuid4()) is None


async def test_a_check_says_whose_account_it_is(account: Twilio) -> None:
    assert await account.check() == f"account Sandbox is active, sends from {FROM}"
