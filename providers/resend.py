"""Resend: mail in batches of up to 100, mail with attachments one by one, each request under an idempotency key.

The SDK keeps its key, its address and its HTTP client in module globals, one of each per process. Here the one client
finds in a context variable which account a request is for, so that several accounts work side by side.
"""

import re
from base64 import b64encode
from collections.abc import Collection, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import resend
from resend.exceptions import NoContentError, ResendError

from models.messages import EmailMessage
from models.webhooks import Answer, Provider
from providers.errors import ProviderError
from providers.http import Wire
from providers.lookup import earliest
from providers.rate import Pace, retry_after

BATCH_LIMIT = 100
PER_SECOND = 10
TAG = "message_id"
UNFIT = re.compile(r"[^A-Za-z0-9_-]")
"""What Resend refuses in a tag."""
TAG_LENGTH = 256
PAGE_SIZE = 100
PAGES = 20
DAY = timedelta(hours=24)
BECAME = {
    "delivered": "delivered",
    "opened": "delivered",
    "clicked": "delivered",
    "bounced": "bounced",
    "complained": "complained",
    "failed": "failed",
    "suppressed": "suppressed",
}
"""The last event of a mail, and what follows from it for certain."""

NO_WORDS = "Resend does not say afterwards why"
MESSAGE_ID = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True, slots=True)
class _Request:
    """On whose account the SDK is asked, and the bytes to send instead of what it would write."""

    wire: Wire
    key: str
    content: bytes | None


_request: ContextVar[_Request] = ContextVar("_request")


class _Client(resend.AsyncHTTPClient):
    """The SDK's HTTP client: the path is the SDK's; address, key and bytes are the account's."""

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        json: dict[str, object] | list[object] | None = None,  # noqa: ARG002 - the bytes are sent instead
        files: dict[str, Any] | None = None,  # noqa: ARG002 - for calls that are not made here
        data: dict[str, str] | None = None,  # noqa: ARG002 - as above
    ) -> tuple[bytes, int, Mapping[str, str]]:
        asked = _request.get()
        response = await asked.wire.request(
            method.upper(),
            url.removeprefix(str(resend.api_url)),
            headers={**headers, "Authorization": f"Bearer {asked.key}", "Content-Type": "application/json"},
            content=asked.content,
        )
        return response.content, response.status_code, dict(response.headers)


class Resend:
    """One Resend account."""

    provider: Provider = "resend"

    def __init__(self, base_url: str, key: str) -> None:
        self.pace = Pace(PER_SECOND)
        self._key = key
        self._wire = Wire(self.provider, "Resend", base_url, self.pace, key="RESEND_API_KEY", address="RESEND_API_URL")
        resend.default_async_http_client = _CLIENT

    async def aclose(self) -> None:
        """Close the account's connections."""
        await self._wire.aclose()

    def compose(self, messages: Sequence[EmailMessage]) -> bytes:
        """The body of one request, of up to 100 mails or of one with attachments; same mails, same bytes.

        Each mail is tagged with its message id and its own tags; what Resend refuses in a tag is written `_`.
        """
        if not 1 <= len(messages) <= BATCH_LIMIT:
            raise ValueError(f"a batch is 1 to {BATCH_LIMIT} mails, not {len(messages)}")
        if not any(message.attachments for message in messages):
            return orjson.dumps([_mail(message) for message in messages])
        if len(messages) > 1:
            raise ValueError(f"a mail with attachments goes alone, not among {len(messages)}")
        return orjson.dumps(_mail(messages[0]))

    async def post(self, payload: bytes, key: str) -> list[str]:
        """Post these very bytes under this idempotency key; the provider's ids, in the order of the mails.

        The same bytes may be posted again under the same key for 24 hours: what was accepted is not sent twice.
        """
        try:
            if payload.startswith(b"{"):
                answer = await self._ask(resend.Emails.send_async(_ANY, {"idempotency_key": key}), payload)
                return [str(answer["id"])]
            answer = await self._ask(resend.Batch.send_async([], {"idempotency_key": key}), payload)
            return [str(mail["id"]) for mail in answer["data"]]
        except (KeyError, TypeError):
            raise self._wire.unavailable(
                "Resend accepted mail but named no ids; the same key can be posted again."
            ) from None

    async def find(self, ids: Collection[UUID], since: datetime, known: Collection[str] = ()) -> dict[UUID, str]:
        """Which of our messages Resend has accepted since then, with its ids.

        Reads the newest 2,000 mails of the account at most. The list brings no tags, so each mail that is not `known`
        (a provider id the ledger has already) costs a request of its own. Each request waits for the pace.
        """
        wanted = {str(one): one for one in ids}
        found: dict[UUID, str] = {}
        page: resend.Emails.ListParams = {"limit": PAGE_SIZE}
        for _ in range(PAGES):
            await self.pace.take()
            answer = await self._ask(resend.Emails.list_async(page))
            for mail in answer["data"]:
                if not wanted or _instant(mail["created_at"]) < earliest(since):
                    return found
                if mail["id"] not in known and (message_id := await self._tag(mail)) in wanted:
                    found[wanted.pop(message_id)] = mail["id"]
            if not answer.get("has_more") or not answer["data"]:
                break
            page = {"limit": PAGE_SIZE, "after": answer["data"][-1]["id"]}
        return found

    async def receive(self, provider_id: str) -> Answer:
        """A mail that somebody sent us, with its text and headers; what told us of it brings neither."""
        await self.pace.take()
        mail = await self._ask(resend.Emails.Receiving.get_async(provider_id))
        headers = {str(name).lower(): str(value) for name, value in (mail.get("headers") or {}).items()}
        named = f"{headers.get('in-reply-to', '')} {headers.get('references', '')}"
        recipients = [one for name in ("to", "cc", "bcc", "received_for") for one in mail.get(name) or ()]
        return Answer(
            sender=str(mail.get("from") or ""),
            recipients=tuple(recipients),
            subject=str(mail.get("subject") or ""),
            text=str(mail.get("text") or ""),
            headers=headers,
            answers=tuple(MESSAGE_ID.findall(named)),
        )

    async def became(self, provider_id: str, message_id: UUID) -> dict[str, Any] | None:
        """What became of a mail, as the body of a webhook that tells of it; None while it is only sent.

        Resend names the last event and neither its instant nor its circumstances: who opened a mail has it, and no more is
        known; what it calls bounced the other server has refused for good.
        """
        mail = await self._ask(resend.Emails.get_async(provider_id))
        event = BECAME.get(str(mail.get("last_event")))
        if event is None:
            return None
        data = {"email_id": provider_id, "message_id": mail.get("message_id"), "tags": {TAG: str(message_id)}}
        if event == "bounced":
            data["bounce"] = {"type": "Permanent", "message": NO_WORDS}
        return {"type": f"email.{event}", "data": data}

    async def check(self) -> str:
        """Ask for the sending domains: says which are verified, or raises."""
        try:
            answer = await self._ask(resend.Domains.list_async())
        except ProviderError as error:
            if error.code == "restricted_api_key":
                return "key accepted, for sending only"
            raise
        verified = [domain["name"] for domain in answer["data"] if domain.get("status") == "verified"]
        return f"key accepted, verified domains: {', '.join(verified) or 'none'}"

    async def _tag(self, mail: Mapping[str, Any]) -> str:
        tags = mail.get("tags")
        if tags is None:
            await self.pace.take()
            tags = (await self._ask(resend.Emails.get_async(mail["id"]))).get("tags") or []
        pairs = tags if isinstance(tags, dict) else {tag["name"]: tag["value"] for tag in tags}
        return str(pairs.get(TAG, ""))

    async def _ask(self, call: Coroutine[Any, Any, Any], content: bytes | None = None) -> Mapping[str, Any]:
        """Carry out a call of the SDK on this account; its errors in our words."""
        token = _request.set(_Request(self._wire, self._key, content))
        try:
            self._wire.require(RESEND_API_KEY=self._key)
            answer: Mapping[str, Any] = await call
            return answer
        except ResendError as error:
            # The SDK makes a 500 of whatever the HTTP client raises, and keeps the original as context only.
            if isinstance(error.__context__, ProviderError):
                raise error.__context__ from None
            raise self._refusal(error) from error
        except NoContentError as error:
            raise self._wire.unavailable("Resend answered with nothing.") from error
        finally:
            _request.reset(token)
            call.close()

    def _refusal(self, error: ResendError) -> ProviderError:
        status, code = int(error.code), str(error.error_type)
        said = self._wire.said(status, code, str(error.message))
        match code:
            case "concurrent_idempotent_requests" | "resource_locked":
                return self._wire.unavailable(said, code=code, wait=retry_after(error.headers))
            case "invalid_idempotent_request":
                return self._wire.rejected(said, code=code, scope="batch", outcome_unknown=True)
            case "daily_quota_exceeded":
                return self._wire.unavailable(said, code=code, wait=DAY, refused=True)
            case "monthly_quota_exceeded" | "email_above_quota":
                return self._wire.rejected(f"{said} Raise the plan's quota.", code=code, scope="account")
            case "validation_error" if status == 403:
                return self._wire.rejected(f"{said} Verify the sender's domain.", code=code, scope="batch")
            case _:
                return self._wire.failed(status, str(error.message), code=code, headers=error.headers, scope="batch")


_CLIENT = _Client()
_ANY: resend.Emails.SendParams = {"from": "", "to": "", "subject": ""}
"""What the SDK is handed for a single mail; the bytes are sent instead."""


def _mail(message: EmailMessage) -> dict[str, Any]:
    mail: dict[str, Any] = {
        "from": message.sender,
        "to": [message.to],
        "subject": message.subject,
        "html": message.html,
        "text": message.text,
        "headers": dict(message.headers),
        "tags": [_tag(TAG, str(message.id)), *(_tag(name, text) for name, text in message.tags.items() if text)],
    }
    if message.reply_to:
        mail["reply_to"] = message.reply_to if isinstance(message.reply_to, str) else list(message.reply_to)
    if message.attachments:
        mail["attachments"] = [
            {"filename": one.filename, "content_type": one.content_type, "content": b64encode(one.content).decode()}
            for one in message.attachments
        ]
    return mail


def _tag(name: str, text: str) -> dict[str, str]:
    return {"name": name, "value": UNFIT.sub("_", text)[:TAG_LENGTH]}


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
