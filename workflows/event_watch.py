"""The watch over one event: durable timers for its time rules, and a regular look at the conditions of the others."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

from models.automation import FOREVER
from models.player import News
from models.watch import Watched, WatchInput
from workflows import calls


@workflow.defn
class EventWatchWorkflow:
    """Looks over its event whenever something comes due or has changed. What came due is written in the database, once.

    It holds nothing but the instant at which it looks again, so it may be ended and begun anew at any time.
    """

    @workflow.init
    def __init__(self, about: WatchInput) -> None:
        self._about = about
        self._heard = 0
        self._rested = -1
        self._closed = False

    @workflow.run
    async def run(self, about: WatchInput) -> None:
        """Watch until 90 days after the event's end, or until it is cancelled or taken back."""
        while True:
            heard = self._heard
            watched = await calls.look_over(about)
            if watched.over:
                break
            if self._heard == heard:
                await self._rest(watched, heard)
        self._closed = True
        workflow.set_current_details("over")
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _rest(self, watched: Watched, heard: int) -> None:
        self._rested = heard
        # A handler that is still answering would be lost with this run.
        await workflow.wait_condition(lambda: workflow.all_handlers_finished() or self._heard != heard)
        if self._heard != heard:
            return
        if workflow.info().is_continue_as_new_suggested():
            workflow.continue_as_new(self._about)
        workflow.set_current_details(_details(watched))
        timeout = None
        if watched.wake != FOREVER and not self._about.rehearsal:
            timeout = max(watched.wake - workflow.now(), timedelta(0))
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._heard != heard, timeout=timeout, timeout_summary=f"wait for {watched.awaits}"
            )

    @workflow.signal
    def event_status_change(self, news: News) -> None:  # noqa: ARG002 - the database says what it is now
        """The event was published, cancelled, or taken back."""
        self._heard += 1

    @workflow.signal
    def event_rescheduled(self, news: News) -> None:  # noqa: ARG002 - as above
        """The event's dates or zone were changed."""
        self._heard += 1

    @workflow.signal
    def event_deleted(self, news: News) -> None:  # noqa: ARG002 - as above
        """The event's row is gone."""
        self._heard += 1

    @workflow.signal
    def rules_changed(self, news: News) -> None:  # noqa: ARG002 - as above
        """A rule came, went or was changed."""
        self._heard += 1

    @workflow.update
    async def tell(self, news: News) -> None:  # noqa: ARG002 - as above
        """Hear news, or that a rehearsal's clock has stepped; answers when the watch rests again."""
        self._heard += 1
        heard = self._heard
        await workflow.wait_condition(lambda: self._rested >= heard or self._closed)


def _details(watched: Watched) -> str:
    if watched.wake == FOREVER:
        return "Waits for news"
    return f"Waits until {watched.wake:%Y-%m-%d %H:%M:%S} UTC for {watched.awaits}"
