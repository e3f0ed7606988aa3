"""The weather of an event: asked for once a day, kept, and never waited for long."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import structlog

from database import forecasts
from database.connection import Pool
from database.forecasts import Told
from models.details import EventDetails
from providers.errors import ProviderError
from providers.weather import Forecast, Weather
from templates import EventFacts
from templates.when import zone

AHEAD = 7
"""Days before the event within which its weather is told."""

MOST_DAYS = 5
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outlook:
    """The forecast for an event's days, or why there is none."""

    days: tuple[Forecast, ...] = ()
    why: str = ""
    early: bool = False
    """There is none yet, but there will be."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What would be asked for an event on a day."""

    latitude: float
    longitude: float
    zone: str
    today: date
    first: date
    last: date

    @property
    def words(self) -> str:
        """The same for the same question."""
        return f"{self.latitude:.4f},{self.longitude:.4f} {self.zone} {self.first}/{self.last}"


def question(event: EventFacts, details: EventDetails, problems: Mapping[str, str], today: date) -> Asking | Outlook:
    """What to ask the provider about an event, or why not."""
    tz = zone(event.timezone)
    if event.starts_at is None or tz is None:
        return Outlook(why="the event has no date or time zone")
    if details.latitude is None or details.longitude is None:
        for key in ("latitude", "longitude"):
            if key in problems:
                return Outlook(why=problems[key])
        return Outlook(why="events.details.latitude and longitude are not set")
    first = event.starts_at.astimezone(tz).date()
    last = max(first, (event.ends_at or event.starts_at).astimezone(tz).date())
    if last < today:
        return Outlook(why="the event is over")
    if first - today > timedelta(days=AHEAD):
        return Outlook(why=f"the event is more than {AHEAD} days away", early=True)
    first = max(first, today)
    last = min(last, first + timedelta(days=MOST_DAYS - 1))
    return Asking(details.latitude, details.longitude, event.timezone, today, first, last)


async def outlook(pool: Pool, weather: Weather | None, event_id: UUID, asking: Asking | Outlook) -> Outlook:
    """What is known today, from what is kept, else from the provider. A provider that fails is a reason, no error."""
    if isinstance(asking, Outlook):
        return asking
    told = await forecasts.told(pool, event_id, asking.today, asking.words)
    if told is None:
        if weather is None:
            return Outlook(why="nobody is asked for the weather here")
        told = await _ask(weather, event_id, asking)
        await forecasts.keep(pool, event_id, asking.today, asking.words, told)
    return _read(told)


async def foreseen(pool: Pool, event_id: UUID, asking: Asking | Outlook) -> Outlook:
    """What is known today without asking anybody; a provider not asked yet is no reason to miss anything."""
    if isinstance(asking, Outlook):
        return asking
    told = await forecasts.told(pool, event_id, asking.today, asking.words)
    return Outlook(early=True) if told is None else _read(told)


def _read(told: Told) -> Outlook:
    if told.days is None:
        return Outlook(why=told.problem or "")
    days = tuple(Forecast(**day | {"day": date.fromisoformat(day["day"])}) for day in told.days)
    return Outlook(days) if days else Outlook(why="the weather provider says nothing about these days")


async def _ask(weather: Weather, event_id: UUID, asking: Asking) -> Told:
    try:
        days = await weather.forecast(asking.latitude, asking.longitude, asking.zone, asking.first, asking.last)
    except ProviderError as error:
        log.warning("weather_not_told", event_id=str(event_id), reason=str(error))
        return Told(None, str(error))
    return Told([day._asdict() | {"day": day.day.isoformat()} for day in days], None)
