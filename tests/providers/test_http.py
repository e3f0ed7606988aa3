"""What is the same at every provider: no answer, too slow an answer, an answer of some status."""

import asyncio
import time
import traceback
from contextlib import aclosing
from typing import Any

import pytest

from providers.errors import Rejected, Unavailable
from providers.http import Wire
from providers.openai import OpenAI
from providers.rate import Pace
from providers.resend import Resend
from providers.x import X


def wire(url: str, seconds: float = 10.0) -> Wire:
    return Wire("acme", "Acme", url, Pace(10), key="ACME_KEY", address="ACME_URL", seconds=seconds)


async def test_the_time_limit_is_on_the_whole_answer_and_not_on_each_byte(loopback: Any) -> None:
    loopback.answer(200, {"slow": "as can be"}, drip=1)  # more than a minute in all
    began = time.monotonic()
    async with aclosing(wire(loopback.url, seconds=0.4)) as slow:
        with pytest.raises(Unavailable, match=r"Acme did not answer within 0.4 s") as unavailable:
            await slow.request("POST", "/things")
    assert time.monotonic() - began < 20
    assert not unavailable.value.refused


async def test_a_connection_that_never_came_about_is_certain_to_have_done_nothing() -> None:
    async with aclosing(wire("http://127.0.0.1:1")) as nowhere:
        with pytest.raises(Unavailable, match="could not be reached") as unavailable:
            await nowhere.request("POST", "/things")
    assert unavailable.value.refused


@pytest.mark.parametrize("address", ["", "acme.example/api", "http://acme:port"])
async def test_an_address_that_is_none_names_the_variable_to_correct(address: str) -> None:
    async with aclosing(wire(address)) as wrong:
        with pytest.raises(Rejected, match="ACME_URL") as refusal:
            await wrong.request("POST", "/things")
    assert refusal.value.scope == "account"


@pytest.mark.parametrize("key", ["se-cret\n", "se-crët"])
async def test_a_key_that_no_header_can_carry_is_refused_and_not_quoted(loopback: Any, key: str) -> None:
    for account in (Resend(loopback.url, key), X(loopback.url, key), OpenAI(loopback.url, key, "gpt-5.6-luna")):
        async with aclosing(account):
            with pytest.raises(Rejected, match=r"(RESEND_API|OPENAI_API|X)_(KEY|TOKEN)") as refusal:
                await account.check()
        assert refusal.value.scope == "account"
        assert "se-cr" not in "".join(traceback.format_exception(refusal.value))
    assert loopback.asked == []


@pytest.mark.parametrize(
    ("status", "scope", "named"),
    [
        (400, "message", ""),
        (401, "account", "ACME_KEY"),
        (404, "account", "ACME_URL"),
        (308, "account", "ACME_URL"),
    ],
)
async def test_a_refusal_says_what_it_is_about_and_where_to_look(status: int, scope: str, named: str) -> None:
    async with aclosing(wire("http://127.0.0.1:1")) as account:
        refusal = account.failed(status, "No", headers={})
    assert isinstance(refusal, Rejected)
    assert refusal.scope == scope
    assert str(refusal).startswith(f"Acme answered {status}: No.")
    assert named in str(refusal)


@pytest.mark.parametrize("status", [303, 408, 409, 425, 500, 502, 503, 504])
async def test_an_answer_that_refuses_nothing_for_certain_leaves_open_what_was_done(status: int) -> None:
    async with aclosing(wire("http://127.0.0.1:1")) as account:
        error = account.failed(status, "No", headers={})
    assert isinstance(error, Unavailable)
    assert not error.refused


async def test_many_requests_share_the_pool_of_one_account(loopback: Any) -> None:
    for _ in range(30):
        loopback.answer(200, {})
    async with aclosing(wire(loopback.url)) as account:
        answers = await asyncio.gather(*(account.request("GET", "/things") for _ in range(30)))
    assert {answer.status_code for answer in answers} == {200}
