"""The player: carries a timeline through months, one decision at a time."""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from models.automation import FOREVER, Anchors, Progress, Step, StepState
from models.clock import BusinessClock
from models.messages import Enqueue, Enqueued
from models.moments import Instants
from models.player import Act, Asked, AutomationInput, Begin, End, Finish, Free, News, Rest, StepOrder
from workflows import calls
from workflows.display import details, label
from workflows.timeline import Do, Plan, Skip, plan, rounds


class Automation:
    """Plays a timeline. A kind of automation inherits this, brings its timeline, and says in `run` when to play.

    The player turns: it looks around when dates may have moved, asks `plan()` what is to be done now, does it, and rests
    until the next instant or until it hears news. It never sleeps to an instant: news wakes it, and it looks again.
    """

    def __init__(self, about: AutomationInput) -> None:
        self.about = about
        self.steps = {step.id: step for step in about.steps}
        self.clock = BusinessClock()
        self.anchors: Anchors | None = None
        self.instants: Instants | None = None
        self.progress: dict[str, Progress] = {}
        self.rounds: dict[str, int] = {}
        self.facts: set[str] = set()
        self.freed: dict[str, datetime] = {}
        self.skip_before: datetime | None = None
        self.paused = False
        self.over: str | None = None
        self.problem: str | None = None
        self._look = True
        self._heard = 0
        self._rested = -1
        self._resumes = 0
        self._closed = False
        self._orders: list[tuple[str, StepOrder]] = []
        self._settled: dict[tuple[str, int], Progress] = {}
        self._noted: tuple[str | None, datetime | None] | None = None

    async def play(self) -> None:
        """Play until every step has ended and the last anchor has passed, or until cancelled."""
        try:
            while self.over is None:
                await self._turn()
        except asyncio.CancelledError:
            self.over = "cancelled"
        await calls.finish(
            Finish(
                automation_id=self.about.automation_id,
                event_id=self.about.event_id,
                status="cancelled" if self.over == "cancelled" else "completed",
            )
        )
        self._closed = True
        self._describe(None)
        await workflow.wait_condition(workflow.all_handlers_finished)

    # -- one turn ---------------------------------------------------------------------------------------------------

    async def _turn(self) -> None:
        if self._orders:
            return await self._obey(*self._orders.pop(0))
        if self._look:
            return await self._take_bearings()
        if self.problem is not None:
            return await self._rest(FOREVER, None, self.problem)
        if self.paused:
            return await self._rest(FOREVER, None, "paused")
        heard, now = self._heard, self._now()
        todo = self._plan(now)
        for decision in todo.decisions:
            if self.skip_before is not None and isinstance(decision, Do) and decision.due <= self.skip_before:
                reason = "fell due during a pause, and the resume skipped it"
                decision = Skip(decision.step_id, decision.round, decision.due, reason)
            await self._carry_out(decision, now)
            if self._heard != heard or self._look or self.paused or self.over:
                return None  # something is newer than this plan
        if todo.decisions:
            return None
        end = self._last_anchor()
        if now >= end and not any(p.state is StepState.RUNNING for p in self.progress.values()):
            return await self._close(now)
        return await self._rest(min(todo.wake or FOREVER, end if end > now else FOREVER), todo.current)

    async def _take_bearings(self) -> None:
        """Learn anchors, instants and present state; steps that a moved date made due again begin a new round."""
        self._look = False
        resumes, old = self._resumes, self.instants
        bearings = await calls.look(
            Asked(
                automation_id=self.about.automation_id,
                event_id=self.about.event_id,
                steps=self.about.steps,
                ended={id_: p.ended for id_, p in self.progress.items() if p.ended and p.state.ended},
            )
        )
        if self.anchors is None and self.about.rehearsal:
            self.clock.stepped = bearings.now
        self.clock.tell(bearings.now)
        if bearings.status == "cancelled":
            self.over = "cancelled"
        if bearings.status == "paused" and self._resumes == resumes:
            self.paused = True
        self.problem = bearings.problem
        if bearings.problem is not None:
            return
        moved = self.anchors is not None and bearings.anchors.date_revision > self.anchors.date_revision
        self.anchors, self.instants = bearings.anchors, bearings.instants
        if moved and old is not None:
            self.rounds |= rounds(self.about.steps, old, bearings.instants, self.progress, self._now(), self.about.rules)

    def _plan(self, now: datetime) -> Plan:
        assert self.instants is not None
        return plan(
            self.about.steps,
            self.instants,
            self.progress,
            self.facts,
            now,
            self.about.rules,
            freed=self.freed,
            rounds=self.rounds,
        )

    async def _carry_out(self, decision: Do | Skip, now: datetime) -> None:
        step = self.steps[decision.step_id]
        try:
            if isinstance(decision, Skip) or not any(action.verb in calls.ACTS for action in step.actions):
                await self._enqueue(step, decision, now)
            else:
                await self._perform(step, decision, now)
        except ActivityError as error:
            await self._end(step, decision.round, decision.due, StepState.HELD, error=_words(error))

    async def _enqueue(self, step: Step, decision: Do | Skip, now: datetime) -> None:
        """Queue a step's messages, or journal its skip. The first decision for a slot and round is the one that holds."""
        assert self.anchors is not None and self.instants is not None
        skip = decision.reason if isinstance(decision, Skip) else None
        broadcast = any(action.audience for action in step.actions)
        tell = broadcast or any(step.id in _after(other) for other in self.about.steps)
        next_step, next_at = self._foresee(step, decision, now)
        resumes = self._resumes
        answer = await calls.enqueue(
            Enqueue(
                automation_id=self.about.automation_id,
                event_id=self.about.event_id,
                step=step,
                round=decision.round,
                due=decision.due,
                now=now,
                date_revision=self.anchors.date_revision,
                valid_until=self.instants.until.get(step.id),
                tell=tell,
                skip=skip,
                next_step=next_step,
                next_at=next_at,
            ),
            label(step, skip),
        )
        if answer.outcome == "cancelled":
            self.over = "cancelled"
        elif answer.outcome == "paused":
            self.paused = self.paused or self._resumes == resumes
        elif answer.outcome == "stale":
            self._look = True
        else:
            self._noted = (next_step, next_at)
            self._adopt(answer, tell, now, decision.round)

    def _adopt(self, answer: Enqueued, tell: bool, now: datetime, round_: int) -> None:
        assert answer.step_id is not None and answer.state is not None and answer.due is not None
        state, ended = answer.state, answer.ended
        if state is StepState.RUNNING and not tell:
            state, ended = StepState.SUCCESS, now  # handed over; a failure would be heard of
        known = Progress(state=state, round=round_, due=answer.due, ended=ended, reason=answer.reason)
        self._know(answer.step_id, self._settled.pop((answer.step_id, round_), known))

    def _foresee(self, step: Step, decision: Do | Skip, now: datetime) -> tuple[str | None, datetime | None]:
        """What the player will wait for once this step has begun, so that one call can keep both on the row."""
        assert self.instants is not None
        begun = Progress(state=StepState.RUNNING, round=decision.round, due=decision.due)
        ahead = plan(
            self.about.steps,
            self.instants,
            self.progress | {step.id: begun},
            self.facts,
            now,
            self.about.rules,
            freed=self.freed,
            rounds=self.rounds,
        )
        if ahead.decisions:
            return ahead.decisions[0].step_id, now
        return ahead.current, min(ahead.wake or FOREVER, self._last_anchor())

    async def _perform(self, step: Step, decision: Do, now: datetime) -> None:
        """Do a step that sends nothing, all its targets side by side; each is retried on its own."""
        about = self.about
        slot = await calls.begin_step(
            Begin(
                automation_id=about.automation_id,
                event_id=about.event_id,
                step=step,
                round=decision.round,
                due=decision.due,
                now=now,
            ),
            f"begin {step.id}",
        )
        self._know(slot.step_id, slot.progress)
        if slot.step_id != step.id or slot.progress.state.ended:
            return
        todo = [(action, target) for action in step.actions if action.verb in calls.ACTS for target in action.targets]
        outcomes = await asyncio.gather(
            *(
                calls.act(
                    action,
                    Act(
                        automation_id=about.automation_id,
                        event_id=about.event_id,
                        step=step.id,
                        target=target,
                        rehearsal=about.rehearsal,
                    ),
                )
                for action, target in todo
            ),
            return_exceptions=True,
        )
        results = {target: o for (_, target), o in zip(todo, outcomes, strict=True) if isinstance(o, str)}
        errors = [
            f"{target}: {_words(outcome)}"
            for (_, target), outcome in zip(todo, outcomes, strict=True)
            if isinstance(outcome, BaseException)
        ]
        state = StepState.HELD if errors else StepState.SUCCESS
        await self._end(step, decision.round, decision.due, state, results=results, error="; ".join(errors) or None)

    async def _end(
        self,
        step: Step,
        round_: int,
        due: datetime,
        state: StepState,
        *,
        results: dict[str, str] | None = None,
        error: str | None = None,
    ) -> None:
        ended = await calls.end_step(
            End(
                automation_id=self.about.automation_id,
                event_id=self.about.event_id,
                step=step,
                round=round_,
                due=due,
                now=self._now(),
                state=state,
                results=results or {},
                error=error,
            ),
            f"{step.id}: {state}",
        )
        self._know(ended.step_id, ended.progress)

    def _know(self, id_: str, progress: Progress) -> None:
        """Adopt what became of a step. Steps that count from its end get their instants at the next look."""
        self.progress[id_] = progress
        if progress.state.ended and any(id_ in _after(step) for step in self.about.steps):
            self._look = True

    async def _close(self, now: datetime) -> None:
        """The last anchor has passed: what is held or was never due ends with a reason, and the automation with it."""
        assert self.instants is not None
        for step in self.about.steps:
            known = self.progress.get(step.id)
            if known is not None and known.state is StepState.HELD:
                await self._end(step, known.round, known.due, StepState.FAILED, error=known.reason)
            elif known is None:
                round_ = self.rounds.get(step.id, 0)
                due = self.instants.due.get(step.id) or now
                await self._enqueue(step, Skip(step.id, round_, due, "the event came before it was due"), now)
        self.over = self.over or "completed"

    def _last_anchor(self) -> datetime:
        """Until then a moved date can make steps due again, so the automation stays open."""
        assert self.anchors is not None
        moments = " ".join(f"{step.moment} {step.until or ''}" for step in self.about.steps)
        anchors = {name: getattr(self.anchors, name) for name in ("event_date", "event_end", "deadline")}
        return max((at for name, at in anchors.items() if at and name in moments), default=self.anchors.start)

    # -- rest -------------------------------------------------------------------------------------------------------

    async def _rest(self, until: datetime, step: str | None, problem: str | None = None) -> None:
        heard = self._heard
        if self.about.rehearsal or problem is not None or self._noted != (step, until):
            await calls.rest(
                Rest(
                    automation_id=self.about.automation_id,
                    event_id=self.about.event_id,
                    until=until,
                    step=step,
                    problem=problem if problem != "paused" else None,
                ),
                f"wait for {step or problem or 'news'}",
            )
            self._noted = (step, until)
        self._describe(until)
        if self._heard == heard:
            self._rested = heard
        timeout = None if self.clock.is_stepped or until == FOREVER else until - workflow.now()
        if timeout is not None and timeout <= timedelta(0):
            return
        try:
            await workflow.wait_condition(
                lambda: self._heard != heard, timeout=timeout, timeout_summary=f"wait for {step or 'the event'}"
            )
        except TimeoutError:
            pass

    def _now(self) -> datetime:
        return self.clock.now(workflow.now())

    def _describe(self, until: datetime | None) -> None:
        workflow.set_current_details(
            details(self.about.steps, self.instants, self.progress, until, self.over or ("paused" if self.paused else None))
        )

    # -- news -------------------------------------------------------------------------------------------------------

    def _hear(self, news: News) -> None:
        """Take in news, in any order and any number of times; the next turn acts on it."""
        self.clock.tell(news.at)
        self._heard += 1
        match news.kind:
            case "clock":
                pass
            case "paused":
                self.paused = True
            case "resumed":
                self._resumes += 1
                self.paused = False
                self._look = True
                if news.data.get("policy") == "send_all":
                    self.freed = dict.fromkeys(self.steps, news.at)
                if news.data.get("policy") == "skip_all":
                    self.skip_before = news.at
            case "cancelled":
                self.over = "cancelled"
            case "event_rescheduled":
                self._look = True
            case "step_settled":
                self._hear_settled(news)
            case fact:
                self.facts.add(fact)

    def _hear_settled(self, news: News) -> None:
        id_, round_ = str(news.data["step"]), int(news.data["round"] or 0)
        state = StepState(str(news.data["state"]))
        state = StepState.HELD if state is StepState.FAILED else state  # a person decides
        known = self.progress.get(id_)
        settled = Progress(
            state=state,
            round=round_,
            due=known.due if known else news.at,
            ended=None if state is StepState.HELD else datetime.fromisoformat(str(news.data["ended"])),
            reason=str(news.data["reason"]) if news.data.get("reason") else None,
        )
        if known is None or known.round < round_:
            self._settled[id_, round_] = settled  # the answer to our enqueue is still under way
        elif known.round == round_:
            self._know(id_, settled)

    @workflow.signal
    def step_settled(self, news: News) -> None:
        """The last message of a step is settled."""
        self._hear(news)

    @workflow.signal
    def event_rescheduled(self, news: News) -> None:
        """The event's dates or zone were changed."""
        self._hear(news)

    @workflow.signal(name="paused")
    def hear_paused(self, news: News) -> None:
        """A person paused this automation; the database already obeys."""
        self._hear(news)

    @workflow.signal(name="resumed")
    def hear_resumed(self, news: News) -> None:
        """A person resumed this automation."""
        self._hear(news)

    @workflow.signal(name="cancelled")
    def hear_cancelled(self, news: News) -> None:
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

    async def _order(self, verb: str, order: StepOrder) -> str:
        self._orders.append((verb, order))
        self._heard += 1
        heard = self._heard
        await workflow.wait_condition(lambda: self._rested >= heard or self._closed)
        known = self.progress.get(order.step)
        return f"{order.step} is {known.state if known else 'due again'}" + (f": {known.reason}" if known and known.reason else "")

    @retry.validator
    def _may_retry(self, order: StepOrder) -> None:
        self._is_held(order)

    @skip.validator
    def _may_skip(self, order: StepOrder) -> None:
        self._is_held(order)

    def _is_held(self, order: StepOrder) -> None:
        known = self.progress.get(order.step)
        if order.step not in self.steps:
            raise ApplicationError(f"There is no step {order.step!r}; the steps are {', '.join(self.steps)}.")
        if known is None or known.state is not StepState.HELD:
            raise ApplicationError(f"{order.step} is {known.state if known else 'not yet due'}; only a held step can be retried or skipped.")

    async def _obey(self, verb: str, order: StepOrder) -> None:
        known = self.progress[order.step]
        if known.state is not StepState.HELD:
            return
        step = self.steps[order.step]
        if verb == "skip":
            reason = f"given up{f' by {order.by}' if order.by else ''} after: {known.reason}"
            await self._end(step, known.round, known.due, StepState.FAILED, error=reason)
            return
        freed = await calls.free_step(
            Free(automation_id=self.about.automation_id, event_id=self.about.event_id, step=step.id, slot=step.slot, round=known.round)
        )
        self.freed[step.id] = self._now()
        if freed:
            self.progress[step.id] = known.model_copy(update={"state": StepState.RUNNING, "reason": None})
        else:
            self.rounds[step.id] = known.round
            del self.progress[step.id]

    # -- questions --------------------------------------------------------------------------------------------------

    @workflow.query
    def timeline(self) -> str:
        """The steps with their instants and what became of them, as a table."""
        return details(self.about.steps, self.instants, self.progress, None, self.over)


def _after(step: Step) -> str:
    """The step whose end this one counts from, as it stands in the moment's words; empty if none."""
    return step.moment.partition(" after ")[2]


def _words(error: BaseException) -> str:
    """The innermost reason, in the words of whoever raised it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error.message if isinstance(error, ApplicationError) else str(error)
