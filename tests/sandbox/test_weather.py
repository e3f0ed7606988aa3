"""The stand-in for the forecast provider: Open-Meteo's form, the same weather each time, and its refusals."""

import httpx2
import pytest

ASKED = {
    "latitude": "38.7",
    "longitude": "-9.18",
    "timezone": "Europe/Lisbon",
    "daily": "weather_code,temperature_2m_max,temperature_2m_min,precipitation_probability_max",
    "start_date": "2027-05-13",
    "end_date": "2027-05-14",
}


async def test_each_day_has_weather_and_the_same_one_when_asked_again(sandbox: httpx2.AsyncClient) -> None:
    first = (await sandbox.get("/weather/v1/forecast", params=ASKED)).json()
    daily = first["daily"]
    assert daily["time"] == ["2027-05-13", "2027-05-14"]
    for low, high in zip(daily["temperature_2m_min"], daily["temperature_2m_max"], strict=True):
        assert -30 < low < high < 50
    alone = (await sandbox.get("/weather/v1/forecast", params=ASKED | {"start_date": "2027-05-14"})).json()
    assert {name: values[1:] for name, values in daily.items()} == alone["daily"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"latitude": "91"}, "Latitude must be in range"),
        ({"longitude": "east"}, "Cannot initialize Float"),
        ({"daily": "horoscope"}, "invalid String value horoscope"),
        ({"start_date": "tomorrow"}, "must be set as yyyy-mm-dd"),
        ({"end_date": "2027-05-01"}, "End-date must be larger"),
        ({"end_date": "2027-06-01"}, "End-date must be larger"),
    ],
)
async def test_a_bad_question_is_refused_in_the_vendors_form(
    sandbox: httpx2.AsyncClient, changes: dict[str, str], says: str
) -> None:
    refused = await sandbox.get("/weather/v1/forecast", params=ASKED | changes)
    assert refused.status_code == 400
    assert refused.json()["error"] is True
    assert says in refused.json()["reason"]
