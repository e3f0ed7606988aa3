"""What a player knows of its automation, and what follows from that. Pure: no clock, no activity, nothing awaited."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from models import conditions, moments
from models.automation import FOREVER, Anchors, Late, Progress, Reaction, Step, StepState
from models.clock import BusinessClock
from models.messages import Enqueued
from models.moments import Instants
from models.player import AutomationInput, Bearings, Move, News
from workflows.timeline import Decision, Plan, Skip, plan, rounds
from workflows.waiting import Waiting

DAWN = datetime.min.replace(tzinfo=UTC)
"""Where a stepped clock stands until it is told the time."""


class Knowledge:
    """Everything a player has learned: dates, what became of each step, and what it was told meanwhile."""

    def __init__(self, about: AutomationInput) -> None:
        self.reactions = {reaction.fact: reaction for reaction in about.reactions}
        self.revision = 0
        """How often the timeline was changed."""
        self._read(about)
        self.clock = BusinessClock(DAWN if about.rehearsal else None)
        self.anchors: Anchors | None = None
        self.instants = Instants(due={}, until={})
        self.progress: dict[str, Progress] = {}
        self.rounds: dict[str, int] = {}
        self.facts: set[str] = set()
        self.subject: dict[str, str] = {}
        """The columns of the subject that conditions name, as they were when the player looked."""
        self.happened: list[tuple[Reaction, datetime | None]] = []
        """Reactions that are still to be carried out, and when their facts came about."""
        self.reacted: Counter[str] = Counter()
        """How many times each fact was reacted to: the round of the next reaction."""
        self.freed: dict[str, datetime] = {}
        self.waiting = Waiting()
        self.skip_before: datetime | None = None
        self.results: dict[tuple[str, int], dict[str, str]] = {}
        """What is done of a step and round, by target; a retry does only what is missing."""
        self.paused = False
        self.resumes = 0
        self.outdated = True
        """Dates or ends may have changed: the player has to look before it plans."""
        self.over: Literal["completed", "cancelled"] | None = None
        self.problem: str | None = None
        self._early: dict[tuple[str, int], Progress] = {}
        self._go_on(about)

    def _read(self, about: AutomationInput) -> None:
        self.about = about
        self.steps = {step.id: step for step in (*about.steps, *(s for r in about.reactions for s in r.steps))}
        self._followed = {moment.step for step in about.steps for moment in self._moments(step)}
        self._followed |= {step.needs for step in about.steps}

    def _go_on(self, about: AutomationInput) -> None:
        """Take up what an automation for this subject that has ended had come to, and why there is more to do."""
        self.progress |= about.earlier
        for reaction in about.reactions:
            answered = [about.earlier[step.id].round + 1 for step in reaction.steps if step.id in about.earlier]
            self.reacted[reaction.fact] = max(answered, default=0)
        if about.begun_by is not None:
            self.hear(about.begun_by)

    # -- learning ---------------------------------------------------------------------------------------------------

    def adopt(self, bearings: Bearings, resumes: int, real: datetime) -> None:
        """Adopt anchors, instants and present state; steps that a moved date made due again begin a new round.

        Each move counts as of its own instant, as it does for the gates, however late the player hears of it. `resumes` is how
        many there were when the question was asked: a pause that was read before a resume is history.
        """
        self.clock.tell(bearings.now)
        if bearings.status == "cancelled":
            self.over = "cancelled"
        if bearings.status == "paused" and self.resumes == resumes:
            self.paused = True
        self.problem = bearings.problem
        if bearings.problem is not None:
            return
        moved = self.anchors is not None and (
            bearings.anchors.date_revision > self.anchors.date_revision
            or bearings.anchors.deadline != self.anchors.deadline
        )
        moves = bearings.moves or (Move(at=self.clock.now(real), instants=bearings.instants),)
        for move in moves if moved else ():
            self.rounds |= rounds(
                self.about.steps, self.instants, move.instants, self.progress, move.at, self.about.rules
            )
            self.instants = move.instants
        self.anchors, self.instants = bearings.anchors, bearings.instants
        self.subject = dict(bearings.subject)
        self.waiting.adopt(bearings, moved=moved)

    def revise(self, steps: tuple[Step, ...], revision: int, now: datetime) -> None:
        """Adopt a changed timeline. A held step that was changed is decided anew, and is not late before now."""
        if revision <= self.revision:
            return
        old, self.revision, self.outdated = self.steps, revision, True
        self._read(self.about.model_copy(update={"steps": steps}))
        for id_, known in list(self.held()):
            if self.steps.get(id_) != old[id_]:
                self.rounds[id_], self.freed[id_] = known.round, now
                del self.progress[id_]

    def begun(self) -> tuple[str, ...]:
        """The steps of the timeline that can no longer change."""
        held = {id_ for id_, _ in self.held()}
        return tuple(step.id for step in self.about.steps if self._begun(step) and step.id not in held)

    def heed(self, refusal: str, id_: str, round_: int, resumes: int) -> None:
        """A round of a step was not decided: it has not begun, whatever it has done to prepare, and is planned anew.

        A pause that was read before a resume is history.
        """
        match refusal:
            case "cancelled":
                self.over = "cancelled"
            case "paused":
                self.paused = self.paused or self.resumes == resumes
            case "unapproved":
                self.waiting.steps.add(id_)
                self.outdated = True
            case _:
                self.outdated = True
        known = self.progress.get(id_)
        if known is not None and known.round == round_:
            self.rounds[id_] = round_
            del self.progress[id_]

    def learn(self, id_: str, progress: Progress) -> None:
        """Adopt what became of a step. What counts from its end gets its instant at the next look."""
        self.progress[id_] = progress
        if progress.state.ended and id_ in self._followed:
            self.outdated = True

    def learn_queued(self, answer: Enqueued, round_: int, now: datetime) -> None:
        """Adopt what was decided of a step whose messages were queued; its end may have been heard of already."""
        assert answer.step_id is not None
        assert answer.state is not None
        assert answer.due is not None
        state, ended = answer.state, answer.ended
        if state is StepState.RUNNING and not self.tells(self.steps[answer.step_id]):
            state, ended = StepState.SUCCESS, now  # handed over; only a failure would be heard of
        known = Progress(state=state, round=round_, due=answer.due, ended=ended, reason=answer.reason)
        early = self._early.pop((answer.step_id, round_), None)
        before = self.progress.get(answer.step_id)
        if before is not None and before.round == round_ and before.state is not StepState.RUNNING:
            early = before  # it had begun, so its end was not early
        self.learn(answer.step_id, early.model_copy(update={"due": answer.due}) if early else known)

    def hear(self, news: News) -> None:
        """Take in news, in any order and any number of times."""
        self.clock.tell(news.at)
        match news.kind:
            case "clock":
                pass
            case "paused":
                self.paused = True
            case "resumed":
                self._hear_resumed(news)
            case "cancelled":
                self.over = "cancelled"
            case "event_rescheduled" | "content_changed":
                self.outdated = True
            case "step_settled":
                self._hear_settled(news)
            case fact:
                self.hear_fact(fact, news.at)

    def hear_fact(self, fact: str, at: datetime | None = None) -> None:
        """Take in a fact, and what it makes untrue; what it brings about is done at the next turn."""
        known = fact in self.facts
        self.facts.add(fact)
        reaction = self.reactions.get(fact)
        if reaction is not None and not known:
            self.facts -= set(reaction.withdraws)
            self.outdated = True  # a fact may come with another date
            self.happened.append((reaction, at))

    def ending(self, step: Step) -> str | None:
        """The fact by which the automation is about to end, for a step of its timeline; what answers the fact is none."""
        if step not in self.about.steps:
            return None
        return next((reaction.fact for reaction, _ in self.happened if reaction.ends), None)

    def ends(self, reaction: Reaction) -> bool:
        """Whether a reaction that is carried out ends the automation; not if its fact was withdrawn since by another."""
        return reaction.ends and not any(reaction.fact in later.withdraws for later, _ in self.happened)

    def rearm(self, now: datetime) -> None:
        """Steps that count from an anchor are due again: what lies ahead, whatever became of it before, and what was skipped though
        it is carried out however late.
        """
        for step in self.about.steps:
            due = self.instants.due.get(step.id)
            anchored = moments.parse(step.moment).anchor in moments.MISSING
            known = self.progress.get(step.id)
            if known is None or not known.state.ended or not anchored or due is None:
                continue
            if due > now or (known.state is StepState.SKIPPED and step.late in (Late.RUN, Late.SEND)):
                self.rounds[step.id] = known.round + 1
                del self.progress[step.id]

    def reaction(self) -> tuple[Reaction, datetime | None]:
        """The reaction to go on with; one that ends the automation comes to its end behind all others."""
        return next(
            (one for one in self.happened if not self.ends(one[0]) or self.unanswered(one[0])), self.happened[0]
        )

    def unanswered(self, reaction: Reaction) -> Step | None:
        """The first step of a reaction that has not begun since its fact came about."""
        round_ = self.reacted[reaction.fact]
        begun = {id_ for id_, known in self.progress.items() if known.round >= round_}
        return next((step for step in reaction.steps if step.id not in begun), None)

    def keeps_open(self) -> tuple[Step, Progress, datetime] | None:
        """A step that has to end before the automation may, and until when: its messages are under way, or it answers and is held."""
        for id_, known in self.progress.items():
            step = self.steps[id_]
            if known.state is StepState.RUNNING:
                return step, known, FOREVER
            if known.state is StepState.HELD and step not in self.about.steps:
                return step, known, self._limit(id_, known) or FOREVER
        return None

    def superseded(self) -> tuple[Step, Progress] | None:
        """A held step of the timeline whose round is over, because a moved date has begun a new one."""
        held = ((self.steps[id_], known) for id_, known in self.held())
        return next((one for one in held if one[0] in self.about.steps and not self._begun(one[0])), None)

    def unbegun(self, now: datetime, reason: str) -> list[Skip]:
        """A skip for every step of the timeline that has not begun."""
        return [
            Skip(step.id, self.rounds.get(step.id, 0), self.instants.due.get(step.id) or now, reason)
            for step in self.about.steps
            if not self._begun(step)
        ]

    def _hear_resumed(self, news: News) -> None:
        self.paused = False
        self.outdated = True
        self.resumes += 1
        match news.data.get("policy"):
            case "send_all":
                self.freed, self.skip_before = dict.fromkeys(self.steps, news.at), None
            case "skip_all":
                self.freed, self.skip_before = {}, news.at

    def _hear_settled(self, news: News) -> None:
        id_, round_ = str(news.data["step"]), int(news.data["round"] or 0)
        if id_ not in self.steps:
            return
        state = StepState(str(news.data["state"]))
        held = state is StepState.FAILED  # a person decides
        known = self.progress.get(id_)
        settled = Progress(
            state=StepState.HELD if held else state,
            round=round_,
            due=known.due if known else news.at,
            ended=None if held else datetime.fromisoformat(str(news.data["ended"])),
            reason=str(news.data["reason"]) if news.data.get("reason") else None,
        )
        if known is None or known.round < round_:
            self._early[id_, round_] = settled  # the answer to our enqueue is still under way
        elif known.round == round_ and known != settled:
            self.learn(id_, settled)

    def free(self, id_: str, now: datetime, found: Progress | None) -> None:
        """A held step is tried again: this has become of it, or it is to be decided anew."""
        self.freed[id_] = now
        if found is None:
            self.rounds[id_] = self.progress[id_].round
            del self.progress[id_]
        elif found.state is StepState.RUNNING and not self.tells(self.steps[id_]):
            self.learn(id_, found.model_copy(update={"state": StepState.SUCCESS, "ended": now}))
        else:
            self.learn(id_, found)

    # -- what follows -----------------------------------------------------------------------------------------------

    def plan(self, now: datetime, supposing: dict[str, Progress] | None = None) -> Plan:
        """What is to be done now, and when to look again; `supposing` steps had come to this."""
        found = plan(
            self.about.steps,
            self.instants,
            self.progress | (supposing or {}),
            self.facts,
            now,
            self.about.rules,
            freed=self.waiting.freed(self.freed, now),
            rounds=self.rounds,
            subject=self.subject,
        )
        decided = (
            self.waiting.decided(self._after_pause(decision), self._wait_limit(decision.step_id), now)
            for decision in found.decisions
        )
        return replace(found, decisions=tuple(decision for decision in decided if decision is not None))

    def foresee(self, decision: Decision, now: datetime) -> tuple[str | None, datetime | None]:
        """The step the player will wait for once this one has begun, and when it is due: one call keeps both on the row."""
        state = StepState.RUNNING if self.tells(self.steps[decision.step_id]) else StepState.SUCCESS
        if isinstance(decision, Skip):
            state = StepState.SKIPPED
        begun = Progress(state=state, round=decision.round, due=decision.due, ended=now if state.ended else None)
        ahead = self.plan(now, {decision.step_id: begun})
        if ahead.decisions:
            return ahead.decisions[0].step_id, now
        return ahead.current, ahead.wake

    def wake(self, todo: Plan, now: datetime) -> datetime:
        """The next instant at which there may be something to do; FOREVER where only news can change anything."""
        instants = [todo.wake, self.last_anchor(), *(self._limit(id_, known) for id_, known in self.held())]
        instants += self.waiting.wakes(self.instants, self._event_date)
        return min((at for at in instants if at is not None and at > now), default=FOREVER)

    def interrupted(self) -> bool:
        """Whether a plan made before is no longer to be followed."""
        return self.outdated or self.paused or self.over is not None

    def looks_first(self, todo: Plan) -> bool:
        """Whether a decision rests on a column of the subject, of which no news comes: it is looked at just before."""
        named = [self.steps[decision.step_id].condition for decision in todo.decisions]
        return bool(conditions.columns(named))

    def tells(self, step: Step) -> bool:
        """Whether the player waits for the end of a step's messages; without it they are handed over and out of its mind."""
        last = step.id == self.about.steps[-1].id or step not in self.about.steps
        return last or step.id in self._followed or any(action.audience for action in step.actions)

    def until(self, step: Step) -> str | None:
        """The moment from which on a step of the timeline is overtaken."""
        if step.until is None or step not in self.about.steps:
            return None
        return next((other.moment for other in self.about.steps if other.id == step.until), step.until)

    def last_anchor(self) -> datetime | None:
        """Until then a moved date can make steps due again, so the automation stays open; None if it counts from none."""
        named = {moment.anchor for step in self.about.steps for moment in self._moments(step)} & moments.MISSING.keys()
        return max((at for name in named if (at := getattr(self.anchors, name))), default=None)

    def leftover(self, now: datetime) -> tuple[Step, Progress | Skip] | None:
        """A step to be ended because its time is over: held for longer than it may, or due only after the last anchor."""
        end = self.last_anchor()
        if (end is not None and now < end) or any(known.state is StepState.RUNNING for known in self.progress.values()):
            return None
        for id_, known in self.held():
            limit = self._limit(id_, known)
            if limit is not None and limit <= now:
                return self.steps[id_], known
        for step in self.about.steps if end is not None else ():
            due, until = self.instants.due.get(step.id), self.instants.until.get(step.id)
            if not self._begun(step) and due is not None and until is not None and until <= now < due:
                return step, Skip(step.id, self.rounds.get(step.id, 0), due, f"{step.until} came before it was due")
        return None

    def _after_pause(self, decision: Decision) -> Decision:
        """A resume that skips all skips what would have been sent; what only prepares is done all the same."""
        step = self.steps[decision.step_id]
        before = self.skip_before
        if isinstance(decision, Skip) or before is None or decision.due > before or step.late is Late.RUN:
            return decision
        if step.id in self.freed or self.waiting.waited(step.id, before):
            return decision  # no pause has kept it from going
        reason = "fell due during a pause, and the resume skipped it"
        return Skip(step.id, decision.round, decision.due, reason)

    def _wait_limit(self, id_: str) -> datetime | None:
        return self.waiting.limit(id_, self.instants, self._event_date)

    @property
    def _event_date(self) -> datetime | None:
        return self.anchors.event_date if self.anchors else None

    def held(self) -> Iterator[tuple[str, Progress]]:
        """The steps that wait for a person."""
        return ((id_, known) for id_, known in self.progress.items() if known.state is StepState.HELD)

    def _limit(self, id_: str, known: Progress) -> datetime | None:
        """Until when a held step may wait for a person; None is for ever."""
        end = self.last_anchor()
        return self.instants.until.get(id_) or (end if end is not None and end > known.due else None)

    def _begun(self, step: Step) -> bool:
        known = self.progress.get(step.id)
        if known is None:
            return False
        return known.round >= self.rounds.get(step.id, 0) or known.due == self.instants.due.get(step.id)

    def _moments(self, step: Step) -> Iterator[moments.Moment]:
        yield moments.parse(step.moment)
        if step.until is not None and step.until not in {other.id for other in self.about.steps}:
            yield moments.parse(step.until)
