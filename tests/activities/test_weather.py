"""The weather of an event: told within seven days, asked once a day, and never a reason to keep mail back."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from providers.weather import Weather
from tests.activities.conftest import Providers
from tests.activities.includes_desk import Desk, make_desk
from tests.world import World

ADA = "ada@people.example"


@pytest.fixture
async def desk(world: World, providers: Providers) -> AsyncIterator[Desk]:
    desk = await make_desk(world)
    desk.weather = Weather(f"{providers.url}/weather")
    yield desk
    await desk.weather.aclose()


async def test_the_weather_of_each_day_is_told_and_asked_once_for_all_mail(desk: Desk, providers: Providers) -> None:
    await desk.mails("weather")
    await desk.mails("weather")
    mail = (await desk.mails("weather"))[ADA]
    starts = await desk.pool.fetchval("SELECT starts_at FROM events WHERE id = $1", desk.world.event)
    for day in (starts, starts + timedelta(days=1)):
        assert f"{day:%A}, {day.day} {day:%B} – " in mail.text
    assert mail.text.count(" °C, ") == 2
    assert await providers.requests("weather") == 1


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("error", "answered 500"),
        ("rate_limit", "answered 429"),
        ("timeout", "did not answer within"),
        ("drop", "broke before"),
    ],
)
async def test_a_provider_that_fails_is_reported_left_alone_for_a_while_and_asked_again(
    desk: Desk, providers: Providers, fault: str, why: str
) -> None:
    await providers.faults("weather", next=[fault])
    if fault == "timeout":
        assert desk.weather is not None
        desk.weather._wire._seconds = 0.5
    for _ in range(2):
        missing = await desk.missing("weather", "parking")
        assert why in missing[ADA]["weather"]
    assert await providers.requests("weather") == 1
    await desk.pool.execute("UPDATE forecasts SET asked_at = asked_at - interval '6 minutes'")
    assert await desk.missing("weather") == {ADA: {}, "ben@people.example": {}}


async def test_other_places_and_other_dates_are_other_questions(desk: Desk, providers: Providers) -> None:
    await desk.mails("weather")
    await desk.set_details(latitude=10)
    await desk.mails("weather")
    await desk.pool.execute("UPDATE events SET ends_at = ends_at + interval '1 day' WHERE id = $1", desk.world.event)
    await desk.pool.execute("UPDATE events SET date_revision = 0")
    await desk.mails("weather")
    assert await providers.requests("weather") == 3


@pytest.mark.parametrize(("days", "why"), [(9, "the event is more than 7 days away"), (-5, "the event is over")])
async def test_nobody_is_asked_for_weather_that_cannot_be_told(
    desk: Desk, providers: Providers, days: int, why: str
) -> None:
    starts = desk.world.started + timedelta(days=days)
    await desk.world.set_event(starts_at=starts, ends_at=starts + timedelta(hours=8))
    await desk.pool.execute("UPDATE events SET date_revision = 0")
    assert (await desk.missing("weather"))[ADA] == {"weather": why}
    assert await providers.requests("weather") == 0
