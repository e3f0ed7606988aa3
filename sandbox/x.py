"""Stand-in for X: creating posts, weighted length, duplicates, the user's timeline."""

import re
import secrets
import time
import unicodedata
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import Provider, Reading, Refused, bearer, serve
from sandbox.state import Message, Payload, Sandbox

TEXT_LIMIT = 280
URL_WEIGHT = 23
URL = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
EMOJI = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff](?:[\ufe0f\U0001f3fb-\U0001f3ff]|\u200d[\u2600-\U0001faff])*")
# Code points that weigh 1; every other weighs 2 (the vendor's published ranges).
LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
OAUTH_TOKEN = re.compile(r'oauth_token="([^"]+)"')


def _json(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    media_type = "application/json" if status < 400 else "application/problem+json"
    return Response(orjson.dumps(body), status, headers, media_type=media_type)


def _problem(status: int, title: str, detail: str) -> Response:
    return _json(status, {"title": title, "type": "about:blank", "status": status, "detail": detail})


def _invalid(detail: str) -> Response:
    problem = "https://api.x.com/2/problems/invalid-request"
    body = {"errors": [{"message": detail}], "title": "Invalid Request", "detail": detail, "type": problem}
    return _json(400, {**body, "status": 400})


def _limit_headers(reading: Reading) -> dict[str, str]:
    if reading.limit is None:
        return {}
    return {
        "x-rate-limit-limit": str(reading.limit),
        "x-rate-limit-remaining": str(reading.remaining),
        "x-rate-limit-reset": str(int(time.time() + reading.reset_seconds) + 1),
    }


X = Provider(
    "x",
    throttled=lambda _: _problem(429, "Too Many Requests", "Too Many Requests"),
    broken=lambda: _problem(500, "Internal Server Error", "Something is broken. This is usually a temporary error."),
    limit_headers=_limit_headers,
    unreadable=lambda: _problem(403, "Forbidden", "Your token lacks the scope tweet.read."),
)


def weight(text: str) -> int:
    """The length of a text as X counts it: NFC, links 23, most scripts 1, CJK and emoji 2."""
    text = unicodedata.normalize("NFC", text)
    bare, links = URL.subn("", text)
    bare, emoji = EMOJI.subn("", bare)
    return links * URL_WEIGHT + emoji * 2 + sum(1 if _light(ord(letter)) else 2 for letter in bare)


def _light(code: int) -> bool:
    return any(low <= code <= high for low, high in LIGHT)


def _account(request: Request) -> str:
    """The OAuth 2 bearer token, or the token of an OAuth 1.0a signature."""
    signed = OAUTH_TOKEN.search(request.headers.get("authorization", ""))
    token = signed.group(1) if signed else bearer(request)
    if not token or token.startswith("invalid"):
        raise Refused(_problem(401, "Unauthorized", "Unauthorized"))
    return token


def _user_id(account: str) -> str:
    return str(1_000_000_000 + zlib.crc32(account.encode()))


async def create_post(request: Request) -> Response:
    """POST /2/tweets: 201 with id and text; 403 for a text that this user has posted before."""
    account = _account(request)
    sandbox: Sandbox = request.app.state.sandbox

    async def answer() -> Response:
        body = await request.body()
        try:
            post = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise Refused(_invalid("The request body is not valid JSON.")) from None
        text = post.get("text") if isinstance(post, dict) else None
        if not isinstance(text, str) or not text.strip():
            raise Refused(_invalid("One of `text` or `media` is required."))
        if weight(text) > TEXT_LIMIT:
            raise Refused(_invalid(f"Your post is too long: it weighs {weight(text)} of {TEXT_LIMIT} characters."))
        if any(earlier.content["text"] == text for earlier in sandbox.mailbox.of("x", account)):
            detail = "You are not allowed to create a Tweet with duplicate content."
            raise Refused(_problem(403, "Forbidden", detail))
        message = Message(
            provider="x",
            account=account,
            id=str(1_900_000_000_000_000_000 + secrets.randbelow(10**17)),
            sender=_user_id(account),
            to="public",
            title=text[:120],
            payload=Payload(body),
        )
        sandbox.mailbox.add(message)
        return _json(201, {"data": {"id": message.id, "text": text, "edit_history_tweet_ids": [message.id]}})

    return await serve(request, X, account, answer)


def _post(message: Message) -> dict[str, Any]:
    at = datetime.fromtimestamp(message.accepted_at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"id": message.id, "text": message.content["text"], "author_id": message.sender, "created_at": at}


async def list_posts(request: Request) -> Response:
    """GET /2/users/{id}/tweets, newest first, paged by `pagination_token`."""
    account = _account(request)
    sandbox: Sandbox = request.app.state.sandbox

    async def answer() -> Response:
        if request.path_params["id"] != _user_id(account):
            return _json(200, {"meta": {"result_count": 0}})
        start = int(request.query_params.get("pagination_token", 0))
        count = int(request.query_params.get("max_results", 10))
        if not 5 <= count <= 100:
            raise Refused(_invalid(f"The `max_results` query parameter value [{count}] is not between 5 and 100"))
        newest = sandbox.listed("x", account)[::-1]
        page = newest[start : start + count]
        meta: dict[str, Any] = {"result_count": len(page)}
        if not page:
            return _json(200, {"meta": meta})
        meta |= {"newest_id": page[0].id, "oldest_id": page[-1].id}
        if len(newest) > start + count:
            meta["next_token"] = str(start + count)
        return _json(200, {"data": [_post(message) for message in page], "meta": meta})

    return await serve(request, X, account, answer, read=True)


async def get_me(request: Request) -> Response:
    """GET /2/users/me."""
    account = _account(request)

    async def answer() -> Response:
        return _json(200, {"data": {"id": _user_id(account), "name": "Sandbox", "username": "sandbox"}})

    return await serve(request, X, account, answer, read=True)


routes = [
    Route("/2/tweets", create_post, methods=["POST"]),
    Route("/2/users/me", get_me, methods=["GET"]),
    Route("/2/users/{id}/tweets", list_posts, methods=["GET"]),
]
