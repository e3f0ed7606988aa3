"""Generated texts, by the real SDK over HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from providers.errors import Rejected, Unavailable
from providers.openai import OpenAI

MODEL = "gpt-5.6-luna"


class Invitation(BaseModel):
    """What the model is to fill."""

    model_config = ConfigDict(extra="forbid")

    subject: str = Field(min_length=1)
    lines: list[str]


def told_response(text: str, **changes: Any) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
    response = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": MODEL}
    rest = {"output": [item], "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    return {**response, **rest, **changes}


@pytest.fixture
async def account(sandbox: Any) -> AsyncIterator[OpenAI]:
    async with aclosing(OpenAI(f"{sandbox.url}/openai/v1", "key-1", MODEL)) as account:
        yield account


@pytest.fixture
async def told(loopback: Any) -> AsyncIterator[OpenAI]:
    async with aclosing(OpenAI(loopback.url, "key-1", MODEL)) as account:
        yield account


async def ask(account: OpenAI) -> Any:
    return await account.generate("Write an invitation.", "Event: Spring Gala", Invitation)


async def test_an_answer_comes_as_the_model_asked_for_with_what_it_cost(account: OpenAI) -> None:
    generated = await ask(account)
    assert isinstance(generated.value, Invitation)
    assert generated.value.subject
    assert generated.usage.input_tokens > 0
    assert generated.usage.output_tokens > 0
    assert generated.model == MODEL
    assert generated.request_id


async def test_people_s_words_are_kept_apart_from_instructions_and_nothing_is_stored(
    loopback: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-another-account")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-of-another-account")
    loopback.answer(200, told_response('{"subject": "Come", "lines": []}'))
    async with aclosing(OpenAI(loopback.url, "key-1", MODEL)) as account:
        assert (await ask(account)).value == Invitation(subject="Come", lines=[])
    asked = loopback.asked[0]
    body = json.loads(asked.body)
    assert (body["instructions"], body["input"]) == ("Write an invitation.", "Event: Spring Gala")
    assert body["store"] is False
    assert body["text"]["format"]["strict"] is True
    assert body["max_output_tokens"] > 0
    assert asked.headers["authorization"] == "Bearer key-1"
    assert not [name for name in asked.headers if name in ("openai-organization", "openai-project")]


async def test_a_refusal_is_for_good_and_in_the_model_s_words(sandbox: Any, account: OpenAI) -> None:
    await sandbox.fault("openai", next=["refusal"])
    with pytest.raises(Rejected, match="I'm sorry") as refusal:
        await ask(account)
    assert refusal.value.scope == "message"


async def test_an_answer_cut_short_is_to_be_asked_again(sandbox: Any, account: OpenAI) -> None:
    await sandbox.fault("openai", next=["truncate"])
    with pytest.raises(Unavailable, match="max_output_tokens") as unavailable:
        await ask(account)
    assert unavailable.value.refused
    assert (await ask(account)).value.subject


async def test_an_answer_that_does_not_fit_says_where_and_is_to_be_asked_again(loopback: Any, told: OpenAI) -> None:
    loopback.answer(200, told_response('{"subject": ""}'))
    with pytest.raises(Unavailable, match=r"Invitation: subject: .*at least 1.*; lines: .*required") as unavailable:
        await ask(told)
    assert unavailable.value.code == "invalid_answer"


async def test_an_answer_that_was_filtered_is_for_good(loopback: Any, told: OpenAI) -> None:
    loopback.answer(200, told_response("", status="incomplete", incomplete_details={"reason": "content_filter"}))
    with pytest.raises(Rejected, match="content_filter"):
        await ask(told)


@pytest.mark.parametrize(("code", "raised"), [("server_error", Unavailable), ("invalid_prompt", Rejected)])
async def test_a_failed_response_is_judged_by_its_code(loopback: Any, told: OpenAI, code: str, raised: type) -> None:
    loopback.answer(200, told_response("", status="failed", error={"code": code, "message": "It failed"}))
    with pytest.raises(raised, match="It failed"):
        await ask(told)


async def test_a_rate_limit_is_waited_for_and_not_retried_by_the_sdk(loopback: Any, told: OpenAI) -> None:
    error = {"message": "Rate limit reached", "type": "tokens", "code": "rate_limit_exceeded", "param": None}
    loopback.answer(429, {"error": error}, {"retry-after-ms": "1500", "retry-after": "2"})
    with pytest.raises(Unavailable, match="Rate limit reached") as unavailable:
        await ask(told)
    assert unavailable.value.refused
    assert unavailable.value.retry_after is not None
    assert unavailable.value.retry_after.total_seconds() == 1.5
    assert len(loopback.asked) == 1


@pytest.mark.parametrize("code", ["insufficient_quota", "project_spend_limit_exceeded"])
async def test_an_account_without_money_is_not_asked_again(loopback: Any, told: OpenAI, code: str) -> None:
    loopback.answer(429, {"error": {"message": "You exceeded your current quota", "type": code, "code": code}})
    with pytest.raises(Rejected, match=r"current quota.*billing") as refusal:
        await ask(told)
    assert refusal.value.scope == "account"


async def test_a_key_that_is_refused_names_the_variable_to_set(sandbox: Any) -> None:
    async with aclosing(OpenAI(f"{sandbox.url}/openai/v1", "invalid", MODEL)) as account:
        with pytest.raises(Rejected, match=r"invalid_api_key.*OPENAI_API_KEY") as refusal:
            await ask(account)
    assert refusal.value.scope == "account"


async def test_a_missing_key_is_named_when_a_text_is_asked_for_and_not_before(
    sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of another account")
    async with aclosing(OpenAI(f"{sandbox.url}/openai/v1", "", MODEL)) as account:
        with pytest.raises(Rejected, match="OPENAI_API_KEY"):
            await ask(account)
    assert await sandbox.requests("openai") == 0


async def test_a_server_error_and_a_dropped_connection_are_to_be_asked_again(sandbox: Any, account: OpenAI) -> None:
    await sandbox.fault("openai", next=["error", "drop"])
    with pytest.raises(Unavailable) as error:
        await ask(account)
    with pytest.raises(Unavailable) as drop:
        await ask(account)
    assert (error.value.refused, drop.value.refused) == (False, False)


@pytest.mark.parametrize("status", [200, 502])
async def test_a_page_instead_of_an_answer_is_an_outage(loopback: Any, told: OpenAI, status: int) -> None:
    loopback.answer(status, b"<html>Hello</html>")
    with pytest.raises(Unavailable):
        await ask(told)


async def test_a_check_says_which_model_the_key_may_use(sandbox: Any, account: OpenAI) -> None:
    assert await account.check() == f"key accepted, writes with {MODEL}"
    async with aclosing(OpenAI(f"{sandbox.url}/openai/v1", "key-1", "gpt-0")) as other:
        with pytest.raises(Rejected, match="OPENAI_MODEL"):
            await other.check()
