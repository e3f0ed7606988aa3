"""Which automations the rules will still begin for an event, when, and because of what."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from database.events import Event
from database.planning import Owed, RuleRow
from models import conditions, recurrences, watch
from models.automation import Anchors, WorkflowType
from models.moments import zone_named
from models.watch import Rule, Unfit
from starter import rules as begun_by
from starter.kinds import KINDS, Kind

LIVE = ("pending", "active", "paused", "completed", "failed")
"""An automation in one of these is not begun again."""

SHOWN = 3
"""How many instants of a recurrence are shown; of the others only the number."""

COUNTED = 1000
"""Up to how many are counted."""


class Beginning(NamedTuple):
    """An automation that is not there yet."""

    workflow_type: WorkflowType
    subject_id: UUID
    subject: str
    because: str
    at: datetime | None = None
    """None where nobody can say when."""
    deadline: datetime | None = None
    rule: RuleRow | None = None
    problem: str = ""
    kind: Kind | None = None
    """What it is, where that came with the rule."""


class Known(NamedTuple):
    """What is known of an event when its rules are looked at."""

    event: Event
    published_at: datetime | None
    """When it is supposed to be published; None if it is published."""
    begun: Mapping[tuple[str, UUID], str]
    pending: set[tuple[str, str]]
    owed: Sequence[Owed]
    whole: bool
    """It has dates and says which sponsors it wants."""
    outreach_lost: bool = False
    """Its publication begins again what its creation had begun, and an unpublished event took with it."""

    @property
    def now(self) -> datetime:
        """From when on rules begin anything."""
        return self.published_at or self.event.now


def beginnings(rules: Sequence[RuleRow], known: Known) -> Iterator[Beginning]:
    """What each rule will begin. What it has begun is not among it, nor what it could begin only by another history."""
    event = known.event
    for rule in rules:
        kind = next((name for name in KINDS if name == rule.workflow_type), None)
        if kind is None:
            yield Beginning(
                *("custom", event.id, rule.name, f"rule '{rule.name}'"),
                rule=rule,
                problem=f"the rule begins '{rule.workflow_type}', which does not exist; there are {', '.join(KINDS)}",
            )
            continue
        if kind == "custom":
            yield from _custom(rule, known)
            continue
        if (why := watch.nameless(rule.kind, kind)) is not None:
            yield Beginning(kind, event.id, rule.name, f"rule '{rule.name}'", rule=rule, problem=why)
            continue
        for one in _of(rule, kind, known):
            if known.begun.get((one.workflow_type, one.subject_id)) not in LIVE:
                yield one._replace(rule=rule)


def _custom(rule: RuleRow, known: Known) -> Iterator[Beginning]:
    """The timeline that a rule brings along; at each instant of a recurrence another automation."""
    try:
        meant = _meant(rule, known)
    except begun_by.Unfit as error:
        yield Beginning("custom", known.event.id, rule.name, f"rule '{rule.name}'", rule=rule, problem=str(error))
        return
    for one in _of(rule, "custom", known):
        this = _meant(rule, known, one.at) if recurrences.recurring(rule.moment or "") else meant
        if this.subject_id is not None and known.begun.get(("custom", this.subject_id)) not in LIVE:
            yield one._replace(rule=rule, subject_id=this.subject_id, kind=this.kind)


def _meant(rule: RuleRow, known: Known, fire: datetime | None = None) -> begun_by.Meant:
    return begun_by.meant(rule.name, rule.kind, rule.workflow_type, rule.parameters, known.event.id, None, fire)


def _of(rule: RuleRow, kind: WorkflowType, known: Known) -> Iterator[Beginning]:
    match rule.kind, rule.occurrence:
        case "event", "event_status_change":
            return _at_publication(rule, kind, known)
        case "event", "event_ended":
            return _at_the_end(rule, kind, known)
        case "event", "event_created":
            return _at_creation(rule, kind, known)
        case "event", "registration_confirmed":
            return _at_registration(kind, known)
        case "event", "deliverable_added":
            return _trackers(rule, kind, known)
        case "event", occurrence if KINDS[kind].begins_anew(occurrence):
            return iter(())
        case "time", _:
            return _alarmed(rule, kind, known)
        case "condition", _:
            because = f"when {rule.match} comes to hold"
        case "external", _:
            because = f"when {rule.occurrence} is reported"
        case _:
            because = f"when {rule.occurrence} happens"
    return iter([Beginning(kind, known.event.id, "", because)])


def _at_publication(rule: RuleRow, kind: WorkflowType, known: Known) -> Iterator[Beginning]:
    event, at = known.event, known.published_at
    if at is not None and _matches(rule, {"status": "published", "was": event.status}):
        yield Beginning(kind, event.id, "", "publication", at)
    elif at is None and (rule.occurrence, f"event/{event.id}") in known.pending:
        yield Beginning(kind, event.id, "", "publication", event.now)


def _at_the_end(rule: RuleRow, kind: WorkflowType, known: Known) -> Iterator[Beginning]:
    event = known.event
    if event.ends_at is None:
        yield Beginning(kind, event.id, "", "at the end of the event")
    elif event.ends_at >= known.now and _matches(rule, {"status": "published"}):
        yield Beginning(kind, event.id, "", "the end of the event", event.ends_at)


def _at_creation(rule: RuleRow, kind: WorkflowType, known: Known) -> Iterator[Beginning]:
    event = known.event
    if (rule.occurrence, f"event/{event.id}") in known.pending:
        yield Beginning(kind, event.id, "", "the event was created", event.now)
    elif known.published_at is not None and known.outreach_lost:
        yield Beginning(kind, event.id, "", "publication", known.published_at)
    elif not known.whole:
        yield Beginning(kind, event.id, "", "once the event has dates and sponsor_categories")


def _at_registration(kind: WorkflowType, known: Known) -> Iterator[Beginning]:
    if known.event.ends_at is None or known.event.ends_at > known.now:
        yield Beginning(kind, UUID(int=0), "a registration today", "each registration", known.now)


def _trackers(rule: RuleRow, kind: WorkflowType, known: Known) -> Iterator[Beginning]:
    """Deliverables whose addition is not taken in yet, and those whose trackers an unpublished event took with it."""
    for owed in known.owed:
        added = (rule.occurrence, f"deliverable/{owed.id}") in known.pending
        again = known.published_at is not None and known.begun.get((kind, owed.id)) == "cancelled"
        if (added or again) and _matches(rule, {"status": owed.status}):
            at = known.published_at if again and known.published_at else known.event.now
            yield Beginning(kind, owed.id, owed.name, "the deliverable was added", at, owed.deadline)


def _alarmed(rule: RuleRow, kind: WorkflowType, known: Known) -> Iterator[Beginning]:
    event = known.event
    anchors = Anchors(
        start=known.now, zone=event.timezone or "UTC", event_date=event.starts_at, event_end=event.ends_at
    )
    asked = Rule(rule.id, rule.name, rule.occurrence, rule.match, rule.moment, rule.since)
    if recurrences.recurring(rule.moment or ""):
        yield from _recurring(asked, kind, known, anchors)
        return
    for one in watch.alarms([asked], anchors, known.now):
        if isinstance(one, Unfit):
            yield _unfit(one, kind, event)
        elif one.rule == str(rule.id) and one.at >= known.now:
            yield Beginning(kind, event.id, "", f"{rule.moment}", one.at)


def _recurring(rule: Rule, kind: WorkflowType, known: Known, anchors: Anchors) -> Iterator[Beginning]:
    """The next instants of a recurrence and how many there are more; of a kind that is there once, the first alone."""
    event = known.event
    instants = watch.fires(rule, anchors, known.now - timedelta.resolution)
    for one in islice(instants, SHOWN if kind == "custom" else 1):
        if isinstance(one, Unfit):
            yield _unfit(one, kind, event)
        else:
            yield Beginning(kind, event.id, "", one.moment, one.at.astimezone(zone_named(anchors.zone)))
    more = len(list(islice(instants, COUNTED))) if kind == "custom" else 0
    if more:
        times = f"{more:,}{' or more' if more == COUNTED else ''} more time{'s' if more > 1 else ''}"
        yield Beginning(kind, event.id, "", f"{times} before the event ends: {rule.moment}")
    if event.ends_at is None and not isinstance(watch.read(rule, anchors), Unfit):
        yield Beginning(kind, event.id, "", f"{rule.moment}, once the event has an end")


def _unfit(unfit: Unfit, kind: WorkflowType, event: Event) -> Beginning:
    return Beginning(kind, event.id, "", f"rule '{unfit.rule.name}'", problem=unfit.reason)


def _matches(rule: RuleRow, occurrence: Mapping[str, str]) -> bool:
    """Whether a rule answers to an occurrence of an event that is published by then; one that cannot be read does not."""
    if not rule.match:
        return True
    try:
        return conditions.parse(rule.match).holds((), {"event_status": "published", **occurrence})
    except conditions.ConditionError:
        return False
