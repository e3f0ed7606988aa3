"""Event launch: the marketing sequence of an event, from its publication to the day before it starts."""

from temporalio import workflow

from models.player import AutomationInput
from workflows.automation import Automation
from workflows.timeline import email, generate, social, step, timeline, update, whatsapp

CONTENT = ("landing_page_copy", "email_templates", "social_posts", "whatsapp_messages")
RECORDS = ("marketing_campaign", "email_templates", "social_posts", "whatsapp_campaigns")

TIMELINE = timeline(
    step("generate_marketing_content", "0 hours", generate(*CONTENT), late="run"),
    step("create_campaign_records", "0 hours after generate_marketing_content", update(*RECORDS), late="run"),
    step(
        "send_announcement",
        "0 hours after create_campaign_records",
        email("announcement_email", to="all_contacts", track=True),
        until="event_date",
    ),
    step(
        "post_social_media",
        "1 hour after send_announcement",
        social("linkedin", "twitter", "facebook", optimal_time=True),
        until="event_date",
    ),
    step(
        "send_whatsapp_broadcast",
        "2 hours after post_social_media",
        whatsapp("whatsapp_broadcast", to="vip_contacts", track=True),
        until="event_date",
    ),
    step(
        "week_1_reminder",
        "7 days",
        email("reminder_email", to="contacts_not_registered"),
        needs="create_campaign_records",
        late="skip",
        until="last_chance_email",
    ),
    step(
        "week_2_social",
        "14 days",
        social("linkedin", "twitter"),
        needs="create_campaign_records",
        late="skip",
        until="event_date",
    ),
    step(
        "last_chance_email",
        "event_date - 3 days",
        email("last_chance_email", to="contacts_not_registered", urgency="high"),
        needs="create_campaign_records",
        late="latest",
        until="event_date",
        priority=2,
    ),
    step(
        "final_reminder",
        "event_date - 1 day",
        email("final_reminder", to="registered_attendees", include=("details",)),
        whatsapp("final_reminder", to="registered_attendees", include=("details",)),
        needs="create_campaign_records",
        late="latest",
        until="event_date",
        priority=2,
        topic="final",
    ),
)


@workflow.defn
class EventLaunchWorkflow(Automation):
    """Automated marketing sequence, begun when the event is published."""

    @workflow.init
    def __init__(self, about: AutomationInput) -> None:
        super().__init__(about)

    @workflow.run
    async def run(self, about: AutomationInput) -> None:  # noqa: ARG002 - taken in by __init__
        """Play the timeline from now to the event."""
        await self.play()
