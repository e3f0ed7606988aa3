"""Stand-in for LinkedIn's versioned Posts API."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import Provider, Reading, Refused, bearer, json_response, serve
from sandbox.state import Message, Payload, Sandbox

COMMENTARY_LIMIT = 3000
AUTHOR = re.compile(r"urn:li:(?:person|organization):[\w-]+")
REQUIRED = ("author", "commentary", "visibility", "distribution", "lifecycleState")
ESCAPED = re.compile(r"\\([\\|{}@\[\]()<>#*_~])")


def _error(status: int, code: str, message: str, service_code: int | None = None) -> Response:
    body: dict[str, Any] = {"status": status, "code": code, "message": message}
    if service_code is not None:
        body["serviceErrorCode"] = service_code
    return json_response(status, body)


def _throttled(_: Reading) -> Response:
    message = "Resource level throttle limit for calls to this resource is reached."
    return _error(429, "TOO_MANY_REQUESTS", message, 101)


LINKEDIN = Provider(
    "linkedin",
    throttled=_throttled,
    broken=lambda: _error(500, "INTERNAL_SERVER_ERROR", "Internal Server Error"),
    limit_headers=lambda _: {"x-li-uuid": secrets.token_urlsafe(16)},
    unreadable=lambda: _error(403, "ACCESS_DENIED", "Not enough permissions to access: posts.FINDER-author", 100),
)


def _account(request: Request) -> str:
    token = bearer(request)
    if not token:
        raise Refused(_error(401, "EMPTY_ACCESS_TOKEN", "Empty oauth2 access token", 65604))
    if token.startswith("invalid"):
        raise Refused(_error(401, "INVALID_ACCESS_TOKEN", "Invalid access token", 65600))
    return token


def _check_headers(request: Request) -> None:
    version = request.headers.get("linkedin-version")
    if not version:
        message = "A version must be present. Please specify a version by adding the LinkedIn-Version header."
        raise Refused(_error(400, "VERSION_MISSING", message))
    if not re.fullmatch(r"20\d{2}(?:0[1-9]|1[0-2])(?:\.\d{2})?", version):
        raise Refused(_error(426, "NONEXISTENT_VERSION", f"Requested version {version} is not active"))
    if request.headers.get("x-restli-protocol-version") != "2.0.0":
        message = "The header X-Restli-Protocol-Version must be 2.0.0"
        raise Refused(_error(400, "INVALID_PROTOCOL_VERSION", message))


def _check(post: Any) -> None:
    if not isinstance(post, dict):
        raise Refused(_error(400, "BAD_REQUEST", "The request body is not a JSON object"))
    for field in REQUIRED:
        if not post.get(field):
            message = f"ERROR :: /{field} :: field is required but not found and has no default value"
            raise Refused(_error(422, "UNPROCESSABLE_ENTITY", message))
    if not AUTHOR.fullmatch(str(post["author"])):
        raise Refused(_error(422, "UNPROCESSABLE_ENTITY", f"ERROR :: /author :: {post['author']!r} is not a valid URN"))
    length = len(post["commentary"])
    if length > COMMENTARY_LIMIT:
        message = f"ERROR :: /commentary :: length of {length} exceeds the maximum of {COMMENTARY_LIMIT}"
        raise Refused(_error(422, "UNPROCESSABLE_ENTITY", message))


def readable_text(post: Mapping[str, Any]) -> str:
    """The commentary as its readers see it, without the backslashes of little text."""
    return ESCAPED.sub(r"\1", str(post["commentary"]))


async def create_post(request: Request) -> Response:
    """POST /rest/posts: 201 with the post's URN in x-restli-id and no body."""
    account = _account(request)
    _check_headers(request)
    sandbox: Sandbox = request.app.state.sandbox

    async def answer() -> Response:
        body = await request.body()
        try:
            post = orjson.loads(body)
        except orjson.JSONDecodeError:
            post = None
        _check(post)
        message = Message(
            provider="linkedin",
            account=account,
            id=f"urn:li:share:{7_000_000_000_000_000_000 + secrets.randbelow(10**17)}",
            sender=post["author"],
            to=post["visibility"],
            title=readable_text(post)[:120],
            payload=Payload(body),
        )
        sandbox.mailbox.add(message)
        return Response(status_code=201, headers={"x-restli-id": message.id, "x-linkedin-id": message.id})

    return await serve(request, LINKEDIN, account, answer)


async def list_posts(request: Request) -> Response:
    """GET /rest/posts?q=author&author=..., newest first."""
    account = _account(request)
    _check_headers(request)
    sandbox: Sandbox = request.app.state.sandbox

    async def answer() -> Response:
        query = request.query_params
        if query.get("q") != "author" or not query.get("author"):
            raise Refused(_error(400, "ILLEGAL_ARGUMENT", "The finder needs q=author and an author"))
        start, count = int(query.get("start", 0)), min(100, int(query.get("count", 10)))
        posts = [post for post in reversed(sandbox.listed("linkedin", account)) if post.sender == query["author"]]
        elements = [
            {**post.content, "id": post.id, "createdAt": _millis(post), "publishedAt": _millis(post)}
            for post in posts[start : start + count]
        ]
        paging = {"start": start, "count": count, "total": len(posts), "links": []}
        return json_response(200, {"paging": paging, "elements": elements})

    return await serve(request, LINKEDIN, account, answer, read=True)


def _millis(post: Message) -> int:
    return int(post.accepted_at * 1000)


async def get_userinfo(request: Request) -> Response:
    """GET /v2/userinfo: what a check of the token calls."""
    account = _account(request)

    async def answer() -> Response:
        return json_response(
            200, {"sub": "sandbox", "name": "Sandbox Member", "locale": {"language": "en", "country": "US"}}
        )

    return await serve(request, LINKEDIN, account, answer, read=True)


routes = [
    Route("/rest/posts", create_post, methods=["POST"]),
    Route("/rest/posts", list_posts, methods=["GET"]),
    Route("/v2/userinfo", get_userinfo, methods=["GET"]),
]
