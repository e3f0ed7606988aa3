"""The inbox: pages on which a person can browse what the sandbox accepted. No scripts, nothing from elsewhere."""

import urllib.parse
from base64 import b64decode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox import linkedin, twilio
from sandbox.state import PROVIDERS, Message, Sandbox

PAGE_SIZE = 50
LABELS = {
    "resend": "Email",
    "twilio": "WhatsApp",
    "openai": "Generated text",
    "linkedin": "LinkedIn",
    "x": "X",
    "facebook": "Facebook",
}
# The frame may load pictures and use inline styles, as a mail client does, and nothing else.
MAIL_POLICY = "sandbox; default-src 'none'; img-src * data:; style-src 'unsafe-inline'; font-src *"


def _clock(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%d %b %H:%M:%S")


def _people(to: str | Iterable[str]) -> str:
    return to if isinstance(to, str) else ", ".join(to)


def _masked(account: str) -> str:
    """Enough of a key to tell accounts apart, not enough to use it."""
    return account if len(account) <= 12 else f"{account[:8]}…{account[-4:]}"


_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, undefined=StrictUndefined
)
_pages.filters.update(clock=_clock, people=_people, masked=_masked)


def _page(name: str, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(_pages.get_template(name).render(labels=LABELS, **values), status)


def _matches(message: Message, words: str) -> bool:
    return not words or words in f"{message.title} {_people(message.to)} {message.sender}".lower()


async def inbox(request: Request) -> Response:
    """GET /: newest first; `provider`, `account` and `words` narrow it, `page` turns it."""
    sandbox: Sandbox = request.app.state.sandbox
    query = request.query_params
    provider = query.get("provider") if query.get("provider") in PROVIDERS else None
    account, words = (query.get("account") or None, query.get("words", "").strip().lower())
    number = max(1, int(query["page"])) if query.get("page", "").isdigit() else 1
    found = (
        message
        for message in reversed(sandbox.mailbox.messages)
        if provider in (None, message.provider) and account in (None, message.account) and _matches(message, words)
    )
    rows = list(islice(found, (number - 1) * PAGE_SIZE, number * PAGE_SIZE + 1))
    counts = sandbox.mailbox.counts()

    def link(**changes: Any) -> str:
        kept = {"provider": provider, "account": account, "words": words, "page": None} | changes
        return "/?" + urllib.parse.urlencode({name: value for name, value in kept.items() if value})

    return _page(
        "inbox.html",
        rows=rows[:PAGE_SIZE],
        counts={name: sum(accounts.values()) for name, accounts in counts.items()},
        accounts=sorted({key for name, keys in counts.items() if provider in (None, name) for key in keys}),
        provider=provider,
        account=account,
        words=words,
        number=number,
        more=len(rows) > PAGE_SIZE,
        link=link,
    )


def _found(request: Request) -> Message | None:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox.mailbox.find(request.path_params["provider"], request.path_params["id"])


async def message_page(request: Request) -> Response:
    """GET /messages/{provider}/{id}: one message as its reader would see it, and everything known about it."""
    message = _found(request)
    if message is None:
        return _page("missing.html", 404)
    content = message.content
    return _page(
        "message.html",
        message=message,
        content=content,
        text=_readable(message, content),
        details=_details(message, content),
        request_body=orjson.dumps(content, option=orjson.OPT_INDENT_2).decode(),
    )


def _readable(message: Message, content: Mapping[str, Any]) -> str:
    if message.provider == "twilio":
        return twilio.readable_body(content)
    if message.provider == "linkedin":
        return linkedin.readable_text(content)
    if message.provider == "openai":
        return _answer_text(content["response"])
    return str(content.get("text") or content.get("message") or "")


def _answer_text(response: Mapping[str, Any]) -> str:
    part = response["output"][0]["content"][0]
    text = str(part.get("text") or part.get("refusal"))
    try:
        return orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return text


def _details(message: Message, content: Mapping[str, Any]) -> dict[str, str]:
    """What is known beside the text, in reading order, without what is empty."""
    details = {
        "From": message.sender,
        "To": _people(message.to),
        "Cc": _people(content.get("cc") or ""),
        "Reply-To": _people(content.get("reply_to") or ""),
        "Link": str(content.get("link") or ""),
        "Template": message.template or "",
        "Callback": str(content.get("StatusCallback") or ""),
        "Our message id": message.message_id or "",
        "Provider's id": message.id,
        "Account": _masked(message.account),
    }
    headers = content.get("headers")
    return {name: value for name, value in details.items() if value} | (headers if isinstance(headers, dict) else {})


async def message_html(request: Request) -> Response:
    """GET /messages/{provider}/{id}/html: the mail's own HTML, for a frame that runs nothing."""
    message = _found(request)
    html = message.content.get("html") if message else None
    return HTMLResponse(html or "", 200 if html else 404, {"content-security-policy": MAIL_POLICY})


async def attachment(request: Request) -> Response:
    """GET /messages/{provider}/{id}/attachments/{number}: the file, to be kept, never to be run."""
    message, number = _found(request), request.path_params["number"]
    if message is None or number >= message.attached:
        return _page("missing.html", 404)
    file = message.attachments[number]
    name = urllib.parse.quote(str(file.get("filename") or "file"))
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}", "x-content-type-options": "nosniff"}
    return Response(b64decode(file.get("content") or ""), headers=headers, media_type="application/octet-stream")


routes = [
    Route("/", inbox, methods=["GET"]),
    Route("/messages/{provider}/{id:path}/attachments/{number:int}", attachment, methods=["GET"]),
    Route("/messages/{provider}/{id:path}/html", message_html, methods=["GET"]),
    Route("/messages/{provider}/{id:path}", message_page, methods=["GET"]),
]
