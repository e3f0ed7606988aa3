"""Webhooks as Resend and Twilio deliver them: their bodies, their signatures."""

import base64
import hashlib
import hmac
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urldefrag, urlencode

import orjson

from sandbox.people import Endpoint, People, Reaction, address_of

if TYPE_CHECKING:
    from sandbox.state import Message

FORM = {"content-type": "application/x-www-form-urlencoded"}
UNDELIVERABLE = "63024"
BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_6) AppleWebKit/605.1.15 Version/18.6 Safari/605.1.15"


class Call(NamedTuple):
    """One request to make."""

    url: str
    body: bytes
    headers: dict[str, str]


def call_for(people: People, reaction: Reaction) -> Call | None:
    """The request that tells of a reaction; None where its account has no endpoint any more, or the message no way back."""
    message = reaction.message
    endpoint = people.endpoints.get((message.provider, message.account))
    if endpoint is None:
        return None
    if reaction.what == "unsubscribe":
        return _unsubscribe(message)
    if message.provider == "resend":
        return svix(endpoint, reaction.id, _mail_event(people, reaction))
    if reaction.what in ("reply", "stop", "start"):
        text = reaction.text or {"stop": "STOP", "start": "START"}.get(reaction.what, "Thank you!")
        return twilio(endpoint.url, endpoint.secret, reaction.id, _inbound(reaction, text))
    callback = message.content.get("StatusCallback")
    return twilio(callback, endpoint.secret, reaction.id, _status(reaction)) if callback else None


def svix(endpoint: Endpoint, id_: str, event: dict[str, Any]) -> Call:
    """Signed as Resend signs: base64 of HMAC-SHA256 over id, second and body."""
    body, second = orjson.dumps(event), str(int(time.time()))
    key = base64.b64decode(endpoint.secret.removeprefix("whsec_"))
    signature = hmac.new(key, f"msg_{id_}.{second}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "content-type": "application/json",
        "svix-id": f"msg_{id_}",
        "svix-timestamp": second,
        "svix-signature": f"v1,{base64.b64encode(signature).decode()}",
    }
    return Call(endpoint.url, body, headers)


def twilio(url: str, token: str, id_: str, form: dict[str, str]) -> Call:
    """Signed as Twilio signs: base64 of HMAC-SHA1 over the address and the sorted fields."""
    address = urldefrag(url).url
    said = address + "".join(f"{name}{form[name]}" for name in sorted(form))
    signature = base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()).decode()
    headers = {**FORM, "x-twilio-signature": signature, "i-twilio-idempotency-token": id_}
    return Call(address, urlencode(form).encode(), headers)


def rfc_id(message: "Message") -> str:
    """The Message-ID of a mail that was sent."""
    return f"<{message.id}@sandbox.resend.example>"


def _mail_event(people: People, reaction: Reaction) -> dict[str, Any]:
    message, at = reaction.message, _iso(reaction.at)
    if reaction.what in ("reply", "out_of_office"):
        return {"type": "email.received", "created_at": at, "data": _received(people, reaction)}
    data: dict[str, Any] = {
        "email_id": message.id,
        "message_id": rfc_id(message),
        "created_at": _iso(datetime.fromtimestamp(message.accepted_at, UTC)),
        "from": message.sender,
        "to": [message.to] if isinstance(message.to, str) else message.to,
        "subject": message.title,
        "tags": message.tags or {},
    }
    agent = reaction.agent or BROWSER
    match reaction.what:
        case "click":
            link = reaction.text or "https://example.com/"
            data["click"] = {"ipAddress": "203.0.113.7", "link": link, "timestamp": at, "userAgent": agent}
        case "open" if reaction.agent:
            data["open"] = {"ipAddress": "203.0.113.7", "timestamp": at, "userAgent": agent}
        case "bounce":
            said = reaction.text or "The recipient's email address does not exist."
            data["bounce"] = {
                "type": "Permanent",
                "subType": "General",
                "message": said,
                "diagnosticCode": ["smtp; 550 5.1.1"],
            }
    word = {"open": "opened", "click": "clicked", "bounce": "bounced", "complain": "complained"}.get(
        reaction.what, "delivered"
    )
    return {"type": f"email.{word}", "created_at": at, "data": data}


def _received(people: People, reaction: Reaction) -> dict[str, Any]:
    """Put the answer where the API shows it; the event tells of it without text and headers, as Resend does."""
    message = reaction.message
    id_ = str(uuid.uuid5(uuid.NAMESPACE_OID, reaction.id))
    wanted = message.content.get("reply_to") or message.sender
    away = reaction.what == "out_of_office"
    sender = reaction.sender or address_of(message)
    headers = {"In-Reply-To": rfc_id(message), "References": rfc_id(message), "From": sender}
    mail = {
        "email_id": id_,
        "created_at": _iso(reaction.at),
        "from": sender,
        "to": [wanted] if isinstance(wanted, str) else wanted,
        "cc": [],
        "bcc": [],
        "received_for": [],
        "message_id": f"<{reaction.id}@people.example>",
        "subject": f"{'Automatic reply' if away else 'Re'}: {message.title}",
        "attachments": [],
    }
    text = reaction.text or ("I am out of the office." if away else "Thank you!")
    people.received[message.account, id_] = {
        **{name: value for name, value in mail.items() if name != "email_id"},
        "object": "email",
        "id": id_,
        "html": None,
        "text": text,
        "reply_to": [],
        "headers": {**headers, "Auto-Submitted": "auto-replied"} if away else headers,
    }
    return mail


def _inbound(reaction: Reaction, text: str) -> dict[str, str]:
    message, sid = reaction.message, f"SM{reaction.id}"
    to = str(message.to)
    return {
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsMessageSid": sid,
        "SmsStatus": "received",
        "AccountSid": message.account,
        "From": to,
        "To": message.sender,
        "Body": text,
        "NumMedia": "0",
        "NumSegments": "1",
        "MessageType": "text",
        "WaId": to.removeprefix("whatsapp:+"),
        "ProfileName": "",
        "ApiVersion": "2010-04-01",
    }


def _status(reaction: Reaction) -> dict[str, str]:
    message = reaction.message
    status = {"open": "read", "bounce": "undelivered"}.get(reaction.what, "delivered")
    form = {
        "MessageSid": message.id,
        "SmsSid": message.id,
        "MessageStatus": status,
        "SmsStatus": status,
        "AccountSid": message.account,
        "From": message.sender,
        "To": str(message.to),
        "ChannelToAddress": str(message.to),
        "ApiVersion": "2010-04-01",
    }
    return form | {"ErrorCode": UNDELIVERABLE} if reaction.what == "bounce" else form


def _unsubscribe(message: "Message") -> Call | None:
    """What a mail program does when its reader presses its button (RFC 8058)."""
    headers = message.content.get("headers") or {}
    url = str(headers.get("List-Unsubscribe", "")).strip("<>")
    if not url or headers.get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click":
        return None
    return Call(url, b"List-Unsubscribe=One-Click", dict(FORM))


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
