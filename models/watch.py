"""The watch over an event: which instants its rules wait for. Pure."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from pydantic import AwareDatetime

from models import conditions, moments
from models.automation import FOREVER, Anchors, Frozen
from models.moments import MissingAnchor, MomentError, UnknownZone

LASTS = "event_end + 90 days"
"""Until when an event is watched."""

EVERY = timedelta(minutes=15)
"""How often conditions are looked at, in business time; what time alone makes true is seen no later than this."""

ENDED = "event_ended"
"""The occurrence of every event's end, whatever the rules are."""


def event_watch_id(event_id: UUID) -> str:
    """The Temporal workflow id of an event's watch."""
    return f"event_watch/{event_id}"


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


class Alarm(NamedTuple):
    """An occurrence that time brings."""

    rule: str
    """The rule's id, or the occurrence that needs none."""
    occurrence: str
    moment: str
    at: AwareDatetime


class Unfit(NamedTuple):
    """A rule that cannot be followed, and why."""

    rule: Rule
    reason: str


def alarms(rules: Iterable[Rule], anchors: Anchors) -> Iterator[Alarm | Unfit]:
    """When each time rule comes due; one whose anchor the event does not have waits for it. The event's end is among them.

    `anchors.start` is the beginning of the watch: plain spans such as `7 days` count from it, and nothing before it is due.
    """
    if anchors.event_end is not None and anchors.event_end >= anchors.start:
        yield Alarm(ENDED, ENDED, "event_end", anchors.event_end)
    for rule in rules:
        if rule.moment is None:
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
