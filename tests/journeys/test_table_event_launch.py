"""The table of the event launch, typed from the owner's specification, against what the sandbox received."""

from datetime import UTC, datetime

from tests.journeys.alone import DAY, EVENT_DATE, HOUR, START, alone, row
from tests.workflows.house import House

EVERYBODY = ("vip", "vip.guest", "vip.silent", "vip.unreachable", "guest", "quiet.guest", "phone", "reader", "speaker")
"""All contacts but the one who does not want mail."""
NOT_REGISTERED = ("vip", "vip.silent", "vip.unreachable", "phone", "reader", "speaker")
REGISTERED = ("vip.guest", "guest", "quiet.guest")

# The launch begins on a Monday at ten. An hour later X is in no good hour before noon, Facebook in none before one, and
# LinkedIn is read from Tuesday on: the broadcast follows the last of the posts by two hours.
TUESDAY_AT_8 = datetime(2027, 1, 5, 8, tzinfo=UTC)
TABLE = [
    row(START, "send_announcement", "email", "announcement_email", *EVERYBODY),
    row(START + 2 * HOUR, "post_social_media", "twitter", "", "public"),
    row(START + 3 * HOUR, "post_social_media", "facebook", "", "public"),
    row(TUESDAY_AT_8, "post_social_media", "linkedin", "", "public"),
    # VIPs with a phone who agreed to WhatsApp, registered or not.
    row(TUESDAY_AT_8 + 2 * HOUR, "send_whatsapp_broadcast", "whatsapp", "whatsapp_broadcast", "vip", "vip.guest"),
    row(START + 7 * DAY, "week_1_reminder", "email", "reminder_email", *NOT_REGISTERED),
    row(START + 14 * DAY, "week_2_social", "linkedin", "", "public"),
    row(START + 14 * DAY, "week_2_social", "twitter", "", "public"),
    row(EVENT_DATE - 3 * DAY, "last_chance_email", "email", "last_chance_email", *NOT_REGISTERED),
    row(EVENT_DATE - DAY, "final_reminder", "email", "final_reminder", *REGISTERED),
    row(EVENT_DATE - DAY, "final_reminder", "whatsapp", "final_reminder", "vip.guest", "guest"),
]
STEPS = [
    "generate_marketing_content",
    "create_campaign_records",
    "send_announcement",
    "post_social_media",
    "send_whatsapp_broadcast",
    "week_1_reminder",
    "week_2_social",
    "last_chance_email",
    "final_reminder",
]
DETAILS = {
    "final_reminder": {
        "when": "Thursday, 18 February – Friday, 19 February 2027",
        "where": "Doca do Exemplo 4, 1350-352 Lisboa",
        "check-in": "Doors open at 08:00.",
        "directions": "Train to the riverside stop",
        "parking": "Car park P2 beside the pavilion",
        "ticket": "BCL-",
    }
}
CONTENT = {"landing_page", "emails", "social_posts", "whatsapp_messages"}


async def test_a_published_event_is_launched_as_the_owners_table_says(house: House, sandbox: str) -> None:
    async with alone(house, sandbox, "event_launch") as launch:
        await house.set_event(launch.event, status="published")
        await launch.live()

        assert launch.received == sorted(TABLE)
        launch.assert_includes(DETAILS)
        launch.assert_urgent("last_chance_email")
        assert await launch.automations() == {"Event Launch: Buildcraft Lisbon": "completed"}
        assert await launch.urgencies("Event Launch: Buildcraft Lisbon") == {"last_chance_email": "high"}
        steps = await launch.steps("Event Launch: Buildcraft Lisbon")
        assert list(steps.items()) == [(step, "success") for step in STEPS]
        campaign = await house.pool.fetchrow("SELECT * FROM marketing_campaigns WHERE event_id = $1", launch.event)
        assert campaign is not None
        assert set(campaign["content"]) == CONTENT
        assert (campaign["emails_sent"], campaign["whatsapp_messages_sent"]) == (24, 4)
