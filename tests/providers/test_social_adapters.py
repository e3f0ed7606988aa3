"""Posts on LinkedIn, X and Facebook, over HTTP."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from models.messages import SocialPost
from providers.errors import Rejected, Unavailable
from providers.facebook import Facebook
from providers.linkedin import LinkedIn
from providers.x import X, weight

Account = LinkedIn | X | Facebook
LINK = "https://events.example/gala?from=post"
NAMES = ("linkedin", "x", "facebook")
VARIABLES = {"linkedin": "LINKEDIN_TOKEN", "x": "X_TOKEN", "facebook": "FACEBOOK_TOKEN"}


def post(text: str = "Our gala is open (at last)! #gala & more", link: str | None = LINK) -> SocialPost:
    return SocialPost(uuid4(), text, link, attempted_at=datetime.now(UTC))


def account_of(name: str, url: str, token: str = "token-1") -> Account:
    match name:
        case "linkedin":
            return LinkedIn(url, token, "urn:li:organization:1")
        case "x":
            return X(url, token)
    return Facebook(url, token, "1")


@pytest.fixture(params=NAMES)
async def account(sandbox: Any, request: pytest.FixtureRequest) -> AsyncIterator[Account]:
    async with aclosing(account_of(request.param, f"{sandbox.url}/{request.param}")) as account:
        yield account


async def test_a_post_is_accepted_under_the_id_that_is_returned(sandbox: Any, account: Account) -> None:
    post_id = await account.send(post())
    (row,) = await sandbox.accepted(account.provider)
    assert row["id"] == post_id


@pytest.mark.parametrize("name", NAMES)
async def test_a_post_accepted_without_an_id_leaves_open_what_was_done_so_it_is_never_sent_blindly_again(
    loopback: Any, name: str
) -> None:
    loopback.answer(201, {})
    async with aclosing(account_of(name, loopback.url)) as account:
        with pytest.raises(Unavailable) as unavailable:
            await account.send(post())
    assert not unavailable.value.refused


async def test_a_post_accepted_without_our_hearing_is_found_by_its_text(sandbox: Any, account: Account) -> None:
    await account.send(post("Another post"))
    one = post()
    await sandbox.fault(account.provider, next=["drop"])
    with pytest.raises(Unavailable) as unavailable:
        await account.send(one)
    assert not unavailable.value.refused
    accepted = await sandbox.accepted(account.provider)
    assert await account.find(one) == accepted[-1]["id"]


async def test_a_post_is_not_found_if_known_or_older_or_never_there(account: Account) -> None:
    one = post()
    post_id = await account.send(one)
    assert await account.find(one, known=[post_id]) is None
    assert await account.find(replace(one, attempted_at=datetime.now(UTC) + timedelta(minutes=5))) is None
    assert await account.find(post("Another post")) is None


@pytest.mark.parametrize("name", NAMES)
async def test_a_token_that_is_refused_names_the_variable_to_set(sandbox: Any, name: str) -> None:
    async with aclosing(account_of(name, f"{sandbox.url}/{name}", "invalid")) as account:
        with pytest.raises(Rejected, match=VARIABLES[name]) as refusal:
            await account.send(post())
    assert refusal.value.scope == "account"


@pytest.mark.parametrize("name", NAMES)
async def test_a_missing_token_is_named_when_a_post_is_sent_and_not_before(sandbox: Any, name: str) -> None:
    async with aclosing(account_of(name, f"{sandbox.url}/{name}", "")) as account:
        with pytest.raises(Rejected, match=VARIABLES[name]) as refusal:
            await account.send(post())
    assert refusal.value.scope == "account"
    assert await sandbox.requests(name) == 0


async def test_a_rate_limit_says_that_nothing_was_done_and_pauses_the_pace(sandbox: Any, account: Account) -> None:
    await sandbox.fault(account.provider, next=["rate_limit"])
    with pytest.raises(Unavailable) as unavailable:
        await account.send(post())
    assert unavailable.value.refused
    assert account.pace.wait() > 0.5


async def test_a_server_error_leaves_open_what_was_done(sandbox: Any, account: Account) -> None:
    await sandbox.fault(account.provider, next=["error"])
    with pytest.raises(Unavailable) as unavailable:
        await account.send(post())
    assert not unavailable.value.refused


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [200, 502])
async def test_a_page_instead_of_an_answer_leaves_open_what_was_done(loopback: Any, name: str, status: int) -> None:
    loopback.answer(status, b"<html>Hello</html>")
    async with aclosing(account_of(name, loopback.url)) as account:
        with pytest.raises(Unavailable) as unavailable:
            await account.send(post())
    assert not unavailable.value.refused


async def test_a_check_says_as_whom_it_posts(account: Account) -> None:
    assert (await account.check()).startswith("token accepted, posts as ")


@pytest.mark.parametrize("name", ["x", "facebook"])
async def test_a_duplicate_is_refused_and_another_messages_post_is_not_taken_for_it(sandbox: Any, name: str) -> None:
    async with aclosing(account_of(name, f"{sandbox.url}/{name}")) as account:
        await account.send(post())
        with pytest.raises(Rejected, match=r"(?i)duplicate") as refusal:
            await account.send(post())
    assert refusal.value.scope == "message"


async def test_what_linkedin_calls_a_duplicate_is_refused(loopback: Any) -> None:
    loopback.answer(422, {"status": 422, "message": "Content is a duplicate of urn:li:share:7"})
    async with aclosing(account_of("linkedin", loopback.url)) as account:
        with pytest.raises(Rejected, match="duplicate") as refusal:
            await account.send(post())
    assert refusal.value.scope == "message"


async def test_linkedin_gets_its_reserved_characters_escaped(loopback: Any) -> None:
    loopback.answer(201, b"", {"x-restli-id": "urn:li:share:1"})
    async with aclosing(account_of("linkedin", loopback.url)) as account:
        await account.send(post(r"a\b (c) #d @e {f} [g] <h> *i* _j_ ~k|", "https://events.example/a_b"))
    body = json.loads(loopback.asked[0].body)
    escaped = r"a\\b \(c\) \#d \@e \{f\} \[g\] \<h\> \*i\* \_j\_ \~k\|"
    assert body["commentary"] == escaped + "\n\n" + r"https://events.example/a\_b"
    assert loopback.asked[0].headers["x-restli-protocol-version"] == "2.0.0"


async def test_a_link_that_the_text_has_is_not_repeated(loopback: Any) -> None:
    loopback.answer(201, {"data": {"id": "1"}})
    async with aclosing(account_of("x", loopback.url)) as account:
        await account.send(post(f"Come: {LINK}"))
    assert json.loads(loopback.asked[0].body) == {"text": f"Come: {LINK}"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gala", 4),
        ("https://events.example/a/very/long/path?with=a&query=string", 23),
        ("see https://t.example and https://u.example", 4 + 23 + 5 + 23),
        ("日本", 4),
        ("cafe\u0301", 4),
        ("🎉", 2),
        ("👩‍👩‍👧", 2),
        ("👍🏽", 2),
        ("🇩🇪🇫🇷", 4),
        ("❤️", 2),
        ("“quoted” – dash", 15),
    ],
)
def test_x_is_weighed_as_x_weighs(text: str, expected: int) -> None:
    assert weight(text) == expected


async def test_a_post_too_long_for_x_is_refused_before_it_is_sent(sandbox: Any) -> None:
    async with aclosing(account_of("x", f"{sandbox.url}/x")) as account:
        await account.send(post("a" * (280 - 23 - 2)))
        with pytest.raises(Rejected, match="281") as refusal:
            await account.send(post("a" * (280 - 23 - 1)))
    assert refusal.value.scope == "message"
    assert await sandbox.requests("x") == 1


async def test_x_shortening_a_link_and_escaping_a_sign_does_not_hide_a_post(loopback: Any) -> None:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    loopback.answer(200, {"data": {"id": "7"}})
    loopback.answer(200, {"data": [{"id": "1", "text": "Tea &amp; talk https://t.co/abc", "created_at": now}]})
    async with aclosing(account_of("x", loopback.url)) as account:
        assert await account.find(post("Tea & talk")) == "1"
    assert loopback.asked[1].path.startswith("/2/users/7/tweets")


async def test_x_says_by_its_reset_how_long_to_wait(loopback: Any) -> None:
    reset = {
        "x-rate-limit-limit": "100",
        "x-rate-limit-remaining": "0",
        "x-rate-limit-reset": str(int(time.time()) + 300),
    }
    loopback.answer(429, {"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank"}, reset)
    async with aclosing(account_of("x", loopback.url)) as account:
        with pytest.raises(Unavailable) as unavailable:
            await account.send(post())
        assert account.pace.wait() > 290
    assert unavailable.value.retry_after is not None
    assert timedelta(seconds=295) < unavailable.value.retry_after <= timedelta(seconds=300)


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        ({"code": 4, "message": "(#4) Application request limit reached"}, Unavailable),
        ({"code": 2, "message": "Service temporarily unavailable"}, Unavailable),
        ({"code": 100, "message": "(#100) Broken", "is_transient": True}, Unavailable),
        ({"code": 200, "message": "(#200) Permissions error"}, Rejected),
        ({"code": 368, "message": "The action attempted has been deemed abusive"}, Rejected),
        ({"code": 100, "message": "(#100) Invalid parameter"}, Rejected),
    ],
)
async def test_facebook_is_read_by_the_code_of_its_error(loopback: Any, error: dict[str, Any], raised: type) -> None:
    loopback.answer(403, {"error": error})
    async with aclosing(account_of("facebook", loopback.url)) as account:
        with pytest.raises(raised) as failure:
            await account.send(post())
    assert error["message"] in str(failure.value)
    if isinstance(failure.value, Rejected):
        assert failure.value.scope == ("message" if error["code"] == 100 else "account")


async def test_facebook_says_in_its_usage_how_long_to_wait(loopback: Any) -> None:
    usage = {"1": [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 12}]}
    error = {"error": {"code": 32, "message": "(#32) Page request limit reached"}}
    loopback.answer(403, error, {"x-business-use-case-usage": json.dumps(usage)})
    async with aclosing(account_of("facebook", loopback.url)) as account:
        with pytest.raises(Unavailable) as unavailable:
            await account.send(post())
    assert unavailable.value.retry_after == timedelta(minutes=12)
