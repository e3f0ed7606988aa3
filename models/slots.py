"""Good hours for posts: when each platform's readers look, on the wall clock of the event's zone."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

WORKDAYS = frozenset(range(5))
MIDWEEK = frozenset({1, 2, 3})

GOOD_HOURS: dict[str, tuple[frozenset[int], tuple[tuple[time, time], ...]]] = {
    "linkedin": (MIDWEEK, ((time(8), time(10)), (time(12), time(13)))),
    "twitter": (WORKDAYS, ((time(8), time(10)), (time(12), time(13)), (time(17), time(18)))),
    "facebook": (WORKDAYS, ((time(9), time(11)), (time(13), time(15)))),
}
"""Weekdays (Monday is 0) and the hours of these days. Rules of thumb of the trade: readers look in the morning and at
lunch; LinkedIn is read from Tuesday to Thursday, X again on the way home, Facebook a little later in the day."""


def next_good_slot(platform: str, at: datetime, zone: ZoneInfo) -> datetime:
    """The first instant not before `at` that lies in the platform's good hours; `at` itself where it knows none."""
    if platform not in GOOD_HOURS:
        return at
    weekdays, hours = GOOD_HOURS[platform]
    today = at.astimezone(zone).date()
    for day in (today + timedelta(days=n) for n in range(8)):
        for opens, closes in hours if day.weekday() in weekdays else ():
            begin, end = (datetime.combine(day, wall, zone).astimezone(UTC) for wall in (opens, closes))
            if at < end:
                return max(at, begin)
    raise AssertionError("every platform has a good hour within a week")
