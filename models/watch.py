"""The watch over an event: which instants its rules wait for. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from models import conditions, moments, recurrences
from models.automation import FOREVER, Anchors, Frozen
from models.moments import MissingAnchor, MomentError, UnknownZone
from models.recurrences import Fire, Recurrence, RecurrenceError

LASTS = "event_end + 90 days"
"""Until when an event is watched."""

EVERY = timedelta(minutes=15)
"""How often conditions are looked at, in business time; what time alone makes true is seen no later than this."""

ENDED = "event_ended"
"""The occurrence of every event's end, whatever the rules are."""


def event_watch_id(event_id: UUID) -> str:
    """The Temporal workflow id of an event's watch."""
    return f"event_watch/{event_id}"


SUBJECTS: Mapping[str, tuple[str, str]] = {
    "attendee_nurture": ("registration", "registration_confirmed"),
    "deliverable_tracking": ("deliverable", "deliverable_added"),
}
"""What some kinds of automations are about, one of many of an event, and the occurrence that says which."""


class WatchInput(Frozen):
    """Whose watch it is."""

    event_id: UUID
    rehearsal: bool = False


class Watched(Frozen):
    """What a look at an event came to."""

    over: bool = False
    """There is nothing to watch any more."""
    wake: AwareDatetime = FOREVER
    """When to look again; `FOREVER` where only news can change anything."""
    awaits: str = "news"
    """What happens then, for people."""


class Rule(NamedTuple):
    """A time or condition rule."""

    id: UUID
    name: str
    occurrence: str
    match: str
    moment: str | None
    since: AwareDatetime
    """Business instant; what had passed by then is not made up for."""
    workflow_type: str = "custom"
    """What it begins."""


class Alarm(NamedTuple):
    """An occurrence that time brings."""

    rule: str
    """The rule's id, or the occurrence that needs none."""
    occurrence: str
    moment: str
    at: AwareDatetime
    wall: datetime | None = None
    """The wall time that a recurrence names, without a zone; None for a moment."""


class Unfit(NamedTuple):
    """A rule that cannot be followed, and why."""

    rule: Rule
    reason: str


def nameless(kind: str, workflow_type: str) -> str | None:
    """Why a rule of this kind can never begin this: time and conditions name none of its subjects. None if it can."""
    if kind not in ("time", "condition") or workflow_type not in SUBJECTS:
        return None
    subject, occurrence = SUBJECTS[workflow_type]
    return (
        f"{workflow_type} is about one {subject}, and a {kind} rule cannot say which; "
        f"write it as a rule of kind 'event' for {occurrence}"
    )


def alarms(rules: Iterable[Rule], anchors: Anchors, now: datetime) -> Iterator[Alarm | Unfit]:
    """When each time rule comes due; one whose anchor the event does not have waits for it. The event's end is among them.

    `anchors.start` is the beginning of the watch: plain spans such as `7 days` count from it, and nothing before it is due.
    Of a recurrence these are the latest instant by `now`, as those before it are not made up for, and the next one.
    """
    if anchors.event_end is not None and anchors.event_end >= anchors.start:
        yield Alarm(ENDED, ENDED, "event_end", anchors.event_end)
    for rule in rules:
        if rule.moment is None:
            continue
        if recurrences.recurring(rule.moment):
            yield from _neighbours(rule, anchors, now)
            continue
        try:
            moment = moments.parse(rule.moment)
            if moment.step is not None or moment.anchor == "deadline":
                raise MomentError(
                    "a rule counts from event_date, event_end or the event's publication",
                    rule.moment,
                    0,
                    len(rule.moment),
                )
            at = moments.resolve(moment, anchors, {})
        except MissingAnchor:
            continue
        except (MomentError, UnknownZone) as error:
            yield Unfit(rule, str(error))
            continue
        if at is not None and at >= max(anchors.start, rule.since):
            yield Alarm(str(rule.id), rule.occurrence, rule.moment, at)


def fires(rule: Rule, anchors: Anchors, after: datetime) -> Iterator[Alarm | Unfit]:
    """Every instant of a rule's recurrence that is later than `after` and before the event's end; none while that is unknown."""
    found = read(rule, anchors)
    if isinstance(found, Unfit):
        yield found
        return
    recurrence, zone = found
    while anchors.event_end is not None and after < anchors.event_end:
        fire = recurrence.next_after(after, zone)
        if fire.at < anchors.event_end:
            yield _alarm(rule, fire)
        after = fire.at


def _neighbours(rule: Rule, anchors: Anchors, now: datetime) -> Iterator[Alarm | Unfit]:
    found = read(rule, anchors)
    if not isinstance(found, Unfit) and anchors.event_end is not None and now < anchors.event_end:
        recurrence, zone = found
        latest = recurrence.latest_by(now, zone)
        if latest.at >= max(anchors.start, rule.since):
            yield _alarm(rule, latest)
    yield from islice(fires(rule, anchors, now), 1)


def read(rule: Rule, anchors: Anchors) -> tuple[Recurrence, ZoneInfo] | Unfit:
    """A rule's recurrence, and the zone that it is found in."""
    try:
        return recurrences.parse(rule.moment or ""), moments.zone_named(anchors.zone)
    except (RecurrenceError, UnknownZone) as error:
        return Unfit(rule, str(error))


def _alarm(rule: Rule, fire: Fire) -> Alarm:
    return Alarm(str(rule.id), rule.occurrence, rule.moment or "", fire.at, fire.wall)


def holds(rule: Rule, facts: Iterable[str], columns: dict[str, str]) -> bool | Unfit:
    """Whether a condition rule holds for an event."""
    try:
        return conditions.parse(rule.match).holds(frozenset(facts), columns)
    except conditions.ConditionError as error:
        return Unfit(rule, str(error))


def end_of_watch(anchors: Anchors) -> AwareDatetime | None:
    """When an event has been watched for long enough; None while nobody knows when it ends."""
    try:
        return moments.resolve(moments.parse(LASTS), anchors, {})
    except MissingAnchor:
        return None
    except UnknownZone:
        return moments.resolve(moments.parse(LASTS), anchors.model_copy(update={"zone": "UTC"}), {})
