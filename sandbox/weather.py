"""Stand-in for a forecast provider in Open-Meteo's form: weather that is the same each time it is asked for."""

import random
from datetime import date, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults import Provider, Refused, json_response, serve

DAYS_AHEAD = 16
CODES = (0, 1, 2, 3, 45, 51, 61, 63, 80)
UNITS = {
    "time": "iso8601",
    "weather_code": "wmo code",
    "temperature_2m_max": "°C",
    "temperature_2m_min": "°C",
    "precipitation_probability_max": "%",
}


def _error(status: int, reason: str) -> Response:
    return json_response(status, {"error": True, "reason": reason})


WEATHER = Provider(
    "weather",
    throttled=lambda _: _error(429, "Minutely API request limit exceeded. Please try again in one minute."),
    broken=lambda: _error(500, "Internal server error"),
)


def _coordinate(request: Request, name: str, most: float) -> float:
    said = request.query_params.get(name)
    if said is None:
        raise Refused(_error(400, f"Parameter '{name}' is required"))
    try:
        value = float(said)
    except ValueError:
        raise Refused(_error(400, f"Data corrupted at path ''. Cannot initialize Float from '{said}'.")) from None
    if not -most <= value <= most:
        raise Refused(_error(400, f"{name.title()} must be in range of -{most:g} to {most:g}°. Given: {value}."))
    return value


def _days(request: Request) -> list[date]:
    query = request.query_params
    try:
        first, last = (date.fromisoformat(query[name]) for name in ("start_date", "end_date"))
    except (KeyError, ValueError):
        raise Refused(_error(400, "Parameter 'start_date' and 'end_date' must be set as yyyy-mm-dd")) from None
    if not timedelta() <= last - first < timedelta(days=DAYS_AHEAD):
        raise Refused(_error(400, "End-date must be larger or equals than start-date"))
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _weather(name: str, latitude: float, longitude: float, day: date) -> Any:
    """A value of one day: colder in the north and in winter, otherwise by chance that repeats itself."""
    chance = random.Random(f"{latitude:.2f}/{longitude:.2f}/{day}")  # noqa: S311 - weather is no secret
    low = round(22 - abs(latitude) / 3 - abs(day.month - 7) * 1.5 + chance.uniform(-3, 3), 1)
    code = chance.choice(CODES)
    return {
        "time": day.isoformat(),
        "weather_code": code,
        "temperature_2m_max": round(low + chance.uniform(5, 11), 1),
        "temperature_2m_min": low,
        "precipitation_probability_max": chance.randint(50, 95) if code > 50 else chance.randint(0, 25),
    }.get(name)


async def forecast(request: Request) -> Response:
    """GET /v1/forecast with `daily`; any day has a forecast, so that rehearsals of other years have one too."""

    async def answer() -> Response:
        latitude, longitude = _coordinate(request, "latitude", 90), _coordinate(request, "longitude", 180)
        names = ["time", *filter(None, request.query_params.get("daily", "").split(","))]
        if unknown := [name for name in names if name not in UNITS]:
            raise Refused(
                _error(
                    400,
                    f"Data corrupted at path ''. Cannot initialize ForecastVariableDaily from invalid String value {unknown[0]}.",
                )
            )
        days = _days(request)
        daily = {name: [_weather(name, latitude, longitude, day) for day in days] for name in names}
        zone = request.query_params.get("timezone", "GMT")
        body = {"latitude": latitude, "longitude": longitude, "timezone": zone, "daily_units": UNITS, "daily": daily}
        return json_response(200, body)

    return await serve(request, WEATHER, "", answer, read=False)


routes = [Route("/v1/forecast", forecast, methods=["GET"])]
