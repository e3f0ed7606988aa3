"""The published schema of `events.details`: what an event says about itself beyond its columns."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Url = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^https?://[^\s<>\"'\\]+$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Pointer(_Part):
    """Words, and perhaps where they lead."""

    label: Text
    url: Url | None = None


class Offer(_Part):
    """Something the reader may take up, until a day if one is said."""

    text: Text
    link: Url | None = None
    until: date | None = None


class Meetup(_Part):
    """A gathering of the community."""

    title: Text
    when: Text | None = None
    place: Text | None = None
    link: Url | None = None


class Quote(_Part):
    """What somebody said, and who."""

    words: Text
    by: Text


class EventDetails(_Part):
    """`events.details`, a JSON object. Every key is optional; keys that are not named here are the application's own."""

    what_to_expect: Text | None = Field(None, description="What the days are like.")
    directions: Text | None = Field(None, description="How to get there.")
    parking: Text | None = Field(None, description="Where to leave a car or a bicycle, and what it costs.")
    hotel: Text | None = Field(None, description="Where to stay.")
    check_in: Text | None = Field(None, description="When the doors open and what to bring.")
    organizer_note: Text | None = Field(
        None, description="The organizers' own words when an event moves or is cancelled."
    )
    latitude: float | None = Field(None, ge=-90, le=90, description="Of the venue, for the weather.")
    longitude: float | None = Field(None, ge=-180, le=180, description="Of the venue, for the weather.")
    app_link: Url | None = Field(None, description="Where the event's app is to be had.")
    live_updates_link: Url | None = Field(None, description="Where news appear while the event is on.")
    survey_link: Url | None = Field(None, description="The survey after the event.")
    photos_link: Url | None = Field(None, description="The photos of the event.")
    community_link: Url | None = Field(None, description="The community's own place.")
    slack_link: Url | None = Field(None, description="An invitation to the community's Slack.")
    linkedin_group_link: Url | None = Field(None, description="The community's group on LinkedIn.")
    newsletter_link: Url | None = Field(None, description="Where to sign up for the newsletter.")
    meeting_link: Url | None = Field(None, description="Where sponsors pick a time to talk.")
    sponsor_portal_link: Url | None = Field(None, description="Where sponsors hand in what they owe.")
    early_bird: Offer | None = Field(
        None, description="The early price of this event, told to people of the one before."
    )
    special_offer: Offer | None = Field(None, description="An offer to those who have not come back yet.")
    referral: Offer | None = Field(None, description="What bringing a colleague is worth.")
    resources: tuple[Pointer, ...] = Field((), max_length=30, description="Further reading.")
    meetups: tuple[Meetup, ...] = Field((), max_length=30, description="Coming gatherings of the community.")
    community_highlights: tuple[Pointer, ...] = Field((), max_length=30, description="What happened in the community.")
    testimonials: tuple[Quote, ...] = Field((), max_length=30, description="What earlier guests and sponsors said.")


def read_details(stored: object) -> tuple[EventDetails, dict[str, str]]:
    """The usable part of what is stored, and what is wrong with the rest by key. One bad key spoils no other."""
    if not isinstance(stored, Mapping):
        return EventDetails(), {"": f"events.details holds {type(stored).__name__}, not an object"} if stored else {}
    given: dict[str, Any] = {str(key): value for key, value in stored.items() if value not in (None, "")}
    problems: dict[str, str] = {}
    try:
        return EventDetails.model_validate(given), problems
    except ValidationError as refused:
        for error in refused.errors(include_url=False):
            key, *place = map(str, error["loc"])
            at = ".".join((f"events.details.{key}", *place))
            said = "is no http(s) address" if error["type"] == "string_pattern_mismatch" else error["msg"]
            problems.setdefault(key, f"{at} {said[:1].lower()}{said[1:]}")
    return EventDetails.model_validate({key: value for key, value in given.items() if key not in problems}), problems
