"""What Twilio delivers to us: verified by its own SDK, and its words in ours."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

from models.webhooks import Answer, BadSignature, Malformed, Report, Word, storable
from providers.words import impersonal

REHEARSAL_TOKEN = "rehearsal-twilio"  # noqa: S105 - known to everybody; it opens rehearsals only
"""What signs the deliveries of a rehearsal; also the token that its account sends with."""

OURS = "message"
"""The parameter of the callback's address that holds our message id."""

FIELDS_AT_MOST = 500

WORDS: Mapping[str, Word] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "bounced",
    "failed": "failed",
    "canceled": "failed",
    "received": "received",
}
FOR_GOOD = {
    "21211": "the number does not exist",
    "21610": "STOP",
    "21614": "the number does not exist",
    "63003": "not on WhatsApp",
    "63014": "blocked by the recipient",
    "63024": "not on WhatsApp",
}
"""Errors after which a number is written to no more, and what is said of it."""


def verify(url: str, body: bytes, signature: str | None, token: str) -> tuple[str, dict[str, Any]]:
    """The unique id of a delivery and what it says. `url` is the address that Twilio was given, with its query.

    Raises BadSignature or Malformed. The id is made of what is signed: Twilio's own token in a header is not, so whoever
    replays a delivery could change it. A repeated delivery repeats its form.
    """
    try:
        # Empty fields are signed as well.
        form = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_AT_MOST)
        query = parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=FIELDS_AT_MOST)
    except ValueError:
        raise Malformed("The body is not a form.") from None
    if not signature:
        raise BadSignature("The request has no X-Twilio-Signature header.")
    if not signature.isascii() or not RequestValidator(token).validate(url, ImmutableMultiDict(form), signature):
        raise BadSignature(
            "The signature does not hold for this address and form; check that PUBLIC_URL is the address Twilio calls."
        )
    fields = dict(form)
    if not fields.get("MessageSid"):
        raise Malformed("The form has no MessageSid.")
    key = hashlib.sha256(repr((sorted(query), sorted(form))).encode()).hexdigest()
    return key, storable({"form": fields, "query": dict(query)})


def message_id(body: Mapping[str, Any]) -> UUID | None:
    """Our id in the callback's address."""
    try:
        return UUID(body["query"].get(OURS, ""))
    except ValueError:
        return None


def read(body: Mapping[str, Any]) -> Report:
    """A delivery in our words. Twilio never says when something happened."""
    form: Mapping[str, str] = body["form"]
    word: Word = WORDS.get(form.get("MessageStatus") or form.get("SmsStatus") or "", "ignored")
    if word == "received":
        return Report(word, provider_id=form["MessageSid"], answer=_answer(form))
    code = form.get("ErrorCode", "")
    said = form.get("ChannelStatusMessage") or form.get("ErrorMessage") or ""
    why = " ".join(part for part in (f"{form.get('MessageStatus')}:", code, said) if part)
    broken = word in ("bounced", "failed")
    return Report(
        word,
        message_id=message_id(body),
        provider_id=form["MessageSid"],
        why=impersonal(why.rstrip(":")) if broken else None,
        suppress=FOR_GOOD.get(code) if broken else None,
    )


def _answer(form: Mapping[str, str]) -> Answer:
    text = form.get("ButtonText") or form.get("Body", "")
    original = form.get("OriginalRepliedMessageSid", "")
    numbers: Sequence[str] = [form.get(name, "").removeprefix("whatsapp:") for name in ("From", "To")]
    return Answer(numbers[0], (numbers[1],), text=text, answers=(original,) if original else ())
