"""What intake does with a delivery: the message it speaks of is marked, addresses are suppressed, facts are told."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import structlog

from database import deliveries, notifications, suppressions, webhooks
from database.connection import Connection, Pool
from database.deliveries import FACTS, Column, Spoken
from database.webhooks import LONGEST_WAIT, PATIENCE, Delivery
from models.replies import answered_message, away_until, is_automatic
from models.webhooks import Report, Word
from providers import resend_webhooks, twilio_webhooks
from providers.errors import ProviderError
from providers.resend import Resend

READ = {"resend": resend_webhooks.read, "twilio": twilio_webhooks.read}

COLUMNS: Mapping[Word, tuple[Column, ...]] = {
    "sent": (),
    "delivered": ("delivered_at",),
    "opened": ("opened_at",),
    # who clicks, or has the read receipt sent, has opened
    "clicked": ("opened_at", "clicked_at"),
    "read": ("delivered_at", "opened_at"),
    "bounced": ("bounced_at",),
    "failed": ("bounced_at",),
    "suppressed": ("bounced_at",),
    # who complains has it
    "complained": ("delivered_at", "complained_at"),
}
NOT_SENT = frozenset[Word]({"failed", "suppressed"})
"""After these a message whose outcome was unknown has failed. After all others it was sent, whatever the ledger says."""

SCANNED_WITHIN = timedelta(seconds=5)
"""Opened or clicked so soon after its delivery: no person was that fast."""

DELIVERED_LATE = timedelta(seconds=30)
"""How long an open waits for the delivery that comes before it, real time."""

NO_HICCUP = 3
"""Tries after which an answer that cannot be read is no matter of a moment."""

STOP = frozenset({
    "stop", "unsubscribe", "end", "quit", "stopall", "revoke", "optout", "cancel", "stopp", "abmelden", "arrêt", "baja",
})  # fmt: skip
START = frozenset({"start", "unstop"})
"""The whole of an answer on WhatsApp, where Twilio keeps no list of its own."""

log = structlog.get_logger()


class NotYet(Exception):
    """What a delivery speaks of is not there yet."""


class TakenIn(Exception):
    """Somebody else took the delivery in meanwhile: what was about to be changed is not."""


class Webhooks:
    """Takes deliveries in. Each may be taken in twice, and they may come in any order."""

    def __init__(self, pool: Pool, live: Resend, rehearsal: Resend | None) -> None:
        self._pool = pool
        self._accounts = {False: live} | ({True: rehearsal} if rehearsal is not None else {})

    async def take_in(self, delivery_id: UUID) -> str:
        """Do what a stored delivery asks for; returns what came of it, in plain words."""
        delivery = await webhooks.load(self._pool, delivery_id)
        if delivery is None:
            return "its delivery is gone"
        if delivery.processed:
            return delivery.outcome or "taken in already"
        if delivery.rehearsal not in self._accounts:
            return "this worker takes no part in rehearsals: it has no SANDBOX_URL"
        report = READ[delivery.provider](delivery.body)
        try:
            if report.word == "received" and delivery.provider == "resend" and report.provider_id:
                report = await self._with_text(delivery, report, report.provider_id)
            return await self._change(delivery, report)
        except TakenIn:
            return "taken in already"
        except (NotYet, ProviderError) as later:
            return await webhooks.postpone(self._pool, delivery, str(later), report.message_id)

    async def _with_text(self, delivery: Delivery, report: Report, provider_id: str) -> Report:
        """A mail that came in, with its text, which has to be fetched. Raises ProviderError while that can be waited for.

        An answer that nobody can read is an answer all the same. While its text is waited for, its automation writes nothing more to
        whoever gave it; when patience is over, it is told of an answer without words. That ends a sequence as an answer does, and
        never as a refusal, which only words can be; the organizer is told to read it.
        """
        try:
            return replace(report, answer=await self._accounts[delivery.rehearsal].receive(provider_id))
        except ProviderError as error:
            if not delivery.patient:
                return replace(report, why=f"its text cannot be read: {error}")
            if delivery.tries == NO_HICCUP:
                await self._tell_unread(delivery, report)
            raise

    async def _tell_unread(self, delivery: Delivery, report: Report) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            try:
                message = await _answered(connection, delivery, report)
            except NotYet:
                return  # by its text, perhaps
            at = message.instant(None, delivery.received_at)
            until = at + PATIENCE + 2 * LONGEST_WAIT  # the last look comes at most one wait after the end of patience
            await deliveries.tell(connection, message, "message_unread", at, until=until.isoformat())

    async def _change(self, delivery: Delivery, report: Report) -> str:
        """Everything that follows from one delivery, in one transaction with the note that it was taken in."""
        async with self._pool.acquire() as connection, connection.transaction():
            message: Spoken | None = None
            if report.word == "ignored":
                outcome = f"nobody acts on {delivery.body.get('type') or 'such a report'}"
            elif report.word == "received":
                message = await _answered(connection, delivery, report)
                outcome = await _answer(connection, delivery, message, report)
            else:
                message = await _spoken_of(connection, delivery, report)
                outcome = await _mark(connection, delivery, message, report)
            if not await webhooks.finish(connection, delivery.id, outcome, message.id if message else None):
                raise TakenIn
        log.debug("webhook_taken_in", delivery=str(delivery.id), provider=delivery.provider, word=report.word)
        return outcome


async def _spoken_of(connection: Connection, delivery: Delivery, report: Report) -> Spoken:
    message = await deliveries.find(
        connection, delivery.provider, report.message_id, report.provider_id, rehearsal=delivery.rehearsal
    )
    if message is None:
        raise NotYet("no message is known by this id")
    if message.status == "sending" and report.word in NOT_SENT:
        raise NotYet("its message is just being sent")
    early = report.word in ("opened", "clicked") and message.delivered_at is None and message.clock_now is None
    if early and datetime.now(UTC) - delivery.received_at < DELIVERED_LATE:
        raise NotYet("its message has not been reported as delivered")
    return message


async def _mark(connection: Connection, delivery: Delivery, message: Spoken, report: Report) -> str:
    """Note on the message what became of it."""
    at = message.instant(report.at, delivery.received_at)
    columns = COLUMNS[report.word]
    if report.word in ("opened", "clicked") and (report.scanner or _too_soon(message, at)):
        columns = ("scanned_at",)
    if _settles(message, report):
        status: Literal["sent", "failed"] = "failed" if report.word in NOT_SENT else "sent"
        await deliveries.settle(connection, message, status, report.provider_id, at)
    new = await deliveries.record(connection, message, columns, at, report.why, report.rfc_id)
    for column in new:
        if kind := FACTS.get(column):
            await deliveries.tell(connection, message, kind, at)
    suppressed = report.suppress is not None and await suppressions.suppress(connection, message, report.suppress)
    outcome = "a scanner's" if columns == ("scanned_at",) else report.word
    return f"{outcome}{'' if new or not columns else ', as was known'}{', address suppressed' if suppressed else ''}"


def _settles(message: Spoken, report: Report) -> bool:
    """Whether a report says more than the ledger knows. What a person queued again after it failed is not meant by it."""
    if message.status == "queued":
        return report.word not in NOT_SENT and message.bounced_at is None
    return message.status in ("sending", "unknown")


def _too_soon(message: Spoken, at: datetime) -> bool:
    since = message.delivered_at or message.sent_at
    return since is not None and at - since < SCANNED_WITHIN


async def _answered(connection: Connection, delivery: Delivery, report: Report) -> Spoken:
    assert report.answer is not None
    message = await deliveries.find_answered(
        connection,
        delivery.provider,
        answered_message(report.answer.recipients),
        report.answer,
        rehearsal=delivery.rehearsal,
    )
    if message is None:
        raise NotYet("; ".join(filter(None, (report.why, "it answers no message that is known here"))))
    return message


async def _answer(connection: Connection, delivery: Delivery, message: Spoken, report: Report) -> str:
    """Keep an answer, and tell the message's automation whether a person or a machine gave it."""
    answer = report.answer
    assert answer is not None
    at = message.instant(report.at, delivery.received_at)
    if message.channel == "whatsapp" and (outcome := await _opt(connection, message, answer.text)):
        return outcome
    automatic = is_automatic(answer.headers, answer.subject, answer.sender)
    away = away_until(f"{answer.subject}\n{answer.text}", at.date()) if automatic else None
    await deliveries.keep_reply(connection, delivery.id, message, answer, at, automatic=automatic, away_until=away)
    if automatic:
        await deliveries.tell(
            connection,
            message,
            "message_auto_replied",
            at,
            reply=str(delivery.id),
            until=away.isoformat() if away else None,
        )
        return f"an automatic answer{f', away until {away}' if away else ''}"
    await deliveries.record(connection, message, ("replied_at",), at, None, None)
    await deliveries.tell(connection, message, "message_replied", at, reply=str(delivery.id))
    if report.why is None:
        return "an answer"
    await notifications.tell(
        connection,
        event_id=message.event_id,
        automation_id=message.automation_id,
        key=f"unread/{delivery.id}",
        title="Somebody has answered, and nobody here can read it",
        body=f"It counts as an answer to {message.step}; {report.why} Read it in your own mailbox, where it went as well.",
    )
    return f"an answer; {report.why}"


async def _opt(connection: Connection, message: Spoken, text: str) -> str | None:
    """Whether an answer is nothing but the word for out, or for in again."""
    word = text.strip().strip(".!\"'").casefold()
    if word in STOP:
        await suppressions.stop(connection, message)
        return "STOP: nothing more goes to this number"
    if word in START:
        freed = await suppressions.start(connection, message)
        return "START: the number is written to again" if freed else "START, though there was no STOP"
    return None
