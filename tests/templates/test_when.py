"""Dates and times read well in every zone, on both sides of a clock change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.when import day_count, day_span, hours, hours_elsewhere, short_day_span, tile, zone

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def at(*parts: int, tz: ZoneInfo = BERLIN) -> datetime:
    year, month, day, hour = parts
    return datetime(year, month, day, hour, tzinfo=tz)


@pytest.mark.parametrize(
    ("end", "long", "short", "leaf", "days"),
    [
        (at(2026, 5, 12, 17), "Tuesday, 12 May 2026", "12 May 2026", ("May", "12"), 1),
        (at(2026, 5, 13, 2), "Tuesday, 12 May 2026", "12 May 2026", ("May", "12"), 1),
        (None, "Tuesday, 12 May 2026", "12 May 2026", ("May", "12"), 1),
        (at(2026, 5, 13, 17), "Tuesday, 12 May – Wednesday, 13 May 2026", "12–13 May 2026", ("May", "12–13"), 2),
        (at(2026, 6, 2, 17), "Tuesday, 12 May – Tuesday, 2 June 2026", "12 May – 2 June 2026", ("May", "12"), 22),
    ],
)
def test_a_span_of_days_is_said_as_people_say_it(
    end: datetime | None, long: str, short: str, leaf: tuple[str, str], days: int
) -> None:
    start = at(2026, 5, 12, 9)
    assert day_span(start, end, BERLIN) == long
    assert short_day_span(start, end, BERLIN) == short
    assert tile(start, end, BERLIN) == leaf
    assert day_count(start, end, BERLIN) == days


def test_a_span_over_new_year_names_both_years() -> None:
    start, end = at(2026, 12, 31, 9), at(2027, 1, 2, 9)
    assert day_span(start, end, BERLIN) == "Thursday, 31 December 2026 – Saturday, 2 January 2027"
    assert short_day_span(start, end, BERLIN) == "31 December 2026 – 2 January 2027"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Europe/Berlin", "2:00 pm (Berlin time, CEST)"),
        ("America/Argentina/Buenos_Aires", "9:00 am (Buenos Aires time, UTC−3)"),
        ("Asia/Kathmandu", "5:45 pm (Kathmandu time, UTC+5:45)"),
        ("America/New_York", "8:00 am (New York time, EDT)"),
        ("UTC", "12:00 pm (UTC)"),
        ("Etc/GMT-3", "3:00 pm (UTC+3)"),
    ],
)
def test_a_time_names_its_zone_so_that_nobody_must_guess(name: str, said: str) -> None:
    assert hours(datetime(2026, 7, 1, 12, tzinfo=UTC), None, ZoneInfo(name)) == said


def test_the_same_wall_clock_has_another_zone_name_in_winter() -> None:
    assert hours(at(2026, 3, 28, 9), None, BERLIN) == "9:00 am (Berlin time, CET)"
    assert hours(at(2026, 3, 29, 9), None, BERLIN) == "9:00 am (Berlin time, CEST)"


def test_an_end_on_the_same_day_is_said_and_of_several_days_only_the_beginning() -> None:
    assert hours(at(2026, 5, 12, 9), at(2026, 5, 12, 17), BERLIN) == "9:00 am – 5:00 pm (Berlin time, CEST)"
    assert hours(at(2026, 5, 12, 9), at(2026, 5, 13, 17), BERLIN) == "9:00 am (Berlin time, CEST)"
    assert hours(at(2026, 5, 12, 21), at(2026, 5, 13, 0), BERLIN) == "9:00 pm – 12:00 am (Berlin time, CEST)"


def test_two_weeks_a_year_new_york_is_nearer() -> None:
    assert hours_elsewhere(at(2026, 3, 7, 15), BERLIN, "America/New_York") == "9:00 am (New York time, EST)"
    assert hours_elsewhere(at(2026, 3, 9, 15), BERLIN, "America/New_York") == "10:00 am (New York time, EDT)"


def test_another_day_on_the_readers_calendar_is_said() -> None:
    said = hours_elsewhere(at(2026, 5, 12, 9), BERLIN, "Pacific/Honolulu")
    assert said == "Monday, 11 May, 9:00 pm (Honolulu time, HST)"


@pytest.mark.parametrize("name", ["Europe/Berlin", "Europe/Paris", "Nowhere/Land", "../etc/passwd", ""])
def test_the_same_clock_or_an_unknown_zone_adds_nothing(name: str) -> None:
    assert hours_elsewhere(at(2026, 5, 12, 9), BERLIN, name) == ""


@given(moment=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
def test_the_readers_clock_is_shown_exactly_when_it_differs(moment: datetime) -> None:
    said = hours_elsewhere(moment, BERLIN, "America/New_York")
    there = moment.astimezone(NEW_YORK)
    assert f"{there.hour % 12 or 12}:{there:%M} {there:%p}".lower() in said
    assert hours_elsewhere(moment, BERLIN, "Europe/Vienna") == ""


@given(moment=st.datetimes(timezones=st.just(UTC), max_value=datetime(9000, 1, 1)), hours_long=st.integers(0, 400))  # noqa: DTZ001 - bounds
def test_any_event_can_be_said(moment: datetime, hours_long: int) -> None:
    end = moment + timedelta(hours=hours_long)
    tz = zone("Asia/Kolkata")
    assert tz
    assert str(moment.astimezone(tz).year) in day_span(moment, end, tz)
    assert day_count(moment, end, tz) >= 1
