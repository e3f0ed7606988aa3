"""Plays a timeline on paper: every decision of `plan()` is carried out in no time, and time jumps from wake to wake."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from models.automation import Anchors, Progress, Step, StepState
from models.moments import Instants, resolve_all
from workflows.timeline import Do, Plan, Skip, plan, rounds

Fate = tuple[str, int, str]
"""A step, its round, and `done` or the reason of its skip."""


@dataclass
class Stage:
    """One automation: its anchors may be moved, and it may be away (paused, or no worker) for a while."""

    steps: Sequence[Step]
    anchors: Anchors
    now: datetime
    facts: Collection[str] = ()
    takes: timedelta = timedelta(0)
    """How long a step lasts from its beginning to its end."""
    progress: dict[str, Progress] = field(default_factory=dict)
    rounds: dict[str, int] = field(default_factory=dict)
    freed: Mapping[str, datetime] = field(default_factory=dict)
    history: list[tuple[datetime, Do | Skip]] = field(default_factory=list)
    limits: dict[tuple[str, int], datetime | None] = field(default_factory=dict)
    """The `until` of a step, as it was known when its round was decided."""

    @property
    def instants(self) -> Instants:
        ended = {id_: known.ended for id_, known in self.progress.items() if known.ended}
        return resolve_all(self.steps, self.anchors, ended)

    @property
    def fates(self) -> list[Fate]:
        return [
            (decision.step_id, decision.round, decision.reason if isinstance(decision, Skip) else "done")
            for _, decision in self.history
        ]

    def plan(self) -> Plan:
        return plan(
            self.steps, self.instants, self.progress, self.facts, self.now, freed=self.freed, rounds=self.rounds
        )

    def play(self, until: datetime) -> Plan:
        """Live until an instant, or until only news can change anything."""
        while True:
            self._end_steps()
            here = self.plan()
            if here.decisions:
                self._carry_out(here.decisions[0])
                continue
            wakes = [here.wake, *(known.due + self.takes for known in self._running())]
            wake = min((instant for instant in wakes if instant is not None and instant > self.now), default=None)
            if wake is None or wake > until:
                self.now = max(self.now, until)
                self._end_steps()
                return self.plan()
            self.now = wake

    def move(self, anchors: Anchors) -> None:
        """Adopt other anchors, as a player does when the event is rescheduled."""
        old = self.instants
        self.anchors = anchors
        self.rounds |= rounds(self.steps, old, self.instants, self.progress, self.now)

    def _running(self) -> list[Progress]:
        return [known for known in self.progress.values() if known.state is StepState.RUNNING]

    def _end_steps(self) -> None:
        for id_, known in self.progress.items():
            if known.state is StepState.RUNNING and self.now >= known.due + self.takes:
                self.progress[id_] = known.model_copy(update={"state": StepState.SUCCESS, "ended": self.now})

    def _carry_out(self, decision: Do | Skip) -> None:
        self.history.append((self.now, decision))
        self.limits[decision.step_id, decision.round] = self.instants.until.get(decision.step_id)
        done = isinstance(decision, Do)
        self.progress[decision.step_id] = Progress(
            state=StepState.RUNNING if done else StepState.SKIPPED,
            round=decision.round,
            due=decision.due,
            ended=None if done else self.now,
        )
