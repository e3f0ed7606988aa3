"""Attendee engagement: the owner's table to the letter, and what comes of it on paper."""

from datetime import UTC, datetime, timedelta

import pytest

from models.automation import Anchors
from models.definition import from_definition, to_definition
from starter.kinds import KINDS
from tests.workflows.stage import Stage
from workflows.attendee_nurture import TIMELINE

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DATE = datetime(2027, 6, 9, 9, tzinfo=UTC)
END = datetime(2027, 6, 10, 16, tzinfo=UTC)

TABLE = [
    # id, moment, template, include, late, until, priority, topic
    (
        *("registration_confirmation", "0 hours", "registration_confirmation"),
        ("ticket_details", "calendar_invite", "what_to_expect"),
        *("send", "event_end", 1, None),
    ),
    (
        *("welcome_preparation", "168 hours", "welcome_preparation"),
        ("preparation_checklist", "networking_tips"),
        *("skip", "detailed_schedule", 2, None),
    ),
    (
        *("speaker_highlights", "336 hours", "speaker_highlights"),
        ("top_speakers_by_interest",),
        *("skip", "detailed_schedule", 2, None),
    ),
    (
        *("detailed_schedule", "event_date - 7 days", "detailed_schedule"),
        ("full_schedule", "session_recommendations", "parking_info"),
        *("latest", "logistics_reminder", 2, None),
    ),
    (
        *("logistics_reminder", "event_date - 3 days", "logistics_reminder"),
        ("directions", "parking", "hotel_info", "weather"),
        *("latest", "final_details", 2, None),
    ),
    (
        *("final_details", "event_date - 1 day", "final_details"),
        ("check_in_process", "app_download", "networking_opportunities"),
        *("latest", "event_date", 1, "final"),
    ),
    (
        *("day_of_welcome", "event_date at 07:00", "day_of_welcome"),
        ("today_schedule", "live_updates_link"),
        *("send", "event_end", 1, None),
    ),
    (
        *("thank_you_survey", "event_end + 24 hours", "thank_you_survey"),
        ("survey_link", "social_share_prompt", "photos_link"),
        *("send", "event_end + 7 days", 2, "thank_you"),
    ),
    (
        *("content_recap", "event_end + 7 days", "content_recap"),
        ("session_recordings", "presentation_slides", "resource_links"),
        *("send", "event_end + 30 days", 2, "recordings"),
    ),
    (
        *("community_next_event", "event_end + 30 days", "community_invitation"),
        ("community_link", "next_event_preview", "early_bird_offer"),
        *("send", "event_end + 60 days", 3, "next_event"),
    ),
]


def test_the_timeline_is_the_owners_table() -> None:
    rows = []
    for step in TIMELINE:
        words = {(action.audience, action.template, action.include) for action in step.actions}
        assert len(words) == 1, step.id
        (audience, template, include) = words.pop()
        assert audience is None
        rows.append((step.id, step.moment, template, include, step.late.value, step.until, step.priority, step.topic))
    assert rows == TABLE
    verbs = {step.id: [action.verb for action in step.actions] for step in TIMELINE}
    assert verbs.pop("day_of_welcome") == ["email", "whatsapp"]
    assert set(map(tuple, verbs.values())) == {("email",)}
    assert {step.id: action.urgency for step in TIMELINE for action in step.actions if action.urgency} == {
        "final_details": "high"
    }


def test_the_timeline_is_kept_in_the_stored_form_and_read_back_as_it_was() -> None:
    assert from_definition(to_definition(TIMELINE)) == TIMELINE


def test_its_row_is_named_after_the_attendee_and_what_temporal_shows_is_not() -> None:
    kind = KINDS["attendee_nurture"]
    assert (kind.title, kind.label) == ("Attendee Engagement: {subject}", "Attendee of {event.name}")


# -- on paper -------------------------------------------------------------------------------------------------------


def registered(at: datetime) -> Stage:
    return Stage(TIMELINE, Anchors(start=at, zone="Europe/Berlin", event_date=DATE, event_end=END), now=at)


def lived(stage: Stage) -> dict[str, str | timedelta]:
    """When each step was done, counted from the start of the event, or why it was not."""
    stage.play(END + timedelta(days=400))
    return {decision.step_id: getattr(decision, "reason", now - DATE) for now, decision in stage.history}


AFTER = {
    "thank_you_survey": END - DATE + DAY,
    "content_recap": END - DATE + 7 * DAY,
    "community_next_event": END - DATE + 30 * DAY,
}
LAST = {"final_details": -DAY, "day_of_welcome": -4 * HOUR} | AFTER  # seven in the morning in Berlin is five in UTC
SERIES = {
    "welcome_preparation": "overtaken by detailed_schedule",
    "speaker_highlights": "overtaken by detailed_schedule",
}


def test_registered_two_months_before_all_ten_come_at_their_hour() -> None:
    assert (
        lived(registered(DATE - 60 * DAY))
        == {
            "registration_confirmation": -60 * DAY,
            "welcome_preparation": -53 * DAY,
            "speaker_highlights": -46 * DAY,
            "detailed_schedule": -7 * DAY,
            "logistics_reminder": -3 * DAY,
        }
        | LAST
    )


def test_registered_two_days_before_what_still_matters_comes_and_nothing_of_the_past_series() -> None:
    assert (
        lived(registered(DATE - 2 * DAY))
        == {
            "registration_confirmation": -2 * DAY,
            "detailed_schedule": "overtaken by logistics_reminder",
            "logistics_reminder": -2 * DAY,
        }
        | SERIES
        | LAST
    )


@pytest.mark.parametrize(
    ("hours_before", "goes_at_once"), [(6 * 24, "detailed_schedule"), (30, "logistics_reminder"), (20, "final_details")]
)
def test_whoever_comes_late_gets_the_latest_of_what_was_missed(hours_before: int, goes_at_once: str) -> None:
    found = lived(registered(DATE - hours_before * HOUR))
    assert [id_ for id_, at in found.items() if at == -hours_before * HOUR] == [
        goes_at_once,
        "registration_confirmation",
    ]


def test_registered_at_the_door_gets_the_confirmation_and_the_welcome_at_once() -> None:
    found = lived(registered(DATE + HOUR))
    assert {id_ for id_, at in found.items() if at == HOUR} == {"registration_confirmation", "day_of_welcome"}
    assert {id_: found[id_] for id_ in AFTER} == AFTER


def test_an_outage_of_two_days_delays_what_still_matters_and_skips_what_does_not() -> None:
    stage = registered(DATE - 60 * DAY)
    stage.play(DATE - 54 * DAY)
    stage.now = DATE - 51 * DAY
    assert lived(stage)["welcome_preparation"] == "late by 2 days"
    stage = registered(DATE - 60 * DAY)
    stage.play(DATE - 8 * DAY)
    stage.now = DATE - 6 * DAY
    assert lived(stage)["detailed_schedule"] == -6 * DAY
