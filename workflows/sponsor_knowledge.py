"""What a sponsor sequence knows beside its timeline: until when its reader is away, and that the event ends it. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from models.automation import Progress, Step
from models.moments import Instants
from models.player import Bearings, News
from workflows.knowledge import Knowledge
from workflows.timeline import Decision, Plan, Skip

BEGUN = "the event has begun"


class SequenceKnowledge(Knowledge):
    """Nothing is due while the reader is away, and nothing goes out once the event has begun."""

    away_until: datetime | None = None

    def hear(self, news: News) -> None:
        """An absence is heard like any news; of several the longest counts, in whatever order they come."""
        if news.kind != "out_of_office":
            return super().hear(news)
        self.clock.tell(news.at)
        until = news.data.get("until")
        if until:
            back = datetime.fromisoformat(str(until))
            if back.tzinfo is None:
                raise ValueError(f"an absence until {until} has no zone; say until 2027-03-08T08:00:00Z")
            self.away_until = max(back, self.away_until or back)
            self.outdated = True
        return None

    def adopt(self, bearings: Bearings, resumes: int, real: datetime) -> None:
        """Adopt what was looked up, and have what has not begun wait for the reader and end with the event."""
        super().adopt(bearings, resumes, real)
        if self.away_until is not None:
            self.instants = postponed(self.about.steps, self.instants, self.progress, self.away_until)
        if (event := self._event_date) is not None:
            ending = {id_: min(at, event) if at else event for id_, at in self.instants.until.items()}
            self.instants = self.instants.model_copy(update={"until": ending})

    def plan(self, now: datetime, supposing: dict[str, Progress] | None = None) -> Plan:
        """What is to be done now; once the event has begun it is to leave everything."""
        found = super().plan(now, supposing)
        if self._event_date is None or now < self._event_date:
            return found
        return replace(found, decisions=tuple(_left(decision) for decision in found.decisions))

    def leftover(self, now: datetime) -> tuple[Step, Progress | Skip] | None:
        """What is due only after the event is left when it begins."""
        left = super().leftover(now)
        if left is None or not isinstance(left[1], Skip):
            return left
        return left[0], replace(left[1], reason=BEGUN)


def postponed(steps: Sequence[Step], instants: Instants, begun: Collection[str], until: datetime) -> Instants:
    """The instants with no step that has not begun due before `until`. What overtakes a step is postponed with it."""
    due = {id_: at if at is None or id_ in begun else max(at, until) for id_, at in instants.due.items()}
    overtaken = {step.id: due[step.until] for step in steps if step.until in due}
    return Instants(due=due, until=instants.until | overtaken)


def _left(decision: Decision) -> Skip:
    return Skip(decision.step_id, decision.round, decision.due, BEGUN)
