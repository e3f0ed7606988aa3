"""OpenAI: one text generated in one request, in the form of a Pydantic model."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import openai
from openai.lib._pydantic import to_strict_json_schema
from openai.types.responses import Response
from pydantic import BaseModel, ValidationError

from providers.errors import ProviderError
from providers.http import Wire
from providers.rate import Pace

T = TypeVar("T", bound=BaseModel)

SECONDS = 60.0
MAX_OUTPUT_TOKENS = 8_000
SPENT = (
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
)
"""The codes of a 429 that waiting does not cure."""

PASSING = ("server_error", "rate_limit_exceeded", "vector_store_timeout")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a request was billed for, in tokens; cached ones are among the input, reasoning ones among the output."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Generated(Generic[T]):
    """What the model wrote, and where it came from."""

    value: T
    usage: Usage
    model: str
    request_id: str | None


class OpenAI:
    """One OpenAI account and the model to ask."""

    provider = "openai"

    def __init__(self, base_url: str, key: str, model: str) -> None:
        self._key = key
        self._model = model
        self.pace = Pace(50.0, burst=50)
        self._wire = Wire(
            self.provider,
            "OpenAI",
            base_url,
            self.pace,
            key="OPENAI_API_KEY",
            address="OPENAI_BASE_URL and OPENAI_MODEL",
            seconds=SECONDS,
        )
        self._client = openai.AsyncOpenAI(
            api_key=key or "absent",
            base_url=self._wire.base_url,
            timeout=self._wire.client.timeout,
            max_retries=0,
            http_client=self._wire.client,
        )
        # The SDK takes these from the environment, which may be another account's.
        self._client.organization = self._client.project = None

    async def aclose(self) -> None:
        """Close the account's connections."""
        await self._wire.aclose()

    async def generate(
        self,
        instructions: str,
        input: str,  # noqa: A002 - the API's name
        answer: type[T],
    ) -> Generated[T]:
        """Have the model fill the fields of `answer`. Words from people belong in `input`, never in `instructions`.

        Nothing is stored at OpenAI. Raises Rejected if the model declines, and Unavailable, to be asked again, if its
        answer is cut short or does not fit `answer`; either way the request was billed.
        """
        response = await self._create(instructions, input, answer)
        self._raise_unless_complete(response)
        try:
            value = answer.model_validate_json(response.output_text)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, one['loc'])) or 'answer'}: {one['msg']}" for one in error.errors()
            )
            raise self._wire.unavailable(
                f"OpenAI's answer does not fit {answer.__name__}: {problems}.", code="invalid_answer", refused=True
            ) from error
        request_id = response._request_id  # noqa: SLF001 - public, says the SDK's README
        return Generated(value, _usage(response), response.model, request_id)

    async def check(self) -> str:
        """List the models: says that the key may use the configured one, or raises."""
        self._wire.require(OPENAI_API_KEY=self._key)
        try:
            names = {model.id async for model in self._client.models.list()}
        except (openai.APIError, ValueError) as error:
            raise self._failure(error) from None
        if self._model not in names:
            message = f"OpenAI has no model {self._model} for this key: set OPENAI_MODEL to one that it lists."
            raise self._wire.rejected(message, code="model_not_found", scope="account")
        return f"key accepted, writes with {self._model}"

    async def _create(self, instructions: str, text: str, answer: type[BaseModel]) -> Response:
        self._wire.require(OPENAI_API_KEY=self._key)
        schema = to_strict_json_schema(answer)
        try:
            response = await self._client.responses.create(
                model=self._model,
                instructions=instructions,
                input=text,
                text={"format": {"type": "json_schema", "name": answer.__name__, "schema": schema, "strict": True}},
                store=False,
                max_output_tokens=MAX_OUTPUT_TOKENS,
            )
        except (openai.APIError, ValueError) as error:
            raise self._failure(error) from None
        # An answer that is not declared to be JSON is handed through as a text, whatever the signature says.
        if not isinstance(response, Response):
            raise self._unreadable()
        return response

    def _raise_unless_complete(self, response: Response) -> None:
        for item in response.output:
            for part in item.content if item.type == "message" else ():
                if part.type == "refusal":
                    raise self._wire.rejected(f"OpenAI's model declines: {part.refusal}", code="refusal")
        if response.status == "completed":
            return
        if response.error is not None:
            said = f"OpenAI could not answer ({response.error.code}): {response.error.message}"
            if response.error.code in PASSING:
                raise self._wire.unavailable(said, code=response.error.code, refused=True)
            raise self._wire.rejected(said, code=response.error.code)
        reason = (response.incomplete_details and response.incomplete_details.reason) or str(response.status)
        said = f"OpenAI's answer is not complete: {reason}."
        if reason == "content_filter":
            raise self._wire.rejected(said, code=reason)
        raise self._wire.unavailable(said, code=reason, refused=True)

    def _failure(self, error: openai.APIError | ValueError) -> ProviderError:
        if isinstance(error, (openai.APIConnectionError, UnicodeEncodeError)):
            return self._wire.unanswered(error.__cause__ or error)
        if not isinstance(error, openai.APIStatusError):
            return self._unreadable()
        body = error.body if isinstance(error.body, dict) else {}
        words = str(body.get("message") or error.response.reason_phrase)
        if error.code in SPENT:
            said = self._wire.said(error.status_code, error.code, words)
            return self._wire.rejected(f"{said} Check the account's billing.", code=error.code, scope="account")
        return self._wire.failed(error.status_code, words, code=error.code or "", headers=error.response.headers)

    def _unreadable(self) -> ProviderError:
        return self._wire.unavailable("OpenAI answered with something that its SDK cannot read.")


def _usage(response: Response) -> Usage:
    if (used := response.usage) is None:
        return Usage()
    return Usage(
        used.input_tokens,
        used.output_tokens,
        used.input_tokens_details.cached_tokens if used.input_tokens_details else 0,
        used.output_tokens_details.reasoning_tokens if used.output_tokens_details else 0,
    )
