"""What both protocols share: how long to wait, what to say, and how an outcome that nobody knows is looked up."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

import structlog

from database import recovery, settlement
from database.batches import Batch, Claimed, postpone
from database.connection import Pool
from database.recovery import Overdue
from database.settlement import Outcome
from providers.errors import ProviderError, Rejected, Unavailable
from providers.rate import Pace

ACCOUNT_WAIT = timedelta(seconds=30)
"""Between attempts at an account that refuses everything."""

LONG_WAIT = timedelta(minutes=1)
"""A wait longer than this is told to the organizer; the account is asked again at least this often."""

LOOK_AGAIN = tuple(timedelta(minutes=n) for n in (1, 5, 30, 120, 600))
"""When an outcome that is unknown is looked up again; after that only a webhook or a person settles it."""

READ_WITHIN = timedelta(hours=1)
"""How long after its request a message waits for a list that cannot be read; its step goes on then."""

NOT_LISTED = "its outcome is open, and the provider's list does not show it"

log = structlog.get_logger()


class Delivery(Protocol):
    """Carries batches of one channel, line by line: each line is yielded when it has been passed.

    A worker may die between any two lines, so whoever stops reading in the middle leaves exactly what a crash would leave.
    """

    def carry(self, batch: Batch) -> AsyncIterator[str]:
        """Send a batch that was just claimed."""

    def recover(self, overdue: Overdue) -> AsyncIterator[str]:
        """Bring to an end what another worker began."""


def outcomes(messages: Iterable[Claimed], status: settlement.Final, reason: str | None = None) -> list[Outcome]:
    """The same outcome for each of the messages."""
    return [Outcome(message.id, status, reason) for message in messages]


def patience(error: ProviderError, attempts: int) -> timedelta:
    """How long the provider wants to be left alone: what it says, else twice as long each time."""
    if isinstance(error, Rejected):
        return ACCOUNT_WAIT
    asked = error.retry_after if isinstance(error, Unavailable) else None
    return asked if asked is not None else timedelta(seconds=min(2.0**attempts, 300))


async def drop(
    pool: Pool, batch: Batch, failed: Sequence[tuple[Claimed, str]], faulty: Sequence[tuple[Claimed, str]]
) -> None:
    """Fail the messages that could not be composed, and with what is wrong for everybody the rest of their step."""
    if not failed and not faulty:
        return
    dropped = [Outcome(message.id, "failed", reason) for message, reason in (*failed, *faulty)]
    await settlement.settle(pool, batch, dropped, batch_status="claimed")
    for log_id, reason in {(message.log_id, reason) for message, reason in faulty}:
        log.warning("step_not_composed", log_id=str(log_id), reason=reason, channel=batch.channel)
        await settlement.fail_step(pool, log_id, batch.channel, reason)


async def queue_again(pool: Pool, batch: Batch, error: ProviderError, pace: Pace) -> None:
    """The provider has certainly done nothing: the messages pass the gates again, under a new key, after a while.

    Until then the account is left alone. A long wait, or a refusal of the account, is told to the organizer.
    """
    wait = patience(error, max(message.attempts for message in batch.messages))
    pace.pause(min(wait, LONG_WAIT).total_seconds())
    await settlement.queue_again(pool, batch, wait)
    if isinstance(error, Rejected) or wait > LONG_WAIT:
        await settlement.trouble(pool, {message.log_id for message in batch.messages}, str(error))


async def conclude_look_up(pool: Pool, batch: Batch, found: dict[UUID, str], why: str = NOT_LISTED) -> None:
    """Settle what the provider's list shows. The rest stays unknown, is shown to a person, and is looked up again."""
    was: Literal["sending", "unknown"] = "unknown" if batch.status == "unknown" else "sending"
    missing = [message for message in batch.messages if message.id not in found]
    settled = [Outcome(id_, "sent", None, provider_id) for id_, provider_id in found.items()]
    if was == "sending":
        settled += outcomes(missing, "unknown", why)
    await settlement.settle(
        pool,
        batch,
        settled,
        batch_status="unknown" if missing else "settled",
        was=was,
        look_again=LOOK_AGAIN[batch.lookups] if batch.lookups < len(LOOK_AGAIN) else None,
    )
    if missing:
        log.warning("messages_unknown", batch=str(batch.id), count=len(missing), channel=batch.channel)
        await recovery.report_unknown(pool, [message.id for message in missing])


async def not_looked_up(pool: Pool, batch: Batch, error: ProviderError) -> None:
    """The provider's list was not read: it is tried again. Where it may not be read, or was not for long, that is as good as
    a list that shows nothing, and a person is told.
    """
    if isinstance(error, Rejected):
        await settlement.trouble(pool, {message.log_id for message in batch.messages}, str(error))
    elif batch.status == "unknown" or batch.first_posted_at is None or _since(batch.first_posted_at) < READ_WITHIN:
        await leave_open(pool, batch, error)
        return
    await conclude_look_up(pool, batch, {}, f"its outcome is open, and the provider's list cannot be read: {error}")


async def leave_open(pool: Pool, batch: Batch, error: ProviderError) -> None:
    """It may have been sent: recovery goes on when the provider has had its rest."""
    log.info("outcome_open", batch=str(batch.id), channel=batch.channel, code=error.code, reason=str(error))
    await postpone(pool, batch, patience(error, batch.attempts), str(error))


def _since(instant: datetime) -> timedelta:
    return datetime.now(UTC) - instant
