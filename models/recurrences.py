"""Recurrences: phrases that name one wall time on many days, read once and found in the event's time zone.

every day at 08:00
every weekday at 08:00       Monday to Friday
every monday at 09:00
every month on 1 at 09:00    a month that has no such day: its last
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from itertools import count
from typing import NamedTuple
from zoneinfo import ZoneInfo

from models import moments
from models.phrases import Phrase, PhraseError, either, nearest

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {
    "day": frozenset(range(7)),
    "weekday": frozenset(range(5)),
    **{name: frozenset([at]) for at, name in enumerate(_WEEK)},
}
_KINDS = (*_DAYS, "month")
_INSTEAD = frozenset({*_KINDS, "each", "daily", "weekly", "monthly"})
_WORDS = re.compile(r"[0-9]+:[0-9]*|[0-9]+|\w+|\S")
_DAY_OF_MONTH = re.compile(r"0?[1-9]|[12][0-9]|3[01]")
_ASIDE = 2
"""Days beside an instant's own that its neighbours may fall on: clock changes have moved the date by one."""


class RecurrenceError(PhraseError):
    """A recurrence that cannot be read."""


class Fire(NamedTuple):
    """One of the instants of a recurrence."""

    at: datetime
    """UTC."""
    wall: datetime
    """The wall time that the phrase names, without a zone; the clock shows another only where it leaves this one out."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A recurrence that was read: a wall time, and the days it is meant on."""

    at: time
    weekdays: frozenset[int] = _DAYS["day"]
    """Monday is 0."""
    day: int | None = None
    """The day of the month, if it is that."""

    def next_after(self, instant: datetime, zone: ZoneInfo) -> Fire:
        """The first of its instants that is later than this one."""
        day = instant.astimezone(zone).date() - timedelta(days=_ASIDE)
        return next(fire for fire in self._from(day, 1, zone) if fire.at > instant)

    def latest_by(self, instant: datetime, zone: ZoneInfo) -> Fire:
        """The last of its instants that is not later than this one."""
        day = instant.astimezone(zone).date() + timedelta(days=_ASIDE)
        return next(fire for fire in self._from(day, -1, zone) if fire.at <= instant)

    def falls_on(self, day: date) -> bool:
        """Whether it is meant on this day."""
        if self.day is not None:
            return day.day == min(self.day, monthrange(day.year, day.month)[1])
        return day.weekday() in self.weekdays

    def _from(self, day: date, step: int, zone: ZoneInfo) -> Iterator[Fire]:
        for days in count(0, step):
            named = day + timedelta(days=days)
            if self.falls_on(named):
                wall = datetime.combine(named, self.at)
                yield Fire(moments.instant(wall, zone), wall)


def recurring(text: str) -> bool:
    """Whether a phrase is meant for a recurrence and no moment, be it well written or not."""
    first = text.split(maxsplit=1)[0].lower() if text.strip() else ""
    close = get_close_matches(first, ["every", *moments.MISSING], n=1)
    return first in _INSTEAD or close == ["every"]


@lru_cache(maxsize=4096)
def parse(text: str) -> Recurrence:
    """Read a recurrence; a RecurrenceError points at the word that is wrong and says what may stand there."""
    phrase = Phrase(text, _WORDS, RecurrenceError)
    if phrase.word.lower() != "every":
        hint = nearest(phrase.word.lower(), ["every"])
        raise phrase.wrong(f"a recurrence begins with 'every', as in 'every monday at 09:00'{hint}")
    phrase.take()
    kind = phrase.word.lower()
    if kind not in _KINDS:
        raise phrase.wrong(f"{either(_KINDS)} is expected here{nearest(kind, _KINDS)}")
    phrase.take()
    day = _day_of_month(phrase) if kind == "month" else None
    if phrase.word.lower() != "at":
        raise phrase.wrong("'at HH:MM' is expected here, as in 'at 09:00'")
    phrase.take()
    at = moments.time_of_day(phrase)
    if phrase.word:
        raise phrase.wrong(f"'{phrase.word}' is not understood here; nothing follows the time of day")
    return Recurrence(at, _DAYS.get(kind, _DAYS["day"]), day)


def _day_of_month(phrase: Phrase) -> int:
    if phrase.word.lower() != "on":
        raise phrase.wrong("'on' and a day of the month are expected here, as in 'every month on 1 at 09:00'")
    phrase.take()
    if not _DAY_OF_MONTH.fullmatch(phrase.word):
        raise phrase.wrong("a day of the month is expected here, from 1 to 31")
    return int(phrase.take())
