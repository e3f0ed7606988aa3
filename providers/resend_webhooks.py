"""What Resend delivers to us: verified by its own SDK, and its words in ours."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import resend

from models.replies import answered_message
from models.webhooks import Answer, BadSignature, Malformed, Report, Word, storable
from providers.resend import TAG
from providers.words import impersonal

REHEARSAL_SECRET = "whsec_cmVoZWFyc2FsLXJlc2VuZA=="  # noqa: S105 - known to everybody; it opens rehearsals only
"""What signs the deliveries of a rehearsal."""

WORDS: Mapping[str, Word] = {
    "email.sent": "sent",
    "email.delivered": "delivered",
    "email.opened": "opened",
    "email.clicked": "clicked",
    "email.bounced": "bounced",
    "email.complained": "complained",
    "email.failed": "failed",
    "email.suppressed": "suppressed",
    "email.received": "received",
}
SCANNERS = (
    "googleimageproxy", "google-safety", "barracuda", "proofpoint", "mimecast", "safelinks", "symantec", "trendmicro",
    "fortimail", "fortiguard", "ironport", "sophos", "forcepoint", "messagelabs", "bitdefender", "bot", "crawler", "spider",
    "headlesschrome", "python-requests", "curl/", "wget/", "go-http-client", "okhttp", "java/",
)  # fmt: skip
"""What the user agents of link scanners and mail filters contain."""


def verify(body: bytes, headers: Mapping[str, str], secret: str) -> tuple[str, dict[str, Any]]:
    """The unique id of a delivery and what it says. Raises BadSignature or Malformed.

    The SDK compares nothing but text, and wants the headers under names of its own.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None
    signed = {name: headers.get(f"svix-{name}", "") for name in ("id", "timestamp", "signature")}
    if missing := [f"svix-{name}" for name, value in signed.items() if not value]:
        raise BadSignature(f"The request has no {' and no '.join(missing)} header.")
    if not text:
        raise Malformed("The body is empty.")
    try:
        said: Any = resend.Webhooks.verify(
            {
                "payload": text,
                "headers": {"id": signed["id"], "timestamp": signed["timestamp"], "signature": signed["signature"]},
                "webhook_secret": secret,
            }
        )
    except ValueError as error:
        if isinstance(error.__cause__, json.JSONDecodeError):
            raise Malformed("The body is not JSON.") from None
        raise BadSignature(f"The signature does not hold: {error}.") from None
    except RecursionError:
        raise Malformed("The body is nested too deeply.") from None
    if not isinstance(said, dict) or not isinstance(said.get("type"), str) or not isinstance(said.get("data"), dict):
        raise Malformed('The body is not {"type": ..., "data": {...}}.')
    return signed["id"], storable(said)


def message_id(body: Mapping[str, Any]) -> UUID | None:
    """Our id: in the mail's tags, or, of a mail that came in, in the address that it was sent to."""
    if body["type"] == "email.received":
        return answered_message(_recipients(body["data"]))
    tags = body["data"].get("tags")
    if isinstance(tags, list):
        tags = {tag.get("name"): tag.get("value") for tag in tags if isinstance(tag, dict)}
    try:
        return UUID(str(tags[TAG])) if isinstance(tags, dict) and TAG in tags else None
    except ValueError:
        return None


def read(body: Mapping[str, Any]) -> Report:
    """A delivery in our words. A received mail brings no text: that is fetched."""
    word, data = WORDS.get(body["type"], "ignored"), body["data"]
    if word == "received":
        answer = Answer(str(data.get("from") or ""), _recipients(data), str(data.get("subject") or ""))
        return Report(word, message_id(body), _text(data.get("email_id")), _instant(body), answer=answer)
    why, suppress = _trouble(word, data)
    seen = _object(data, "click") or _object(data, "open")
    agent = str(seen.get("userAgent") or "").lower()
    return Report(
        word,
        message_id=message_id(body),
        provider_id=_text(data.get("email_id")),
        at=_instant({"created_at": seen.get("timestamp")}) or _instant(body),
        why=why and impersonal(why),
        suppress=suppress,
        scanner=any(name in agent for name in SCANNERS),
        rfc_id=_text(data.get("message_id")),
    )


def _trouble(word: Word, data: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """What went wrong, and whether that is for good."""
    match word:
        case "bounced":
            bounce = _object(data, "bounce")
            said = str(bounce.get("message") or bounce.get("subType") or "the receiving server gave no reason")
            return f"bounced: {said}", "hard bounce" if bounce.get("type") == "Permanent" else None
        case "complained":
            return None, "complaint"
        case "failed":
            return f"failed: {_object(data, 'failed').get('reason') or 'Resend gave no reason'}", None
        case "suppressed":
            held = _object(data, "suppressed")
            complaint = "complaint" in str(held.get("reason") or held.get("message") or "").lower()
            reason = "complaint" if complaint else "hard bounce"
            return f"suppressed by Resend: {held.get('message') or reason}", reason
    return None, None


def _object(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _recipients(data: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(one) for name in ("to", "cc", "bcc", "received_for") for one in _list(data.get(name)))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _text(value: Any) -> str | None:
    return str(value) if value else None


def _instant(body: Mapping[str, Any]) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(body.get("created_at")))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
