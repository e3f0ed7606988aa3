"""Mail, by the real SDK over HTTP."""

import asyncio
import time
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

import orjson
import pytest

from models.messages import Attachment, EmailMessage
from providers.errors import Rejected, Unavailable
from providers.resend import Resend
from providers.resend_webhooks import read

SENDER = "Events <events@mail.example>"


def mail(to: str = "guest@people.example", **fields: Any) -> EmailMessage:
    values = {"subject": "You are invited", "html": "<p>Hello</p>", "text": "Hello", **fields}
    return EmailMessage(id=uuid4(), to=to, sender=SENDER, **values)


@pytest.fixture
async def account(sandbox: Any) -> AsyncIterator[Resend]:
    account = Resend(f"{sandbox.url}/resend", "key-1")
    yield account
    await account.aclose()


@pytest.fixture
async def told(loopback: Any) -> AsyncIterator[Resend]:
    """An account at the server that answers what it is told."""
    account = Resend(loopback.url, "key-1")
    yield account
    await account.aclose()


async def test_every_mail_of_a_batch_is_accepted_under_its_message_id_in_order(sandbox: Any, account: Resend) -> None:
    mails = [mail(f"guest{number}@people.example") for number in range(100)]
    ids = await account.post(account.compose(mails), "batch-1")
    accepted = await sandbox.accepted("resend")
    assert [row["id"] for row in accepted] == ids
    assert [row["message_id"] for row in accepted] == [str(one.id) for one in mails]


async def test_the_very_bytes_that_were_composed_are_posted_under_the_key(loopback: Any, told: Resend) -> None:
    one = mail(headers={"List-Unsubscribe": "<https://events.example/u/1>"}, reply_to="reply@mail.example")
    payload = told.compose([one])
    loopback.answer(200, {"data": [{"id": "r-1"}]})
    assert await told.post(payload, "batch-1") == ["r-1"]
    asked = loopback.asked[0]
    assert (asked.method, asked.path, asked.body) == ("POST", "/emails/batch", payload)
    assert asked.headers["idempotency-key"] == "batch-1"
    assert asked.headers["authorization"] == "Bearer key-1"
    assert asked.headers["user-agent"]
    sent = orjson.loads(payload)[0]
    assert sent["headers"] == {"List-Unsubscribe": "<https://events.example/u/1>"}
    assert (sent["text"], sent["reply_to"]) == ("Hello", "reply@mail.example")
    assert sent["tags"] == [{"name": "message_id", "value": str(one.id)}]


def test_a_mail_brings_its_template_and_step_in_characters_that_a_tag_may_have(account: Resend) -> None:
    one = mail(tags={"template": "proposal_email", "step": "día 1/ask" + "k" * 300, "segment": ""})
    tags = {tag["name"]: tag["value"] for tag in orjson.loads(account.compose([one]))[0]["tags"]}
    assert tags == {"message_id": str(one.id), "template": "proposal_email", "step": ("d_a_1_ask" + "k" * 300)[:256]}


async def test_posting_again_under_the_same_key_sends_nothing_twice(sandbox: Any, account: Resend) -> None:
    payload = account.compose([mail()])
    assert await account.post(payload, "batch-1") == await account.post(payload, "batch-1")
    assert len(await sandbox.accepted("resend")) == 1


async def test_other_bytes_under_a_used_key_leave_the_outcome_unknown(account: Resend) -> None:
    await account.post(account.compose([mail()]), "batch-1")
    with pytest.raises(Rejected, match="different request payload") as refusal:
        await account.post(account.compose([mail()]), "batch-1")
    assert refusal.value.outcome_unknown


async def test_a_request_still_in_progress_under_the_key_is_to_be_asked_again(sandbox: Any, account: Resend) -> None:
    await sandbox.fault("resend", slow=8)
    payload = account.compose([mail()])
    first = asyncio.create_task(account.post(payload, "batch-1"))
    await sandbox.asked("resend", 1)
    with pytest.raises(Unavailable) as unavailable:
        await account.post(payload, "batch-1")
    assert (unavailable.value.code, unavailable.value.refused) == ("concurrent_idempotent_requests", False)
    assert not unavailable.value.refused
    assert len(await first) == 1


async def test_one_bad_mail_refuses_the_batch_in_the_words_of_resend(account: Resend) -> None:
    with pytest.raises(Rejected, match=r"index 1 .* `to` field") as refusal:
        await account.post(account.compose([mail(), mail("nobody")]), "batch-1")
    assert refusal.value.scope == "batch"


async def test_two_accounts_work_side_by_side_in_one_process(sandbox: Any) -> None:
    async with (
        aclosing(Resend(f"{sandbox.url}/resend", "key-1")) as one,
        aclosing(Resend(f"{sandbox.url}/resend", "key-2")) as two,
    ):
        await asyncio.gather(
            *(one.post(one.compose([mail("one@people.example")]), f"a{number}") for number in range(20)),
            *(two.post(two.compose([mail("two@people.example")]), f"b{number}") for number in range(20)),
        )
    for key, name in (("key-1", "one"), ("key-2", "two")):
        rows = await sandbox.accepted("resend", key)
        assert [row["to"] for row in rows] == [[f"{name}@people.example"]] * 20


async def test_a_key_that_is_refused_names_the_variable_to_set(sandbox: Any) -> None:
    async with aclosing(Resend(f"{sandbox.url}/resend", "invalid")) as account:
        with pytest.raises(Rejected, match=r"API key is invalid.*RESEND_API_KEY") as refusal:
            await account.post(account.compose([mail()]), "batch-1")
    assert refusal.value.scope == "account"


async def test_a_missing_key_is_named_when_a_mail_is_posted_and_not_before(sandbox: Any) -> None:
    async with aclosing(Resend(f"{sandbox.url}/resend", "")) as account:
        with pytest.raises(Rejected, match="RESEND_API_KEY") as refusal:
            await account.post(account.compose([mail()]), "batch-1")
    assert refusal.value.scope == "account"
    assert await sandbox.requests("resend") == 0


async def until_refused(account: Resend) -> Unavailable:
    """What is said to the second request in a second."""
    for number in range(20):
        try:
            await account.post(account.compose([mail()]), f"batch-{number}")
        except Unavailable as refusal:
            return refusal
    raise AssertionError


async def test_a_rate_limit_says_that_nothing_was_done_and_how_long_to_wait(sandbox: Any, account: Resend) -> None:
    await sandbox.limit("resend", 1)
    before, refusal = time.monotonic(), await until_refused(account)
    assert refusal.refused
    assert refusal.retry_after == timedelta(seconds=1)
    assert account.pace._paused_until >= before + 1
    assert account.pace.per_second == 1


async def test_the_pace_uses_the_limit_and_meets_no_refusal(sandbox: Any, account: Resend) -> None:
    await sandbox.limit("resend", 10)
    seconds, payload, used = 3.0, account.compose([mail()]), 0.0
    for turn in range(3):  # a machine that does not let this process run for a while uses less
        posts: list[asyncio.Task[list[str]]] = []
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            await account.pace.take()
            posts.append(asyncio.create_task(account.post(payload, f"batch-{turn}-{len(posts)}")))
        await asyncio.gather(*posts)
        used = max(used, len(posts) / (10 * seconds))
        if used >= 0.97:
            break
    assert used >= 0.97


async def test_a_server_error_leaves_open_what_was_done(sandbox: Any, account: Resend) -> None:
    await sandbox.fault("resend", next=["error"])
    with pytest.raises(Unavailable, match="unexpected error") as unavailable:
        await account.post(account.compose([mail()]), "batch-1")
    assert not unavailable.value.refused


async def test_a_dropped_connection_is_no_answer_and_the_key_makes_it_good(sandbox: Any, account: Resend) -> None:
    await sandbox.fault("resend", next=["drop"])
    payload = account.compose([mail()])
    with pytest.raises(Unavailable) as unavailable:
        await account.post(payload, "batch-1")
    assert not unavailable.value.refused
    ids = await account.post(payload, "batch-1")
    assert [row["id"] for row in await sandbox.accepted("resend")] == ids


async def test_a_page_of_a_proxy_is_an_outage(loopback: Any, told: Resend) -> None:
    later = datetime.now(UTC) + timedelta(seconds=90)
    loopback.answer(502, b"<html>Bad Gateway</html>", {"retry-after": format_datetime(later, usegmt=True)})
    with pytest.raises(Unavailable, match="502") as unavailable:
        await told.post(b"[]", "batch-1")
    assert not unavailable.value.refused
    assert unavailable.value.retry_after is not None
    assert timedelta(seconds=60) < unavailable.value.retry_after <= timedelta(seconds=90)


async def test_a_spent_day_comes_back_and_a_spent_month_does_not(loopback: Any, told: Resend) -> None:
    loopback.answer(
        429, {"statusCode": 429, "name": "daily_quota_exceeded", "message": "You have reached your daily quota"}
    )
    with pytest.raises(Unavailable, match="daily quota") as day:
        await told.post(b"[]", "batch-1")
    assert (day.value.retry_after, day.value.refused) == (timedelta(hours=24), True)
    loopback.answer(
        429, {"statusCode": 429, "name": "monthly_quota_exceeded", "message": "You have reached your monthly quota"}
    )
    with pytest.raises(Rejected, match="monthly quota") as month:
        await told.post(b"[]", "batch-2")
    assert month.value.scope == "account"


async def test_an_unverified_domain_refuses_the_batch_and_not_the_account(loopback: Any, told: Resend) -> None:
    loopback.answer(
        403, {"statusCode": 403, "name": "validation_error", "message": "The mail.example domain is not verified."}
    )
    with pytest.raises(Rejected, match="not verified") as refusal:
        await told.post(b"[]", "batch-1")
    assert refusal.value.scope == "batch"


async def test_an_address_that_resend_quotes_is_not_repeated(loopback: Any, told: Resend) -> None:
    words = f"{'Not accepted. ' * 19}Invalid recipient: guest@people.example"  # so long that the cut falls into it
    loopback.answer(422, {"statusCode": 422, "name": "validation_error", "message": words})
    with pytest.raises(Rejected, match="Invalid recipient: an") as refusal:
        await told.post(told.compose([mail()]), "batch-1")
    assert "guest" not in str(refusal.value)


async def test_what_was_accepted_without_our_hearing_is_found_by_message_id(sandbox: Any, account: Resend) -> None:
    since = datetime.now(UTC)
    await account.post(account.compose([mail()]), "other")
    mails = [mail(), mail()]
    await sandbox.fault("resend", next=["drop"])
    with pytest.raises(Unavailable):
        await account.post(account.compose(mails), "batch-1")
    await sandbox.fault("resend")
    never_sent = mail()
    accepted = {row["message_id"]: row["id"] for row in await sandbox.accepted("resend")}
    found = await account.find([one.id for one in (*mails, never_sent)], since)
    assert found == {one.id: accepted[str(one.id)] for one in mails}


async def test_a_look_up_neither_opens_known_mails_nor_reads_beyond_its_start(loopback: Any, told: Resend) -> None:
    wanted, now = uuid4(), datetime.now(UTC)

    def row(provider_id: str, at: datetime) -> dict[str, Any]:
        return {"id": provider_id, "created_at": at.isoformat(sep=" ")}

    old = now - timedelta(hours=1)
    rows = [row("known", now), row("ours", now), row("old", old), row("older", old)]
    loopback.answer(200, {"object": "list", "has_more": True, "data": rows})
    loopback.answer(200, {"id": "ours", "tags": [{"name": "message_id", "value": str(wanted)}]})
    assert await told.find([wanted, uuid4()], now, known=["known"]) == {wanted: "ours"}
    assert [asked.path.split("?")[0] for asked in loopback.asked] == ["/emails", "/emails/ours"]


@pytest.mark.parametrize(
    ("event", "word", "suppress"),
    [
        ("delivered", "delivered", None),
        ("opened", "delivered", None),
        ("clicked", "delivered", None),
        ("bounced", "bounced", "hard bounce"),
        ("complained", "complained", "complaint"),
        ("suppressed", "suppressed", "hard bounce"),
        ("failed", "failed", None),
    ],
)
async def test_what_became_of_a_mail_reads_like_its_webhook(
    loopback: Any, told: Resend, event: str, word: str, suppress: str | None
) -> None:
    loopback.answer(200, {"object": "email", "id": "re-1", "message_id": "<1@resend>", "last_event": event})
    ours = uuid4()
    body = await told.became("re-1", ours)
    assert body is not None
    report = read(body)
    assert (report.word, report.message_id, report.provider_id, report.suppress) == (word, ours, "re-1", suppress)
    assert (report.at, report.rfc_id, report.scanner) == (None, "<1@resend>", False)


@pytest.mark.parametrize("event", ["sent", "queued", "scheduled", "delivery_delayed", "thought_of"])
async def test_of_a_mail_that_is_only_sent_nothing_became_yet(loopback: Any, told: Resend, event: str) -> None:
    loopback.answer(200, {"object": "email", "id": "re-1", "last_event": event})
    assert await told.became("re-1", uuid4()) is None


async def test_a_check_names_the_verified_domains(account: Resend) -> None:
    assert await account.check() == "key accepted, verified domains: sandbox.example"


async def test_a_key_that_may_only_send_passes_the_check(loopback: Any, told: Resend) -> None:
    loopback.answer(401, {"statusCode": 401, "name": "restricted_api_key", "message": "This API key is restricted."})
    assert "sending only" in await told.check()


@pytest.mark.parametrize("count", [0, 101])
def test_a_batch_is_one_to_a_hundred_mails(count: int) -> None:
    account = Resend("http://127.0.0.1:1", "key-1")
    with pytest.raises(ValueError, match=str(count)):
        account.compose([mail()] * count)


INVITE = Attachment("invite.ics", "text/calendar; method=REQUEST", b"BEGIN:VCALENDAR")


async def test_a_mail_with_a_file_goes_alone_under_the_key_as_the_bytes_that_were_composed(
    loopback: Any, told: Resend
) -> None:
    payload = told.compose([mail(attachments=(INVITE,))])
    loopback.answer(200, {"id": "r-1"})
    assert await told.post(payload, "alone-1") == ["r-1"]
    asked = loopback.asked[0]
    assert (asked.method, asked.path, asked.body) == ("POST", "/emails", payload)
    assert asked.headers["idempotency-key"] == "alone-1"
    (file,) = orjson.loads(payload)["attachments"]
    assert (file["filename"], file["content_type"]) == ("invite.ics", "text/calendar; method=REQUEST")
    assert b64decode(file["content"]) == b"BEGIN:VCALENDAR"


async def test_a_mail_with_a_file_is_accepted_once_however_often_it_is_posted(sandbox: Any, account: Resend) -> None:
    one = mail(attachments=(INVITE,))
    payload = account.compose([one])
    assert await account.post(payload, "alone-2") == await account.post(payload, "alone-2")
    (accepted,) = await sandbox.accepted("resend")
    assert accepted["message_id"] == str(one.id)
    assert accepted["attachments"][0]["filename"] == "invite.ics"


async def test_files_are_in_no_batch(told: Resend) -> None:
    with pytest.raises(ValueError, match="goes alone, not among 2"):
        told.compose([mail(), mail(attachments=(INVITE,))])


async def test_an_answer_without_an_id_is_asked_for_again(loopback: Any, told: Resend) -> None:
    loopback.answer(200, {})
    with pytest.raises(Unavailable, match="named no ids"):
        await told.post(told.compose([mail(attachments=(INVITE,))]), "alone-3")
