"""Moments: phrases that name an instant, read once and resolved in the event's time zone.

    7 days                          from the automation's start
    2 hours after post_social_media from that step's end
    event_date - 3 days             also event_end and deadline
    deadline - 14 days at 09:00     that day's wall clock in the event's zone

Days and weeks are calendar days and keep the wall clock; hours, minutes and seconds are elapsed time.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, cast
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AwareDatetime

from models.automation import Anchors, Frozen, Step
from models.phrases import Phrase, PhraseError, either, nearest

Anchor = Literal["start", "event_date", "event_end", "deadline", "after"]

MISSING: Mapping[Anchor, str] = {
    "event_date": "the event has no start date",
    "event_end": "the event has no end date",
    "deadline": "the deliverable has no due date",
}
"""The anchors that a moment may name, and what to say when the subject does not have it."""

RESERVED = frozenset({*MISSING, "start", "after", "at"})
"""Words of the grammar, which no step may be called."""

_UNITS = {
    "seconds": timedelta(seconds=1),
    "minutes": timedelta(minutes=1),
    "hours": timedelta(hours=1),
    "days": timedelta(days=1),
    "weeks": timedelta(weeks=1),
}
_CALENDAR = ("days", "weeks")
_LONGEST = timedelta(days=3653)
_DIGITS = 9
_WORDS = re.compile(r"[0-9]+:[0-9]*|[0-9]+|\w+|\S")
_NUMBER = re.compile(r"[0-9]+")
_STEP_ID = re.compile(r"[a-z][a-z0-9_]*")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


class MomentError(PhraseError):
    """A moment that cannot be read."""


class MissingAnchor(LookupError):
    """The subject has no such anchor: nothing may happen until it is set."""

    def __init__(self, anchor: Anchor) -> None:
        super().__init__(f"{MISSING[anchor]}: set it, and what counts from {anchor} goes on")
        self.anchor = anchor


class UnknownZone(ValueError):
    """The event's time zone is not one we know."""

    def __init__(self, zone: str) -> None:
        hint = nearest(zone, available_timezones())
        super().__init__(f"'{zone}' is not a time zone{hint}; give the event an IANA name such as 'Europe/Berlin'")


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment that was read: an anchor, a signed number of units from it, and perhaps a wall time on that day."""

    anchor: Anchor
    amount: int = 0
    unit: str = "days"
    at: time | None = None
    step: str | None = None
    """The step that is waited for, where the anchor is `after`."""

    @property
    def span(self) -> timedelta:
        """The distance from the anchor, a day taken as 24 hours."""
        return self.amount * _UNITS[self.unit]


class Instants(Frozen):
    """When each step is due, and from when on it is overtaken; None is not known yet."""

    due: dict[str, AwareDatetime | None]
    until: dict[str, AwareDatetime | None]


@lru_cache(maxsize=4096)
def parse(text: str) -> Moment:
    """Read a moment; a MomentError points at the word that is wrong and says what may stand there."""
    phrase = Phrase(text, _WORDS, MomentError)
    anchor: Anchor = "start"
    sign, amount, unit, step = 1, 0, "days", None
    if phrase.word in MISSING:
        anchor = cast("Anchor", phrase.take())
        if phrase.word in ("+", "-"):
            sign = 1 if phrase.take() == "+" else -1
            amount, unit = _span(phrase)
    elif _NUMBER.fullmatch(phrase.word):
        amount, unit = _span(phrase)
        if phrase.word == "after":
            phrase.take()
            anchor, step = "after", _step(phrase)
    else:
        hint = nearest(phrase.word, MISSING)
        raise phrase.wrong(f"a moment begins with a number ('7 days') or with {either(MISSING)}{hint}")
    at = _time(phrase, unit) if phrase.word == "at" else None
    if phrase.word:
        allowed = "'at HH:MM'"
        if anchor in MISSING and not amount:
            allowed = "'- 3 days', '+ 24 hours' or 'at HH:MM'"
        elif anchor == "start":
            allowed = "'after' with the id of a step, or 'at HH:MM'"
        raise phrase.wrong(f"'{phrase.word}' is not understood here; {allowed} may follow")
    return Moment(anchor, sign * amount, unit, at, step)


def _span(phrase: Phrase) -> tuple[int, str]:
    if not _NUMBER.fullmatch(phrase.word):
        raise phrase.wrong("a whole number is expected here, as in '3 days'")
    too_far = phrase.wrong("a moment may be ten years away at most")
    number = phrase.take()
    unit = phrase.word if phrase.word in _UNITS else f"{phrase.word}s"
    if unit not in _UNITS:
        raise phrase.wrong(f"a unit is expected here: {either(_UNITS)}{nearest(phrase.word, _UNITS)}")
    if len(number) > _DIGITS or int(number) * _UNITS[unit] > _LONGEST:
        raise too_far
    phrase.take()
    return int(number), unit


def _step(phrase: Phrase) -> str:
    if not _STEP_ID.fullmatch(phrase.word):
        raise phrase.wrong("the id of a step is expected here, as in '2 hours after send_announcement'")
    return phrase.take()


def _time(phrase: Phrase, unit: str) -> time:
    if unit not in _CALENDAR:
        raise phrase.wrong(f"'at' goes with {either(_CALENDAR)}; {unit} already say the time of day")
    phrase.take()
    return time_of_day(phrase)


def time_of_day(phrase: Phrase) -> time:
    """The time of day that the next word is."""
    found = _TIME.fullmatch(phrase.word)
    if not found:
        raise phrase.wrong("a time of day is expected here, from 00:00 to 23:59")
    phrase.take()
    return time(int(found[1]), int(found[2]))


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """The time zone of that IANA name, or UnknownZone."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise UnknownZone(name) from None


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a wall time in UTC.

    One that a clock change leaves out moves forward by the length of the gap; one that comes twice is the first.
    """
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def resolve(moment: Moment, anchors: Anchors, ended: Mapping[str, datetime]) -> datetime | None:
    """The instant of a moment in UTC, wall times as `instant` has them; None while the step it comes after has not ended.

    Raises MissingAnchor, which is never to be taken for a delay of nothing, and UnknownZone.
    """
    zone = zone_named(anchors.zone)
    if moment.step is not None:
        origin = ended.get(moment.step)
        if origin is None:
            return None
    else:
        origin = getattr(anchors, moment.anchor)
        if origin is None:
            raise MissingAnchor(moment.anchor)
    if moment.anchor in ("start", "after"):
        origin += sum((shift.of(origin) for shift in anchors.shifts), timedelta(0))
    if moment.at is None and (moment.unit not in _CALENDAR or not moment.amount):
        return origin.astimezone(UTC) + moment.span
    wall = origin.astimezone(zone).replace(tzinfo=None) + moment.span
    if moment.at is not None:
        wall = datetime.combine(wall, moment.at)
    return instant(wall, zone)


def resolve_all(steps: Iterable[Step], anchors: Anchors, ended: Mapping[str, datetime]) -> Instants:
    """Every step's due instant and its `until`; None where a step has not ended or an anchor is missing."""
    steps = tuple(steps)
    due = {step.id: known(step.moment, anchors, ended) for step in steps}
    until = {
        step.id: due[step.until] if step.until in due else known(step.until, anchors, ended)
        for step in steps
        if step.until is not None
    }
    return Instants(due=due, until=until)


def known(text: str, anchors: Anchors, ended: Mapping[str, datetime]) -> datetime | None:
    """The instant of a moment as it is written; None where a step has not ended or an anchor is missing. Raises UnknownZone."""
    try:
        return resolve(parse(text), anchors, ended)
    except MissingAnchor:
        return None
