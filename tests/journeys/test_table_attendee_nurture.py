"""The table of attendee engagement, typed from the owner's specification, against what the sandbox received."""

from base64 import b64decode
from datetime import UTC, datetime

from tests.journeys.alone import DAY, EVENT_DATE, EVENT_END, HOUR, START, alone, row
from tests.workflows.house import House

ALL = ("vip.guest", "guest", "quiet.guest")
REACHABLE = ("vip.guest", "guest")
"""Of these the phone is known, and that they agreed to WhatsApp."""

TABLE = [
    row(START, "registration_confirmation", "email", "registration_confirmation", *ALL),
    row(START + 168 * HOUR, "welcome_preparation", "email", "welcome_preparation", *ALL),
    row(START + 336 * HOUR, "speaker_highlights", "email", "speaker_highlights", *ALL),
    row(EVENT_DATE - 7 * DAY, "detailed_schedule", "email", "detailed_schedule", *ALL),
    row(EVENT_DATE - 3 * DAY, "logistics_reminder", "email", "logistics_reminder", *ALL),
    row(EVENT_DATE - 1 * DAY, "final_details", "email", "final_details", *ALL),
    row(datetime(2027, 2, 18, 7, tzinfo=UTC), "day_of_welcome", "email", "day_of_welcome", *ALL),
    row(datetime(2027, 2, 18, 7, tzinfo=UTC), "day_of_welcome", "whatsapp", "day_of_welcome", *REACHABLE),
    row(EVENT_END + 24 * HOUR, "thank_you_survey", "email", "thank_you_survey", *ALL),
    row(EVENT_END + 7 * DAY, "content_recap", "email", "content_recap", *ALL),
    row(EVENT_END + 30 * DAY, "community_next_event", "email", "community_invitation", *ALL),
]
STEPS = [
    "registration_confirmation",
    "welcome_preparation",
    "speaker_highlights",
    "detailed_schedule",
    "logistics_reminder",
    "final_details",
    "day_of_welcome",
    "thank_you_survey",
    "content_recap",
    "community_next_event",
]
INCLUDES = {
    "registration_confirmation": {
        "ticket_details": "BCL-",
        "calendar_invite": "The event is attached as an invitation.",
        "what_to_expect": "Talks in two rooms in the morning, workshops after lunch",
    },
    "welcome_preparation": {
        "preparation_checklist": "Write down one question",
        "networking_tips": "Come for the coffee before the first session",
    },
    # The speakers on reliability, which is what all of them are interested in.
    "speaker_highlights": {
        "top_speakers_by_interest": "Staff Engineer, Orchard Bank",
    },
    "detailed_schedule": {
        "full_schedule": "Workshop: interfaces for cold hands",
        "session_recommendations": "Picked for you",
        "parking_info": "Car park P2 beside the pavilion",
    },
    "logistics_reminder": {
        "directions": "Train to the riverside stop",
        "parking": "Car park P2 beside the pavilion",
        "hotel_info": "Hotel Exemplo, 400 m away",
        "weather": "2 to 8 °C",
    },
    "final_details": {
        "check_in_process": "Doors open at 08:00.",
        "app_download": "https://buildcraft.example.com/app",
        "networking_opportunities": "Dinner by the water",
    },
    "day_of_welcome": {
        "today_schedule": "Exactly once, and other stories",
        "live_updates_link": "https://buildcraft.example.com/live",
    },
    "thank_you_survey": {
        "survey_link": "https://buildcraft.example.com/survey",
        "social_share_prompt": "A sentence and a photo on LinkedIn",
        "photos_link": "https://buildcraft.example.com/photos",
    },
    "content_recap": {
        "session_recordings": "https://buildcraft.example.com/recordings/2",
        "presentation_slides": "https://buildcraft.example.com/slides/2",
        "resource_links": "https://buildcraft.example.com/reading",
    },
    "community_next_event": {
        "community_link": "https://buildcraft.example.com/community",
        "next_event_preview": "Harbour Systems Day",
        "early_bird_offer": "Whoever was in Lisbon pays €140 instead of €190.",
    },
}


async def test_an_attendee_is_accompanied_as_the_owners_table_says(house: House, sandbox: str) -> None:
    async with alone(house, sandbox, "attendee_nurture") as nurture:
        await house.set_event(nurture.event, status="published")
        await nurture.live()

        assert nurture.received == sorted(TABLE)
        nurture.assert_includes(INCLUDES)
        nurture.assert_urgent("final_details")
        names = [f"Attendee Engagement: {attendee}" for attendee in ("Guest", "Quiet.Guest", "Vip.Guest")]
        assert await nurture.automations() == dict.fromkeys(names, "completed")
        for name in names:
            assert list((await nurture.steps(name)).items()) == [(step, "success") for step in STEPS]
            assert await nurture.urgencies(name) == {"final_details": "high"}
        # Each has a ticket and an invitation of their own; only the confirmation brings a file.
        for mail in nurture.of("registration_confirmation"):
            assert mail.shows(f"BCL-{mail.to.upper()}")
            [file] = mail.files
            assert file["filename"] == "invite.ics"
            assert f"mailto:{mail.to}@people.example" in _unfolded(file["content"])
        assert {mail.step for mail in nurture.messages if mail.files} == {"registration_confirmation"}
        # What is said by WhatsApp links to what is new on the day.
        for message in nurture.of("day_of_welcome", "whatsapp"):
            assert "https://buildcraft.example.com/live" in message.text


TWO_DAYS_BEFORE = EVENT_DATE - 2 * DAY
LATE = [
    (TWO_DAYS_BEFORE, "logistics_reminder"),
    (TWO_DAYS_BEFORE, "registration_confirmation"),
    (EVENT_DATE - DAY, "final_details"),
    (datetime(2027, 2, 18, 7, tzinfo=UTC), "day_of_welcome"),
    (EVENT_END + 24 * HOUR, "thank_you_survey"),
    (EVENT_END + 7 * DAY, "content_recap"),
    (EVENT_END + 30 * DAY, "community_next_event"),
]


async def test_who_registers_two_days_before_the_event_gets_what_is_still_of_use_and_nothing_of_the_past(
    house: House, sandbox: str
) -> None:
    async with alone(house, sandbox, "attendee_nurture") as nurture:
        await house.set_event(nurture.event, status="published")
        await nurture.live(TWO_DAYS_BEFORE)
        await house.pool.execute(
            """
            INSERT INTO registrations (event_id, contact_id, ticket_type, ticket_code)
            SELECT e.id, c.id, 'General', 'BCL-LATE' FROM events e JOIN contacts c USING (organizer_id)
            WHERE e.id = $1 AND c.email = 'reader@people.example'
            """,
            nurture.event,
        )
        await nurture.live()

        assert [(one.at, one.step) for one in nurture.received if "reader" in one.to] == LATE
        steps = await nurture.steps("Attendee Engagement: Reader")
        skipped = {step for step, became in steps.items() if became.startswith("skipped")}
        assert skipped == {"welcome_preparation", "speaker_highlights", "detailed_schedule"}


def _unfolded(content: str) -> str:
    return b64decode(content).decode().replace("\r\n ", "")
