"""Dates and times in English words, in the event's zone and in the reader's."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SMALL_HOURS = 6


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo | None:
    """The IANA zone of that name, or None where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def day_span(start: datetime, end: datetime | None, tz: ZoneInfo) -> str:
    """`Tuesday, 12 May 2026` or `Tuesday, 12 May – Wednesday, 13 May 2026`."""
    first, last = _days(start, end, tz)
    if first == last:
        return long_day(first)
    year = f" {first.year}" if first.year != last.year else ""
    return f"{first:%A}, {_day_month(first)}{year} – {last:%A}, {_day_month(last)} {last.year}"


def short_day_span(start: datetime, end: datetime | None, tz: ZoneInfo) -> str:
    """`12 May 2026`, `12–13 May 2026`, `30 May – 2 June 2026`."""
    first, last = _days(start, end, tz)
    if first == last:
        return f"{_day_month(first)} {first.year}"
    if first.year != last.year:
        return f"{_day_month(first)} {first.year} – {_day_month(last)} {last.year}"
    if first.month != last.month:
        return f"{_day_month(first)} – {_day_month(last)} {last.year}"
    return f"{first.day}–{_day_month(last)} {last.year}"


def tile(start: datetime, end: datetime | None, tz: ZoneInfo) -> tuple[str, str]:
    """Month and day for a calendar leaf: `("May", "12")`, `("May", "12–13")`; the first day of a longer stretch."""
    first, last = _days(start, end, tz)
    same_month = (first.year, first.month) == (last.year, last.month)
    return f"{first:%b}", f"{first.day}–{last.day}" if first != last and same_month else f"{first.day}"


def hours(start: datetime, end: datetime | None, tz: ZoneInfo) -> str:
    """`9:00 am – 5:30 pm (Berlin time, CEST)`; of several days only the beginning of the first."""
    first, last = _days(start, end, tz)
    until = f" – {clock(end.astimezone(tz))}" if end and first == last and end > start else ""
    return f"{clock(start.astimezone(tz))}{until} ({_zone_words(start.astimezone(tz), tz)})"


@lru_cache(maxsize=4096)
def hours_elsewhere(start: datetime, tz: ZoneInfo, theirs: str) -> str:
    """The beginning on the reader's clock, with the day where it is another; empty where both clocks agree."""
    their_zone = zone(theirs)
    if their_zone is None:
        return ""
    here, there = start.astimezone(tz), start.astimezone(their_zone)
    if here.utcoffset() == there.utcoffset():
        return ""
    day = f"{there:%A}, {_day_month(there)}, " if here.date() != there.date() else ""
    return f"{day}{clock(there)} ({_zone_words(there, their_zone)})"


def long_day(day: date) -> str:
    """`Tuesday, 12 May 2026`."""
    return f"{day:%A}, {_day_month(day)} {day.year}"


def time_left(days: int) -> str:
    """`in 3 days`, `tomorrow`, `today`, `yesterday`, `3 days ago`."""
    near = {1: "tomorrow", 0: "today", -1: "yesterday"}
    return near.get(days) or (f"in {days} days" if days > 0 else f"{-days} days ago")


def day_count(start: datetime, end: datetime | None, tz: ZoneInfo) -> int:
    """How many days the event has."""
    first, last = _days(start, end, tz)
    return (last - first).days + 1


def _days(start: datetime, end: datetime | None, tz: ZoneInfo) -> tuple[date, date]:
    first = start.astimezone(tz)
    last = (end or start).astimezone(tz)
    # An evening that ends in the small hours is one day to everybody who is there.
    if last.hour < _SMALL_HOURS and last.date() - first.date() == timedelta(days=1):
        return first.date(), first.date()
    return first.date(), last.date()


def _day_month(day: date) -> str:
    return f"{day.day} {day:%B}"


def clock(moment: datetime) -> str:
    """`9:00 am`."""
    return f"{moment.hour % 12 or 12}:{moment:%M} {'am' if moment.hour < 12 else 'pm'}"


def _zone_words(moment: datetime, tz: ZoneInfo) -> str:
    abbreviation = moment.tzname() or ""
    if tz.key.rpartition("/")[2] in {"UTC", "GMT", "Universal", "Zulu"}:
        return "UTC"
    if not abbreviation.isalpha():
        abbreviation = _offset(moment)
    place = tz.key.rpartition("/")[2].replace("_", " ")
    # Etc/GMT-3 and EST5EDT are offsets, not places.
    return abbreviation if "/" not in tz.key or tz.key.startswith("Etc/") else f"{place} time, {abbreviation}"


def _offset(moment: datetime) -> str:
    minutes = int((moment.utcoffset() or timedelta()).total_seconds() // 60)
    sign, (whole, rest) = "−" if minutes < 0 else "+", divmod(abs(minutes), 60)
    return f"UTC{sign}{whole}" + (f":{rest:02}" if rest else "")
