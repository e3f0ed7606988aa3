"""The player: carries a timeline through months, one decision at a time."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from models.automation import FOREVER, Reaction, StepState
from models.player import Asked, Finish, Rest
from workflows import calls
from workflows.display import details
from workflows.doing import UNMENDED, is_gone
from workflows.orders import Orders
from workflows.timeline import Do, Skip


class Automation(Orders):
    """Plays a timeline. A kind of automation inherits this, brings its timeline, and says in `run` when to play.

    The player turns: it looks around when dates may have moved, asks `plan()` what is to be done now, does it, and rests
    until the next instant or until it hears news. It never sleeps to an instant: news wakes it, and it looks again.
    """

    async def play(self) -> None:
        """Play until every step has ended and the last anchor has passed, or until cancelled."""
        ended_from_outside: BaseException | None = None
        try:
            while self.knows.over is None:
                if self._changing:
                    await workflow.wait_condition(lambda: not self._changing)
                await self._turn()
            status = self.knows.over
        except (asyncio.CancelledError, FailureError) as error:
            if is_cancelled_exception(error):
                ended_from_outside = error
            elif not is_gone(error):
                raise
            status = self.knows.over = "cancelled"
        about = self.about
        await calls.finish(Finish(automation_id=about.automation_id, event_id=about.event_id, status=status))
        self._closed = True
        self._describe(None)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if ended_from_outside is not None:
            raise ended_from_outside

    # -- one turn ---------------------------------------------------------------------------------------------------

    async def _turn(self) -> None:
        knows = self.knows
        if self._orders:
            return await self.obey(*self._orders.pop(0))
        if knows.outdated:
            return await self._take_bearings()
        if knows.problem is not None or knows.paused:
            return await self._rest(FOREVER, None, knows.problem)
        if knows.happened:
            return await self._react(*knows.reaction())
        heard, now = self._heard, self.now()
        todo = knows.plan(now)
        if knows.waiting.reminds(now) or (not self.fresh and knows.looks_first(todo)):
            return await self._take_bearings()  # which reminds, and reads the columns that conditions name
        self._current = todo.current
        for decision in todo.decisions:
            await self.carry_out(decision, now)
            if self._heard != heard or knows.interrupted():
                return None  # something is newer than this plan
        if todo.decisions:
            return None
        if (left := knows.leftover(now)) is not None:
            step, why = left
            if isinstance(why, Skip):
                return await self.carry_out(why, now)
            return await self.give_up(step, why, UNMENDED)
        end, kept = knows.last_anchor(), knows.keeps_open()
        if todo.finished and kept is None and (end is None or end <= now) and not self.about.open_ended:
            knows.over = "completed"
            return None
        waits = todo.current in knows.waiting.steps
        return await self._rest(knows.wake(todo, now), None if waits else todo.wake)

    async def _react(self, reaction: Reaction, at: datetime | None) -> None:
        """Carry out what a fact brings about. Each part is journalled, so a turn that is interrupted goes on where it was."""
        knows, now = self.knows, self.now()
        round_ = knows.reacted[reaction.fact]
        if (step := knows.unanswered(reaction)) is not None:
            known = knows.progress.get(step.id)
            if known is not None and known.state is StepState.HELD:
                return await self.make_way(step, known, f"{reaction.fact} came about again")
            knows.rounds[step.id] = round_
            return await self.carry_out(Do(step.id, round_, at or now), now)
        ends = knows.ends(reaction)
        if ends and not await self._ended(f"ended by {reaction.fact}", now):
            return None
        if reaction.rearms:
            knows.rearm(now)
        if ends:
            knows.over = "completed"
        knows.reacted[reaction.fact] += 1
        knows.happened.remove((reaction, at))
        return None

    async def _ended(self, why: str, now: datetime) -> bool:
        """End the next step that has not ended, if there is one: what answers is waited for, of the timeline nothing more is done."""
        knows = self.knows
        if (kept := knows.keeps_open()) is not None:
            step, known, until = kept
            if until <= now:
                await self.give_up(step, known, UNMENDED)
            else:
                self._current = step.id
                await self._rest(until, None)
        elif (held := next(knows.held(), None)) is not None:
            await self.give_up(knows.steps[held[0]], held[1], why)
        elif left := knows.unbegun(now, why):
            await self.carry_out(left[0], now)
        else:
            return True
        return False

    async def _take_bearings(self) -> None:
        self.knows.outdated = False
        resumes, progress, anchors = self.knows.resumes, self.knows.progress, self.knows.anchors
        bearings = await calls.look(
            Asked(
                automation_id=self.about.automation_id,
                event_id=self.about.event_id,
                steps=self.about.steps,
                ended={id_: known.ended for id_, known in progress.items() if known.ended},
                date_revision=anchors.date_revision if anchors else None,
                now=self.now(),
            )
        )
        self.knows.adopt(bearings, resumes, workflow.now())
        self.fresh = True
        while (old := self.knows.superseded()) is not None:
            await self.make_way(*old, "the date was moved")

    async def _rest(self, until: datetime, next_at: datetime | None, problem: str | None = None) -> None:
        heard = self._heard
        self._describe(until)
        if self.about.rehearsal or problem is not None or self.noted != (self._current, next_at):
            await calls.rest(
                Rest(
                    automation_id=self.about.automation_id,
                    event_id=self.about.event_id,
                    until=until,
                    step=self._current,
                    next_at=next_at,
                    problem=problem,
                ),
                f"wait for {self._current or 'the event'}",
            )
            self.noted = (self._current, next_at)
        if self._heard == heard:
            self._rested = heard
        real_time = until != FOREVER and not self.knows.clock.is_stepped
        timeout = until - workflow.now() if real_time else None
        if timeout is None or timeout > timedelta(0):
            await self._news_since(heard, timeout)
        self.fresh = False

    async def _news_since(self, heard: int, timeout: timedelta | None) -> None:
        summary = f"wait for {self._current or 'the event'}"
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._heard != heard, timeout=timeout, timeout_summary=summary)

    def _describe(self, until: datetime | None) -> None:
        knows = self.knows
        condition = knows.over or knows.problem or ("paused" if knows.paused else None) or knows.waiting.said
        workflow.set_current_details(details(self.about.steps, knows.instants, knows.progress, until, condition))
