"""The table of the follow-up, typed from the owner's specification, against what the sandbox received."""

from tests.journeys.alone import DAY, EVENT_DATE, EVENT_END, HOUR, alone, row
from tests.market import insert
from tests.workflows.house import House

ATTENDEES = ("vip.guest", "guest", "quiet.guest")
REACHABLE = ("vip.guest", "guest")

# `quiet.guest` did not come; `vip.guest` has joined the community meanwhile; `acme` is the sponsor.
TABLE = [
    row(EVENT_END + 24 * HOUR, "thank_you_survey", "email", "speaker_thank_you", "speaker"),
    row(EVENT_END + 24 * HOUR, "thank_you_survey", "email", "sponsor_thank_you", "acme"),
    row(EVENT_END + 24 * HOUR, "thank_you_survey", "email", "attendee_thank_you", "guest"),
    row(EVENT_END + 24 * HOUR, "thank_you_survey", "email", "vip_thank_you", "vip.guest"),
    row(EVENT_END + 72 * HOUR, "content_delivery", "email", "session_recordings", *ATTENDEES),
    row(EVENT_END + 168 * HOUR, "community_invitation", "email", "join_community", *ATTENDEES),
    row(EVENT_END + 168 * HOUR, "community_invitation", "whatsapp", "join_community", *REACHABLE),
    row(EVENT_END + 336 * HOUR, "sponsor_results", "email", "sponsorship_impact_report", "acme"),
    row(
        *(EVENT_END + 720 * HOUR, "next_event_preview", "email", "next_event_announcement"),
        *(*ATTENDEES, "speaker", "acme"),
    ),
    row(EVENT_END + 1440 * HOUR, "re_engagement", "email", "re_engagement", "guest", "quiet.guest"),
]
STEPS = [
    "thank_you_survey",
    "content_delivery",
    "community_invitation",
    "sponsor_results",
    "next_event_preview",
    "re_engagement",
]
INCLUDES = {
    "thank_you_survey": {
        "survey_link": "https://buildcraft.example.com/survey",
        "social_share_cta": "say so where your colleagues read it",
        "photo_gallery": "https://buildcraft.example.com/photos",
    },
    "content_delivery": {
        "video_recordings": "https://buildcraft.example.com/recordings/2",
        "presentation_slides": "https://buildcraft.example.com/slides/2",
        "resource_links": "https://buildcraft.example.com/reading",
    },
    "community_invitation": {
        "slack_invite": "https://buildcraft.example.com/slack",
        "linkedin_group": "https://buildcraft.example.com/linkedin",
        "upcoming_meetups": "Builders' breakfast",
    },
    "sponsor_results": {
        "metrics_dashboard: registered": "Registered",
        "metrics_dashboard: present": "On site",
        "metrics_dashboard: reached": "Reached by email",
        "roi_calculation": "9,000.00",
        "testimonials": "We hired two people and found three customers.",
    },
    "next_event_preview": {
        "the next event": "Harbour Systems Day",
        "early_bird_discount": "Whoever was in Lisbon pays €140 instead of €190.",
        "referral_program": "https://buildcraft.example.com/bring-a-colleague",
        "newsletter_signup": "https://buildcraft.example.com/newsletter",
    },
    "re_engagement": {
        "community_highlights": "Forty answers to one question about backups",
        "upcoming_events": "Harbour Systems Day",
        "special_offer": "Read the book of last year's talks",
    },
}


async def test_an_event_is_followed_up_as_the_owners_table_says(house: House, sandbox: str) -> None:
    async with alone(house, sandbox, "post_event_followup") as followup:
        pool, event = house.pool, followup.event
        await followup.sponsorship()
        await house.set_event(event, status="published")
        await pool.execute(
            "UPDATE registrations SET checked_in_at = $2 WHERE event_id = $1 AND ticket_code <> 'BCL-QUIET.GUEST'",
            *(event, EVENT_DATE),
        )
        await pool.execute(
            """
            INSERT INTO session_attendance (session_id, registration_id)
            SELECT s.id, r.id FROM sessions s JOIN registrations r USING (event_id)
            WHERE event_id = $1 AND s.title = 'Timetables are promises'
            """,
            event,
        )
        await followup.live(EVENT_END + 8 * DAY)
        await insert(
            pool,
            "occurrences",
            kind="community_joined",
            rehearsal=True,
            event_id=event,
            subject="community",
            data={"email": "vip.guest@people.example"},
            occurred_at=EVENT_END + 8 * DAY,
        )
        await followup.live()

        assert followup.received == sorted(TABLE)
        followup.assert_includes(INCLUDES)
        followup.assert_urgent()
        assert await followup.automations() == {"Post-Event Follow-up: Buildcraft Lisbon": "completed"}
        steps = await followup.steps("Post-Event Follow-up: Buildcraft Lisbon")
        assert list(steps.items()) == [(step, "success") for step in STEPS]
        # Figures are counted, not written by a model.
        [report] = followup.of("sponsor_results")
        for figure in ("Registered: 3", "On site: 2", "Reached by email: 4", "Sponsorship: 9,000.00 (Gold)"):
            assert figure in report.text
        # Recordings are of the sessions they were in, and of no others.
        assert not any(mail.shows("Exactly once, and other stories") for mail in followup.of("content_delivery"))
        for message in followup.of("community_invitation", "whatsapp"):
            assert "https://buildcraft.example.com/slack" in message.text
