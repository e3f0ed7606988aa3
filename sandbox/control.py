"""What tests and tools ask of the sandbox itself: messages, counts, faults, limits, opt-outs, reset."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import json_response
from sandbox.state import PROVIDERS, Message, Sandbox

FIELDS: dict[str, Callable[[Message], Any]] = {
    "id": lambda message: message.id,
    "provider": lambda message: message.provider,
    "account": lambda message: message.account,
    "message_id": lambda message: message.message_id,
    "to": lambda message: message.to,
    "from": lambda message: message.sender,
    "subject": lambda message: message.title,
    "accepted_at": lambda message: datetime.fromtimestamp(message.accepted_at, UTC),
    "tags": lambda message: message.tags,
    "template": lambda message: message.template,
    "attachments": lambda message: message.attachments,
    "position": lambda message: message.position,
}
ON_REQUEST: dict[str, Callable[[Message], Any]] = {
    "content": lambda message: message.content,
}
"""What is long: shown only where `fields` names it."""
SUMMARY = ("id", "provider", "account", "message_id", "to")


def _sandbox(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


async def _wish(request: Request) -> dict[str, Any]:
    """The JSON object in the body. Raises ValueError for anything else."""
    wish = orjson.loads(await request.body() or b"{}")
    if not isinstance(wish, dict):
        raise ValueError("the body must be a JSON object")  # noqa: TRY004 - one kind of error for every bad body
    return wish


def _refused(problem: ValueError) -> Response:
    return json_response(400, {"error": str(problem)})


async def list_messages(request: Request) -> Response:
    """GET: accepted messages, oldest first; `provider`, `account`, `after` (a position), `limit`, `fields`, `summary`.

    Without `fields` all are shown but `content`, the request as it was sent.
    """
    query = request.query_params
    names = query["fields"].split(",") if "fields" in query else SUMMARY if query.get("summary") else tuple(FIELDS)
    known = FIELDS | ON_REQUEST
    if unknown := set(names) - set(known):
        return _refused(ValueError(f"unknown field {', '.join(sorted(unknown))}; say {', '.join(known)}"))
    after = int(query.get("after", -1))
    limit = int(query["limit"]) if "limit" in query else None
    columns = [(name, known[name]) for name in names]
    chosen = list(_sandbox(request).mailbox.select(query.get("provider"), query.get("account"), after))
    rows = [{name: read(message) for name, read in columns} for message in chosen[:limit]]
    return json_response(200, {"total": len(chosen), "messages": rows})


async def get_counts(request: Request) -> Response:
    """GET: per provider, how many sending requests came and how many messages were accepted, per account too; how many webhooks were taken."""
    sandbox = _sandbox(request)
    providers = {
        provider: {"requests": sandbox.requests[provider], "accepted": sum(accounts.values()), "accounts": accounts}
        for provider, accounts in sandbox.mailbox.counts().items()
    }
    webhooks = sandbox.player.delivered
    return json_response(200, {"total": len(sandbox.mailbox.messages), "webhooks": webhooks, "providers": providers})


async def set_faults(request: Request) -> Response:
    """POST: replace a provider's faults."""
    try:
        _sandbox(request).faults.set(await _wish(request))
    except ValueError as problem:
        return _refused(problem)
    return Response(status_code=204)


async def set_limit(request: Request) -> Response:
    """POST: requests per second for a provider or `all`; null is no limit."""
    try:
        wish = await _wish(request)
        provider, per_second = wish.get("provider"), wish.get("per_second")
        if provider not in (*PROVIDERS, "all"):
            raise ValueError(f"provider is {provider!r}; say one of {', '.join(PROVIDERS)} or all")
        if per_second is not None and (not isinstance(per_second, int) or per_second < 1):
            raise ValueError("per_second is a whole number of at least 1, or null")
    except ValueError as problem:
        return _refused(problem)
    for name in PROVIDERS if provider == "all" else (provider,):
        _sandbox(request).limits.set(name, per_second)
    return Response(status_code=204)


async def stop(request: Request) -> Response:
    """POST: the address (`whatsapp:+...`) has answered STOP; Twilio refuses it from now on."""
    try:
        wish = await _wish(request)
    except ValueError as problem:
        return _refused(problem)
    _sandbox(request).stopped.add(str(wish.get("address")))
    return Response(status_code=204)


async def reset(request: Request) -> Response:
    """POST: as if just started."""
    _sandbox(request).reset()
    return Response(status_code=204)


async def healthz(_: Request) -> Response:
    """GET: the sandbox is there."""
    return json_response(200, {"status": "ok"})


routes = [
    Route("/messages", list_messages, methods=["GET"]),
    Route("/counts", get_counts, methods=["GET"]),
    Route("/faults", set_faults, methods=["POST"]),
    Route("/limits", set_limit, methods=["POST"]),
    Route("/stop", stop, methods=["POST"]),
    Route("/reset", reset, methods=["POST"]),
    Route("/healthz", healthz, methods=["GET"]),
]
