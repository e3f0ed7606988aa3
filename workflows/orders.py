"""What an automation hears while it plays: news by signals, orders by updates, questions by queries."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from models.automation import StepState
from models.player import AutomationInput, News, StepOrder
from workflows.display import details
from workflows.doing import Doing

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
        if order.step not in self.knows.steps:
            raise ApplicationError(f"There is no step {order.step!r}; the steps are {', '.join(self.knows.steps)}.")
        if self.knows.over is not None:
            raise ApplicationError(f"The automation is {self.knows.over}, so nothing of it can be changed.")
        known = self.knows.progress.get(order.step)
        if known is None or known.state is not StepState.HELD:
            state = known.state if known else "not yet due"
            raise ApplicationError(f"{order.step} is {state}; only a held step can be retried or skipped.")

    # -- questions --------------------------------------------------------------------------------------------------

    @workflow.query
    def timeline(self) -> str:
        """The steps with their instants and what became of them, as a table."""
        return details(self.about.steps, self.knows.instants, self.knows.progress, None, self.knows.over)
