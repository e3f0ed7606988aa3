"""Stand-in for Twilio Messages: WhatsApp (and SMS) out, with Twilio's error codes and no idempotency."""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import Provider, Reading, Refused, json_response, serve
from sandbox.state import Message, Payload, Sandbox
from sandbox.webhooks import UNDELIVERABLE

BODY_LIMIT = 1600
MEDIA_LIMIT = 10
E164 = re.compile(r"(?:whatsapp:)?\+[1-9]\d{6,14}")
SENDER = re.compile(r"whatsapp:\+[1-9]\d{6,14}|\+[1-9]\d{6,14}|[A-Za-z0-9 ]{1,11}|\d{5,6}")
CONTENT_SID = re.compile(r"HX[0-9a-fA-F]{32}")
# Twilio's own magic recipients of test credentials.
MAGIC_INVALID, MAGIC_STOPPED = "+15005550001", "+15005550004"
STATUS = {"delivered": "delivered", "open": "read", "bounce": "undelivered"}
"""What Twilio calls that which happened last; all else is `sent`."""
TOKEN_NAMES = ("message_id", "message", "token", "id")


def _error(status: int, code: int, message: str) -> Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return json_response(status, {"code": code, "message": message, "more_info": more, "status": status})


def _concurrency(_: Reading) -> dict[str, str]:
    return {"Twilio-Concurrent-Requests": "1", "Twilio-Request-Id": f"RQ{secrets.token_hex(16)}"}


TWILIO = Provider(
    "twilio",
    throttled=lambda _: _error(429, 20429, "Too Many Requests"),
    broken=lambda: _error(500, 20500, "An internal server error has occurred"),
    limit_headers=_concurrency,
)


def _account(request: Request) -> str:
    """The account SID of the path, if the credentials are for it."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user = password = ""
    account = str(request.path_params["account"])
    if scheme.lower() != "basic" or not user or not password:
        raise Refused(_error(401, 20003, "Authentication Error - No credentials provided"))
    if user.startswith("invalid") or password.startswith("invalid") or (user.startswith("AC") and user != account):
        raise Refused(_error(401, 20003, "Authentication Error - invalid username"))
    return account


def _refuse(code: int, message: str) -> NoReturn:
    raise Refused(_error(400, code, message))


def _check_addresses(to: str, sender: str, service: str, stopped: set[str]) -> None:
    """Raise Refused with Twilio's code for the first thing that is wrong with sender or recipient."""
    number = to.removeprefix("whatsapp:")
    if not to:
        _refuse(21604, "A 'To' phone number is required.")
    if not E164.fullmatch(to) or number == MAGIC_INVALID:
        _refuse(21211, f"Invalid 'To' Phone Number: {to}")
    if not sender and not service:
        _refuse(21603, "A 'From' phone number is required.")
    if sender and (to.startswith("whatsapp:") != sender.startswith("whatsapp:") or not SENDER.fullmatch(sender)):
        _refuse(63007, "Twilio could not find a Channel with the specified From address")
    if to == sender:
        _refuse(21266, f"'To' and 'From' number cannot be the same: {to}")
    if number == MAGIC_STOPPED or to in stopped:
        _refuse(21610, "Attempt to send to unsubscribed recipient")


def _check_content(body: str, media: list[str], template: str, variables: str) -> None:
    """Raise Refused with Twilio's code for the first thing that is wrong with what is to be said."""
    if not body and not media and not template:
        _refuse(21602, "Message body is required.")
    if len(body) > BODY_LIMIT:
        _refuse(21617, f"The concatenated message body exceeds the {BODY_LIMIT} character limit")
    if len(media) > MEDIA_LIMIT:
        _refuse(21623, "Number of media files exceeds allowed limit")
    if template and not CONTENT_SID.fullmatch(template):
        _refuse(21655, f"The ContentSid is invalid: {template}")
    if variables and _variables(variables) is None:
        _refuse(21656, "The ContentVariables parameter is invalid")


def _check_callback(callback: str) -> None:
    url = urlsplit(callback)
    if callback and (url.scheme not in ("http", "https") or not url.hostname or "_" in url.hostname):
        _refuse(21609, f"The 'StatusCallback' URL {callback} is not a valid URL.")


def _variables(text: str) -> dict[str, str] | None:
    """The content variables as an object of texts; None if they are anything else."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        return None
    return value


def readable_body(content: Mapping[str, Any]) -> str:
    """The text as a person may read it: the body, or what fills the template's variables, or the template's SID."""
    if "ContentSid" not in content:
        return str(content.get("Body", ""))
    variables = _variables(content.get("ContentVariables", "")) or {}
    return "\n".join(variables.values()) or str(content["ContentSid"])


def _token(callback: str) -> str | None:
    """Our message id in the callback's query string, under its name or as the only parameter."""
    query = parse_qs(urlsplit(callback).query)
    if len(query) == 1:
        return next(iter(query.values()))[0]
    return next((query[name][0] for name in TOKEN_NAMES if name in query), None)


async def create_message(request: Request) -> Response:
    """POST Messages.json: every accepted request is another message."""
    account = _account(request)
    sandbox: Sandbox = request.app.state.sandbox

    async def answer() -> Response:
        form = parse_qs((await request.body()).decode(), keep_blank_values=True)
        field = {name: values[0] for name, values in form.items()}
        media = form.get("MediaUrl", [])
        to, sender, service = (field.get(name, "") for name in ("To", "From", "MessagingServiceSid"))
        _check_addresses(to, sender, service, sandbox.stopped)
        _check_content(field.get("Body", ""), media, field.get("ContentSid", ""), field.get("ContentVariables", ""))
        _check_callback(field.get("StatusCallback", ""))
        content = {**field, "MediaUrl": media} if media else field
        message = Message(
            provider="twilio",
            account=account,
            id=("MM" if media else "SM") + secrets.token_hex(16),
            sender=sender or service,
            to=to,
            title=readable_body(content)[:120],
            payload=Payload(orjson.dumps(content)),
            message_id=_token(field.get("StatusCallback", "")),
            template=field.get("ContentSid"),
        )
        sandbox.accept(message)
        return json_response(201, _resource(message, fresh=True))

    return await serve(request, TWILIO, account, answer)


def _resource(message: Message, *, fresh: bool = False) -> dict[str, Any]:
    content = message.content
    uri = f"/2010-04-01/Accounts/{message.account}/Messages/{message.id}"
    at = format_datetime(datetime.fromtimestamp(message.accepted_at, UTC))
    return {
        "account_sid": message.account,
        "api_version": "2010-04-01",
        "body": readable_body(content),
        "date_created": at,
        "date_sent": None if fresh else at,
        "date_updated": at,
        "direction": "outbound-api",
        "error_code": int(UNDELIVERABLE) if message.last == "bounce" else None,
        "error_message": None,
        "from": content.get("From"),
        "messaging_service_sid": content.get("MessagingServiceSid"),
        "num_media": str(len(content.get("MediaUrl", ()))),
        "num_segments": "1",
        "price": None,
        "price_unit": "USD" if content.get("From") else None,
        "sid": message.id,
        "status": "queued" if fresh else STATUS.get(message.last, "sent"),
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "tags": None,
        "to": message.to,
        "uri": f"{uri}.json",
    }


def _instant(text: str, *, end_of_day: bool = False) -> float:
    """A day or an ISO 8601 instant in UTC, as a timestamp."""
    try:
        if len(text) == len("2026-01-01"):
            day = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return day.timestamp() + (86_399 if end_of_day else 0)
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise Refused(_error(400, 20001, f"'{text}' is not a valid date")) from None


async def list_messages(request: Request) -> Response:
    """GET Messages.json, newest first; DateSent filters count whole seconds, as the resource shows them."""
    account = _account(request)
    sandbox: Sandbox = request.app.state.sandbox

    async def answer() -> Response:
        query = request.query_params
        earliest, latest = float("-inf"), float("inf")
        if on := query.get("DateSent"):
            earliest, latest = _instant(on), _instant(on, end_of_day=True)
        if after := query.get("DateSent>"):
            earliest = _instant(after)
        if before := query.get("DateSent<"):
            latest = _instant(before, end_of_day=True)
        size, page = int(query.get("PageSize", 50)), int(query.get("Page", 0))
        found = [
            message
            for message in reversed(sandbox.listed("twilio", account))
            if query.get("To") in (None, message.to)
            and query.get("From") in (None, message.sender)
            and earliest <= int(message.accepted_at) <= latest
        ]
        rows = found[page * size : (page + 1) * size]

        def uri(number: int) -> str:
            return f"/2010-04-01/Accounts/{account}/Messages.json?{urlencode({**query, 'Page': number})}"

        return json_response(
            200,
            {
                "messages": [_resource(message) for message in rows],
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": page * size + max(0, len(rows) - 1),
                "uri": uri(page),
                "first_page_uri": uri(0),
                "next_page_uri": uri(page + 1) if len(found) > (page + 1) * size else None,
                "previous_page_uri": uri(page - 1) if page else None,
            },
        )

    return await serve(request, TWILIO, account, answer, read=True)


async def get_message(request: Request) -> Response:
    """GET Messages/{sid}.json."""
    account = _account(request)
    sandbox: Sandbox = request.app.state.sandbox

    async def answer() -> Response:
        message = sandbox.mailbox.find_own("twilio", account, request.path_params["sid"])
        if message is None:
            raise Refused(_error(404, 20404, f"The requested resource {request.url.path} was not found"))
        return json_response(200, _resource(message))

    return await serve(request, TWILIO, account, answer, read=True)


async def get_account(request: Request) -> Response:
    """GET Accounts/{sid}.json: what a check of the credentials calls."""
    account = _account(request)

    async def answer() -> Response:
        return json_response(200, {"sid": account, "friendly_name": "Sandbox", "status": "active", "type": "Full"})

    return await serve(request, TWILIO, account, answer, read=True)


routes = [
    Route("/2010-04-01/Accounts/{account}.json", get_account, methods=["GET"]),
    Route("/2010-04-01/Accounts/{account}/Messages.json", create_message, methods=["POST"]),
    Route("/2010-04-01/Accounts/{account}/Messages.json", list_messages, methods=["GET"]),
    Route("/2010-04-01/Accounts/{account}/Messages/{sid}.json", get_message, methods=["GET"]),
]
