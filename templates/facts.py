"""What is known about an event and a person when a message is written to them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote_plus

from templates.errors import UnfitField
from templates.when import zone

DEFAULT_BRAND = "#2f4ad0"
DARK_INK = "#14161c"
LIGHT_INK = "#ffffff"

_READABLE = 4.5  # WCAG AA

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_URL = re.compile(r"https?://[^\s<>\"'\\]+")
# C0 and C1 controls and line separators would end a mail header; bidi controls can make an address read backwards.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """The facts of one event; empty means unknown. Refuses what no mail could use, by name.

    `starts_at` and `ends_at` are aware instants, shown in `timezone` (an IANA name). `details` holds the optional
    blocks: directions, parking, check_in, hotel, app_link, ... Keys that end in `_link` hold http(s) addresses.
    `description` and `highlights` (speakers, sessions) feed the generation of text and appear in no template.
    `moved_from` is where `starts_at` was before the event moved.
    """

    name: str = ""
    tagline: str = ""
    description: str = ""
    highlights: tuple[str, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    moved_from: datetime | None = None
    timezone: str = ""
    venue: str = ""
    city: str = ""
    address: str = ""
    url: str = ""
    register_url: str = ""
    price: str = ""
    brand_color: str = ""
    organizer_name: str = ""
    organizer_address: str = ""
    details: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in ("starts_at", "ends_at", "moved_from"):
            moment: datetime | None = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise UnfitField(f"event.{name} {moment.isoformat()} has no UTC offset; give an aware datetime")
        if self.starts_at and self.ends_at and self.ends_at < self.starts_at:
            raise UnfitField("event.ends_at is before event.starts_at; correct one of them")
        if self.timezone and zone(self.timezone) is None:
            raise UnfitField(f"event.timezone {self.timezone!r} is no IANA time zone; write it like 'Europe/Berlin'")
        if self.brand_color and not _COLOR.fullmatch(self.brand_color):
            raise UnfitField(f"event.brand_color {self.brand_color!r} is no colour; write it like '{DEFAULT_BRAND}'")
        for key, value in self.details.items():
            if not isinstance(value, str):
                raise UnfitField(f"event.details.{key} is {type(value).__name__}, not text; store it as text")
        links = {f"details.{key}": value for key, value in self.details.items() if key.endswith("_link")}
        for name, value in {"url": self.url, "register_url": self.register_url, **links}.items():
            if value:
                web_address(f"event.{name}", value)

    def lacks(self, facts: Iterable[str]) -> tuple[str, ...]:
        """Those of the facts (`event.venue`) that are empty, each once."""
        return tuple(fact for fact in dict.fromkeys(facts) if _empty(getattr(self, fact.removeprefix("event."))))

    @property
    def brand(self) -> str:
        """The brand colour, or ours where the organizer chose none."""
        return self.brand_color or DEFAULT_BRAND

    @property
    def ink(self) -> str:
        """The text colour that reads better on the brand colour."""
        light, dark = (_contrast(self.brand, ink) for ink in (LIGHT_INK, DARK_INK))
        return LIGHT_INK if light >= dark else DARK_INK

    @property
    def accent(self) -> str:
        """The brand colour as text on white, or dark ink where the brand is too pale to be read."""
        return self.brand if _contrast(self.brand, LIGHT_INK) >= _READABLE else DARK_INK

    @property
    def map_url(self) -> str:
        """A map search for the address; empty when there is no address."""
        if not self.address:
            return ""
        return f"https://www.google.com/maps/search/?api=1&query={quote_plus(f'{self.venue}, {self.address}')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """The facts of one person; empty means unknown. `why` completes "You get this mail because ..."."""

    first_name: str = ""
    company: str = ""
    timezone: str | None = None
    unsubscribe_url: str = ""
    ticket_type: str = ""
    ticket_code: str = ""
    why: str = ""

    def lacks(self, facts: Iterable[str]) -> tuple[str, ...]:
        """Those of the facts (`person.why`) that are empty."""
        return tuple(fact for fact in facts if _empty(getattr(self, fact.removeprefix("person."))))


def web_address(name: str, value: str) -> str:
    """The address as it is, if it may stand in a link; `name` is the field a refusal speaks of."""
    if not _URL.fullmatch(value):
        raise UnfitField(f"{name} {value!r} is no http(s) address; write it like 'https://example.com/page'")
    return value


def one_line(value: str) -> str:
    """The text without line breaks, control characters and doubled blanks."""
    if not value.isprintable():
        value = _CONTROLS.sub(" ", value)
    return " ".join(value.split())


def _empty(value: object) -> bool:
    return not (value.strip() if isinstance(value, str) else value)


def _contrast(one: str, other: str) -> float:
    """The WCAG 2 contrast ratio, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    shares = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
