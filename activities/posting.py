"""The protocol for WhatsApp and posts, which know no idempotency key: a message whose outcome is open is never sent blindly."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

import structlog

from activities.compose import Composed
from activities.delivery import conclude_look_up, drop, not_looked_up, outcomes, queue_again
from database import batches, recovery, settlement
from database.batches import Batch
from database.connection import Pool
from database.recovery import Overdue
from database.settlement import Outcome
from models.messages import SocialPost, WhatsAppMessage
from providers.errors import ProviderError, Rejected, Unavailable
from providers.rate import Pace

M = TypeVar("M", bound=WhatsAppMessage | SocialPost)
M_contra = TypeVar("M_contra", bound=WhatsAppMessage | SocialPost, contravariant=True)

log = structlog.get_logger()


class Sender(Protocol[M_contra]):
    """An account that takes one message at a time."""

    pace: Pace

    async def send(self, message: M_contra, /) -> str:
        """Hand over one message; the provider's id of it."""

    async def find(self, message: M_contra, /, known: Collection[str]) -> str | None:
        """The provider's id of a message that was attempted before, if its list shows it beyond doubt."""


class Posting(Generic[M]):
    """Carries batches of one message each."""

    def __init__(self, pool: Pool, sender: Sender[M], compose: Callable[[Batch], Awaitable[Composed[M]]]) -> None:
        self._pool = pool
        self._sender = sender
        self._compose = compose

    async def carry(self, batch: Batch) -> AsyncIterator[str]:
        """Compose, keep that it is attempted, send, settle."""
        message = await self._message(batch)
        yield "composed"
        if message is None:
            return
        attempted_at = await batches.attempt(self._pool, batch)
        if attempted_at is None:
            await batches.hand_back(self._pool, batch)  # unless the lease is over and recovery has it
            return
        yield "stored"
        batch = replace(batch, status="posted", first_posted_at=attempted_at)
        try:
            provider_id = await self._sender.send(message)
        except ProviderError as error:
            yield "posted"
            await self._not_sent(batch, error)
            yield "put off"
            return
        yield "posted"
        await settlement.settle(self._pool, batch, [Outcome(message.id, "sent", None, provider_id)])
        yield "settled"

    async def recover(self, overdue: Overdue) -> AsyncIterator[str]:
        """Never attempted: back through the gates. Attempted: looked up, and never sent again."""
        batch = overdue.batch
        if batch.status == "claimed":
            await batches.hand_back(self._pool, batch)
            yield "handed back"
            return
        batch = overdue.open
        composed = await self._compose(batch)
        if not composed.ready:
            # Its words cannot be made any more, so there is nothing to look for.
            await conclude_look_up(self._pool, batch, {})
        for claimed, message in composed.ready:
            try:
                found = await self._find(batch, message)
            except ProviderError as error:
                await not_looked_up(self._pool, batch, error)
            else:
                await conclude_look_up(self._pool, batch, {claimed.id: found} if found else {})
        yield "looked up"

    async def _message(self, batch: Batch) -> M | None:
        composed = await self._compose(batch)
        if not composed.unapproved:
            await drop(self._pool, batch, composed.failed, composed.faulty)
        if composed.unapproved or not composed.ready:
            await batches.hand_back(self._pool, batch)
            return None
        return composed.ready[0][1]

    async def _find(self, batch: Batch, message: M) -> str | None:
        assert batch.first_posted_at is not None
        known = await recovery.known_ids(
            self._pool, batch.channel, rehearsal=batch.rehearsal, since=batch.first_posted_at
        )
        await self._sender.pace.take()
        return await self._sender.find(replace(message, attempted_at=batch.first_posted_at), known)

    async def _not_sent(self, batch: Batch, error: ProviderError) -> None:
        """What was certainly not accepted is queued again or fails; all else recovery looks up when the lease is over."""
        log.info("message_not_sent", batch=str(batch.id), channel=batch.channel, code=error.code, reason=str(error))
        if isinstance(error, Rejected) and error.scope != "account":
            await settlement.settle(self._pool, batch, outcomes(batch.messages, "failed", str(error)))
        elif isinstance(error, Rejected) or (isinstance(error, Unavailable) and error.refused):
            await queue_again(self._pool, batch, error, self._sender.pace)
