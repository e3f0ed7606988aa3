"""Moments: what may be said, when it is, and how an error points at the wrong word."""

from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.automation import Anchors, Shift, Step
from models.moments import Instants, MissingAnchor, Moment, MomentError, UnknownZone, parse, resolve, resolve_all

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
instants = st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
zones = st.sampled_from(ZONES)
elapsed = st.sampled_from(["second", "seconds", "minute", "minutes", "hour", "hours"])
calendar = st.sampled_from(["day", "days", "week", "weeks"])


def at(text: str, anchors: Anchors, **ended: datetime) -> datetime | None:
    return resolve(parse(text), anchors, ended)


def local(zone: str, year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("7 days", Moment("start", 7)),
        ("0 hours", Moment("start", 0, "hours")),
        ("72 hours", Moment("start", 72, "hours")),
        ("30 seconds", Moment("start", 30, "seconds")),
        ("1 minute", Moment("start", 1, "minutes")),
        ("7 days at 09:00", Moment("start", 7, at=time(9))),
        ("2 hours after post_social_media", Moment("after", 2, "hours", step="post_social_media")),
        ("event_date", Moment("event_date")),
        ("event_date - 3 days", Moment("event_date", -3)),
        ("  event_date-3days ", Moment("event_date", -3)),
        ("event_date at 07:00", Moment("event_date", at=time(7))),
        ("event_end + 24 hours", Moment("event_end", 24, "hours")),
        ("event_end + 2 weeks", Moment("event_end", 2, "weeks")),
        ("deadline - 14 days at 09:00", Moment("deadline", -14, at=time(9))),
        ("deadline at 23:59", Moment("deadline", at=time(23, 59))),
    ],
)
def test_every_form_of_the_grammar_is_understood(text: str, moment: Moment) -> None:
    assert parse(text) == moment


@pytest.mark.parametrize(
    ("text", "word", "said"),
    [
        ("7 dayz", "dayz", "seconds, minutes, hours, days or weeks (did you mean 'days'?)"),
        ("event_dat - 3 days", "event_dat", "did you mean 'event_date'?"),
        ("event_date - days", "days", "a whole number"),
        ("event_date minus 3 days", "minus", "'- 3 days'"),
        ("event_date - 3", "", "a unit is expected"),
        ("event_date - 3 days at 25:00", "25:00", "from 00:00 to 23:59"),
        ("event_date - 3 days at", "", "from 00:00 to 23:59"),
        ("event_date - 3 hours at 09:00", "at", "hours already say the time of day"),
        ("2 hours after", "", "the id of a step"),
        ("2 hours after 9th", "9", "the id of a step"),
        ("7 days later", "later", "'after'"),
        ("3.5 days", ".", "a unit is expected"),
        ("-3 days", "-", "a moment begins with"),
        ("", "", "a moment begins with"),
        ("99999 weeks", "99999", "ten years"),
        ("99999999999999999999999 days", "99999999999999999999999", "ten years"),
        ("٣ days", "٣", "a moment begins with"),
    ],
)
def test_an_error_underlines_the_wrong_word_and_says_what_is_allowed(text: str, word: str, said: str) -> None:
    with pytest.raises(MomentError) as error:
        parse(text)
    reason, shown, carets = str(error.value).split("\n")
    assert said in reason
    assert shown.removeprefix("    ") == text
    assert shown[carets.index("^") : carets.rindex("^") + 1] == word


@given(st.text(max_size=40))
def test_no_text_at_all_raises_anything_but_a_moment_error(text: str) -> None:
    with suppress(MomentError):
        assert parse(text)


def test_days_keep_the_wall_clock_across_a_clock_change_and_hours_are_elapsed() -> None:
    anchors = Anchors(start=START, zone="Europe/Berlin", event_date=local("Europe/Berlin", 2026, 3, 30, 10))
    assert at("event_date - 3 days", anchors) == local("Europe/Berlin", 2026, 3, 27, 10)
    assert at("event_date - 72 hours", anchors) == local("Europe/Berlin", 2026, 3, 27, 9)


def test_a_wall_time_that_does_not_exist_moves_forward() -> None:
    anchors = Anchors(start=START, zone="Europe/Berlin", event_date=local("Europe/Berlin", 2026, 3, 30, 2, 30))
    assert at("event_date - 1 day", anchors) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert at("event_date - 1 day at 02:00", anchors) == local("Europe/Berlin", 2026, 3, 29, 3)


def test_a_day_that_does_not_exist_moves_forward() -> None:
    anchors = Anchors(start=START, zone="Pacific/Apia", event_date=local("Pacific/Apia", 2011, 12, 31, 10))
    assert at("event_date - 1 day", anchors) == local("Pacific/Apia", 2011, 12, 31, 10)


def test_an_ambiguous_wall_time_is_the_first() -> None:
    anchors = Anchors(start=START, zone="Europe/Berlin", event_date=local("Europe/Berlin", 2026, 10, 26, 2, 30))
    assert at("event_date - 1 day", anchors) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_no_days_at_all_is_the_instant_itself_even_in_the_second_of_two_equal_hours() -> None:
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    anchors = Anchors(start=second, zone="Europe/Berlin", event_date=second)
    assert at("0 days", anchors) == at("event_date", anchors) == second


def test_a_time_of_day_is_of_the_day_in_the_events_zone() -> None:
    late_evening = local("America/New_York", 2026, 6, 1, 23)
    anchors = Anchors(start=START, zone="America/New_York", event_date=late_evening, deadline=late_evening)
    assert at("event_date at 07:00", anchors) == local("America/New_York", 2026, 6, 1, 7)
    assert at("deadline - 14 days at 09:00", anchors) == local("America/New_York", 2026, 5, 18, 9)


def test_a_plain_span_counts_from_the_start_and_after_counts_from_a_steps_end() -> None:
    anchors = Anchors(start=START, zone="UTC")
    assert at("7 days", anchors) == START + timedelta(days=7)
    assert at("2 hours after send", anchors) is None
    assert at("2 hours after send", anchors, send=START) == START + timedelta(hours=2)


@pytest.mark.parametrize("anchor", ["event_date", "event_end", "deadline"])
def test_a_missing_anchor_is_named_and_never_taken_for_now(anchor: str) -> None:
    with pytest.raises(MissingAnchor) as missing:
        at(f"{anchor} - 3 days", Anchors(start=START, zone="UTC"))
    assert missing.value.anchor == anchor
    assert anchor in str(missing.value)


@pytest.mark.parametrize("zone", ["Europe/Berln", "", "../etc/passwd", "Europe", "CET\0"])
def test_an_unknown_zone_is_an_error_that_says_what_to_do(zone: str) -> None:
    with pytest.raises(UnknownZone, match="IANA name such as 'Europe/Berlin'"):
        at("7 hours", Anchors(start=START, zone=zone))


def test_a_misspelt_zone_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UnknownZone, match="did you mean 'Europe/Berlin'"):
        at("7 days", Anchors(start=START, zone="Europe/Berln"))


@given(instants, zones, st.integers(0, 5000), elapsed)
def test_elapsed_units_are_the_same_in_every_zone(start: datetime, zone: str, amount: int, unit: str) -> None:
    anchors = Anchors(start=start, zone=zone)
    resolved = at(f"{amount} {unit}", anchors)
    assert resolved == at(f"{amount} {unit}", Anchors(start=start, zone="UTC"))
    assert resolved is not None
    assert resolved >= start
    assert resolved.tzinfo is UTC


@given(instants, zones, st.integers(-400, 400), calendar)
def test_calendar_units_keep_date_and_wall_clock_wherever_that_exists(
    date: datetime, zone: str, amount: int, unit: str
) -> None:
    resolved = at(f"event_date {'-' if amount < 0 else '+'} {abs(amount)} {unit}", _at(date, zone))
    assert resolved is not None
    days = amount * (7 if unit.startswith("week") else 1)
    wanted = date.astimezone(ZoneInfo(zone)).replace(tzinfo=None) + timedelta(days=days)
    got = resolved.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    exists = wanted.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert got == (wanted if exists == wanted else exists)
    assert timedelta(0) <= got - wanted <= timedelta(days=1)


@given(instants, zones, st.integers(1, 300))
def test_days_ahead_are_never_behind(date: datetime, zone: str, days: int) -> None:
    ahead, less = at(f"event_date + {days} days", _at(date, zone)), at(f"event_date + {days - 1} days", _at(date, zone))
    assert ahead is not None
    assert less is not None
    assert date <= less <= ahead


@given(instants, zones, st.integers(-60, 60), st.times())
def test_a_wall_time_is_kept_or_moved_forward_by_the_gap(date: datetime, zone: str, days: int, clock: time) -> None:
    clock = clock.replace(second=0, microsecond=0)
    sign = "-" if days < 0 else "+"
    resolved = at(f"event_date {sign} {abs(days)} days at {clock:%H:%M}", _at(date, zone))
    assert resolved is not None
    day = date.astimezone(ZoneInfo(zone)).date() + timedelta(days=days)
    got = resolved.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert timedelta(0) <= got - datetime.combine(day, clock) <= timedelta(days=1)


def _at(date: datetime, zone: str) -> Anchors:
    return Anchors(start=START, zone=zone, event_date=date)


def test_resolve_all_says_when_each_step_is_due_and_when_overtaken() -> None:
    steps = [
        Step(id="first", name="", moment="1 hour", until="third"),
        Step(id="second", name="", moment="1 hour after first", until="event_date"),
        Step(id="third", name="", moment="event_date - 1 day", until="second"),
        Step(id="fourth", name="", moment="deadline", until="deadline + 1 day"),
    ]
    event = START + timedelta(days=9)
    resolved = resolve_all(steps, Anchors(start=START, zone="UTC", event_date=event), {})
    eve = event - timedelta(days=1)
    assert resolved == Instants(
        due={"first": START + timedelta(hours=1), "second": None, "third": eve, "fourth": None},
        until={"first": eve, "second": event, "third": None, "fourth": None},
    )


@pytest.mark.parametrize(
    ("phrase", "ended", "moved"),
    [
        ("7 days", None, 3),
        ("2 hours after opened", -1, 3),
        ("2 hours after opened", 2, 1),
        ("2 hours after opened", 5, 0),
        ("event_date - 3 days", None, 0),
    ],
)
def test_a_shift_moves_by_all_of_a_pause_or_by_what_was_left_of_it(phrase: str, ended: int | None, moved: int) -> None:
    pause = datetime(2027, 2, 1, tzinfo=UTC)
    anchors = Anchors(start=pause - timedelta(days=1), zone="UTC", event_date=pause + timedelta(days=30))
    shifted = anchors.model_copy(update={"shifts": (Shift(at=pause, by=timedelta(days=3)),)})
    ends = {} if ended is None else {"opened": pause + timedelta(days=ended)}
    before = at(phrase, anchors, **ends)
    assert before is not None
    assert at(phrase, shifted, **ends) == before + timedelta(days=moved)
