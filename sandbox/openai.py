"""Stand-in for OpenAI: the Responses API with strict JSON schemas, and the list of models."""

import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.facts import Facts
from sandbox.faults import Provider, Reading, Refused, bearer, json_response, serve
from sandbox.generator import Generator, UnsupportedSchema
from sandbox.state import Message, Payload, Sandbox

MODELS = ("gpt-6-astra", "gpt-6.2-astra", "gpt-6.2-sol", "gpt-5.6-sol", "gpt-5.6-luna")
REFUSAL = "I'm sorry, but I can't help with that request."
BYTES_PER_TOKEN = 4


def _error(status: int, kind: str, code: str | None, message: str, param: str | None = None) -> Response:
    error = {"message": message, "type": kind, "param": param, "code": code}
    return json_response(status, {"error": error}, {"x-request-id": _request_id()})


def _bad_request(message: str, param: str | None, code: str | None = None) -> Refused:
    return Refused(_error(400, "invalid_request_error", code, message, param))


def _request_id() -> str:
    return f"req_{secrets.token_hex(16)}"


def _throttled(reading: Reading) -> Response:
    message = "Rate limit reached for requests. Please try again later."
    response = _error(429, "requests", "rate_limit_exceeded", message)
    response.headers["retry-after"] = str(max(1, round(reading.reset_seconds)))
    return response


def _limit_headers(reading: Reading) -> dict[str, str]:
    if reading.limit is None:
        return {}
    return {
        "x-ratelimit-limit-requests": str(reading.limit),
        "x-ratelimit-remaining-requests": str(reading.remaining),
        "x-ratelimit-reset-requests": f"{reading.reset_seconds:.3f}s",
    }


OPENAI = Provider(
    "openai",
    throttled=_throttled,
    broken=lambda: _error(500, "server_error", None, "The server had an error while processing your request."),
    limit_headers=_limit_headers,
)


def _account(request: Request) -> str:
    key = bearer(request)
    if not key:
        message = "You didn't provide an API key. You need to provide your API key in an Authorization header."
        raise Refused(_error(401, "invalid_request_error", None, message))
    if key.startswith("invalid"):
        message = f"Incorrect API key provided: {key[:7]}***. You can find your API key in your account settings."
        raise Refused(_error(401, "invalid_request_error", "invalid_api_key", message))
    return key


def _input_text(value: Any) -> str:
    """All text of an `input`: a text, or messages whose content is a text or parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(_input_text(item) for item in value)
    return _input_text(value.get("content") or value.get("text") or "") if isinstance(value, dict) else ""


def _check_strict(schema: Any, where: tuple[str, ...] = ()) -> None:
    """Refuse what the vendor's strict mode refuses: open objects and optional properties."""
    if isinstance(schema, list):
        for part in schema:
            _check_strict(part, where)
    if not isinstance(schema, dict):
        return
    if properties := schema.get("properties"):
        problem = ""
        if schema.get("additionalProperties") is not False:
            problem = "'additionalProperties' is required to be supplied and to be false."
        elif set(schema.get("required", ())) != set(properties):
            problem = "'required' is required to be supplied and to be an array including every key in properties."
        if problem:
            message = f"Invalid schema for response_format: In context={where}, {problem}"
            raise _bad_request(message, "text.format.schema", "invalid_json_schema")
    for key, part in schema.items():
        if isinstance(part, dict | list) and key not in ("enum", "const", "required", "default", "examples"):
            _check_strict(part, (*where, key))


def _written(wish: Mapping[str, Any], text: str) -> tuple[str, str]:
    """The answer's text and the name of what it is."""
    style = (wish.get("text") or {}).get("format") or {"type": "text"}
    seed = hashlib.blake2b(orjson.dumps([text, wish.get("instructions"), style]), digest_size=16).hexdigest()
    if style.get("type") == "text":
        schema: dict[str, Any] = {"type": "string", "title": "text"}
        return str(Generator(schema, Facts.found_in(text), seed).answer()), "text"
    if style.get("type") != "json_schema" or not isinstance(style.get("schema"), dict):
        raise _bad_request("Supported are the formats text and json_schema with a schema.", "text.format")
    if not style.get("name"):
        raise _bad_request("Missing required parameter: 'text.format.name'.", "text.format.name")
    if style.get("strict"):
        _check_strict(style["schema"])
    try:
        value = Generator(style["schema"], Facts.found_in(text), seed, wish.get("instructions") or "").answer()
    except (UnsupportedSchema, KeyError) as problem:
        message = f"Invalid schema for response_format '{style['name']}': {problem}"
        raise _bad_request(message, "text.format.schema", "invalid_json_schema") from None
    return orjson.dumps(value).decode(), style["name"]


async def create_response(request: Request) -> Response:
    """POST /v1/responses: a completed answer; the faults `refusal` and `truncate` make it another kind."""
    account = _account(request)
    sandbox: Sandbox = request.app.state.sandbox

    async def answer() -> Response:
        try:
            wish = orjson.loads(await request.body())
        except orjson.JSONDecodeError:
            raise _bad_request("We could not parse the JSON body of your request.", None) from None
        if not isinstance(wish, dict) or not wish.get("model"):
            raise _bad_request("Missing required parameter: 'model'.", "model", "missing_required_parameter")
        if wish["model"].startswith("invalid"):
            message = f"The requested model '{wish['model']}' does not exist."
            raise _bad_request(message, "model", "model_not_found")
        text = _input_text(wish.get("input"))
        if not text:
            raise _bad_request("Missing required parameter: 'input'.", "input", "missing_required_parameter")
        written, name = _written(wish, text)
        response = _response(wish, text, written, request.state.fault)
        answered = Message(
            provider="openai",
            account=account,
            id=response["id"],
            sender=wish["model"],
            to=name,
            title=f"{response['status']} · {wish['model']}",
            payload=Payload(orjson.dumps({"request": wish, "response": response})),
            message_id=(wish.get("metadata") or {}).get("message_id"),
        )
        sandbox.mailbox.add(answered)
        headers = {"x-request-id": _request_id(), "openai-processing-ms": "1", "openai-version": "2020-10-01"}
        return json_response(200, response, headers)

    return await serve(request, OPENAI, account, answer)


def _response(wish: Mapping[str, Any], text: str, written: str, fault: str | None) -> dict[str, Any]:
    """The response object around the written text; cut off where `max_output_tokens` or a fault says so."""
    room = wish.get("max_output_tokens")
    tokens = len(written.encode()) // BYTES_PER_TOKEN + 1
    if fault == "truncate":
        room = tokens // 2
    truncated = False
    if room is not None and tokens > room:
        truncated, tokens, written = True, room, written[: room * BYTES_PER_TOKEN]
    part: dict[str, Any] = {"type": "output_text", "text": written, "annotations": [], "logprobs": []}
    if fault == "refusal":
        part = {"type": "refusal", "refusal": REFUSAL}
    status = "incomplete" if truncated else "completed"
    read = len(f"{wish.get('instructions') or ''}{text}".encode()) // BYTES_PER_TOKEN + 1
    item = {"id": f"msg_{secrets.token_hex(24)}", "type": "message", "status": status, "role": "assistant"}
    return {
        "id": f"resp_{secrets.token_hex(24)}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if truncated else None,
        "instructions": wish.get("instructions"),
        "max_output_tokens": wish.get("max_output_tokens"),
        "metadata": wish.get("metadata") or {},
        "model": wish["model"],
        "output": [{**item, "content": [part]}],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": wish.get("store", True),
        "temperature": wish.get("temperature", 1.0),
        "text": wish.get("text") or {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read + tokens,
        },
    }


async def list_models(request: Request) -> Response:
    """GET /v1/models: what a check of the key calls."""
    account = _account(request)

    async def answer() -> Response:
        models = [{"id": name, "object": "model", "created": 1_780_000_000, "owned_by": "openai"} for name in MODELS]
        return json_response(200, {"object": "list", "data": models}, {"x-request-id": _request_id()})

    return await serve(request, OPENAI, account, answer, read=True)


routes = [Route("/v1/responses", create_response, methods=["POST"]), Route("/v1/models", list_models, methods=["GET"])]
