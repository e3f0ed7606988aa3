"""The dispatch pump: claims what is due on one channel and carries it, several batches side by side."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import cast

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import failures
from activities.asking import Asking
from activities.compose import Composer
from activities.delivery import Delivery
from activities.listening import listening
from activities.mailing import Mailing
from activities.posting import Posting
from database import batches, claims, recovery
from database.batches import Batch
from database.claims import Claim
from database.connection import Pool
from models.messages import Channel
from models.player import DispatchInput
from providers.accounts import Accounts
from providers.rate import Pace

ABREAST = 6
"""Batches under way at the same time."""

LIMIT = {"email": 100}
"""Messages per batch; what knows no idempotency key goes alone."""

TURN = 60.0
"""Seconds after which the activity returns, so that the pump's workflow goes on with a fresh one."""

POLL = 1.0
"""Seconds between looks when no NOTIFY comes, and between looks for what fell silent."""

SWEEP = 5.0
"""Seconds between looks for holds whose reason is gone, and for messages that no webhook has mentioned."""

GRACE = 8.0
"""Seconds that a stopping worker leaves to the batches under way."""

AWAY = (OSError, *failures.AWAY)
"""The database did not do what was asked; it may, a second later."""

log = structlog.get_logger()


class Dispatch:
    """The pumps of a worker. Rehearsal messages go to `rehearsal`, which knows the sandbox's address and no other."""

    def __init__(
        self,
        pool: Pool,
        live: Accounts,
        rehearsal: Accounts | None,
        *,
        public_url: str,
        listen_url: str,
        inbound_domain: str = "",
    ) -> None:
        self._pool = pool
        self._live = live
        self._rehearsal = rehearsal
        self._public_url = public_url
        self._inbound_domain = inbound_domain
        self._listen_url = listen_url

    def pump(self, channel: Channel, *, rehearsal: bool) -> "Pump":
        """The pump of one channel."""
        accounts = self._rehearsal if rehearsal else self._live
        if accounts is None:
            said = "This worker takes no part in rehearsals: set SANDBOX_URL and start it again."
            raise ApplicationError(said, next_retry_delay=timedelta(minutes=1))
        composer = Composer(self._pool, self._public_url, accounts.weather, inbound_domain=self._inbound_domain)
        delivery: Delivery
        asking: Asking | None = None
        match channel:
            case "email":
                delivery = Mailing(self._pool, accounts.email, composer)
                asking = Asking(self._pool, channel, accounts.email)
            case "whatsapp":
                delivery = Posting(self._pool, accounts.whatsapp, composer.whatsapp)
                asking = Asking(self._pool, channel, accounts.whatsapp)
            case "linkedin":
                delivery = Posting(self._pool, accounts.linkedin, composer.posts)
            case "twitter":
                delivery = Posting(self._pool, accounts.twitter, composer.posts)
            case "facebook":
                delivery = Posting(self._pool, accounts.facebook, composer.posts)
        pace = accounts.sender(channel).pace
        return Pump(self._pool, delivery, pace, channel, rehearsal=rehearsal, asking=None if rehearsal else asking)

    @activity.defn
    async def dispatch(self, about: DispatchInput) -> None:
        """Send what is due on a channel, for about a minute or until the worker stops."""
        pump = self.pump(cast(Channel, about.channel), rehearsal=about.rehearsal)
        async with AsyncExitStack() as stack:
            # What is queued wakes its own pump; a step of a rehearsal's clock, or what a person lets go, wakes all.
            ours = f"eventos_messages_{about.channel}{'_rehearsal' if about.rehearsal else ''}"
            woken = await stack.enter_async_context(listening(self._listen_url, "eventos_messages", ours))
            stop = await stack.enter_async_context(_stopping(woken))
            await pump.run(stop, woken)


class Pump:
    """One channel's pump. `run` may be called again after it has returned."""

    def __init__(
        self,
        pool: Pool,
        delivery: Delivery,
        pace: Pace,
        channel: Channel,
        *,
        rehearsal: bool,
        asking: Asking | None = None,
    ) -> None:
        self._pool = pool
        self._delivery = delivery
        self._pace = pace
        self._channel = channel
        self._rehearsal = rehearsal
        self._asking = asking
        self._asked: asyncio.Task[None] | None = None
        self._flying: dict[asyncio.Task[None], Batch] = {}
        self._may_ask = False
        self._alone = False
        self._tended_at = self._swept_at = -SWEEP

    async def run(self, stop: asyncio.Event, woken: asyncio.Event, *, seconds: float = TURN) -> None:
        """Claim and carry until told to stop, at most for `seconds`; then finish what is under way, or hand it back."""
        end = time.monotonic() + seconds
        try:
            while not stop.is_set() and time.monotonic() < end:
                try:
                    await self._turn(woken)
                except AWAY as error:
                    log.warning("database_away", channel=self._channel, reason=str(error))
                    await asyncio.sleep(POLL)
        finally:
            await self._land()

    async def drain(self) -> None:
        """Carry everything that is due now, and return."""
        idle = False
        while not idle or self._flying:
            if self._flying and (idle or len(self._flying) >= ABREAST):
                await asyncio.wait(self._flying, return_when=asyncio.FIRST_COMPLETED)
            idle = (await self._claim()).idle

    async def recover(self) -> None:
        """Bring to an end what other workers left behind and whose lease is over."""
        await self._take_over()
        if self._flying:
            await asyncio.wait(self._flying)

    async def ask(self) -> None:
        """Ask the provider about some of the messages that no webhook has mentioned."""
        try:
            if self._asking is not None:
                await self._asking.look()
        except AWAY as error:
            log.warning("database_away", channel=self._channel, reason=str(error))
        except Exception:
            log.exception("unmentioned_not_asked_about", channel=self._channel)

    async def _turn(self, woken: asyncio.Event) -> None:
        await self._tend()
        if len(self._flying) >= ABREAST:
            await asyncio.wait(self._flying, timeout=POLL, return_when=asyncio.FIRST_COMPLETED)
            return
        if not self._may_ask and (seconds := self._pace.wait()) > 0:
            await asyncio.sleep(min(seconds, POLL))
            return
        woken.clear()
        claim = await self._claim()
        if claim.idle:
            await self._idle(woken)

    async def _claim(self) -> Claim:
        """Look at the queue with the permission for one request in hand; it is kept until there is something to ask.

        Mail that goes alone and mail that goes in batches have a request each by turns, so that thousands of confirmations
        hold up no reminder, and no announcement a confirmation; a turn that finds nothing due is the other's.
        """
        if not self._may_ask:
            await self._pace.take()
            self._may_ask = True
        # Where nothing limits the requests, as many batches are claimed at once as there is room for.
        room = ABREAST - len(self._flying) if math.isinf(self._pace.per_second) else 1
        claim = Claim()
        for _ in range(2 if self._channel in LIMIT else 1):
            claim = await claims.claim(
                self._pool,
                self._channel,
                rehearsal=self._rehearsal,
                limit=LIMIT.get(self._channel, 1),
                batches=max(1, room),
                alone=self._alone,
            )
            self._alone = self._channel in LIMIT and not self._alone
            if not claim.idle:
                break
        for batch in claim.batches:
            self._may_ask = False
            self._launch(batch, self._delivery.carry(batch))
        return claim

    def _launch(self, batch: Batch, lines: AsyncIterator[str]) -> None:
        task = asyncio.create_task(self._fly(batch, lines))
        self._flying[task] = batch
        task.add_done_callback(self._flying.pop)

    async def _fly(self, batch: Batch, lines: AsyncIterator[str]) -> None:
        about = {"batch": str(batch.id), "channel": self._channel, "messages": len(batch.messages)}
        try:
            async for line in lines:
                log.debug("batch_moved", line=line, **about)
        except AWAY as error:
            log.warning("batch_left_to_recovery", reason=str(error), **about)
        except Exception:
            log.exception("batch_left_to_recovery", **about)

    async def _tend(self) -> None:
        """Now and then: take over what fell silent, free what nothing holds any more, ask about what nobody mentions."""
        now = time.monotonic()
        if now - self._tended_at >= POLL:
            self._tended_at = now
            await self._take_over()
        if now - self._swept_at >= SWEEP:
            self._swept_at = now
            await recovery.sweep(self._pool, self._channel, rehearsal=self._rehearsal)
            if self._asked is None or self._asked.done():
                self._asked = asyncio.create_task(self.ask())

    async def _take_over(self) -> None:
        limit = max(1, ABREAST - len(self._flying))
        for overdue in await recovery.take_over(self._pool, self._channel, rehearsal=self._rehearsal, limit=limit):
            log.info(
                "batch_taken_over", batch=str(overdue.batch.id), status=overdue.batch.status, channel=self._channel
            )
            self._launch(overdue.batch, self._delivery.recover(overdue))

    async def _idle(self, woken: asyncio.Event) -> None:
        wait = None if self._rehearsal else await recovery.next_release(self._pool, self._channel)
        seconds = POLL if wait is None else min(POLL, max(wait.total_seconds(), 0.02))
        with suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), seconds)

    async def _land(self) -> None:
        """Let what is under way arrive; what does not in time is handed back if nothing of it was posted."""
        if under_way := {*self._flying, *([self._asked] if self._asked else [])}:
            await asyncio.wait(under_way, timeout=GRACE)
        if self._asked:
            self._asked.cancel()
        late = dict(self._flying)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        for batch in late.values():
            try:
                await batches.hand_back(self._pool, batch)
            except AWAY as error:
                log.warning("batch_left_to_recovery", batch=str(batch.id), reason=str(error))


@asynccontextmanager
async def _stopping(woken: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """An event that is set when the worker shuts down. The activity's heart beats meanwhile."""
    stop = asyncio.Event()

    async def beat() -> None:
        while True:
            activity.heartbeat()
            if activity.is_worker_shutdown():
                stop.set()
                woken.set()
            await asyncio.sleep(0.5)

    heart = asyncio.create_task(beat())
    try:
        yield stop
    finally:
        heart.cancel()
