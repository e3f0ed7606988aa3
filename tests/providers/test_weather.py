"""Forecasts over HTTP: days as they are said, and a provider that fails says so at once."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from providers.errors import ProviderError, Rejected, Unavailable
from providers.weather import DAILY, Forecast, Weather

FIRST, LAST = date(2027, 5, 13), date(2027, 5, 14)


@pytest.fixture
async def told(loopback: Any) -> AsyncIterator[Weather]:
    """A provider that answers what it is told."""
    weather = Weather(loopback.url)
    yield weather
    await weather.aclose()


def daily(*rows: tuple[Any, ...]) -> dict[str, Any]:
    columns: list[list[Any]] = [[], [], [], [], []]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return {"daily": dict(zip(("time", *DAILY.split(",")), columns, strict=True))}


async def test_the_sandbox_tells_the_weather_of_every_day(sandbox: Any) -> None:
    weather = Weather(f"{sandbox.url}/weather")
    days = await weather.forecast(38.7, -9.18, "Europe/Lisbon", FIRST, LAST)
    await weather.aclose()
    assert [one.day for one in days] == [FIRST, LAST]


async def test_the_question_is_in_the_vendors_words_and_the_answer_in_ours(loopback: Any, told: Weather) -> None:
    loopback.answer(200, daily(("2027-05-13", 61, 21.4, 13.6, 70), ("2027-05-14", 0, 24, 14, None)))
    assert await told.forecast(38.69671, -9.18, "Europe/Lisbon", FIRST, LAST) == [
        Forecast(FIRST, 61, 13.6, 21.4, 70),
        Forecast(LAST, 0, 14, 24, None),
    ]
    path = loopback.asked[0].path
    assert path.startswith(
        "/v1/forecast?latitude=38.6967&longitude=-9.1800&timezone=Europe%2FLisbon&daily=weather_code"
    )
    assert path.endswith("start_date=2027-05-13&end_date=2027-05-14")


async def test_a_day_of_which_nothing_is_known_is_left_out(loopback: Any, told: Weather) -> None:
    loopback.answer(200, daily(("2027-05-13", None, None, None, None), ("2027-05-14", 3, 20, 12, 5)))
    assert [one.day for one in await told.forecast(1, 1, "UTC", FIRST, LAST)] == [LAST]


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (400, {"error": True, "reason": "Latitude must be in range"}, Rejected, "Latitude must be in range"),
        (429, {"error": True, "reason": "limit exceeded"}, Unavailable, "limit exceeded"),
        (502, b"<html>", Unavailable, "answered 502"),
        (200, {"hourly": {}}, Unavailable, "is not a forecast: KeyError 'daily'"),
        (200, daily(("soon", 1, 2, 3, 4)), Unavailable, "is not a forecast: ValueError"),
    ],
)
async def test_whatever_is_no_forecast_is_an_error_in_the_providers_words(
    loopback: Any, told: Weather, status: int, body: Any, kind: type[ProviderError], says: str
) -> None:
    loopback.answer(status, body)
    with pytest.raises(kind, match=says):
        await told.forecast(1, 1, "UTC", FIRST, LAST)
