"""One conference, one reader and one set of words, as facts to vary."""

from datetime import UTC, datetime

import pytest

from templates import EmailSlots, EventFacts, PersonFacts


@pytest.fixture
def event() -> EventFacts:
    return EventFacts(
        name="Northwind Data Summit 2027",
        tagline="Two days on data platforms that stay up",
        starts_at=datetime(2027, 5, 12, 7, tzinfo=UTC),
        ends_at=datetime(2027, 5, 13, 15, 30, tzinfo=UTC),
        timezone="Europe/Berlin",
        venue="Hall 3 & Garden",
        city="Berlin",
        address="Luckenwalder Straße 3, 10963 Berlin",
        url="https://northwind.example/summit",
        register_url="https://northwind.example/register?ref=mail&seat=1",
        price="EUR 390",
        organizer_name="Northwind Events GmbH",
        organizer_address="Torstraße 140, 10119 Berlin, Germany",
        details={
            "check_in": "Have your code ready.",
            "directions": "U1 to Gleisdreieck.",
            "parking": "Use the garage next door.",
            "hotel": "Ask for the quota.",
            "what_to_expect": "Talks, dinner, talks.",
            "app_link": "https://northwind.example/app",
        },
    )


@pytest.fixture
def person() -> PersonFacts:
    return PersonFacts(
        first_name="Maya",
        company="Lindt Analytics",
        unsubscribe_url="https://eventos.example/unsubscribe/abc",
        ticket_type="Conference pass",
        ticket_code="NDS-7K2M",
        why="you registered for the summit",
    )


@pytest.fixture
def words() -> EmailSlots:
    return EmailSlots(
        subject="{first_name}, come to {event_name}",
        preheader="Forty talks by people on call.",
        headline="Meet in {event_city}",
        paragraphs=("From {event_date}, {event_time}, at {event_venue}.", "Seats from {event_price}, {first_name}."),
        cta_label="Reserve your seat",
        highlights=("40 talks", "12 workshops"),
    )
