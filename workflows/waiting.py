"""What a player knows of approval: which steps wait for it, since when others have it, and when to look again. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from models.approval import Awaited
from models.moments import Instants
from models.player import Bearings
from workflows.timeline import Decision, Skip


class Waiting:
    """A step whose words nobody has approved is not decided: it waits, and is not late before it is approved."""

    def __init__(self) -> None:
        self.awaited: Awaited | None = None
        self.approved: dict[str, datetime] = {}
        self.steps: set[str] = set()
        """Steps that were due and found their words unapproved."""

    def adopt(self, bearings: Bearings, *, moved: bool) -> None:
        """Adopt what the database says; with a moved date, or once nothing or another step is awaited, all are asked about anew."""
        before, self.awaited = self.awaited, bearings.awaited
        self.approved = dict(bearings.approved)
        if moved or self.awaited is None or (before is not None and before.step != self.awaited.step):
            self.steps.clear()

    def freed(self, freed: Mapping[str, datetime], now: datetime) -> dict[str, datetime]:
        """Since when each step could go out at the earliest: the one that waits now, one that waited from its approval on.

        Others fell due behind it, and are late as ever.
        """
        found = dict(freed)
        for id_, at in self.approved.items():
            found[id_] = max(at, found.get(id_, at))
        if self.awaited is not None:
            found[self.awaited.step] = now
        return found

    def waited(self, id_: str, at: datetime) -> bool:
        """Whether it was an approval that a step waited for at an instant: it still does, or was approved no earlier."""
        if self.awaited is not None and self.awaited.step == id_:
            return True
        return id_ in self.approved and self.approved[id_] >= at

    def decided(self, decision: Decision, limit: datetime | None, now: datetime) -> Decision | None:
        """What is to be done of a decision: nothing while its step waits, a skip once its time is over."""
        if isinstance(decision, Skip) or decision.step_id not in self.steps:
            return decision
        if limit is not None and limit <= now:
            return Skip(decision.step_id, decision.round, decision.due, "the event began before it was approved")
        return None

    def limit(self, id_: str, instants: Instants, event_date: datetime | None) -> datetime | None:
        """Until when a step may wait: until it is overtaken, else until the event, if that was ahead when it was asked."""
        until = instants.until.get(id_)
        if until is not None or event_date is None or self.awaited is None:
            return until
        return event_date if event_date > self.awaited.asked_at else None

    def wakes(self, instants: Instants, event_date: datetime | None) -> Iterator[datetime | None]:
        """The instants at which something changes for those who wait."""
        if self.awaited is not None:
            yield self.awaited.remind_at
            yield from (self.limit(id_, instants, event_date) for id_ in self.steps)

    def reminds(self, now: datetime) -> bool:
        """Whether it is time to remind the approver."""
        return self.awaited is not None and self.awaited.remind_at is not None and self.awaited.remind_at <= now

    @property
    def said(self) -> str | None:
        """What the automation waits for, in plain words."""
        if self.awaited is None:
            return None
        refused = self.awaited.status == "rejected"
        return f"{self.awaited.step} {'was rejected: change the words, or cancel' if refused else 'waits for approval'}"
