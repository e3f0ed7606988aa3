"""Recurrences: what may be said, that none is left out over any clock change, and how an error points at the wrong word."""

from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.recurrences import Fire, Recurrence, RecurrenceError, parse, recurring

DAY = timedelta(days=1)
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Scoresbysund",
]
CHANGES = [
    datetime(2011, 12, 30, tzinfo=UTC),  # a day that Apia went without
    *(
        datetime(2026, month, day, tzinfo=UTC)
        for month, day in ((3, 8), (3, 28), (3, 29), (4, 4), (10, 3), (10, 25), (11, 1))
    ),
]
"""When clocks are changed in one of the zones."""
anywhen = st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
nearby = st.builds(datetime.__add__, st.sampled_from(CHANGES), st.timedeltas(-6 * DAY, 2 * DAY))
instants = st.one_of(anywhen, nearby)
zones = st.sampled_from(ZONES).map(ZoneInfo)
# Half of the times lie where clocks are changed.
times = st.one_of(st.times(), st.times(time(0), time(3, 59))).map(lambda at: f"{at:%H:%M}")
weekly = st.builds("every {} at {}".format, st.sampled_from(["monday", "friday", "saturday", "sunday"]), times)
daily = st.builds("every day at {}".format, times)
monthly = st.builds("every month on {} at {}".format, st.integers(1, 31), times)
phrases = st.one_of(daily, weekly, monthly, st.builds("every weekday at {}".format, times))


def fires(text: str, instant: datetime, zone: ZoneInfo, many: int) -> list[Fire]:
    found = [parse(text).next_after(instant, zone)]
    while len(found) < many:
        found.append(parse(text).next_after(found[-1].at, zone))
    return found


@pytest.mark.parametrize(
    ("text", "recurrence"),
    [
        ("every day at 08:00", Recurrence(time(8))),
        ("every weekday at 8:05", Recurrence(time(8, 5), frozenset(range(5)))),
        ("every monday at 09:00", Recurrence(time(9), frozenset([0]))),
        ("  Every Sunday  at 23:59 ", Recurrence(time(23, 59), frozenset([6]))),
        ("every month on 1 at 09:00", Recurrence(time(9), day=1)),
        ("every month on 31 at 00:00", Recurrence(time(0), day=31)),
    ],
)
def test_every_form_of_the_grammar_is_understood(text: str, recurrence: Recurrence) -> None:
    assert recurring(text)
    assert parse(text) == recurrence


@pytest.mark.parametrize(
    ("text", "word", "said"),
    [
        ("every mondy at 09:00", "mondy", "sunday or month is expected here (did you mean 'monday'?)"),
        ("every weekdays at 09:00", "weekdays", "did you mean 'weekday'?"),
        ("every 2 weeks at 09:00", "2", "day, weekday, monday"),
        ("every", "", "day, weekday, monday"),
        ("evry monday at 09:00", "evry", "begins with 'every', as in 'every monday at 09:00' (did you mean 'every'?)"),
        ("monday at 09:00", "monday", "begins with 'every'"),
        ("daily at 09:00", "daily", "begins with 'every'"),
        ("every monday", "", "'at HH:MM' is expected here"),
        ("every monday 09:00", "09:00", "'at HH:MM' is expected here"),
        ("every monday at 9", "9", "from 00:00 to 23:59"),
        ("every monday at 24:00", "24:00", "from 00:00 to 23:59"),
        ("every monday at 09:00 sharp", "sharp", "nothing follows the time of day"),
        ("every month at 09:00", "at", "'on' and a day of the month"),
        ("every month on 0 at 09:00", "0", "from 1 to 31"),
        ("every month on 32 at 09:00", "32", "from 1 to 31"),
        ("every month on first at 09:00", "first", "from 1 to 31"),
    ],
)
def test_an_error_underlines_the_wrong_word_and_says_what_is_allowed(text: str, word: str, said: str) -> None:
    assert recurring(text)
    with pytest.raises(RecurrenceError) as error:
        parse(text)
    reason, shown, carets = str(error.value).split("\n")
    assert said in reason
    assert shown.removeprefix("    ") == text
    assert shown[carets.index("^") : carets.rindex("^") + 1] == word


@pytest.mark.parametrize(
    "text", ["7 days", "event_date - 2 days at 08:00", "event_end", "event - 2 days", "soon", "", " "]
)
def test_what_is_meant_for_a_moment_is_left_to_moments(text: str) -> None:
    assert not recurring(text)


@given(st.text(max_size=40).map("every {}".format))
def test_no_text_at_all_raises_anything_but_a_recurrence_error(text: str) -> None:
    with suppress(RecurrenceError):
        assert parse(text)


@given(phrases, instants, zones)
def test_instants_increase_strictly_and_are_the_same_from_wherever_one_looks(
    text: str, instant: datetime, zone: ZoneInfo
) -> None:
    found = fires(text, instant, zone, 5)
    assert instant < found[0].at
    assert all(one.at < other.at and one.wall < other.wall for one, other in pairwise(found))
    for one, other in pairwise(found):
        between = one.at + (other.at - one.at) / 2
        assert parse(text).next_after(between, zone) == other
        assert parse(text).next_after(other.at - timedelta(microseconds=1), zone) == other
        # Where a whole day was left out, two names are of one instant.
        assert {parse(text).latest_by(at, zone).at for at in (one.at, between)} == {one.at}


@given(phrases, instants, zones)
def test_the_clock_shows_the_time_that_was_named_but_where_it_leaves_it_out(
    text: str, instant: datetime, zone: ZoneInfo
) -> None:
    for at, wall in fires(text, instant, zone, 5):
        assert f"{wall:%H:%M}" == text[-5:]
        shown = at.astimezone(zone)
        if shown.replace(tzinfo=None) == wall:
            assert shown.fold == 0
        else:
            left_out = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall
            assert left_out
            assert shown.replace(tzinfo=None) > wall


@given(instants, zones, times)
def test_no_day_week_or_month_is_skipped(instant: datetime, zone: ZoneInfo, at: str) -> None:
    for text, gaps in (
        (f"every day at {at}", {1}),
        (f"every sunday at {at}", {7}),
        (f"every weekday at {at}", {1, 3}),
        (f"every month on 1 at {at}", {28, 29, 30, 31}),
        (f"every month on 31 at {at}", {28, 29, 30, 31}),
    ):
        named = [wall.date() for _, wall in fires(text, instant, zone, 15)]
        if zone.key == "Pacific/Apia" and named[0] <= datetime(2011, 12, 30).date() <= named[-1]:  # noqa: DTZ001 - a day
            continue  # the island went without this day
        assert {(other - one).days for one, other in pairwise(named)} <= gaps


def test_a_month_without_the_day_has_it_on_its_last() -> None:
    found = fires("every month on 31 at 09:00", datetime(2028, 1, 1, tzinfo=UTC), ZoneInfo("UTC"), 4)
    assert [(wall.month, wall.day) for _, wall in found] == [(1, 31), (2, 29), (3, 31), (4, 30)]


def test_a_wall_time_that_does_not_exist_moves_forward_and_the_next_day_is_as_ever() -> None:
    found = fires("every day at 02:30", datetime(2026, 3, 28, 12, tzinfo=UTC), ZoneInfo("Europe/Berlin"), 2)
    assert [at for at, _ in found] == [
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
    ]


def test_an_ambiguous_wall_time_is_the_first_and_does_not_come_twice() -> None:
    found = fires("every day at 02:30", datetime(2026, 10, 24, 12, tzinfo=UTC), ZoneInfo("Europe/Berlin"), 2)
    assert [at for at, _ in found] == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    ]


def test_a_day_that_does_not_exist_falls_together_with_the_next_and_comes_once() -> None:
    apia = ZoneInfo("Pacific/Apia")
    found = fires("every day at 10:00", datetime(2011, 12, 29, 12, tzinfo=apia), apia, 2)
    assert [at.astimezone(apia).day for at, _ in found] == [31, 1]


def test_a_weekday_that_does_not_exist_comes_the_day_after_wherever_one_looks_from() -> None:
    apia = ZoneInfo("Pacific/Apia")
    saturday = datetime(2011, 12, 31, 10, tzinfo=apia).astimezone(UTC)
    for hours in (1, 9, 11, 40):
        assert parse("every friday at 10:00").next_after(saturday - timedelta(hours=hours), apia).at == saturday
    assert parse("every friday at 10:00").latest_by(saturday + timedelta(hours=1), apia).at == saturday
