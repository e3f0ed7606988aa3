"""People react: by their scripts, at their instants, with webhooks signed as the vendors sign them."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import resend
from twilio.request_validator import RequestValidator

SECRET = "whsec_" + base64.b64encode(b"react").decode()
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


@dataclass
class Receiver:
    """An endpoint that keeps what it is told, and answers what it is told to answer."""

    url: str = ""
    calls: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                first, *lines = head.strip().split("\r\n")
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.calls.append((first.split(" ")[1], headers, body))
                status = self.answers.pop(0) if self.answers else 200
                writer.write(f"HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def events(self) -> list[tuple[str, str]]:
        """Kind and address of every mail event, in order."""
        said = [json.loads(body) for _, headers, body in self.calls if "svix-id" in headers]
        return [(event["type"], (event["data"].get("to") or [""])[0]) for event in said]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield receiver
    server.close()


async def listen(sandbox: httpx2.AsyncClient, receiver: Receiver, *, stepped: bool = True) -> None:
    for provider, account, secret in (("resend", "re_react", SECRET), ("twilio", "ACreact", "token")):
        endpoint = {"provider": provider, "account": account, "url": f"{receiver.url}/{provider}?a=1", "secret": secret}
        (await sandbox.post("/_sandbox/endpoints", json=endpoint | {"stepped": stepped})).raise_for_status()


async def people(sandbox: httpx2.AsyncClient, *scripts: dict[str, Any]) -> None:
    (await sandbox.post("/_sandbox/scripts", json=list(scripts))).raise_for_status()


async def mail(sandbox: httpx2.AsyncClient, to: str, subject: str = "Come", **fields: Any) -> str:
    body = {"from": "Hall <hall@example.com>", "to": to, "subject": subject, "text": "Hello", **fields}
    answer = await sandbox.post("/resend/emails", json=body, headers={"authorization": "Bearer re_react"})
    id_: str = answer.json()["id"]
    return id_


async def whatsapp(sandbox: httpx2.AsyncClient, to: str, callback: str) -> None:
    form = {"To": f"whatsapp:{to}", "From": "whatsapp:+14155550100", "Body": "Hello", "StatusCallback": callback}
    path = "/twilio/2010-04-01/Accounts/ACreact/Messages.json"
    (await sandbox.post(path, data=form, auth=("ACreact", "x"))).raise_for_status()


async def upcoming(sandbox: httpx2.AsyncClient, now: datetime) -> datetime | None:
    query = {"account": ["re_react", "ACreact"], "now": now.isoformat()}
    at = (await sandbox.get("/_sandbox/reactions", params=query)).json()["next"]
    return datetime.fromisoformat(at) if at else None


async def react(sandbox: httpx2.AsyncClient, now: datetime) -> httpx2.Response:
    return await sandbox.post("/_sandbox/react", json={"account": ["re_react", "ACreact"], "now": now.isoformat()})


async def live(sandbox: httpx2.AsyncClient, now: datetime) -> list[datetime]:
    """Step from one due instant to the next, as a conductor does; the instants."""
    instants = []
    while (at := await upcoming(sandbox, now)) is not None:
        now = max(now, at)
        instants.append(now)
        assert (await react(sandbox, now)).status_code == 200
    return instants


async def test_every_mail_is_delivered_with_a_webhook_that_the_vendors_verifier_takes(
    sandbox: httpx2.AsyncClient, receiver: Receiver
) -> None:
    await listen(sandbox, receiver)
    id_ = await mail(sandbox, "ada@people.example", tags=[{"name": "message_id", "value": "m-1"}])
    assert await live(sandbox, NOON) == [NOON]
    ((path, headers, body),) = receiver.calls
    assert path == "/resend?a=1"
    event = resend.Webhooks.verify(
        {
            "payload": body.decode(),
            "headers": {
                "id": headers["svix-id"],
                "timestamp": headers["svix-timestamp"],
                "signature": headers["svix-signature"],
            },
            "webhook_secret": SECRET,
        }
    )
    assert event["type"] == "email.delivered"
    assert event["created_at"] == "2027-03-01T12:00:00.000Z"
    assert event["data"]["email_id"] == id_
    assert event["data"]["tags"] == {"message_id": "m-1"}


async def test_twilios_callback_is_signed_for_its_address_with_our_parameter(
    sandbox: httpx2.AsyncClient, receiver: Receiver
) -> None:
    await listen(sandbox, receiver)
    await people(sandbox, {"who": "+1415555*", "what": "open", "after": 60}, {"what": "stop", "after": 120})
    await whatsapp(sandbox, "+14155550199", f"{receiver.url}/status?message=m-1")
    assert await live(sandbox, NOON) == [NOON, NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)]
    told = []
    for path, headers, body in receiver.calls:
        form = dict(httpx2.QueryParams(body.decode()))
        assert RequestValidator("token").validate(receiver.url + path, form, headers["x-twilio-signature"])
        told.append((path, form.get("MessageStatus") or form["Body"]))
    assert told == [("/status?message=m-1", "delivered"), ("/status?message=m-1", "read"), ("/twilio?a=1", "STOP")]


async def test_whoever_asks_is_shown_what_happened_last_also_if_no_webhook_was_taken(
    sandbox: httpx2.AsyncClient, receiver: Receiver
) -> None:
    await listen(sandbox, receiver)
    receiver.answers = [401, 401]
    await sandbox.post("/_sandbox/limits", json={"provider": "all", "per_second": None})
    scripts = [{"who": f"{what}@*", "what": what} for what in ("bounce", "complain", "click")]
    await people(sandbox, *scripts, {"who": "+1415*", "what": "bounce"})
    ids = {what: await mail(sandbox, f"{what}@people.example") for what in ("delivered", "bounce", "complain", "click")}
    await whatsapp(sandbox, "+14155550199", f"{receiver.url}/status?message=m-1")

    async def shown(what: str) -> str:
        answer = await sandbox.get(f"/resend/emails/{ids[what]}", headers={"authorization": "Bearer re_react"})
        return str(answer.json()["last_event"])

    assert {await shown(what) for what in ids} == {"sent"}
    await upcoming(sandbox, NOON)
    await react(sandbox, NOON)
    assert [await shown(what) for what in ids] == ["delivered", "bounced", "complained", "clicked"]
    listed = await sandbox.get("/twilio/2010-04-01/Accounts/ACreact/Messages.json", auth=("ACreact", "x"))
    (message,) = listed.json()["messages"]
    assert (message["status"], message["error_code"]) == ("undelivered", 63024)


async def test_a_stepped_clock_is_told_each_due_instant_and_nothing_happens_before_it(
    sandbox: httpx2.AsyncClient, receiver: Receiver
) -> None:
    await listen(sandbox, receiver)
    await people(
        sandbox,
        {"who": "ada@*", "what": "open", "after": 3600},
        {"who": "bob@*", "what": "open", "after": 86400, "to": "*last chance*"},
    )
    for to in ("ada@people.example", "bob@people.example"):
        await mail(sandbox, to, "Come")
    assert await upcoming(sandbox, NOON) == NOON
    assert (await react(sandbox, NOON)).json() == {"played": 2}
    assert await upcoming(sandbox, NOON) == NOON + timedelta(hours=1)
    assert (await react(sandbox, NOON + timedelta(minutes=59))).json() == {"played": 0}
    assert (await react(sandbox, NOON + timedelta(hours=1))).json() == {"played": 1}
    assert receiver.events()[-1] == ("email.opened", "ada@people.example")
    # A message counts from the first instant that is told after it came in.
    await mail(sandbox, "bob@people.example", "A last chance")
    assert await live(sandbox, NOON + timedelta(days=7)) == [NOON + timedelta(days=7), NOON + timedelta(days=8)]


async def test_what_people_may_do(sandbox: httpx2.AsyncClient, receiver: Receiver) -> None:
    await listen(sandbox, receiver)
    await people(
        sandbox,
        {"who": "gone@*", "what": "bounce"},
        {"who": "late@*", "what": "delivered", "after": 600},
        {"who": "ada@*", "what": "click", "after": 1, "text": "https://example.com/x"},
        {"who": "eve@*", "what": "complain", "after": 2},
        {"who": "max@*", "what": "unsubscribe", "after": 3},
    )
    unsubscribe = {"List-Unsubscribe": f"<{receiver.url}/u/1>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    for name in ("gone", "late", "ada", "eve", "max"):
        await mail(sandbox, f"{name}@people.example", headers=unsubscribe)
    await live(sandbox, NOON)
    assert sorted(receiver.events()) == [
        ("email.bounced", "gone@people.example"),
        ("email.clicked", "ada@people.example"),
        ("email.complained", "eve@people.example"),
        ("email.delivered", "ada@people.example"),
        ("email.delivered", "eve@people.example"),
        ("email.delivered", "late@people.example"),
        ("email.delivered", "max@people.example"),
    ]
    assert [(path, body) for path, _, body in receiver.calls if path == "/u/1"] == [
        ("/u/1", b"List-Unsubscribe=One-Click")
    ]


@pytest.mark.parametrize(("what", "automatic"), [("reply", False), ("out_of_office", True)])
async def test_an_answer_comes_to_the_reply_address_and_its_text_is_fetched(
    sandbox: httpx2.AsyncClient, receiver: Receiver, what: str, automatic: bool
) -> None:
    await listen(sandbox, receiver)
    await people(sandbox, {"what": what, "after": 345600, "text": "We would love to."})
    id_ = await mail(sandbox, "ada@people.example", reply_to="reply+token@in.example")
    assert (await live(sandbox, NOON))[-1] == NOON + timedelta(days=4)
    event = json.loads(receiver.calls[-1][2])
    assert event["type"] == "email.received"
    assert event["data"]["to"] == ["reply+token@in.example"]
    assert not {"text", "html", "headers"} & set(event["data"])
    path = f"/resend/emails/receiving/{event['data']['email_id']}"
    received = (await sandbox.get(path, headers={"authorization": "Bearer re_react"})).json()
    assert received["text"] == "We would love to."
    assert id_ in received["headers"]["In-Reply-To"]
    assert ("Auto-Submitted" in received["headers"]) is automatic
    assert (await sandbox.get(path, headers={"authorization": "Bearer re_other"})).status_code == 404


async def test_what_was_not_taken_is_told_and_delivered_again_under_the_same_id(
    sandbox: httpx2.AsyncClient, receiver: Receiver
) -> None:
    await listen(sandbox, receiver)
    await mail(sandbox, "ada@people.example")
    receiver.answers = [503, 503, 401]
    await upcoming(sandbox, NOON)
    refused = await react(sandbox, NOON)
    assert (refused.status_code, refused.json()["undelivered"]) == (502, 1)
    assert await upcoming(sandbox, NOON) == NOON
    assert (await react(sandbox, NOON)).status_code == 200
    assert len({headers["svix-id"] for _, headers, _ in receiver.calls}) == 1
    assert len(receiver.calls) == 4


async def test_in_real_time_the_sandbox_plays_by_itself(sandbox: httpx2.AsyncClient, receiver: Receiver) -> None:
    await listen(sandbox, receiver, stepped=False)
    await people(sandbox, {"who": "*", "what": "open", "after": 0.3})
    for number in range(20):
        await mail(sandbox, f"p{number}@people.example")
        if number == 5:
            await sandbox.post("/_sandbox/limits", json={"provider": "all", "per_second": None})
    async with asyncio.timeout(20):
        while len(receiver.calls) < 40:
            await asyncio.sleep(0.02)
    events = receiver.events()
    assert sorted({kind for kind, _ in events}) == ["email.delivered", "email.opened"]
    for number in range(20):
        mine = [kind for kind, to in events if to == f"p{number}@people.example"]
        assert mine == ["email.delivered", "email.opened"]
    assert (await sandbox.get("/_sandbox/counts")).json()["webhooks"] == 40


async def test_accounts_without_an_endpoint_hear_nothing(sandbox: httpx2.AsyncClient) -> None:
    await mail(sandbox, "ada@people.example")
    assert await live(sandbox, NOON) == []


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("scripts", {"who": "x"}, "must be a list"),
        ("scripts", [{"what": "dance"}], "what is 'dance'"),
        ("scripts", [{"what": "open", "after": -1}], "after is -1"),
        ("scripts", [{"what": "open", "when": 1}], "unknown field when"),
        ("scripts", [7], "a script is a JSON object"),
        ("endpoints", {"provider": "x", "account": "a", "url": "u", "secret": "s"}, "say resend or twilio"),
        ("endpoints", {"provider": "resend"}, "missing"),
        ("react", {"account": "a"}, "say account and now"),
        ("react", {"account": "a", "now": "soon"}, "say account and now"),
    ],
)
async def test_a_wish_that_makes_no_sense_is_refused_with_the_reason(
    sandbox: httpx2.AsyncClient, path: str, body: Any, words: str
) -> None:
    answer = await sandbox.post(f"/_sandbox/{path}", json=body)
    assert (answer.status_code, words in answer.json()["error"]) == (400, True), answer.text


async def test_who_answers_once_answers_the_first_mail_and_may_be_somebody_else(
    sandbox: httpx2.AsyncClient, receiver: Receiver
) -> None:
    await listen(sandbox, receiver)
    answer = {"who": "ada@*", "what": "reply", "sender": "bob@people.example", "once": True}
    await people(sandbox, answer, {"who": "ada@*", "what": "open"})
    for _ in range(2):
        await mail(sandbox, "ada@people.example")
        await live(sandbox, NOON)
    said = [json.loads(body) for _, _, body in receiver.calls]
    assert Counter(event["type"] for event in said) == {"email.delivered": 2, "email.opened": 2, "email.received": 1}
    assert [event["data"]["from"] for event in said if event["type"] == "email.received"] == ["bob@people.example"]
