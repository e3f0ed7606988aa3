"""Two of the owner's tables, written out by hand: what the automations themselves say is not asked."""

from workflows.timeline import email, generate, social, step, timeline, update, whatsapp

LAUNCH = timeline(
    step("generate_marketing_content", "0 hours", generate("landing_page_copy", "social_posts"), late="run"),
    step(
        "create_campaign_records",
        "0 hours after generate_marketing_content",
        update("marketing_campaign", "social_posts"),
        late="run",
    ),
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
        late="skip",
        until="last_chance_email",
    ),
    step("week_2_social", "14 days", social("linkedin", "twitter"), late="skip", until="event_date"),
    step(
        "last_chance_email",
        "event_date - 3 days",
        email("last_chance_email", to="contacts_not_registered", urgency="high"),
        late="latest",
        until="event_date",
    ),
    step(
        "final_reminder",
        "event_date - 1 day",
        email("final_reminder", to="registered_attendees", urgency="high"),
        whatsapp("final_reminder", to="registered_attendees"),
        late="latest",
        until="event_date",
        topic="final",
    ),
)

NURTURE = timeline(
    step("registration_confirmation", "0 hours", email("registration_confirmation"), until="event_end", priority=1),
    step("welcome_preparation", "168 hours", email("welcome_preparation"), late="skip", until="detailed_schedule"),
    step("speaker_highlights", "336 hours", email("speaker_highlights"), late="skip", until="detailed_schedule"),
    step(
        "detailed_schedule",
        "event_date - 7 days",
        email("detailed_schedule"),
        late="latest",
        until="logistics_reminder",
    ),
    step(
        "logistics_reminder", "event_date - 3 days", email("logistics_reminder"), late="latest", until="final_details"
    ),
    step("final_details", "event_date - 1 day", email("final_details"), late="latest", until="event_date"),
    step(
        "day_of_welcome",
        "event_date at 07:00",
        email("day_of_welcome"),
        whatsapp("day_of_welcome"),
        until="event_end",
        priority=1,
    ),
    step("thank_you_survey", "event_end + 24 hours", email("thank_you_survey"), until="event_end + 7 days"),
    step("content_recap", "event_end + 7 days", email("content_recap"), until="event_end + 30 days"),
    step("community_next_event", "event_end + 30 days", email("community_invitation"), until="event_end + 60 days"),
)
