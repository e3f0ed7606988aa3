"""Good hours for posts: never before the moment, and always within the platform's hours on the event's wall clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.slots import GOOD_HOURS, next_good_slot

BERLIN = ZoneInfo("Europe/Berlin")
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "UTC"]).map(ZoneInfo)


@given(platform=st.sampled_from(sorted(GOOD_HOURS)), at=INSTANTS, zone=ZONES)
def test_a_slot_is_not_before_its_moment_within_a_week_and_in_good_hours(
    platform: str, at: datetime, zone: ZoneInfo
) -> None:
    slot = next_good_slot(platform, at, zone)

    assert at <= slot <= at + timedelta(days=7)
    wall = slot.astimezone(zone)
    weekdays, hours = GOOD_HOURS[platform]
    assert wall.weekday() in weekdays
    assert any(opens <= wall.time() < closes for opens, closes in hours)


@given(platform=st.sampled_from(sorted(GOOD_HOURS)), at=INSTANTS, zone=ZONES)
def test_a_moment_in_good_hours_is_its_own_slot(platform: str, at: datetime, zone: ZoneInfo) -> None:
    slot = next_good_slot(platform, at, zone)

    assert next_good_slot(platform, slot, zone) == slot


@pytest.mark.parametrize(
    ("platform", "slot"),
    [
        ("linkedin", datetime(2027, 3, 9, 7, 0, tzinfo=UTC)),
        ("twitter", datetime(2027, 3, 8, 7, 0, tzinfo=UTC)),
        ("facebook", datetime(2027, 3, 8, 8, 0, tzinfo=UTC)),
        ("elsewhere", datetime(2027, 3, 6, 20, 0, tzinfo=UTC)),
    ],
)
def test_a_saturday_evening_in_berlin_waits_for_the_week(platform: str, slot: datetime) -> None:
    assert next_good_slot(platform, datetime(2027, 3, 6, 20, 0, tzinfo=UTC), BERLIN) == slot
