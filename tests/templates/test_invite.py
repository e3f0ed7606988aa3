"""Invitations: what a calendar reads from them, and that the same invitation has the same bytes."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from templates import EventFacts, MissingField, PersonFacts, UnfitField, invite

STAMP = datetime(2027, 1, 4, 8, 30, tzinfo=UTC)


def made(event: EventFacts, **change: Any) -> bytes:
    asked: dict[str, Any] = {
        "uid": "registration-7@eventos",
        "sequence": 0,
        "method": "REQUEST",
        "person": PersonFacts(first_name="Maya"),
        "stamp": STAMP,
        "organizer_email": "summit@northwind.example",
        "attendee_email": "maya@lindt.example",
    }
    return invite(event, **asked | change)


def entry(ics: bytes) -> Any:
    return Calendar.from_ical(ics).walk("VEVENT")[0]


def test_a_calendar_reads_what_when_and_where(event: EventFacts) -> None:
    ics = made(event)
    seen = entry(ics)
    assert seen["SUMMARY"] == "Northwind Data Summit 2027"
    assert seen["DTSTART"].dt == datetime(2027, 5, 12, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    assert seen["DTEND"].dt == event.ends_at
    assert seen["LOCATION"] == "Hall 3 & Garden, Luckenwalder Straße 3, 10963 Berlin"
    assert seen["URL"] == event.url
    assert (seen["UID"], seen["SEQUENCE"], seen["DTSTAMP"].dt) == ("registration-7@eventos", 0, STAMP)
    assert seen["ORGANIZER"] == "mailto:summit@northwind.example"
    assert seen["ORGANIZER"].params["CN"] == "Northwind Events GmbH"
    assert seen["ATTENDEE"] == "mailto:maya@lindt.example"
    assert seen["ATTENDEE"].params["PARTSTAT"] == "ACCEPTED"
    assert all(line.endswith(b"\r") and len(line) <= 76 for line in ics.split(b"\n")[:-1])


def test_the_zone_travels_along_with_its_offsets(event: EventFacts) -> None:
    zones: list[Any] = Calendar.from_ical(made(event)).walk("VTIMEZONE")
    assert [zone["TZID"] for zone in zones] == ["Europe/Berlin"]
    offsets = {part.name: part["TZOFFSETTO"].td for part in zones[0].subcomponents}
    assert offsets == {"STANDARD": timedelta(hours=1), "DAYLIGHT": timedelta(hours=2)}
    assert not Calendar.from_ical(made(replace(event, timezone="UTC"))).walk("VTIMEZONE")


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_clocks_change_when_the_zone_says_so(name: str, event: EventFacts) -> None:
    (zone,) = Calendar.from_ical(made(replace(event, timezone=name))).walk("VTIMEZONE")
    tz, seen = ZoneInfo(name), 0
    for part in zone.subcomponents:
        known: Any = part
        before, after = known["TZOFFSETFROM"].td, known["TZOFFSETTO"].td
        for onset in (known["DTSTART"], *(known["RDATE"].dts if "RDATE" in known else ())):
            instant = (onset.dt - before).replace(tzinfo=UTC)
            assert instant.astimezone(tz).utcoffset() == after
            assert (instant - timedelta(seconds=1)).astimezone(tz).utcoffset() == before
            seen += 1
    assert seen >= 5


@pytest.mark.parametrize(
    "name", ["America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]
)
def test_the_instant_is_the_same_in_every_zone(name: str, event: EventFacts) -> None:
    seen = entry(made(replace(event, timezone=name)))
    assert seen["DTSTART"].dt == event.starts_at
    assert seen["DTEND"].dt == event.ends_at


def test_a_cancellation_names_the_same_entry_with_a_higher_sequence(event: EventFacts) -> None:
    ics = made(event, method="CANCEL", sequence=3)
    seen = entry(ics)
    assert Calendar.from_ical(ics)["METHOD"] == "CANCEL"
    assert (seen["STATUS"], seen["UID"], seen["SEQUENCE"]) == ("CANCELLED", entry(made(event))["UID"], 3)
    assert Calendar.from_ical(made(event))["METHOD"] == "REQUEST"
    assert entry(made(event))["STATUS"] == "CONFIRMED"


def test_the_same_invitation_has_the_same_bytes_in_another_process(event: EventFacts) -> None:
    program = (
        "import sys, datetime as d; sys.path.insert(0, '.'); from templates import *;"
        "u = d.UTC; e = EventFacts(name='N', starts_at=d.datetime(2027, 5, 12, 7, tzinfo=u), timezone='Europe/Berlin');"
        "sys.stdout.buffer.write(invite(e, uid='1', sequence=0, method='REQUEST', person=PersonFacts(first_name='M'),"
        " stamp=d.datetime(2027, 1, 4, tzinfo=u), organizer_email='o@x.example', attendee_email='m@x.example'))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
    assert made(event) == made(replace(event))


def test_an_event_without_an_end_or_a_place_can_be_invited_to(event: EventFacts) -> None:
    seen = entry(made(EventFacts(name="Meetup", starts_at=event.starts_at, timezone="Europe/Berlin")))
    assert not {"DTEND", "LOCATION", "URL", "DESCRIPTION"} & set(seen)


def test_hostile_words_cannot_add_lines(event: EventFacts) -> None:
    hostile = "A\r\nATTENDEE:mailto:x@y.example\nBEGIN:VALARM"
    ics = made(
        replace(event, name=hostile, venue=hostile, organizer_name=f'{hostile}";X=1'),
        person=PersonFacts(first_name=f'{hostile}";X="'),
    )
    assert entry(ics)["ATTENDEE"] == "mailto:maya@lindt.example"
    assert not Calendar.from_ical(ics).walk("VALARM")
    for email in ("", "a b@x.example", "a@b@c", "a@x.example\r\nX:1", 'a"@x.example'):
        with pytest.raises(UnfitField, match="attendee_email is no e-mail address"):
            made(event, attendee_email=email)


def test_what_is_missing_is_named(event: EventFacts) -> None:
    with pytest.raises(MissingField) as refusal:
        made(EventFacts())
    assert refusal.value.fields == ("event.name", "event.starts_at", "event.timezone")
    with pytest.raises(UnfitField, match="no UTC offset"):
        made(event, stamp=datetime(2027, 1, 4))  # noqa: DTZ001
