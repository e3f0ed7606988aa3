"""What a resume brings at once: decided by the players' own rules, from what the database knows, and counted by kind."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from database import automations, planning, resuming, subjects
from database.automations import Standing
from database.connection import Connection, Pool
from database.control import Scope
from database.planning import Subject
from database.resuming import Held, Paused
from models import conditions, moments
from models.automation import Action, Anchors, Progress, Shift, Step
from models.definition import from_definition
from models.player import Policy
from starter import ahead
from workflows.foresight import on_resume
from workflows.likeness import Likeness
from workflows.timeline import Skip


@dataclass
class Resumption:
    """What a resume brings to the automations of one kind."""

    kind: str
    automations: int = 0
    steps: int = 0
    """How many steps go now."""
    messages: int = 0
    """How many messages these bring, before the gates look at them."""
    held: Held | None = None
    """Messages that were queued before the pause, if there are any."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Why steps are skipped now, and how many."""
    moved: int = 0
    """How many steps become due later than they were."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Why nothing can be said of some automations."""

    def add(self, brought: "_Brought", moved: int) -> None:
        """Count what it brings to one more automation, and how many steps of that one move."""
        self.steps += brought.steps
        self.messages += brought.messages
        self.skipped += brought.skipped
        self.moved += moved


@asynccontextmanager
async def view(pool: Pool, scope: Scope) -> AsyncIterator["View"]:
    """The paused automations of a scope as they stand now: they may be resumed while they are looked at."""
    async with planning.snapshot(pool) as connection:
        yield View(connection, scope)


class View:
    """Paused automations at one instant: what is done to them later is not seen here."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection, self._scope = connection, scope

    async def foresee(self, policy: Policy, among: Collection[UUID] | None = None) -> list[Resumption]:
        """What a resume at that instant brings, by kind; `among` says which of them were resumed, if not all."""
        chosen = None if among is None else set(among)
        paused = await resuming.paused(self._connection, self._scope)
        paused = paused if chosen is None else [one for one in paused if one.id in chosen]
        ids = [one.id for one in paused]
        known = _Known(
            {
                version: from_definition(stored)
                for version, stored in (await resuming.definitions(self._connection, paused)).items()
            },
            await automations.standings(self._connection, ids),
            await planning.progress(self._connection, ids),
            await planning.facts(self._connection, ids),
        )
        named = conditions.columns(step.condition for steps in known.timelines.values() for step in steps)
        known.columns = await subjects.read(self._connection, ids, named)
        held = await resuming.held(self._connection, ids)
        found: dict[str, Resumption] = {}
        brought: dict[Hashable, _Brought] = {}
        for one in paused:
            kind = found.setdefault(one.workflow_type, Resumption(one.workflow_type))
            kind.held = held.get(one.workflow_type)
            kind.automations += 1
            if one.ended:
                continue
            try:
                alike, moved = known.compare(one, policy)
            except moments.UnknownZone as error:
                kind.unknown[str(error)] += 1
                continue
            if alike not in brought:
                brought[alike] = await self._bring(one, known, policy)
            kind.add(brought[alike], moved)
        return list(found.values())

    async def _bring(self, one: Paused, known: "_Known", policy: Policy) -> "_Brought":
        """What is decided of one automation, and of all that stand like it."""
        brought = _Brought()
        knows = ahead.knowledge(
            *(one.workflow_type, one.event_id, one.subject_id, known.timelines[one.version]),
            *(known.progress[one.id], known.facts[one.id]),
            rules=one.rules,
            subject=known.columns[one.id],
        )
        now = known.standings[one.id].now
        for decision in on_resume(knows, known.anchors(one, policy), now, policy, one.awaits):
            if isinstance(decision, Skip):
                brought.skipped["late" if decision.reason.startswith("late by ") else decision.reason] += 1
            else:
                step = knows.steps[decision.step_id]
                brought.steps += 1
                for action in step.actions:
                    brought.messages += await _messages(self._connection, one, step, action)
        return brought


@dataclass
class _Brought:
    """What a resume brings to one automation."""

    steps: int = 0
    messages: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass
class _Known:
    """What was read of paused automations: their timelines by version, all else by id."""

    timelines: dict[str, tuple[Step, ...]]
    standings: dict[UUID, Standing]
    progress: dict[UUID, dict[str, Progress]]
    facts: dict[UUID, set[str]]
    columns: dict[UUID, dict[str, str]] = field(default_factory=dict)
    _likenesses: dict[Hashable, Likeness] = field(default_factory=dict)

    def anchors(self, one: Paused, policy: Policy) -> Anchors:
        """What its moments count from after the resume."""
        standing = self.standings[one.id]
        before = automations.anchors(standing)
        if policy != "shift" or one.paused_at is None:
            return before
        shift = Shift(at=one.paused_at, by=standing.now - one.paused_at)
        return before.model_copy(update={"shifts": (*before.shifts, shift)})

    def compare(self, one: Paused, policy: Policy) -> tuple[Hashable, int]:
        """What is the same of all for which the resume decides the same, and how many steps of this one move."""
        standing, progress = self.standings[one.id], self.progress[one.id]
        after = self.anchors(one, policy)
        place = (one.event_id, one.version, standing.deadline)
        likeness = self._likenesses.get(place)
        if likeness is None:
            likeness = self._likenesses[place] = Likeness(self.timelines[one.version], after, standing.now)
        alike = (
            *(one.workflow_type, one.rules, one.awaits, place, likeness.of(after, progress)),
            *(frozenset(self.facts[one.id]), frozenset(self.columns[one.id].items())),
            # What is about an event writes to audiences, and each has its own; all else writes to its subject.
            one.id if one.subject_id == one.event_id else None,
        )
        moved = likeness.moved(automations.anchors(standing), after, progress) if policy == "shift" else 0
        return alike, moved


async def _messages(connection: Connection, one: Paused, step: Step, action: Action) -> int:
    """How many messages an action brings: one to the subject, else as many as its audience can be reached."""
    if action.verb == "social":
        return len(action.targets)
    if action.verb not in ("email", "whatsapp"):
        return 0
    if action.audience is None or one.subject_id != one.event_id or one.organizer_id is None:
        return 1
    about = Subject(one.event_id, one.organizer_id, one.subject_id, one.workflow_type, one.id)
    return (await planning.reach(connection, about, step, action)).reached or 0
