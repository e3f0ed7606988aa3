"""Attendee engagement: a registered person is accompanied from the confirmation to the month after the event."""

from temporalio import workflow

from models.automation import Reaction
from models.player import AutomationInput, News
from workflows.automation import Automation
from workflows.timeline import email, step, timeline, whatsapp

TODAY = ("today_schedule", "live_updates_link")

TIMELINE = timeline(
    step(
        "registration_confirmation",
        "0 hours",
        email("registration_confirmation", include=("ticket_details", "calendar_invite", "what_to_expect")),
        until="event_end",
        priority=1,
    ),
    step(
        "welcome_preparation",
        "168 hours",
        email("welcome_preparation", include=("preparation_checklist", "networking_tips")),
        late="skip",
        until="detailed_schedule",
        priority=2,
    ),
    step(
        "speaker_highlights",
        "336 hours",
        email("speaker_highlights", include=("top_speakers_by_interest",)),
        late="skip",
        until="detailed_schedule",
        priority=2,
    ),
    step(
        "detailed_schedule",
        "event_date - 7 days",
        email("detailed_schedule", include=("full_schedule", "session_recommendations", "parking_info")),
        late="latest",
        until="logistics_reminder",
        priority=2,
    ),
    step(
        "logistics_reminder",
        "event_date - 3 days",
        email("logistics_reminder", include=("directions", "parking", "hotel_info", "weather")),
        late="latest",
        until="final_details",
        priority=2,
    ),
    step(
        "final_details",
        "event_date - 1 day",
        email(
            "final_details",
            include=("check_in_process", "app_download", "networking_opportunities"),
            urgency="high",
        ),
        late="latest",
        until="event_date",
        priority=1,
        topic="final",
    ),
    step(
        "day_of_welcome",
        "event_date at 07:00",
        email("day_of_welcome", include=TODAY),
        whatsapp("day_of_welcome", include=TODAY),
        until="event_end",
        priority=1,
    ),
    step(
        "thank_you_survey",
        "event_end + 24 hours",
        email("thank_you_survey", include=("survey_link", "social_share_prompt", "photos_link")),
        until="event_end + 7 days",
        priority=2,
        topic="thank_you",
    ),
    step(
        "content_recap",
        "event_end + 7 days",
        email("content_recap", include=("session_recordings", "presentation_slides", "resource_links")),
        until="event_end + 30 days",
        priority=2,
        topic="recordings",
    ),
    step(
        "community_next_event",
        "event_end + 30 days",
        email("community_invitation", include=("community_link", "next_event_preview", "early_bird_offer")),
        until="event_end + 60 days",
        topic="next_event",
    ),
)

REACTIONS = (Reaction(fact="registration_cancelled", ends=True),)

FACTS = ("checked_in",)
"""What conditions may ask for. That an event is moved or cancelled is said to all its attendees at once, by database/notices.py."""


@workflow.defn
class AttendeeEngagementWorkflow(Automation):
    """Accompanies one registration, begun when it is confirmed."""

    @workflow.init
    def __init__(self, about: AutomationInput) -> None:
        super().__init__(about)

    @workflow.run
    async def run(self, about: AutomationInput) -> None:  # noqa: ARG002 - taken in by __init__
        """Play the timeline from the registration to the month after the event."""
        await self.play()

    @workflow.signal
    def registration_cancelled(self, news: News | None = None) -> None:
        """The person does not come after all."""
        self.hear_fact("registration_cancelled", news)

    @workflow.signal
    def checked_in(self, news: News | None = None) -> None:
        """The person is at the event."""
        self.hear_fact("checked_in", news)
