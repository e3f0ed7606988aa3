"""The event's facts as the words a reader sees."""

from collections.abc import Mapping
from functools import lru_cache

from templates.facts import EventFacts, one_line
from templates.when import day_span, hours, short_day_span, tile, zone

STRANGER = "there"


@lru_cache(maxsize=64)
def event_words(event: EventFacts) -> Mapping[str, str]:
    """The facts as text, dates spelled out in the event's zone; what is unknown is empty."""
    tz = zone(event.timezone)
    words = {
        name: one_line(getattr(event, name))
        for name in (
            *("name", "tagline", "venue", "city", "address", "url", "register_url", "price"),
            *("organizer_name", "organizer_address", "map_url", "brand", "ink", "accent"),
        )
    }
    words |= dict.fromkeys(("date", "short_date", "hours", "month", "day", "several_days", "previous_date"), "")
    if event.starts_at and tz:
        words["date"] = day_span(event.starts_at, event.ends_at, tz)
        words["short_date"] = short_day_span(event.starts_at, event.ends_at, tz)
        words["hours"] = hours(event.starts_at, event.ends_at, tz)
        words["several_days"] = "yes" if " – " in words["date"] else ""
        words["month"], words["day"] = tile(event.starts_at, event.ends_at, tz)
    if event.moved_from and tz:
        words["previous_date"] = day_span(event.moved_from, None, tz)
    return words


def merge_values(words: Mapping[str, str], first_name: str) -> dict[str, str]:
    """What each merge field stands for. A person without a name is `there`, as in "Hi there"."""
    return {
        "first_name": first_name or STRANGER,
        "event_name": words["name"],
        "event_date": words["short_date"],
        "previous_date": words["previous_date"],
        "event_time": words["hours"],
        "event_venue": words["venue"],
        "event_city": words["city"],
        "event_price": words["price"],
        "organizer_name": words["organizer_name"],
    }
