"""Calendar invitations: an event as an .ics that calendars add, move and remove by themselves."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from icalendar import Calendar, Event, Timezone, vCalAddress, vText

from templates.errors import MissingField, UnfitField
from templates.facts import EventFacts, PersonFacts, one_line
from templates.when import zone

_PRODUCER = "-//EventOS//Automations//EN"
_NEEDS = ("event.name", "event.starts_at", "event.timezone")


def invite(
    event: EventFacts,
    *,
    uid: str,
    sequence: int,
    method: Literal["REQUEST", "CANCEL"],
    person: PersonFacts,
    stamp: datetime,
    organizer_email: str,
    attendee_email: str,
) -> bytes:
    """The invitation of one person; the same arguments give the same bytes.

    `uid` stays the same for this person and event for ever; `sequence` grows with every invitation under it, the
    cancellation included, or calendars keep what they have. The person counts as having accepted. `stamp` is when the
    invitation was made (DTSTAMP). To be attached as `text/calendar; method=<method>`. Raises MissingField.
    """
    if absent := event.lacks(_NEEDS):
        raise MissingField("invite", absent)
    if stamp.tzinfo is None:
        raise UnfitField(f"stamp {stamp.isoformat()} has no UTC offset; give an aware datetime")
    tz, start = zone(event.timezone), event.starts_at
    assert tz
    assert start
    end = event.ends_at or start
    entry = Event()
    entry.add("uid", uid)
    entry.add("sequence", sequence)
    entry.add("dtstamp", stamp.astimezone(UTC))
    entry.add("dtstart", start.astimezone(tz))
    if end > start:
        entry.add("dtend", end.astimezone(tz))
    entry.add("summary", one_line(event.name))
    entry.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    place = ", ".join(part for part in map(one_line, (event.venue, event.address or event.city)) if part)
    words = "\n".join(part for part in (one_line(event.tagline), event.url) if part)
    for name, value in (("location", place), ("description", words), ("url", event.url)):
        if value:
            entry.add(name, value)
    entry.add("organizer", _address("organizer_email", organizer_email, event.organizer_name))
    entry.add("attendee", _attendee(attendee_email, person))

    calendar = Calendar()
    calendar.add("prodid", _PRODUCER)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    if "TZID" in entry["dtstart"].params:
        calendar.add_component(_offsets(event.timezone, start.year, end.year))
    calendar.add_component(entry)
    written: bytes = calendar.to_ical()
    return written


@lru_cache(maxsize=256)
def _offsets(name: str, first: int, last: int) -> Timezone:
    """The zone's VTIMEZONE for these years and one on either side, since calendars need no whole history."""
    offsets = Timezone.from_tzid(name, first_date=date(first - 1, 1, 1), last_date=date(last + 2, 1, 1))
    offsets.pop("comment", None)
    for part in offsets.subcomponents:
        _at_the_old_clock(part)
    return offsets


def _at_the_old_clock(part: Any) -> None:
    """When clocks go forward, the library says the onset by the new clock; RFC 5545 wants it by the old one."""
    gap = part["TZOFFSETTO"].td - part["TZOFFSETFROM"].td
    if gap > timedelta():
        for onset in (part["DTSTART"], *(part["RDATE"].dts if "RDATE" in part else ())):
            onset.dt -= gap


def _attendee(email: str, person: PersonFacts) -> vCalAddress:
    attendee = _address("attendee_email", email, person.first_name)
    attendee.params["CUTYPE"] = vText("INDIVIDUAL")
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    attendee.params["PARTSTAT"] = vText("ACCEPTED")
    attendee.params["RSVP"] = vText("FALSE")
    return attendee


def _address(argument: str, email: str, name: str) -> vCalAddress:
    if not email.isprintable() or email.count("@") != 1 or any(c in email for c in ' <>",;'):
        # The address itself is personal and stays out of errors, which are logged.
        raise UnfitField(f"{argument} is no e-mail address; write it like 'name@example.com'")
    address = vCalAddress(f"mailto:{email}")
    if said := one_line(name).replace('"', "'"):
        address.params["CN"] = vText(said)
    return address
