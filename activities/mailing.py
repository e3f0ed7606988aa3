"""The protocol for mail: stored bytes under an idempotency key, so that any line may be repeated.

Mail that carries a file comes here as a batch of one, and the bytes say so.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from uuid import UUID

import structlog
import zstandard

from activities.compose import Composer
from activities.delivery import conclude_look_up, drop, leave_open, not_looked_up, outcomes, queue_again
from database import batches, recovery, settlement
from database.batches import Batch, postpone
from database.connection import Pool
from database.gates import FOR_GOOD
from database.recovery import Overdue
from database.settlement import Outcome
from models.messages import EmailMessage
from providers.errors import ProviderError, Rejected, Unavailable
from providers.resend import Resend

KEY_LIFE = timedelta(hours=23)
"""How long a key is trusted to stand for its bytes; the provider keeps it for 24 hours."""

GATE_WAIT = timedelta(seconds=10)
"""Between looks at a posted batch that a pause or quiet hours hold."""

NOTHING: Mapping[UUID, Mapping[str, str]] = MappingProxyType({})
log = structlog.get_logger()


class Mailing:
    """Carries batches of mail."""

    def __init__(self, pool: Pool, sender: Resend, composer: Composer) -> None:
        self._pool = pool
        self._sender = sender
        self._composer = composer

    async def carry(self, batch: Batch) -> AsyncIterator[str]:
        """Compose, store, post, settle."""
        composed = await self._composer.mails(batch)
        yield "composed"
        if not composed.unapproved:
            await drop(self._pool, batch, composed.failed, composed.faulty)
        if composed.unapproved or not composed.ready:
            await batches.hand_back(self._pool, batch)
            return
        batch = replace(batch, messages=tuple(message for message, _ in composed.ready))
        async for line in self._post(batch, [mail for _, mail in composed.ready], composed.missing):
            yield line

    async def recover(self, overdue: Overdue) -> AsyncIterator[str]:
        """Never posted: back through the gates. Posted: the same bytes under the same key, if every gate is still open."""
        batch = overdue.batch
        if batch.status == "claimed":
            await batches.hand_back(self._pool, batch)
            yield "handed back"
        elif not overdue.judged:
            await settlement.settle(self._pool, batch, [])
            yield "settled"
        elif batch.status == "unknown" or self._too_late(overdue):
            await self._look_up(overdue.open)
            yield "looked up"
        elif any(one.verdict != "send" for one in overdue.judged):
            await postpone(self._pool, batch, GATE_WAIT, "waits for a gate to open")
            yield "waits"
        else:
            await self._sender.pace.take()
            if not await batches.post_again(self._pool, batch):
                return
            yield "stored"
            assert batch.payload is not None
            async for line in self._ask(batch, zstandard.decompress(batch.payload), None):
                yield line

    async def _post(
        self, batch: Batch, mails: Sequence[EmailMessage], missing: Mapping[UUID, Mapping[str, str]] = NOTHING
    ) -> AsyncIterator[str]:
        payload = self._sender.compose(mails)
        if not await batches.store(self._pool, batch, zstandard.compress(payload, 1), missing):
            await batches.hand_back(self._pool, batch)  # unless the lease is over and recovery has it
            return
        yield "stored"
        async for line in self._ask(batch, payload, mails):
            yield line

    async def _ask(self, batch: Batch, payload: bytes, mails: Sequence[EmailMessage] | None) -> AsyncIterator[str]:
        ids: list[str] = []
        error: ProviderError | None = None
        try:
            ids = await self._sender.post(payload, str(batch.id))
        except ProviderError as refusal:
            error = refusal
        yield "posted"
        posted = batch.posted if mails is None else [mail.id for mail in mails]
        if error is None and len(ids) != len(posted):
            error = self._misnumbered(len(ids), len(posted))
        if error is None:
            sent = [Outcome(message_id, "sent", None, id_) for message_id, id_ in zip(posted, ids, strict=True)]
            await settlement.settle(self._pool, batch, sent)
            yield "settled"
        elif isinstance(error, Rejected) and error.scope != "account" and not error.outcome_unknown:
            async for line in self._narrow_down(batch, error, mails):
                yield line
        else:
            await self._not_now(batch, error)
            yield "put off"

    async def _not_now(self, batch: Batch, error: ProviderError) -> None:
        """Nothing can be sent at the moment, or nobody knows whether it was."""
        if isinstance(error, Rejected) and error.outcome_unknown:
            await self._look_up(batch)
            return
        # After an earlier request that was never answered, a refusal of this one says nothing about that one.
        done_nothing = batch.attempts == 0 and (
            isinstance(error, Rejected) or (isinstance(error, Unavailable) and error.refused)
        )
        if done_nothing:
            log.info("batch_refused", batch=str(batch.id), channel=batch.channel, code=error.code, reason=str(error))
            await queue_again(self._pool, batch, error, self._sender.pace)
        else:
            await leave_open(self._pool, batch, error)

    async def _narrow_down(
        self, batch: Batch, error: Rejected, mails: Sequence[EmailMessage] | None
    ) -> AsyncIterator[str]:
        """Halve a refused batch under new keys until the bad mail is alone, and fails with the provider's words."""
        if len(batch.posted if mails is None else mails) == 1:
            await settlement.settle(self._pool, batch, outcomes(batch.messages, "failed", str(error)))
            yield "settled"
            return
        if mails is None:
            # The mails of another worker are not at hand: they are composed anew, and halved then.
            await settlement.queue_again(self._pool, batch)
            yield "put off"
            return
        halves = await batches.split(self._pool, batch)
        yield "halved"
        rest = list(mails)
        for half in halves:
            part, rest = rest[: len(half.messages)], rest[len(half.messages) :]
            await self._sender.pace.take()
            async for line in self._post(half, part):
                yield line

    async def _look_up(self, batch: Batch) -> None:
        since = batch.first_posted_at or datetime.now(UTC)
        known = await recovery.known_ids(self._pool, batch.channel, rehearsal=batch.rehearsal, since=since)
        try:
            found = await self._sender.find([message.id for message in batch.messages], since, known)
        except ProviderError as error:
            await not_looked_up(self._pool, batch, error)
        else:
            await conclude_look_up(self._pool, batch, found)

    def _too_late(self, overdue: Overdue) -> bool:
        """Whether the same bytes may not be posted again: their key is too old, or a message of them must not go any more."""
        posted_at = overdue.batch.first_posted_at
        old = posted_at is not None and datetime.now(UTC) - posted_at > KEY_LIFE
        return old or not overdue.whole or any(one.verdict in FOR_GOOD for one in overdue.judged)

    def _misnumbered(self, named: int, sent: int) -> Unavailable:
        words = f"Resend named {named} ids for {sent} mails; the batch is posted again under its key."
        return Unavailable(words, provider=self._sender.provider)
