"""Asks providers about messages that no webhook has mentioned; what they say is taken in like a webhook."""

from typing import Any, Protocol
from uuid import UUID

import structlog

from database import unmentioned, webhooks
from database.connection import Pool
from models.messages import Channel
from models.webhooks import Provider
from providers.errors import ProviderError
from providers.rate import Pace

AT_ONCE = 10
"""Messages that one look asks about at most, so that sending keeps most of the account's rate."""

MANY = 5
"""Messages about which all a look asks bring news, before somebody is told that webhooks do not arrive."""

log = structlog.get_logger()


class Teller(Protocol):
    """An account that can say what became of a message."""

    pace: Pace

    @property
    def provider(self) -> Provider:
        """Whose account it is."""

    async def became(self, provider_id: str, message_id: UUID, /) -> dict[str, Any] | None:
        """What became of a message, as the body of a webhook; None while there is no more to say than that it was sent."""


class Asking:
    """Asks about the real messages of one channel."""

    def __init__(self, pool: Pool, channel: Channel, account: Teller) -> None:
        self._pool = pool
        self._channel = channel
        self._account = account

    async def look(self) -> None:
        """Ask about some of what no webhook has mentioned for long enough. What cannot be asked now waits for its next round."""
        provider = self._account.provider
        silent = await unmentioned.due(self._pool, self._channel, AT_ONCE)
        told = 0
        for message in silent:
            await self._account.pace.take()
            try:
                body = await self._account.became(message.provider_id, message.id)
            except ProviderError as error:
                log.info("provider_did_not_say", provider=provider, code=error.code, reason=str(error))
                return
            if body is not None:
                key = f"asked/{message.provider_id}"
                await webhooks.store(self._pool, provider, key, body, message.id, rehearsal=False)
                told += 1
        if told == len(silent) >= MANY:
            log.warning("webhooks_missing", provider=provider, messages=told)
            words = (
                f"{provider.title()} knows what became of {told} messages that were sent over an hour ago, and no webhook has told "
                f"of it. Check that its webhooks go to PUBLIC_URL/webhooks/{provider} and are signed with the secret that is set here."
            )
            await unmentioned.report(self._pool, provider, words)
