"""Twilio's promises: no idempotency, its error codes, lists by recipient and time, as its SDK sees them."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

ACCOUNT = "AC" + "a" * 32
MESSAGES = f"/twilio/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
SENDER = "whatsapp:+14155238886"
ANNA = "whatsapp:+31612345678"


async def create(sandbox: httpx2.AsyncClient, **fields: Any) -> httpx2.Response:
    form = {"To": ANNA, "From": SENDER, "Body": "Hello", **fields}
    form = {name: value for name, value in form.items() if value is not None}
    return await sandbox.post(MESSAGES, data=form, auth=(ACCOUNT, "token"))


async def test_a_repeated_request_is_a_second_message(sandbox: httpx2.AsyncClient) -> None:
    first, second = await create(sandbox), await create(sandbox)
    assert first.status_code == second.status_code == 201
    assert first.json()["sid"] != second.json()["sid"]
    assert (await sandbox.get("/_sandbox/counts")).json()["providers"]["twilio"]["accepted"] == 2


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"To": None}, 21604),
        ({"To": "whatsapp:12"}, 21211),
        ({"To": "whatsapp:+15005550001"}, 21211),
        ({"To": "whatsapp:+15005550004"}, 21610),
        ({"From": None}, 21603),
        ({"From": "+14155238886"}, 63007),
        ({"Body": None}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"ContentSid": "HX1"}, 21655),
        ({"ContentSid": "HX" + "b" * 32, "ContentVariables": '{"1": 2}'}, 21656),
        ({"StatusCallback": "https://my_host.example/x"}, 21609),
    ],
)
async def test_a_wrong_field_is_refused_with_twilios_code(
    sandbox: httpx2.AsyncClient, fields: dict[str, Any], code: int
) -> None:
    refused = await create(sandbox, **fields)
    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert (await sandbox.get("/_sandbox/messages")).json()["total"] == 0


async def test_somebody_who_said_stop_is_refused(sandbox: httpx2.AsyncClient) -> None:
    await sandbox.post("/_sandbox/stop", json={"address": ANNA})
    assert (await create(sandbox)).json()["code"] == 21610


async def test_bad_credentials_are_refused(sandbox: httpx2.AsyncClient) -> None:
    missing = await sandbox.post(MESSAGES, data={})
    invalid = await sandbox.post(MESSAGES, data={}, auth=(ACCOUNT, "invalid"))
    strange = await sandbox.post(MESSAGES, data={}, auth=("AC" + "b" * 32, "token"))
    assert [(answer.status_code, answer.json()["code"]) for answer in (missing, invalid, strange)] == [(401, 20003)] * 3


async def test_a_template_message_keeps_its_variables_and_our_id(sandbox: httpx2.AsyncClient) -> None:
    template, callback = "HX" + "b" * 32, "https://eventos.example/webhooks/twilio?token=m-7"
    variables = json.dumps({"1": "Anna", "2": "See you soon"})
    sent = await create(sandbox, Body=None, ContentSid=template, ContentVariables=variables, StatusCallback=callback)
    [kept] = (await sandbox.get("/_sandbox/messages", params={"provider": "twilio"})).json()["messages"]
    assert (kept["id"], kept["template"], kept["message_id"]) == (sent.json()["sid"], template, "m-7")
    assert sent.json()["body"] == "Anna\nSee you soon"


async def test_the_sdk_finds_what_an_ambiguous_request_left_behind(address: str, sandbox: httpx2.AsyncClient) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    for number in range(3):
        await create(sandbox, Body=f"Message {number}")
    await create(sandbox, To="whatsapp:+31687654321")

    def use() -> None:
        client = Client(ACCOUNT, "token")
        client.api.base_url = f"{address}/twilio"
        sent = client.messages.create(to=ANNA, from_=SENDER, body="From the SDK")
        assert (sent.status, sent.direction, sent.date_sent) == ("queued", "outbound-api", None)
        fetched = client.messages(str(sent.sid)).fetch()
        assert fetched.date_sent is not None
        assert (fetched.status, fetched.date_sent >= before.replace(microsecond=0)) == ("sent", True)
        found = client.messages.list(to=ANNA, from_=SENDER, date_sent_after=before, page_size=2)
        assert [message.body for message in found] == ["From the SDK", "Message 2", "Message 1", "Message 0"]
        assert client.messages.list(to=ANNA, date_sent_after=datetime.now(UTC) + timedelta(minutes=1)) == []
        with pytest.raises(TwilioRestException) as refused:
            client.messages.create(to="whatsapp:1", from_=SENDER, body="x")
        assert refused.value.code == 21211
        client.http_client.session.close()

    await asyncio.to_thread(use)
