"""The door for deliveries: what is signed is kept once and answered at once; all else is refused in clear words."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from database.connection import Pool
from providers.resend_webhooks import REHEARSAL_SECRET
from providers.twilio_webhooks import REHEARSAL_TOKEN
from tests.serving import SECRET, TOKEN, Api, serving, svix

STATUS = {"MessageSid": "SM1", "MessageStatus": "delivered", "AccountSid": "ACtests", "ErrorCode": ""}


async def stored(pool: Pool) -> int:
    count: int = await pool.fetchval("SELECT count(*) FROM webhook_deliveries")
    assert count == await pool.fetchval("SELECT count(*) FROM occurrences WHERE kind = 'webhook'")
    return count


async def test_a_signed_delivery_is_kept_with_an_occurrence_of_its_message(
    api: Api, pool: Pool, message: dict[str, Any]
) -> None:
    answer = await api.resend("email.delivered", tags={"message_id": str(message["id"])})

    assert (answer.status_code, answer.content) == (204, b"")
    row = await pool.fetchrow("SELECT * FROM occurrences WHERE kind = 'webhook'")
    assert row is not None
    assert (row["subject"], row["lane"], row["event_id"]) == (f"message/{message['id']}", 0, message["event_id"])
    assert row["data"] == {"delivery": str(await pool.fetchval("SELECT id FROM webhook_deliveries"))}


async def test_a_delivery_that_names_no_message_of_ours_is_its_own_subject(api: Api, pool: Pool) -> None:
    await api.resend("contact.created", id="1")
    subject = await pool.fetchval("SELECT subject FROM occurrences WHERE kind = 'webhook'")
    assert subject == f"delivery/{await pool.fetchval('SELECT id FROM webhook_deliveries')}"


async def test_the_same_delivery_twenty_times_at_once_is_kept_once(api: Api, pool: Pool) -> None:
    answers = await asyncio.gather(*(api.resend("email.opened", id_="msg_same") for _ in range(20)))
    answers += await asyncio.gather(*(api.twilio(STATUS, query="message=x") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {204}
    assert await stored(pool) == 2


async def test_two_hundred_deliveries_at_once_are_all_answered_and_kept(api: Api, pool: Pool) -> None:
    answers = await asyncio.gather(*(api.resend("email.delivered", email_id=str(n)) for n in range(200)))
    assert {answer.status_code for answer in answers} == {204}
    assert await stored(pool) == 200


async def test_what_resend_signed_otherwise_is_refused_and_not_kept(api: Api, pool: Pool) -> None:
    body = json.dumps({"type": "email.opened", "data": {}}).encode()
    good = svix(body)
    for headers, words in (
        (svix(body, "whsec_b3RoZXI="), "no matching signature"),
        (good | {"svix-id": "msg_other"}, "no matching signature"),
        (good | {"svix-signature": "v1,ünïcödé"}, "no matching signature"),
        (good | {"svix-signature": "nonsense"}, "no matching signature"),
        (good | {"svix-timestamp": "yesterday"}, "invalid timestamp"),
        (svix(body, age=301), "outside tolerance"),
        (svix(body, age=-360), "outside tolerance"),  # a clock that ticks on meanwhile must not let it in
        ({name: value for name, value in good.items() if name != "svix-signature"}, "no svix-signature header"),
        ({}, "no svix-id and no svix-timestamp and no svix-signature"),
    ):
        answer = await api.post("/webhooks/resend", body, headers)
        assert answer.status_code == 401, (headers, answer.text)
        assert words in answer.json()["detail"]
    changed = await api.post("/webhooks/resend", body.replace(b"opened", b"bounced"), good)
    assert changed.status_code == 401
    assert await stored(pool) == 0


async def test_a_secret_that_is_being_rotated_may_be_either(api: Api) -> None:
    body = json.dumps({"type": "email.opened", "data": {}}).encode()
    headers = svix(body, id_="msg_1")
    other = svix(body, "whsec_b3RoZXI=", id_="msg_1")["svix-signature"]
    answer = await api.post(
        "/webhooks/resend", body, headers | {"svix-signature": f"{other} {headers['svix-signature']}"}
    )
    assert answer.status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[]",
        b"7",
        b'"text"',
        b'{"type": 1, "data": {}}',
        b'{"type": "email.opened"}',
        b"[" * 100_000,
    ],
    ids=["empty", "no text", "broken", "list", "number", "text", "type is a number", "no data", "deep"],
)
async def test_a_signed_body_that_is_none_is_malformed(api: Api, pool: Pool, body: bytes) -> None:
    answer = await api.post("/webhooks/resend", body, svix(body))
    assert answer.status_code == 400, answer.text
    assert await stored(pool) == 0


async def test_text_that_postgresql_cannot_keep_does_no_harm(api: Api, pool: Pool) -> None:
    answer = await api.resend("email.delivered", subject="a\x00b\ud800", n=2**70, tags=[["x"]], email_id=7)
    assert answer.status_code == 204, answer.text
    body = await pool.fetchval("SELECT body FROM webhook_deliveries")
    assert (body["data"]["subject"], body["data"]["n"]) == ("ab?", str(2**70))


@pytest.mark.parametrize(
    "path", ["/webhooks/resend", "/webhooks/twilio", "/webhooks/rehearsal/resend", "/unsubscribe/x"]
)
async def test_more_than_a_mebibyte_is_not_read(api: Api, path: str) -> None:
    async def dripping() -> Any:
        for _ in range(1025):
            yield b"x" * 1024

    assert (await api.http.post(path, content=b"x" * (1024 * 1024 + 1))).status_code == 413
    assert (await api.http.post(path, content=dripping())).status_code == 413


async def test_twilio_signs_the_public_address_with_its_query(api: Api, pool: Pool) -> None:
    query = f"message={uuid4()}&x=%20a+b"
    assert (await api.twilio(STATUS, query=query)).status_code == 204
    assert (await api.twilio(STATUS, query=query, token="other")).status_code == 401
    body = await pool.fetchval("SELECT body FROM webhook_deliveries")
    assert body["form"] == STATUS
    assert body["query"]["x"] == " a b"


async def test_behind_a_proxy_the_public_address_counts_and_no_header(pool: Pool) -> None:
    async with serving(pool) as api:
        answer = await api.twilio(
            STATUS, **{"x-forwarded-host": "evil.example", "x-forwarded-proto": "https", "host": "inner"}
        )
    assert answer.status_code == 204


async def test_a_form_of_twilio_that_is_not_signed_is_refused(api: Api, pool: Pool) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    for headers in (
        form,
        form | {"x-twilio-signature": ""},
        form | {"x-twilio-signature": "é"},
        form | {"x-twilio-signature": "x"},
    ):
        assert (await api.post("/webhooks/twilio", b"MessageSid=SM1", headers)).status_code == 401
    assert (await api.twilio({"MessageStatus": "sent"})).status_code == 400
    many = "&".join(f"f{n}=1" for n in range(600)).encode()
    assert (await api.post("/webhooks/twilio", many, form | {"x-twilio-signature": "x"})).status_code == 400
    assert await stored(pool) == 0


async def test_a_delivery_of_twilio_that_is_replayed_with_another_token_is_still_the_same(api: Api, pool: Pool) -> None:
    for token in ("first", "second"):
        assert (await api.twilio(STATUS, **{"i-twilio-idempotency-token": token})).status_code == 204
    assert await stored(pool) == 1


async def test_rehearsals_have_their_own_door_and_their_own_key(api: Api, pool: Pool) -> None:
    assert (
        await api.resend("email.opened", path="/webhooks/rehearsal/resend", secret=REHEARSAL_SECRET)
    ).status_code == 204
    assert (await api.twilio(STATUS, path="/webhooks/rehearsal/twilio", token=REHEARSAL_TOKEN)).status_code == 204
    assert await pool.fetchval("SELECT bool_and(rehearsal) FROM webhook_deliveries")
    assert (await api.resend("email.opened", secret=REHEARSAL_SECRET)).status_code == 401
    assert (await api.twilio(STATUS, token=REHEARSAL_TOKEN)).status_code == 401
    assert (await api.resend("email.opened", path="/webhooks/rehearsal/resend", secret=SECRET)).status_code == 401
    assert (await api.twilio(STATUS, path="/webhooks/rehearsal/twilio", token=TOKEN)).status_code == 401


async def test_where_no_rehearsals_are_their_known_key_opens_nothing(pool: Pool) -> None:
    async with serving(pool) as api:
        answer = await api.resend("email.opened", path="/webhooks/rehearsal/resend", secret=REHEARSAL_SECRET)
    assert (answer.status_code, "SANDBOX_URL" in answer.text) == (404, True)


async def test_without_a_secret_the_provider_is_asked_to_come_again(pool: Pool) -> None:
    async with serving(pool, resend_webhook_secret=SecretStr(""), twilio_auth_token=SecretStr("")) as api:
        answer = await api.resend("email.opened")
        assert (answer.status_code, "RESEND_WEBHOOK_SECRET" in answer.text) == (503, True)
        assert (await api.twilio(STATUS)).status_code == 503


async def test_while_the_database_is_away_the_provider_is_asked_to_come_again(api: Api, pool: Pool) -> None:
    await pool.close()
    answer = await api.resend("email.opened")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
