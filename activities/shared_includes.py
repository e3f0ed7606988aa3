"""Includes that are the same for all readers of a message: each a small function from what is known of the event."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from activities.forecasts import Outlook
from database.includes import Ahead, Programme, Session
from models.details import EventDetails, Offer, Pointer, read_details
from providers.weather import Forecast
from templates import EventFacts, Include, Link, Row, default_includes
from templates.when import clock, short_day_span, zone

MOST_ROWS = 40
"""Mail programs cut long mails off; a longer programme is linked to."""

WEATHER = (
    (0, "clear sky"), (1, "mostly sunny"), (2, "partly cloudy"), (3, "overcast"), (45, "fog"), (51, "drizzle"), (61, "light rain"),
    (63, "rain"), (65, "heavy rain"), (66, "freezing rain"), (71, "snow"), (80, "showers"), (85, "snow showers"), (95, "thunderstorms"),
)  # fmt: skip
"""The WMO's weather codes, each from its number on."""


FORECASTER = Link("Forecast by Open-Meteo.com", "https://open-meteo.com/")
"""Its licence wants to be named with its data."""


class Absent(Exception):
    """An include cannot be made; the message says what is missing, and of whom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of an event at a business instant. What no wanted include asks for is not loaded."""

    event: EventFacts
    now: datetime
    details: EventDetails = field(default_factory=EventDetails)
    problems: Mapping[str, str] = field(default_factory=dict)
    """What is wrong in events.details, by key."""
    programme: Programme = field(default_factory=Programme)
    ahead: tuple[Ahead, ...] = ()
    outlook: Outlook = field(default_factory=Outlook)

    @property
    def zone(self) -> ZoneInfo:
        """The event's zone."""
        if (tz := zone(self.event.timezone)) is None:
            raise Absent("events.timezone is not set")
        return tz

    @property
    def today(self) -> date:
        """The business day, where the event is."""
        return self.now.astimezone(zone(self.event.timezone)).date()

    def absent(self, key: str) -> Absent:
        """Why a key of events.details cannot be used."""
        return Absent(self.problems.get(key) or f"events.details.{key} is not set")


Shared = Callable[[str, Known], Include]


def _text(key: str) -> Shared:
    def made(kind: str, known: Known) -> Include:
        if not (said := getattr(known.details, key)):
            raise known.absent(key)
        return Include(kind=kind, text=said)

    return made


def _link(key: str, label: str) -> Shared:
    def made(kind: str, known: Known) -> Include:
        if not (url := getattr(known.details, key)):
            raise known.absent(key)
        return Include(kind=kind, link=Link(label, url))

    return made


def _own(kind: str, known: Known) -> Include:  # noqa: ARG001 - our own words need no event
    return default_includes()[kind]


def _directions(kind: str, known: Known) -> Include:
    if not known.details.directions:
        raise known.absent("directions")
    link = Link("Open the map", known.event.map_url) if known.event.map_url else None
    return Include(kind=kind, text=known.details.directions, link=link)


def _check_in(kind: str, known: Known) -> Include:
    if "check_in" in known.problems:
        raise known.absent("check_in")
    return Include(kind=kind, text=known.details.check_in) if known.details.check_in else _own(kind, known)


def _share(kind: str, known: Known) -> Include:
    link = Link(f"Share {known.event.name}", known.event.url) if known.event.url else None
    return Include(kind=kind, text=_own(kind, known).text, link=link)


def _pointers(key: str) -> Shared:
    def made(kind: str, known: Known) -> Include:
        pointers: Sequence[Pointer] = getattr(known.details, key)
        if not pointers:
            raise known.absent(key)
        return Include(kind=kind, rows=tuple(Row(one.label, "", one.url or "") for one in pointers))

    return made


def _meetups(kind: str, known: Known) -> Include:
    if not known.details.meetups:
        raise known.absent("meetups")
    rows = (Row(one.title, _joined(one.when, one.place), one.link or "") for one in known.details.meetups)
    return Include(kind=kind, rows=tuple(rows))


def _testimonials(kind: str, known: Known) -> Include:
    if not known.details.testimonials:
        raise known.absent("testimonials")
    return Include(kind=kind, rows=tuple(Row(f"“{one.words}”", one.by) for one in known.details.testimonials))


def _offer(key: str, label: str) -> Shared:
    def made(kind: str, known: Known) -> Include:
        offer: Offer | None = getattr(known.details, key)
        if offer is None:
            raise known.absent(key)
        return _offered(kind, offer, label, known.today, f"events.details.{key}")

    return made


def _offered(kind: str, offer: Offer, label: str, today: date, name: str) -> Include:
    if offer.until and offer.until < today:
        raise Absent(f"{name} ended on {offer.until}")
    until = f"\nUntil {offer.until.day} {offer.until:%B %Y}." if offer.until else ""
    return Include(kind=kind, text=offer.text + until, link=Link(label, offer.link) if offer.link else None)


def _next_event(known: Known) -> Ahead:
    if not known.ahead:
        raise Absent("the organizer has published no later event")
    return known.ahead[0]


def _next_event_preview(kind: str, known: Known) -> Include:
    one = _next_event(known)
    url = one.url or one.register_url
    return Include(
        kind=kind,
        heading=f"What comes next: {one.name}",
        text="\n".join(filter(None, (one.tagline, _joined(_days_of(one), one.city)))),
        link=Link("See what is planned", url) if url else None,
    )


def _upcoming(kind: str, known: Known) -> Include:
    _next_event(known)
    rows = (Row(one.name, _joined(_days_of(one), one.city), one.url or one.register_url) for one in known.ahead)
    return Include(kind=kind, rows=tuple(rows))


def _early_bird(kind: str, known: Known) -> Include:
    one = _next_event(known)
    details, problems = read_details(one.details)
    name = f"events.details.early_bird of {one.name}"
    if details.early_bird is None:
        raise Absent(f"{problems['early_bird']} ({one.name})" if "early_bird" in problems else f"{name} is not set")
    offer = details.early_bird
    link = offer.link or one.register_url or one.url or None
    return _offered(kind, offer.model_copy(update={"link": link}), f"Register for {one.name}", known.today, name)


def _networking(kind: str, known: Known) -> Include:
    meeting = [one for one in known.programme.sessions if one.kind == "networking"]
    return Include(kind=kind, rows=tuple(_meeting(one, known) for one in meeting)) if meeting else _own(kind, known)


def _meeting(session: Session, known: Known) -> Row:
    at = session.starts_at.astimezone(known.zone)
    return Row(session.title, _joined(f"{at:%A}, {clock(at)}", session.room))


def _full_schedule(kind: str, known: Known) -> Include:
    return schedule(kind, known.programme.sessions, known, "the event has no sessions")


def _today_schedule(kind: str, known: Known) -> Include:
    day = known.today
    if known.event.starts_at:
        day = max(day, known.event.starts_at.astimezone(known.zone).date())
    today = [one for one in known.programme.sessions if one.starts_at.astimezone(known.zone).date() == day]
    return schedule(kind, today, known, f"the event has no sessions on {day}", days=False)


def schedule(kind: str, sessions: Iterable[Session], known: Known, why: str, *, days: bool = True) -> Include:
    """Sessions by day and time; a programme too long for a mail is linked to. Raises Absent with `why` if there are none."""
    given, link = list(sessions), Link("The whole programme", known.event.url) if known.event.url else None
    if not given:
        raise Absent(why)
    if len(given) > MOST_ROWS:
        return Include(kind=kind, text=f"{len(given)} sessions wait for you.", link=link)
    return Include(kind=kind, rows=tuple(_by_day(given, known, days=days)))


def _by_day(sessions: Sequence[Session], known: Known, *, days: bool) -> Iterator[Row]:
    dated = ((one.starts_at.astimezone(known.zone), one) for one in sessions)
    for day, group in groupby(dated, key=lambda pair: pair[0].date()):
        if days:
            yield Row(f"{day:%A}, {day.day} {day:%B}")
        for at, one in group:
            yield Row(clock(at), "\n".join(filter(None, (one.title, _joined(", ".join(one.speakers), one.room)))))


def _weather(kind: str, known: Known) -> Include:
    if not known.outlook.days:
        raise Absent(known.outlook.why)
    return Include(kind=kind, rows=tuple(_said(one) for one in known.outlook.days), link=FORECASTER)


def _said(one: Forecast) -> Row:
    sky = next(words for code, words in reversed(WEATHER) if one.code >= code)
    rain = f", {one.rain} % chance of rain" if one.rain else ""
    return Row(f"{one.day:%A}, {one.day.day} {one.day:%B}", f"{one.low:.0f} to {one.high:.0f} °C, {sky}{rain}")


def _days_of(one: Ahead) -> str:
    tz = zone(one.timezone)
    return short_day_span(one.starts_at, one.ends_at, tz) if tz else ""


def _joined(*parts: str | None) -> str:
    return " · ".join(filter(None, parts))


SHARED: dict[str, Shared] = {
    "app_download": _link("app_link", "Get the app"),
    "calendar_invite": _own,
    "check_in_process": _check_in,
    "community_highlights": _pointers("community_highlights"),
    "community_link": _link("community_link", "Join in"),
    "directions": _directions,
    "early_bird_discount": _early_bird,
    "early_bird_offer": _early_bird,
    "full_schedule": _full_schedule,
    "hotel_info": _text("hotel"),
    "linkedin_group": _link("linkedin_group_link", "Join the group on LinkedIn"),
    "live_updates_link": _link("live_updates_link", "Follow the day"),
    "networking_opportunities": _networking,
    "networking_tips": _own,
    "newsletter_signup": _link("newsletter_link", "Sign up for the newsletter"),
    "next_event_preview": _next_event_preview,
    "organizer_note": _text("organizer_note"),
    "parking": _text("parking"),
    "parking_info": _text("parking"),
    "photo_gallery": _link("photos_link", "Look at the photos"),
    "photos_link": _link("photos_link", "Look at the photos"),
    "preparation_checklist": _own,
    "referral_program": _offer("referral", "Invite a colleague"),
    "resource_links": _pointers("resources"),
    "slack_invite": _link("slack_link", "Join us on Slack"),
    "social_share_cta": _share,
    "social_share_prompt": _share,
    "special_offer": _offer("special_offer", "Take the offer"),
    "survey_link": _link("survey_link", "Open the survey"),
    "testimonials": _testimonials,
    "today_schedule": _today_schedule,
    "upcoming_events": _upcoming,
    "upcoming_meetups": _meetups,
    "weather": _weather,
    "what_to_expect": _text("what_to_expect"),
}
"""How each include is made that is the same for all. Raises Absent."""

OF_PROGRAMME = frozenset({"full_schedule", "today_schedule", "networking_opportunities"})
OF_AHEAD = frozenset({"early_bird_discount", "early_bird_offer", "next_event_preview", "upcoming_events"})
