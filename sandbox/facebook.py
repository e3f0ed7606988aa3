"""Stand-in for the Facebook Graph API: a page's feed."""

import secrets
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import Provider, Reading, Refused, bearer, json_response, serve
from sandbox.state import Message, Payload, Sandbox


def _error(status: int, code: int, message: str, **more: Any) -> Response:
    error = {
        "message": message,
        "type": "OAuthException",
        "code": code,
        **more,
        "fbtrace_id": secrets.token_urlsafe(17),
    }
    return json_response(status, {"error": error})


def _usage(reading: Reading) -> dict[str, str]:
    percent = 0 if reading.limit is None else round(100 * (1 - reading.remaining / max(1, reading.limit)))
    usage = {"call_count": percent, "total_cputime": percent, "total_time": percent}
    business = {"type": "pages", **usage, "estimated_time_to_regain_access": 0 if percent < 100 else 1}
    return {
        "x-app-usage": orjson.dumps(usage).decode(),
        "x-business-use-case-usage": orjson.dumps({"sandbox": [business]}).decode(),
        "facebook-api-version": "v26.0",
    }


def _throttled(_: Reading) -> Response:
    return _error(403, 32, "(#32) Page request limit reached")


FACEBOOK = Provider(
    "facebook",
    throttled=_throttled,
    broken=lambda: _error(500, 1, "An unknown error occurred", is_transient=True),
    limit_headers=_usage,
    unreadable=lambda: _error(403, 10, "(#10) This endpoint requires the 'pages_read_engagement' permission"),
)


async def _fields(request: Request) -> dict[str, Any]:
    """Query and body as one set of fields; the Graph API takes either, form or JSON."""
    body = await request.body()
    fields: dict[str, Any] = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            fields |= orjson.loads(body or b"{}")
        except (orjson.JSONDecodeError, TypeError):
            raise Refused(_error(400, 100, "(#100) The request body is not a JSON object")) from None
    else:
        fields |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    return fields


def _account(request: Request, fields: dict[str, Any]) -> str:
    token = fields.pop("access_token", None) or bearer(request)
    if not token:
        raise Refused(_error(400, 104, "An access token is required to request this resource."))
    if token.startswith("invalid"):
        raise Refused(_error(401, 190, "Invalid OAuth access token - Cannot parse access token"))
    return str(token)


async def create_post(request: Request) -> Response:
    """POST /{version}/{page}/feed: the id is page and post; the page's last text again is a duplicate (506)."""
    fields = await _fields(request)
    account = _account(request, fields)
    sandbox: Sandbox = request.app.state.sandbox
    page = request.path_params["page"]

    async def answer() -> Response:
        if not fields.get("message") and not fields.get("link"):
            raise Refused(_error(400, 100, "(#100) The parameter message or link is required"))
        posts = [post for post in sandbox.mailbox.of("facebook", account) if post.sender == page]
        if posts and posts[-1].content == fields:
            raise Refused(_error(400, 506, "(#506) Duplicate status message"))
        message = Message(
            provider="facebook",
            account=account,
            id=f"{page}_{122_000_000_000_000 + secrets.randbelow(10**12)}",
            sender=page,
            to="public",
            title=str(fields.get("message") or fields["link"])[:120],
            payload=Payload(orjson.dumps(fields)),
        )
        sandbox.mailbox.add(message)
        return json_response(200, {"id": message.id})

    return await serve(request, FACEBOOK, account, answer)


def _post(message: Message) -> dict[str, Any]:
    at = datetime.fromtimestamp(message.accepted_at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
    return {"id": message.id, "created_time": at, "message": message.content.get("message", "")}


async def list_posts(request: Request) -> Response:
    """GET /{version}/{page}/feed, newest first, paged by `after`."""
    fields = await _fields(request)
    account = _account(request, fields)
    sandbox: Sandbox = request.app.state.sandbox
    page = request.path_params["page"]

    async def answer() -> Response:
        start, count = (int(fields.get("after", 0)), min(100, int(fields.get("limit", 25))))
        posts = [post for post in reversed(sandbox.listed("facebook", account)) if post.sender == page]
        body: dict[str, Any] = {"data": [_post(post) for post in posts[start : start + count]]}
        if len(posts) > start + count:
            after = str(start + count)
            query = urlencode({**fields, "after": after})
            body["paging"] = {"cursors": {"after": after}, "next": f"{request.url.replace(query=query)}"}
        return json_response(200, body)

    return await serve(request, FACEBOOK, account, answer, read=True)


async def get_page(request: Request) -> Response:
    """GET /{version}/{page}: what a check of the token calls."""
    fields = await _fields(request)
    account = _account(request, fields)

    async def answer() -> Response:
        return json_response(200, {"id": request.path_params["page"], "name": "Sandbox Page"})

    return await serve(request, FACEBOOK, account, answer, read=True)


routes = [
    Route("/{version}/{page}/feed", create_post, methods=["POST"]),
    Route("/{version}/{page}/feed", list_posts, methods=["GET"]),
    Route("/{version}/{page}", get_page, methods=["GET"]),
]
