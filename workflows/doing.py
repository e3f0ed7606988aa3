"""Carrying out what was decided: steps that send are queued, steps that only do something are done, and either may be held."""

import asyncio
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

from models.automation import Progress, Step, StepState
from models.messages import Enqueue
from models.player import Act, AutomationInput, Begin, End, Free, StepOrder
from workflows import calls
from workflows.display import label
from workflows.knowledge import Knowledge
from workflows.timeline import Decision, Do, Skip

SENDS = ("email", "whatsapp", "social")
"""The verbs whose messages the outbox takes; the others are done by an activity of their own."""

UNMENDED = "not mended in time"
"""Why a step ends that was held until its time was over."""


class Doing:
    """Carries out decisions. Whatever fails for good is held for a person: an automation never dies of one step."""

    def __init__(self, about: AutomationInput) -> None:
        self.knows = Knowledge(about)
        self.noted: tuple[str | None, datetime | None] | None = None
        """The step that the automation's row says it waits for, and until when."""
        self.fresh = False
        """Whether the player has looked since it last waited."""

    @property
    def about(self) -> AutomationInput:
        """What the automation plays, as it was last changed."""
        return self.knows.about

    def now(self) -> datetime:
        """The business instant."""
        return self.knows.clock.now(workflow.now())

    async def carry_out(self, decision: Decision, now: datetime) -> None:
        """Do or skip one round of a step. A failure for good holds it."""
        step = self.knows.steps[decision.step_id]
        try:
            if isinstance(decision, Skip) or not _deeds(step):
                await self._enqueue(step, decision, now)
            elif not self.fresh:
                self.knows.outdated = True  # a pause or cancellation recorded meanwhile is seen before it begins
            else:
                await self._perform(step, decision, now)
        except FailureError as error:
            if is_cancelled_exception(error) or is_gone(error):
                raise
            await self.end(step, decision.round, decision.due, StepState.HELD, error=words(error))

    async def obey(self, verb: str, order: StepOrder) -> None:
        """Give a held step up, or try it again."""
        step, known = self.knows.steps[order.step], self.knows.progress.get(order.step)
        if known is None or known.state is not StepState.HELD:
            return None  # an earlier order has freed it
        if verb == "skip":
            return await self.give_up(step, known, f"given up{f' by {order.by}' if order.by else ''} after")
        free = Free(
            automation_id=self.about.automation_id,
            event_id=self.about.event_id,
            step=step.id,
            slot=step.slot,
            round=known.round,
        )
        freed = await calls.free_step(free)
        if self.knows.progress.get(step.id) == known:  # else a change has freed it meanwhile
            self.knows.free(step.id, self.now(), freed.progress)
        return None

    async def give_up(self, step: Step, held: Progress, why: str) -> None:
        """End a held round as failed, and say what it was held for. The organizer goes on hearing of one that nobody mended."""
        error, state = f"{why}: {held.reason}", StepState.FAILED
        await self.end(step, held.round, held.due, state, error=error, withdraws=why != UNMENDED)

    async def make_way(self, step: Step, held: Progress, why: str) -> None:
        """Give a held round up for the new one that has begun; what comes after the step waits for that."""
        await self.give_up(step, held, why)
        self.knows.progress.pop(step.id, None)

    async def end(
        self,
        step: Step,
        round_: int,
        due: datetime,
        state: StepState,
        *,
        error: str | None = None,
        withdraws: bool = False,
    ) -> None:
        """Journal how a step ended, or that it is held, and adopt what the journal says."""
        ended = await calls.end_step(
            End(
                automation_id=self.about.automation_id,
                event_id=self.about.event_id,
                step=step,
                round=round_,
                due=due,
                now=self.now(),
                state=state,
                results=self.knows.results.get((step.id, round_), {}),
                error=error,
                withdraws=withdraws,
            ),
            f"{step.id}: {state}",
        )
        self.knows.learn(ended.step_id, ended.progress)

    async def _enqueue(self, step: Step, decision: Decision, now: datetime) -> None:
        """Queue a step's messages, or journal its skip. The first decision for a slot and round is the one that holds."""
        knows = self.knows
        assert knows.anchors is not None
        skip = decision.reason if isinstance(decision, Skip) else None
        next_step, next_at = knows.foresee(decision, now)
        resumes = knows.resumes
        answer = await calls.enqueue(
            Enqueue(
                automation_id=self.about.automation_id,
                event_id=self.about.event_id,
                step=step,
                round=decision.round,
                due=decision.due,
                now=now,
                date_revision=knows.anchors.date_revision,
                revision=knows.revision,
                valid_until=knows.instants.until.get(step.id),
                until=knows.until(step),
                tell=knows.tells(step),
                skip=skip,
                next_step=next_step,
                next_at=next_at,
            ),
            label(step, skip),
        )
        if answer.outcome != "decided":
            return knows.heed(answer.outcome, step.id, decision.round, resumes)
        # With nothing ahead the row goes on saying what it said, until the player rests.
        self.noted = None if next_step is None else (next_step, next_at)
        knows.learn_queued(answer, decision.round, now)
        return await self._adopt_branch(step, decision, answer.step_id, now)

    async def _perform(self, step: Step, decision: Do, now: datetime) -> None:
        """Do what a step does beside sending, all targets side by side, each retried on its own; then queue its messages."""
        resumes = self.knows.resumes
        begun = await calls.begin_step(
            Begin(
                automation_id=self.about.automation_id,
                event_id=self.about.event_id,
                step=step,
                round=decision.round,
                due=decision.due,
                now=now,
                revision=self.knows.revision,
            ),
            f"begin {step.id}",
        )
        if begun.outcome != "decided" or begun.progress is None:
            return self.knows.heed(begun.outcome, step.id, decision.round, resumes)
        self.noted = None  # the row says that this step is played
        self.knows.learn(begun.step_id, begun.progress)
        if begun.step_id != step.id:
            return await self._adopt_branch(step, decision, begun.step_id, now)
        if begun.progress.state is not StepState.RUNNING:
            return None
        self.fresh = False
        errors = await self._act(step, decision.round)
        if self.knows.over is not None:
            return None
        if errors:
            return await self.end(step, decision.round, decision.due, StepState.HELD, error="; ".join(errors))
        if any(action.verb in SENDS for action in step.actions):
            if (fact := self.knows.ending(step)) is not None:  # it came about while this was being prepared
                ended = f"ended by {fact}"
                return await self.end(step, decision.round, decision.due, StepState.SKIPPED, error=ended)
            return await self._enqueue(step, decision, self.now())
        return await self.end(step, decision.round, decision.due, StepState.SUCCESS)

    async def _act(self, step: Step, round_: int) -> list[str]:
        """Do what is still to be done of a step; returns what could not be. A cancellation does not wait for it."""
        results = self.knows.results.setdefault((step.id, round_), {})
        todo = [
            (action, target)
            for action in step.actions
            if action.verb not in SENDS
            for target in action.targets
            if target not in results
        ]
        about = Act(
            automation_id=self.about.automation_id,
            event_id=self.about.event_id,
            step=step.id,
            target="",
            rehearsal=self.about.rehearsal,
        )
        acting = asyncio.gather(
            *(calls.act(action.verb, about.model_copy(update={"target": target})) for action, target in todo),
            return_exceptions=True,
        )
        try:
            await workflow.wait_condition(lambda: acting.done() or self.knows.over is not None)
        finally:
            acting.cancel()
        if self.knows.over is not None:
            return []
        errors = []
        for (_, target), outcome in zip(todo, await acting, strict=True):
            if isinstance(outcome, str):
                results[target] = outcome
            elif is_cancelled_exception(outcome):
                raise outcome
            else:
                errors.append(f"{target}: {words(outcome)}")
        return errors

    async def _adopt_branch(self, step: Step, decision: Decision, taken: str | None, now: datetime) -> None:
        """The slot was decided for another branch, by a task that was lost: that one is carried on, this one is not."""
        if taken is None or taken == step.id:
            return
        due = decision.due
        self.knows.progress[step.id] = Progress(
            state=StepState.SKIPPED, round=decision.round, due=due, ended=now, reason="the other branch was taken"
        )
        if self.knows.progress[taken].state is StepState.RUNNING and _deeds(self.knows.steps[taken]):
            await self._perform(self.knows.steps[taken], Do(taken, decision.round, due), now)


def _deeds(step: Step) -> bool:
    """Whether a step does anything but send."""
    return not step.actions or any(action.verb not in SENDS for action in step.actions)


def is_gone(error: BaseException) -> bool:
    """Whether an activity failed because the automation's row was deleted."""
    cause = _cause(error)
    return isinstance(cause, ApplicationError) and cause.type == "UnknownAutomation"


def _cause(error: BaseException) -> BaseException:
    """What an activity raised: a regular one's error comes wrapped, a local one's as it is."""
    return error.__cause__ or error if isinstance(error, ActivityError) else error


def words(error: BaseException) -> str:
    """The reason in the words of whoever raised it."""
    cause = _cause(error)
    said = cause.message if isinstance(cause, ApplicationError) else str(cause)
    return said.replace("\x00", "")
