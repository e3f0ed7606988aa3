"""Includes: the blocks a mail can carry beside its words, and the registry of all there are."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from templates.errors import UnfitField, UnknownInclude
from templates.facts import web_address

_FOLDER = Path(__file__).parent / "includes"

Look = Literal["paragraph", "list", "schedule", "tiles", "call", "ticket"]


class Row(NamedTuple):
    """One line of a list, a schedule or a ticket.

    In a schedule the label is the time, the first line of the detail the title and further lines what is said less
    loudly; a label without detail heads a day.
    """

    label: str
    detail: str = ""
    url: str = ""


class Link(NamedTuple):
    """Words and where they lead."""

    label: str
    url: str


class Figure(NamedTuple):
    """A number from the records, as it is to be shown."""

    label: str
    value: str
    note: str = ""


class Kind(NamedTuple):
    """How an include looks, what stands above it, whether it differs from person to person, and who knows it."""

    look: Look
    heading: str
    source: str
    personal: bool = False


INCLUDES: dict[str, Kind] = {
    "app_download": Kind("call", "Take the programme with you", "events.details.app_link"),
    "calendar_invite": Kind("paragraph", "In your calendar", "our own words; the .ics is attached to the mail"),
    "check_in_process": Kind("paragraph", "Check-in", "events.details.check_in, else our own words"),
    "community_highlights": Kind("list", "What you missed in the community", "events.details.community_highlights"),
    "community_link": Kind("call", "Join the community", "events.details.community_link"),
    "directions": Kind("paragraph", "Getting there", "events.details.directions; link to a map of the address"),
    "early_bird_discount": Kind("call", "Early-bird price", "events.details.early_bird of the next event"),
    "early_bird_offer": Kind("call", "Early-bird price", "events.details.early_bird of the next event"),
    "full_schedule": Kind("schedule", "The programme", "sessions of the event by start"),
    "hotel_info": Kind("paragraph", "Where to stay", "events.details.hotel"),
    "linkedin_group": Kind("paragraph", "On LinkedIn", "events.details.linkedin_group_link"),
    "live_updates_link": Kind("call", "Live updates", "events.details.live_updates_link"),
    "metrics_dashboard": Kind(
        "tiles", "Your results at a glance", "registrations, check-ins and the ledger, for this sponsor", personal=True
    ),
    "networking_opportunities": Kind("list", "Where people meet", "sessions of kind networking, else our own words"),
    "networking_tips": Kind("list", "Meeting people, the easy way", "our own words"),
    "newsletter_signup": Kind("paragraph", "One mail a month", "events.details.newsletter_link"),
    "next_event_preview": Kind("call", "What comes next", "the organizer's next published event"),
    "organizer_note": Kind("paragraph", "A word from the organizers", "events.details.organizer_note"),
    "parking": Kind("paragraph", "Parking", "events.details.parking"),
    "parking_info": Kind("paragraph", "Coming by car", "events.details.parking"),
    "photo_gallery": Kind("paragraph", "The photos", "events.details.photos_link"),
    "photos_link": Kind("paragraph", "The photos", "events.details.photos_link"),
    "preparation_checklist": Kind("list", "Before you come", "our own words"),
    "presentation_slides": Kind("list", "Slides", "sessions.slides_url of the sessions attended", personal=True),
    "referral_program": Kind("paragraph", "Bring a colleague", "events.details.referral"),
    "resource_links": Kind("list", "Further reading", "events.details.resources"),
    "roi_calculation": Kind("tiles", "What it came to", "sponsorship and its leads, for this sponsor", personal=True),
    "session_recommendations": Kind(
        "schedule", "Picked for you", "sessions by overlap with the attendee's interests", personal=True
    ),
    "session_recordings": Kind("list", "Recordings", "sessions.recording_url of the sessions attended", personal=True),
    "slack_invite": Kind("call", "Join us on Slack", "events.details.slack_link"),
    "social_share_cta": Kind("paragraph", "Tell the others", "our own words; link to the event"),
    "social_share_prompt": Kind("paragraph", "Tell the others", "our own words; link to the event"),
    "special_offer": Kind("call", "An offer for you", "events.details.special_offer"),
    "survey_link": Kind("call", "Two minutes of your time", "events.details.survey_link"),
    "testimonials": Kind("list", "In their words", "events.details.testimonials"),
    "ticket_details": Kind("ticket", "Your ticket", "registrations.ticket_type, ticket_code", personal=True),
    "today_schedule": Kind("schedule", "Today", "sessions of the day, in the event's zone"),
    "top_speakers_by_interest": Kind(
        "list", "Speakers for you", "speakers by overlap with the attendee's interests", personal=True
    ),
    "upcoming_events": Kind("list", "Coming up", "the organizer's published events ahead"),
    "upcoming_meetups": Kind("list", "Meetups", "events.details.meetups"),
    "video_recordings": Kind("list", "Recordings", "sessions.recording_url of the sessions attended", personal=True),
    "weather": Kind("paragraph", "Weather", "forecast for the venue, within seven days of the event"),
    "what_to_expect": Kind("paragraph", "What to expect", "events.details.what_to_expect"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """One block, ready to be drawn in its kind's look. Lines of `text` become paragraphs; nothing in it is markup.

    Without `heading` that of the kind stands above it. Refuses an unknown kind, a block with nothing in it, what
    its look cannot show (figures are for tiles, rows for all others) and links that are no addresses.
    """

    kind: str
    heading: str = ""
    text: str = ""
    rows: tuple[Row, ...] = ()
    link: Link | None = None
    figures: tuple[Figure, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in INCLUDES:
            raise UnknownInclude.among(self.kind, INCLUDES)
        if not (self.text.strip() or self.rows or self.link or self.figures):
            raise UnfitField(f"includes.{self.kind} has nothing in it; leave it out")
        tiles = INCLUDES[self.kind].look == "tiles"
        if self.rows if tiles else self.figures:
            wrong, right = ("rows", "figures") if tiles else ("figures", "rows")
            raise UnfitField(f"includes.{self.kind} shows no {wrong}; give it {right}")
        for url in self._addresses():
            web_address(f"includes.{self.kind}", url)

    def _addresses(self) -> Iterator[str]:
        if self.link:
            yield self.link.url
        yield from (row.url for row in self.rows if row.url)


@cache
def default_includes() -> dict[str, Include]:
    """The includes that need no data, in our own words."""
    return {path.stem: _written(path) for path in sorted(_FOLDER.glob("*.toml"))}


def _written(path: Path) -> Include:
    words = tomllib.loads(path.read_text("utf-8"))
    rows = tuple(Row(**row) for row in words.pop("rows", ()))
    return Include(kind=path.stem, rows=rows, **words)
