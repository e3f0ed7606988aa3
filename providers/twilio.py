"""Twilio: WhatsApp by approved templates. It knows no idempotency key: what a lost request became is looked up."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from twilio.base.exceptions import TwilioException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from models.messages import WhatsAppMessage
from models.webhooks import Provider
from providers.errors import ProviderError
from providers.http import Wire, words_of
from providers.lookup import Listed, only_match
from providers.rate import Pace, retry_after
from providers.twilio_webhooks import FOR_GOOD, OURS

PER_SECOND = 80
RECENT = 50
DAY = timedelta(hours=24)
BECAME = ("delivered", "read", "undelivered", "failed", "canceled")
"""The statuses that say more than that a message was sent."""

NO_NUMBER = {code: FOR_GOOD[code] for code in ("21211", "21614")}
"""Errors that quote what was taken for a number, in whatever form, and what is said in place of Twilio's words."""


class _Client(AsyncHttpClient):  # type: ignore[misc]
    """The SDK's HTTP client over ours: it has a time-out, and raises failures while the headers are at hand."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(logger=None, is_async=True)
        self._wire = wire

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the wire has its own
        allow_redirects: bool = False,  # noqa: ARG002 - a redirect is no answer of Twilio's
    ) -> Response:
        response = await self._wire.request(method, uri, params=params, data=data, headers=headers, auth=auth)
        if response.is_success:
            return Response(response.status_code, response.text, response.headers)
        body = self._wire.json(response)
        code = str(body.get("code") or "")
        words = NO_NUMBER.get(code) or words_of(response, body, "message", "detail", "title")
        said = self._wire.said(response.status_code, code, words)
        match code:
            case "63007":
                raise self._wire.rejected(f"{said} Check TWILIO_WHATSAPP_FROM.", code=code, scope="account")
            case "63018" | "20429":
                raise self._wire.limited(said, code=code, wait=retry_after(response.headers, limited=True))
            case "63038":
                raise self._wire.unavailable(said, code=code, wait=DAY, refused=True)
        raise self._wire.failed(response.status_code, words, code=code, headers=response.headers)


class Twilio:
    """One WhatsApp sender of one Twilio account. `callback_url` is where Twilio reports what becomes of a message."""

    provider: Provider = "twilio"

    def __init__(self, base_url: str, account_sid: str, token: str, sender: str, callback_url: str) -> None:
        self.pace = Pace(PER_SECOND)
        self._account_sid = account_sid
        self._token = token
        self._sender = _on_whatsapp(sender) if sender else ""
        self._callback_url = callback_url
        self._wire = Wire(
            self.provider,
            "Twilio",
            base_url,
            self.pace,
            key="TWILIO_AUTH_TOKEN",
            address="TWILIO_API_URL and TWILIO_ACCOUNT_SID",
        )
        # What is absent the SDK reads from the environment: credentials, and an edge that would mangle the address.
        self._client = Client(account_sid or "absent", token or "absent", http_client=_Client(self._wire))
        self._client.edge = self._client.region = ""
        self._client.api.base_url = self._wire.base_url

    async def aclose(self) -> None:
        """Close the account's connections."""
        await self._wire.aclose()

    async def send(self, message: WhatsAppMessage) -> str:
        """Hand over one template message; Twilio's id (SID) of it."""
        self._ready()
        fields = {"content_sid": message.content_sid}
        if message.variables:
            fields["content_variables"] = json.dumps(dict(message.variables), ensure_ascii=False)
        if self._callback_url.startswith(("https://", "http://")):
            fields["status_callback"] = f"{self._callback_url}?{OURS}={message.id}"
        try:
            sent = await self._client.messages.create_async(_on_whatsapp(message.to), from_=self._sender, **fields)
        except (ValueError, TwilioException) as error:
            raise self._unreadable() from error
        return str(sent.sid)

    async def find(self, message: WhatsAppMessage, known: Collection[str] = ()) -> str | None:
        """Twilio's id of a message whose request was attempted and never answered; None if there is none for certain.

        A message as Twilio lists it carries neither our id nor the template: all there is to match by is sender,
        number, time and the rendered text, which must contain every variable. `known` are the SIDs that the ledger has
        already. If more than one is left the answer is None; the status callback, which carries our id, settles it.

        The list is not filtered by DateSent: a message still queued has none. The newest 50 to the number are read.
        """
        self._ready()
        try:
            listed = await self._client.messages.list_async(
                to=_on_whatsapp(message.to), from_=self._sender, limit=RECENT
            )
        except (ValueError, TwilioException) as error:
            raise self._unreadable() from error
        candidates = [
            Listed(str(one.sid), one.date_created, _renders(one.body, message.variables))
            for one in listed
            if isinstance(one.date_created, datetime)
        ]
        return only_match(candidates, message.attempted_at, known)

    async def became(self, provider_id: str, message_id: UUID) -> dict[str, Any] | None:
        """What became of a message, as a status callback that tells of it; None while it is only sent."""
        self._ready()
        try:
            one = await self._client.messages(provider_id).fetch_async()
        except (ValueError, TwilioException) as error:
            raise self._unreadable() from error
        if str(one.status) not in BECAME:
            return None
        form = {"MessageSid": provider_id, "MessageStatus": str(one.status)}
        if one.error_code:
            form |= {"ErrorCode": str(one.error_code), "ErrorMessage": str(one.error_message or "")}
        return {"form": form, "query": {OURS: str(message_id)}}

    async def check(self) -> str:
        """Fetch the account: says its name and status, or raises."""
        self._ready()
        try:
            account = await self._client.api.v2010.accounts(self._account_sid).fetch_async()
        except (ValueError, TwilioException) as error:
            raise self._unreadable() from error
        return f"account {account.friendly_name} is {account.status}, sends from {self._sender}"

    def _ready(self) -> None:
        self._wire.require(
            TWILIO_ACCOUNT_SID=self._account_sid, TWILIO_AUTH_TOKEN=self._token, TWILIO_WHATSAPP_FROM=self._sender
        )
        if "_" in (host := urlsplit(self._callback_url).hostname or ""):
            message = (
                f"Twilio calls back no host with an underscore, as {host} has: set PUBLIC_URL to another name of it."
            )
            raise self._wire.rejected(message, scope="account")

    def _unreadable(self) -> ProviderError:
        return self._wire.unavailable("Twilio answered with something that its SDK cannot read.")


def _on_whatsapp(number: str) -> str:
    return f"whatsapp:{number.removeprefix('whatsapp:')}"


def _renders(body: str | None, variables: Mapping[str, str]) -> bool:
    """Whether this text can be the template filled with these; a text that Twilio no longer keeps can be anything."""
    words = " ".join((body or "").split())
    return not words or all(" ".join(value.split()) in words for value in variables.values())
