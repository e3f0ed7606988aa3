"""Weather: daily forecasts in Open-Meteo's HTTP form, which needs no key."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from providers.http import Wire, words_of
from providers.rate import Pace

SECONDS = 3.0
"""A forecast is asked for while a batch's lease runs."""

DAILY = "weather_code,temperature_2m_max,temperature_2m_min,precipitation_probability_max"


class Forecast(NamedTuple):
    """One day. `code` is the WMO's for the weather; degrees are Celsius; `rain` is per cent."""

    day: date
    code: int
    low: float
    high: float
    rain: int | None


class Weather:
    """One forecast provider."""

    provider = "weather"

    def __init__(self, base_url: str) -> None:
        self.pace = Pace(10)
        self._wire = Wire(
            self.provider,
            "The weather provider",
            base_url,
            self.pace,
            key="WEATHER_API_URL",
            address="WEATHER_API_URL",
            seconds=SECONDS,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    async def check(self) -> str:
        """Ask for a day; says that it answers, or raises."""
        today = datetime.now(UTC).date()
        await self.forecast(0, 0, "UTC", today, today)
        return f"answers at {self._wire.base_url}"

    async def forecast(self, latitude: float, longitude: float, zone: str, first: date, last: date) -> list[Forecast]:
        """The forecast of each of these days at a place, in its zone's days. Raises ProviderError."""
        asked = {
            "latitude": f"{latitude:.4f}",
            "longitude": f"{longitude:.4f}",
            "timezone": zone,
            "daily": DAILY,
            "start_date": first.isoformat(),
            "end_date": last.isoformat(),
        }
        response = await self._wire.request("GET", "/v1/forecast", params=asked)
        body = self._wire.json(response)
        if not response.is_success:
            raise self._wire.failed(response.status_code, words_of(response, body, "reason"), headers=response.headers)
        try:
            return _read(body["daily"])
        except (KeyError, TypeError, ValueError) as error:
            said = f"The weather provider's answer is not a forecast: {type(error).__name__} {error}."
            raise self._wire.unavailable(said) from None


def _read(daily: Mapping[str, Any]) -> list[Forecast]:
    """The days of an answer; one that says nothing of temperature or weather is left out."""
    columns = (daily["time"], *(daily[name] for name in DAILY.split(",")))
    return [
        Forecast(date.fromisoformat(day), int(code), float(low), float(high), None if rain is None else int(rain))
        for day, code, high, low, rain in zip(*columns, strict=True)
        if None not in (code, high, low)
    ]
