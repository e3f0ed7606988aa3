"""Stand-in for Resend: single mail, with attachments too, and batch mail, idempotency keys, the list of sent mail."""

import binascii
import hashlib
import re
import sys
import time
import uuid
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import Provider, Reading, Refused, bearer, json_response, serve
from sandbox.state import IDEMPOTENCY_SECONDS, Answer, Message, Payload, Sandbox
from sandbox.webhooks import rfc_id

BATCH_LIMIT = 100
RECIPIENT_LIMIT = 50
ATTACHMENTS_BYTES = 40 * 1024 * 1024
ADDRESS = re.compile(r"[^\s<>@,;\"]+@[^\s<>@,;\".]+(?:\.[^\s<>@,;\".]+)+")
NAMED_ADDRESS = re.compile(rf"[^<>\r\n]*<{ADDRESS.pattern}>")
TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
NOT_IN_BATCH = ("attachments", "scheduled_at")
REQUIRED = ("from", "to", "subject")
BAD_ADDRESS = "Invalid `{}` field. The email address needs to follow the `email@example.com` or `Name <email@example.com>` format."


class _Invalid(Exception):
    """One mail is not acceptable: error name and message in Resend's words."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def _error(status: int, name: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return json_response(status, {"statusCode": status, "name": name, "message": message}, headers)


def _limit_headers(reading: Reading) -> dict[str, str]:
    if reading.limit is None:
        return {}
    reset = str(max(1, round(reading.reset_seconds)))
    return {
        "ratelimit-limit": str(reading.limit),
        "ratelimit-remaining": str(reading.remaining),
        "ratelimit-reset": reset,
    }


def _throttled(reading: Reading) -> Response:
    message = f"Too many requests. You can only make {reading.limit or 10} requests per second. See rate limits."
    return _error(429, "rate_limit_exceeded", message, {"retry-after": str(max(1, round(reading.reset_seconds)))})


RESEND = Provider(
    "resend",
    throttled=_throttled,
    broken=lambda: _error(500, "internal_server_error", "An unexpected error occurred."),
    limit_headers=_limit_headers,
    unreadable=lambda: _error(401, "restricted_api_key", "This API key is restricted to only send emails"),
)
LAST_EVENT = {"open": "opened", "click": "clicked", "bounce": "bounced", "complain": "complained"}


def _account(request: Request) -> str:
    if not request.headers.get("user-agent"):
        raise Refused(
            json_response(403, {"statusCode": 403, "name": "forbidden", "code": 1010, "message": "error code: 1010"})
        )
    key = bearer(request)
    if not key:
        raise Refused(_error(401, "missing_api_key", "Missing API key in the authorization header."))
    if key.startswith("invalid"):
        raise Refused(_error(403, "invalid_api_key", "API key is invalid"))
    return key


def _addresses(mail: Mapping[str, Any], field: str) -> list[str]:
    value = mail.get(field) or []
    addresses = [value] if isinstance(value, str) else value
    for address in addresses:
        if not isinstance(address, str) or not (ADDRESS.fullmatch(address) or NAMED_ADDRESS.fullmatch(address)):
            raise _Invalid("validation_error", BAD_ADDRESS.format(field))
    return list(addresses)


def _check(mail: Any, *, batch: bool) -> None:
    """Raise _Invalid for the first thing that Resend would refuse in this mail."""
    if not isinstance(mail, dict):
        raise _Invalid("validation_error", "Each email must be an object.")
    for field in REQUIRED:
        if not mail.get(field):
            raise _Invalid("missing_required_field", f"Missing `{field}` field.")
    if not (mail.get("html") or mail.get("text") or mail.get("template")):
        raise _Invalid("missing_required_field", "Missing `html` or `text` field.")
    if batch and (refused := next((field for field in NOT_IN_BATCH if mail.get(field)), None)):
        raise _Invalid("validation_error", f"The `{refused}` field is not supported in batch emails.")
    if not isinstance(mail["from"], str) or not isinstance(mail["subject"], str):
        raise _Invalid("validation_error", "The `from` and `subject` fields must be strings.")
    for field in ("from", "to", "cc", "bcc", "reply_to"):
        if len(_addresses(mail, field)) > RECIPIENT_LIMIT:
            raise _Invalid("validation_error", f"The `{field}` field accepts at most {RECIPIENT_LIMIT} addresses.")
    _check_tags(mail)
    _check_attachments(mail.get("attachments") or ())


def _check_attachments(attachments: Any) -> None:
    if not isinstance(attachments, list | tuple):
        raise _Invalid("invalid_attachment", "The `attachments` field must be an array.")
    for attachment in attachments:
        if not isinstance(attachment, dict) or not (attachment.get("content") or attachment.get("path")):
            raise _Invalid("invalid_attachment", "Attachment must have either a `content` or `path`.")
        if attachment.get("content") and not attachment.get("filename"):
            raise _Invalid("invalid_attachment", "Attachment with `content` must have a `filename`.")
        try:
            b64decode(attachment.get("content") or "", validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise _Invalid("invalid_attachment", "Attachment `content` must be Base64.") from None
    if sum(len(attachment.get("content") or "") for attachment in attachments) > ATTACHMENTS_BYTES:
        raise _Invalid("invalid_attachment", "Attachments may be 40MB at most, after Base64.")


def _check_tags(mail: Mapping[str, Any]) -> None:
    for tag in mail.get("tags") or ():
        if not all(TAG.fullmatch(str(tag.get(part, ""))) for part in ("name", "value")):
            message = "Tags should only contain ASCII letters, numbers, underscores, or dashes, at most 256 of them."
            raise _Invalid("validation_error", message)


def _accept(sandbox: Sandbox, account: str, mail: dict[str, Any], payload: Payload, index: int | None) -> str:
    tags = {sys.intern(tag["name"]): sys.intern(tag["value"]) for tag in mail.get("tags") or ()}
    message = Message(
        provider="resend",
        account=account,
        id=str(uuid.uuid4()),
        sender=sys.intern(mail["from"]),
        to=mail["to"],
        title=sys.intern(mail["subject"]),
        payload=payload,
        index=index,
        message_id=tags.get("message_id"),
        template=(mail.get("template") or {}).get("id"),
        tags=tags,
        attached=len(mail.get("attachments") or ()),
    )
    return sandbox.accept(message).id


def _send_one(sandbox: Sandbox, account: str, mail: Any, body: bytes) -> dict[str, Any]:
    try:
        _check(mail, batch=False)
    except _Invalid as invalid:
        raise Refused(_error(422, invalid.name, str(invalid))) from None
    return {"id": _accept(sandbox, account, mail, Payload(body), None)}


def _send_batch(sandbox: Sandbox, account: str, mails: Any, body: bytes, *, permissive: bool = False) -> dict[str, Any]:
    if not isinstance(mails, list) or not 1 <= len(mails) <= BATCH_LIMIT:
        raise Refused(_error(422, "validation_error", f"A batch is an array of 1 to {BATCH_LIMIT} emails."))
    errors: dict[int, str] = {}
    for index, mail in enumerate(mails):
        try:
            _check(mail, batch=True)
        except _Invalid as invalid:
            if not permissive:
                message = f"The email at index {index} is not valid: {invalid}"
                raise Refused(_error(422, invalid.name, message)) from None
            errors[index] = str(invalid)
    payload = Payload(body)
    accepted = [(index, mail) for index, mail in enumerate(mails) if index not in errors]
    answer: dict[str, Any] = {
        "data": [{"id": _accept(sandbox, account, mail, payload, index)} for index, mail in accepted]
    }
    if permissive:
        answer["errors"] = [{"index": index, "message": message} for index, message in errors.items()]
    return answer


async def send(request: Request) -> Response:
    """POST /emails and POST /emails/batch."""
    account = _account(request)
    sandbox: Sandbox = request.app.state.sandbox
    deliver = _send_one
    if request.url.path.endswith("/batch"):
        permissive = request.headers.get("x-batch-validation") == "permissive"
        deliver = partial(_send_batch, permissive=permissive)

    async def answer() -> Response:
        body = await request.body()
        key = request.headers.get("idempotency-key")
        fingerprint = hashlib.blake2b(request.url.path.encode() + b"\n" + body, digest_size=16).digest()
        if key is not None and (repeated := _answered(sandbox, account, key, fingerprint)):
            return repeated
        try:
            content = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise Refused(_error(400, "validation_error", "The request body is not valid JSON.")) from None
        text = orjson.dumps(deliver(sandbox, account, content, body))
        if key is not None:
            now = time.monotonic()
            ready_at = now + sandbox.faults.slow("resend")
            sandbox.answers[account, key] = Answer(fingerprint, text, ready_at, now + IDEMPOTENCY_SECONDS)
        return Response(text, media_type="application/json")

    return await serve(request, RESEND, account, answer)


def _answered(sandbox: Sandbox, account: str, key: str, fingerprint: bytes) -> Response | None:
    """The answer that this key already has; raises Refused for a key that may not be used so."""
    if not 1 <= len(key) <= 256:
        raise Refused(_error(400, "invalid_idempotency_key", "The idempotency key must be 1 to 256 characters long."))
    known = sandbox.answers.get((account, key))
    now = time.monotonic()
    if known is None or known.expires_at <= now:
        return None
    if known.fingerprint != fingerprint:
        message = "Same idempotency key used with a different request payload."
        raise Refused(_error(409, "invalid_idempotent_request", message))
    if now < known.ready_at:
        message = "Same idempotency key used while the original request is still in progress."
        raise Refused(_error(409, "concurrent_idempotent_requests", message))
    return Response(known.body, media_type="application/json")


def _instant(message: Message) -> str:
    return datetime.fromtimestamp(message.accepted_at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00")


def _listed(value: Any) -> list[str] | None:
    return [value] if isinstance(value, str) else value or None


def _summary(message: Message) -> dict[str, Any]:
    mail = message.content
    return {
        "id": message.id,
        "message_id": rfc_id(message),
        "to": _listed(message.to),
        "from": message.sender,
        "created_at": _instant(message),
        "subject": message.title,
        "bcc": _listed(mail.get("bcc")),
        "cc": _listed(mail.get("cc")),
        "reply_to": _listed(mail.get("reply_to")),
        "last_event": "scheduled" if mail.get("scheduled_at") else LAST_EVENT.get(message.last, message.last),
        "scheduled_at": mail.get("scheduled_at"),
    }


async def list_emails(request: Request) -> Response:
    """GET /emails, newest first, with `limit` and the cursors `after` and `before`."""
    account = _account(request)
    sandbox: Sandbox = request.app.state.sandbox

    async def answer() -> Response:
        query = request.query_params
        limit = query.get("limit", "20")
        if not limit.isdigit() or not 1 <= int(limit) <= 100:
            raise Refused(_error(422, "validation_error", "The `limit` must be a number between 1 and 100."))
        sent = sandbox.mailbox.of("resend", account)
        end, start = len(sent), 0
        for cursor in ("after", "before"):
            if not (cursor_id := query.get(cursor)):
                continue
            message = sandbox.mailbox.find_own("resend", account, cursor_id)
            if message is None:
                raise Refused(
                    _error(422, "validation_error", f"The `{cursor}` cursor is not an email of this account.")
                )
            if cursor == "after":
                end = message.place
            else:
                start = message.place + 1
        count = int(limit)
        if query.get("before"):
            page, more = sent[start : min(end, start + count)], end - start > count
        else:
            page, more = sent[max(start, end - count) : end], end - start > count
        return json_response(
            200, {"object": "list", "has_more": more, "data": [_summary(mail) for mail in reversed(page)]}
        )

    return await serve(request, RESEND, account, answer, read=True)


async def get_email(request: Request) -> Response:
    """GET /emails/{id}, with its tags."""
    account = _account(request)
    sandbox: Sandbox = request.app.state.sandbox

    async def answer() -> Response:
        message = sandbox.mailbox.find_own("resend", account, request.path_params["id"])
        if message is None:
            raise Refused(_error(404, "not_found", "Email not found"))
        tags = [{"name": name, "value": value} for name, value in (message.tags or {}).items()]
        mail = message.content
        body = {"html": mail.get("html"), "text": mail.get("text"), "tags": tags}
        return json_response(200, {"object": "email", **_summary(message), **body})

    return await serve(request, RESEND, account, answer, read=True)


async def get_received(request: Request) -> Response:
    """GET /emails/receiving/{id}: a mail that somebody sent to the account, with its text and headers."""
    account = _account(request)
    sandbox: Sandbox = request.app.state.sandbox

    async def answer() -> Response:
        mail = sandbox.people.received.get((account, request.path_params["id"]))
        if mail is None:
            raise Refused(_error(404, "not_found", "Email not found"))
        return json_response(200, mail)

    return await serve(request, RESEND, account, answer, read=True)


async def list_domains(request: Request) -> Response:
    """GET /domains: what a check of the key calls."""
    account = _account(request)
    domain = {"id": str(uuid.UUID(int=1)), "name": "sandbox.example", "status": "verified", "region": "eu-west-1"}

    async def answer() -> Response:
        return json_response(200, {"object": "list", "has_more": False, "data": [domain]})

    return await serve(request, RESEND, account, answer, read=True)


routes = [
    Route("/emails", send, methods=["POST"]),
    Route("/emails", list_emails, methods=["GET"]),
    Route("/emails/batch", send, methods=["POST"]),
    Route("/emails/receiving/{id}", get_received, methods=["GET"]),
    Route("/emails/{id}", get_email, methods=["GET"]),
    Route("/domains", list_domains, methods=["GET"]),
]
