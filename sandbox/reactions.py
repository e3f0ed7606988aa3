"""How people are told what to do, and when the clock of a stepped account moves.

POST /endpoints  {provider, account, url, secret, stepped}: where an account's webhooks go.
POST /scripts    [{who, what, after, to, text, agent, sender, once}]: what people do from now on; replaces what they did before.
GET  /reactions  ?account=A&account=B&now=T: {"next": the next due instant or null}.
POST /react      {account: A or [A, B], now: T}: plays what is due, and answers once all of it was taken with a 2xx.
"""

from datetime import UTC, datetime

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import json_response
from sandbox.people import Endpoint, Script
from sandbox.state import Sandbox


async def register(request: Request) -> Response:
    """POST: where an account's webhooks go, the secret that signs them, and whether it lives by a stepped clock."""
    try:
        wish = orjson.loads(await request.body())
        endpoint = Endpoint(**wish)
        if endpoint.provider not in ("resend", "twilio"):
            raise ValueError(f"provider is {endpoint.provider!r}; say resend or twilio")
    except (TypeError, ValueError) as problem:
        return json_response(400, {"error": str(problem)})
    people = _sandbox(request).people
    people.endpoints[endpoint.provider, endpoint.account] = endpoint
    return Response(status_code=204)


async def set_scripts(request: Request) -> Response:
    """POST: what people do from now on."""
    try:
        wishes = orjson.loads(await request.body())
        if not isinstance(wishes, list):
            raise ValueError("the body must be a list of scripts")  # noqa: TRY004 - one kind of error for every bad body
        scripts = [Script.parse(wish) for wish in wishes]
    except ValueError as problem:
        return json_response(400, {"error": str(problem)})
    _sandbox(request).people.scripts = scripts
    return Response(status_code=204)


async def get_reactions(request: Request) -> Response:
    """GET: when anything happens next on the stepped clock of these accounts, which stands at `now`."""
    query = request.query_params
    try:
        now = _instant(query.get("now"))
    except ValueError as problem:
        return json_response(400, {"error": str(problem)})
    return json_response(200, {"next": _sandbox(request).people.upcoming(query.getlist("account"), now)})


async def react(request: Request) -> Response:
    """POST: the stepped clock of these accounts has come to `now`; answers once everything due was taken."""
    try:
        wish = orjson.loads(await request.body())
        named = wish["account"]
        now = _instant(wish["now"])
    except (KeyError, TypeError, ValueError) as problem:
        return json_response(400, {"error": f"say account and now: {problem}"})
    sandbox = _sandbox(request)
    due = sandbox.people.due([named] if isinstance(named, str) else named, now)
    problems = await sandbox.player.play(sandbox.people, due)
    if problems:
        return json_response(502, {"error": problems[0], "undelivered": len(problems)})
    return json_response(200, {"played": len(due)})


def _sandbox(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


def _instant(text: object) -> datetime:
    at = datetime.fromisoformat(str(text))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


routes = [
    Route("/endpoints", register, methods=["POST"]),
    Route("/scripts", set_scripts, methods=["POST"]),
    Route("/reactions", get_reactions, methods=["GET"]),
    Route("/react", react, methods=["POST"]),
]
