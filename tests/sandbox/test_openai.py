"""OpenAI's promises: strict schemas are met, limits are kept, refusals and cut-off answers can be provoked."""

import json
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import httpx2
import pytest
from openai import AsyncOpenAI, AuthenticationError, BadRequestError, RateLimitError
from pydantic import BaseModel, ConfigDict, Field

from sandbox.generator import allowed_fields, shorten
from tests.sandbox.conftest import within_a_second

EVENT = {
    "name": "Harbour Tech Summit",
    "city": "Rotterdam",
    "audience": "Port technology leaders",
    "highlights": ["Live demo of the quay crane", "Doors open at 9 am", "Round table on 12 May"],
}
PROMPT = f"Write the launch mail.\n{json.dumps({'event': EVENT})}"
LITERAL = re.compile(r"9 am|12 May")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Mail(Strict):
    template: Literal["announcement_email", "last_chance_email"]
    subject: Annotated[str, Field(min_length=5, max_length=40)]
    paragraphs: Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=3, max_length=3)]
    closing_line: Annotated[str, Field(max_length=120, description="May carry {event_date}, but not {first_name}.")]
    note: str | None


class Campaign(Strict):
    mails: Annotated[list[Mail], Field(min_length=2, max_length=2)]
    linkedin: Annotated[str, Field(max_length=3000)]
    twitter: Annotated[str, Field(max_length=200)]
    slug: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
    score: Annotated[int, Field(ge=1, le=10)]


@pytest.fixture
async def client(sandbox: httpx2.AsyncClient) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key="sk-live", base_url=f"{sandbox.base_url}/openai/v1", max_retries=0) as client:
        yield client


async def test_an_answer_meets_its_schema_and_tells_of_the_event(client: AsyncOpenAI) -> None:
    answer = await client.responses.parse(model="gpt-6.2-sol", input=PROMPT, text_format=Campaign)
    campaign = answer.output_parsed
    assert campaign is not None
    assert {mail.template for mail in campaign.mails} == {"announcement_email", "last_chance_email"}
    assert len({mail.subject for mail in campaign.mails}) == 2
    assert "Harbour Tech Summit" in campaign.linkedin
    assert not LITERAL.search(answer.output_text)
    assert answer.model == "gpt-6.2-sol"
    assert answer._request_id is not None
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0


async def test_equal_requests_get_equal_texts_and_other_events_get_others(client: AsyncOpenAI) -> None:
    texts = [
        (await client.responses.parse(model="gpt-6.2-sol", input=prompt, text_format=Campaign)).output_text
        for prompt in (PROMPT, PROMPT, PROMPT.replace("Harbour", "Valley"))
    ]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize("room", [1, 8, 25, 60, 160])
async def test_no_text_is_longer_than_its_limit(client: AsyncOpenAI, room: int) -> None:
    names = ("subject", "headline", "cta_label", "linkedin", "twitter", "message", "rationale", "anything")
    schema: Any = {
        "type": "object",
        "properties": {name: {"type": "string", "minLength": 1, "maxLength": room} for name in names},
        "required": list(names),
        "additionalProperties": False,
    }
    style: Any = {"format": {"type": "json_schema", "name": "texts", "strict": True, "schema": schema}}
    answer = await client.responses.create(model="gpt-6.2-sol", input=PROMPT, text=style)
    values = json.loads(answer.output_text)
    assert list(values) == list(names)
    assert all(1 <= len(text) <= room for text in values.values())


def test_merge_fields_are_used_only_where_a_description_allows_them() -> None:
    assert allowed_fields("Subject line.") == frozenset()
    assert allowed_fields("Label of the button. No merge fields.") == frozenset()
    assert "first_name" in allowed_fields("May carry merge fields such as {first_name} or {event_date}.")
    assert allowed_fields("May carry {event_date}, but not {first_name}.") >= {"event_date", "event_venue"}
    assert "first_name" not in allowed_fields("May carry {event_date}, but not {first_name}.")


async def test_the_event_is_called_by_its_merge_field_and_empty_fields_are_left_out(client: AsyncOpenAI) -> None:
    class Post(Strict):
        linkedin: str = Field(description="May carry merge fields such as {event_name} or {event_date}.")
        closing: str = Field(description="May carry {event_date}.")
        paragraphs: list[str] = Field(description="Two paragraphs. May carry {event_date}.", min_length=2, max_length=2)

    facts = json.dumps({"event": EVENT, "merge_fields_without_value": ["event_venue"]})
    answer = await client.responses.parse(
        model="gpt-6.2-sol", instructions="Write {event_name}, not its name.", input=facts, text_format=Post
    )
    assert "{event_name}" in answer.output_text
    assert "{event_venue}" not in answer.output_text
    assert "Harbour" not in answer.output_text


def test_a_text_is_never_cut_inside_a_merge_field() -> None:
    assert shorten("We meet on {event_date} at noon", 16) == "We meet on"
    assert shorten("One two three", 8) == "One two"


async def test_a_schema_that_strict_mode_refuses_is_refused(client: AsyncOpenAI) -> None:
    schema: dict[str, object] = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    style: Any = {"format": {"type": "json_schema", "name": "open", "strict": True, "schema": schema}}
    with pytest.raises(BadRequestError, match="additionalProperties"):
        await client.responses.create(model="gpt-6.2-sol", input=PROMPT, text=style)


async def test_a_pattern_nobody_can_fill_is_refused_with_its_place(client: AsyncOpenAI) -> None:
    schema: dict[str, object] = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^§{9}$"}}}
    style: Any = {"format": {"type": "json_schema", "name": "odd", "schema": schema}}
    with pytest.raises(BadRequestError, match="context=/a"):
        await client.responses.create(model="gpt-6.2-sol", input=PROMPT, text=style)


async def test_a_refusal_has_no_text(client: AsyncOpenAI, sandbox: httpx2.AsyncClient) -> None:
    await sandbox.post("/_sandbox/faults", json={"provider": "openai", "refusal": 1})
    answer = await client.responses.parse(model="gpt-6.2-sol", input=PROMPT, text_format=Campaign)
    assert (answer.status, answer.output_parsed) == ("completed", None)
    assert json.loads(answer.model_dump_json())["output"][0]["content"][0]["type"] == "refusal"


async def test_a_cut_off_answer_says_that_it_is_incomplete(client: AsyncOpenAI, sandbox: httpx2.AsyncClient) -> None:
    await sandbox.post("/_sandbox/faults", json={"provider": "openai", "next": ["truncate"]})
    for room in (100_000, 16):
        style: Any = {"format": {"type": "json_schema", "name": "campaign", "schema": Campaign.model_json_schema()}}
        answer = await client.responses.create(model="gpt-6.2-sol", input=PROMPT, text=style, max_output_tokens=room)
        assert answer.status == "incomplete"
        assert answer.incomplete_details is not None
        assert answer.incomplete_details.reason == "max_output_tokens"
        with pytest.raises(json.JSONDecodeError):
            json.loads(answer.output_text)


async def test_bad_keys_and_limits_raise_the_sdks_errors(
    address: str, client: AsyncOpenAI, sandbox: httpx2.AsyncClient
) -> None:
    assert "gpt-6.2-sol" in [model.id for model in (await client.models.list()).data]
    async with AsyncOpenAI(api_key="invalid", base_url=f"{address}/openai/v1", max_retries=0) as stranger:
        with pytest.raises(AuthenticationError) as refused:
            await stranger.models.list()
    assert refused.value.code == "invalid_api_key"
    await sandbox.post("/_sandbox/limits", json={"provider": "openai", "per_second": 1})

    async def ask_twice() -> None:
        for _ in range(2):
            await client.responses.create(model="gpt-6.2-sol", input=PROMPT)

    with pytest.raises(RateLimitError) as throttled:
        await within_a_second(ask_twice, lambda _: False)
    assert throttled.value.code == "rate_limit_exceeded"
    assert throttled.value.response.headers["retry-after"] == "1"
