"""Which automations a resume decides alike: those that differ in nothing a plan looks at. Pure.

A plan never looks at an instant as such, but at whether it has passed, whether that is longer ago than a step's grace, and
which of two came first. Five thousand journeys that began at instants of their own stand in a few ways only.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import datetime

from models import moments
from models.automation import Anchors, Late, Progress, Step, StepState

_OWN = ("start", "after")
"""What is each automation's own; event and deadline are the same for all that are compared."""


class Likeness:
    """Tells apart automations that have this timeline, and these anchors but for their start, at one instant."""

    def __init__(self, steps: Sequence[Step], anchors: Anchors, now: datetime) -> None:
        self._steps, self._now = steps, now
        self._due = {step.id: step.moment for step in steps}
        self._until = {step.id: step.until for step in steps if step.until is not None and step.until not in self._due}
        texts = {*self._due.values(), *self._until.values()}
        read = {text: moments.parse(text) for text in texts}
        self._shared = {
            text: moments.known(text, anchors, {}) for text, moment in read.items() if moment.anchor not in _OWN
        }
        self._own = sorted(texts - self._shared.keys())
        self._exact = any(moment.step is not None and moment.at is not None for moment in read.values())
        """An hour of the day counts back from the end of a step, so its instant is compared with all others."""

    def of(self, anchors: Anchors, progress: Mapping[str, Progress]) -> Hashable:
        """What is to be compared of an automation: two of which it is the same are decided alike by `foresight.on_resume`.

        Given the same rules, facts and columns. Raises UnknownZone.
        """
        due, until = self._instants(anchors, progress)
        past = (at for id_, at in due.items() if at is not None and at <= self._now and not _stands(progress, id_, at))
        places = {at: place for place, at in enumerate(sorted(set(past)))}
        return (
            tuple(self._step(step, due, until, places, progress.get(step.id)) for step in self._steps),
            tuple(shift for shift in anchors.shifts if shift.at + shift.by > self._now),
            tuple(due.values()) if self._exact else (),
        )

    def moved(self, before: Anchors, after: Anchors, progress: Mapping[str, Progress]) -> int:
        """How many steps that have not begun become due at another instant."""
        old, new = self._instants(before, progress)[0], self._instants(after, progress)[0]
        return sum(old[id_] != new[id_] for id_ in old if _unbegun(progress.get(id_)))

    def _instants(
        self, anchors: Anchors, progress: Mapping[str, Progress]
    ) -> tuple[dict[str, datetime | None], dict[str, datetime | None]]:
        ended = {id_: known.ended for id_, known in progress.items() if known.ended}
        at = self._shared | {text: moments.known(text, anchors, ended) for text in self._own}
        due = {id_: at[text] for id_, text in self._due.items()}
        return due, {id_: at[text] for id_, text in self._until.items()}

    def _step(
        self,
        step: Step,
        due: Mapping[str, datetime | None],
        until: Mapping[str, datetime | None],
        places: Mapping[datetime, int],
        known: Progress | None,
    ) -> Hashable:
        at = due[step.id]
        if known is not None and known.due == at:
            return known.state, known.round
        over = until.get(step.id) if step.until is None or step.id in until else due[step.until]
        return (
            (known.state, known.round) if known is not None else None,
            None if at is None else tuple(self._passed(step, at, places)),
            None if over is None else over <= self._now,
        )

    def _passed(self, step: Step, at: datetime, places: Mapping[datetime, int]) -> Iterator[Hashable]:
        if at <= self._now:
            yield places[at]
            yield at == self._now
            yield step.late in (Late.SKIP, Late.LATEST) and self._now - at > step.grace


def _stands(progress: Mapping[str, Progress], id_: str, due: datetime) -> bool:
    """Whether it was decided for this very instant, and so stands whatever becomes of the rest."""
    return id_ in progress and progress[id_].due == due


def _unbegun(known: Progress | None) -> bool:
    return known is None or known.state is StepState.HELD
