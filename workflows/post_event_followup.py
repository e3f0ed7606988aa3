"""Post-event follow-up: thanks, recordings, the community and the next event, for two months after the event's end."""

from temporalio import workflow

from models.player import AutomationInput
from workflows.automation import Automation
from workflows.timeline import email, generate, step, timeline, whatsapp

SEGMENTS = {
    "speakers": "speaker_thank_you",
    "sponsors": "sponsor_thank_you",
    "vip": "vip_thank_you",
    "attendees": "attendee_thank_you",
}
COMMUNITY = ("slack_invite", "linkedin_group", "upcoming_meetups")

TIMELINE = timeline(
    step(
        "thank_you_survey",
        "event_end + 24 hours",
        email(
            to="present_speakers_sponsors",
            segments=SEGMENTS,
            include=("survey_link", "social_share_cta", "photo_gallery"),
        ),
        until="event_end + 7 days",
        priority=2,
        topic="thank_you",
    ),
    step(
        "content_delivery",
        "event_end + 72 hours",
        email(
            "session_recordings",
            to="registered_attendees",
            include=("video_recordings", "presentation_slides", "resource_links"),
        ),
        until="event_end + 14 days",
        priority=2,
        topic="recordings",
    ),
    step(
        "community_invitation",
        "event_end + 168 hours",
        email("join_community", to="registered_attendees", include=COMMUNITY),
        whatsapp("join_community", to="registered_attendees", include=COMMUNITY),
        until="event_end + 30 days",
    ),
    step(
        "sponsor_results",
        "event_end + 336 hours",
        generate("sponsorship_impact_report"),
        email(
            "sponsorship_impact_report",
            to="sponsors",
            include=("metrics_dashboard", "roi_calculation", "testimonials"),
        ),
        priority=2,
    ),
    step(
        "next_event_preview",
        "event_end + 720 hours",
        email(
            "next_event_announcement",
            to="all_of_event",
            include=("early_bird_discount", "referral_program", "newsletter_signup"),
        ),
        until="event_end + 60 days",
        topic="next_event",
    ),
    step(
        "re_engagement",
        "event_end + 1440 hours",
        email(
            "re_engagement",
            to="not_engaged_with_community",
            include=("community_highlights", "upcoming_events", "special_offer"),
        ),
        late="skip",
    ),
)


@workflow.defn
class PostEventFollowupWorkflow(Automation):
    """What follows an event, begun when it ends."""

    @workflow.init
    def __init__(self, about: AutomationInput) -> None:
        super().__init__(about)

    @workflow.run
    async def run(self, about: AutomationInput) -> None:  # noqa: ARG002 - taken in by __init__
        """Play the timeline from the event's end."""
        await self.play()
