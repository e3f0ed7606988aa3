"""What an automation hears while it plays: news by signals, orders by updates, questions by queries."""

from contextlib import suppress
from datetime import timedelta
from typing import Literal

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from models.approval import Decide, Decided
from models.automation import StepState
from models.changes import Change, Revise, Revised
from models.player import AutomationInput, News, StepOrder
from workflows import calls
from workflows.display import details
from workflows.doing import Doing, words

ANSWER = timedelta(seconds=3)
"""How long an order waits for the step it freed; its caller waits five seconds."""


class Orders(Doing):
    """Hears at any time and changes nothing but what is known; the player looks at it when it turns."""

    def __init__(self, about: AutomationInput) -> None:
        super().__init__(about)
        self._heard = 0
        self._rested = -1
        """How much had been heard when the player last came to rest."""
        self._closed = False
        self._current: str | None = about.steps[0].id
        self._orders: list[tuple[str, StepOrder]] = []
        self._changing = 0
        """Changes of the timeline that are being written: meanwhile nothing is planned."""

    # -- news -------------------------------------------------------------------------------------------------------

    def _hear(self, news: News) -> None:
        self.knows.hear(news)
        self._heard += 1

    def hear_fact(self, fact: str, news: News | None) -> None:
        """For the named signals of a kind. A plain command line may send one without saying when it came about."""
        self._hear(news.model_copy(update={"kind": fact}) if news else News(kind=fact, at=self.now()))

    @workflow.signal
    def step_settled(self, news: News) -> None:
        """The last message of a step is settled."""
        self._hear(news)

    @workflow.signal
    def event_rescheduled(self, news: News) -> None:
        """The event's dates or zone were changed."""
        self._hear(news)

    @workflow.signal
    def content_changed(self, news: News) -> None:
        """Words that were approved, or wait for it, are others by now."""
        self._hear(news)

    @workflow.signal
    def paused(self, news: News) -> None:
        """A person paused this automation; the database already obeys."""
        self._hear(news)

    @workflow.signal
    def resumed(self, news: News) -> None:
        """A person resumed this automation."""
        self._hear(news)

    @workflow.signal
    def cancelled(self, news: News) -> None:
        """A person cancelled this automation, or its event is gone."""
        self._hear(news)

    @workflow.update
    async def tell(self, news: News) -> None:
        """Hear news, or that a rehearsal's clock has stepped; answers when the player rests again."""
        self._hear(news)
        heard = self._heard
        await workflow.wait_condition(lambda: self._rested >= heard or self._closed)

    # -- orders -----------------------------------------------------------------------------------------------------

    @workflow.update
    async def retry(self, order: StepOrder) -> str:
        """Try a held step once more."""
        return await self._order("retry", order)

    @workflow.update
    async def skip(self, order: StepOrder) -> str:
        """Give a held step up, and go on behind it."""
        return await self._order("skip", order)

    @retry.validator
    def _may_retry(self, order: StepOrder) -> None:
        self._is_held(order)

    @skip.validator
    def _may_skip(self, order: StepOrder) -> None:
        self._is_held(order)

    async def _order(self, verb: str, order: StepOrder) -> str:
        self._orders.append((verb, order))
        self._heard += 1
        heard = self._heard
        try:
            await workflow.wait_condition(lambda: self._rested >= heard or self._closed, timeout=ANSWER)
        except TimeoutError:
            return f"{order.step} is being tried again"
        known = self.knows.progress.get(order.step)
        if known is None:
            return f"{order.step} is due again"
        return f"{order.step} is {known.state}" + (f": {known.reason}" if known.reason else "")

    def _is_held(self, order: StepOrder) -> None:
        self._is_open(order.step)
        if order.step in self.knows.waiting.steps:
            raise ApplicationError(f"{order.step} waits for approval: approve or reject it; it is not held.")
        known = self.knows.progress.get(order.step)
        if known is None or known.state is not StepState.HELD:
            state = known.state if known else "not yet due"
            raise ApplicationError(f"{order.step} is {state}; only a held step can be retried or skipped.")

    def _is_open(self, step: str) -> None:
        if step not in self.knows.steps:
            raise ApplicationError(f"There is no step {step!r}; the steps are {', '.join(self.knows.steps)}.")
        self._goes_on()

    def _goes_on(self) -> None:
        if self.knows.over is not None:
            raise ApplicationError(f"The automation is {self.knows.over}, so nothing of it can be changed.")

    # -- decisions --------------------------------------------------------------------------------------------------

    @workflow.update
    async def approve(self, decision: Decide) -> str:
        """Approve exactly the words that were shown; what waited for it goes out."""
        return await self._decide("approve", decision)

    @workflow.update
    async def reject(self, decision: Decide) -> str:
        """Refuse the words that were shown; nobody is written to until they are changed and approved."""
        return await self._decide("reject", decision)

    @approve.validator
    def _may_approve(self, decision: Decide) -> None:
        self._may_decide(decision)

    @reject.validator
    def _may_reject(self, decision: Decide) -> None:
        self._may_decide(decision)

    async def _decide(self, verb: Literal["approve", "reject"], decision: Decide) -> str:
        """The database alone knows which words there are at this instant: it takes the decision in, or refuses it."""
        about = self.about
        try:
            said = await calls.decide(
                Decided(automation_id=about.automation_id, event_id=about.event_id, verb=verb, decision=decision)
            )
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            raise ApplicationError(words(error)) from error
        finally:
            self.knows.outdated = True  # a decision whose answer was lost is taken all the same
            self._heard += 1
        heard = self._heard
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._rested >= heard or self._closed, timeout=ANSWER)
        return said

    def _may_decide(self, _: Decide) -> None:
        # What waits, and for which step and words, may have changed since the player looked: the database says.
        self._goes_on()

    @workflow.update
    async def modify(self, change: Change) -> Revised:
        """Change steps that have not begun; refuse with every problem, and then nothing is changed."""
        about, update = self.about, workflow.current_update_info()
        assert update is not None
        self._changing += 1
        try:
            revised = await calls.revise(
                Revise(
                    automation_id=about.automation_id,
                    event_id=about.event_id,
                    request=update.id,
                    workflow_type=about.workflow_type,
                    change=change,
                    rounds=self.knows.rounds,
                    begun=self.knows.begun(),
                    reserved=tuple(step.id for reaction in about.reactions for step in reaction.steps),
                )
            )
            if revised.number is not None:
                self.knows.revise(revised.steps, revised.number, self.now())
                self._heard += 1
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            raise ApplicationError(words(error)) from error
        finally:
            self._changing -= 1
        if revised.problems:
            raise ApplicationError("\n".join(revised.problems), type="Refused")
        return revised

    @modify.validator
    def _may_modify(self, change: Change) -> None:
        if self.knows.over is not None:
            raise ApplicationError(f"The automation is {self.knows.over}, so nothing of it can be changed.")
        if not change.steps:
            raise ApplicationError(
                'Say what to change: {"steps": {"STEP": {"delay": "8 days"}}}; null takes a step away.'
            )

    # -- questions --------------------------------------------------------------------------------------------------

    @workflow.query
    def timeline(self) -> str:
        """The steps with their instants and what became of them, as a table."""
        return details(self.about.steps, self.knows.instants, self.knows.progress, None, self.knows.over)
