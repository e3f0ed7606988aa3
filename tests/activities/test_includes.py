"""Includes of real messages: made of what is there, left out and reported where it is not, one reader's never another's."""

from datetime import timedelta
from typing import Any

import pytest

from activities.compose import Composer
from activities.dispatch import Dispatch
from activities.includes import missing
from activities.personal_includes import PERSONAL
from activities.shared_includes import SHARED
from database import claims
from database.connection import connect_pool
from database.outbox import enqueue
from models.automation import Action, Step
from models.details import EventDetails, read_details
from templates import INCLUDES
from tests.activities.conftest import Providers
from tests.activities.includes_desk import Desk, make_desk, step
from tests.world import World

ADA, BEN = "ada@people.example", "ben@people.example"
HOSTILE = '<b onclick="x">{{7*7}} & {event_price}'

OF_DETAILS = {
    "app_download": ("app_link", "https://river.example/app"),
    "community_highlights": ("community_highlights", "Forty answers"),
    "community_link": ("community_link", "https://river.example/community"),
    "directions": ("directions", "Tram 4 to the river."),
    "hotel_info": ("hotel", "Hotel Example keeps rooms."),
    "linkedin_group": ("linkedin_group_link", "https://river.example/linkedin"),
    "live_updates_link": ("live_updates_link", "https://river.example/live"),
    "newsletter_signup": ("newsletter_link", "https://river.example/newsletter"),
    "organizer_note": ("organizer_note", "We are sorry for the trouble."),
    "parking": ("parking", "Garage below the hall."),
    "parking_info": ("parking", "Garage below the hall."),
    "photo_gallery": ("photos_link", "https://river.example/photos"),
    "photos_link": ("photos_link", "https://river.example/photos"),
    "referral_program": ("referral", "Bring a colleague."),
    "resource_links": ("resources", "https://river.example/links"),
    "slack_invite": ("slack_link", "https://river.example/slack"),
    "special_offer": ("special_offer", "A free book."),
    "survey_link": ("survey_link", "https://river.example/survey"),
    "testimonials": ("testimonials", "Splendid."),
    "upcoming_meetups": ("meetups", "Breakfast"),
    "what_to_expect": ("what_to_expect", "Talks and tea."),
}
"""Include: its key of events.details, and what of it the mail shows."""


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


def test_every_include_is_made_somewhere_and_a_sponsors_figures_by_the_follow_up() -> None:
    assert SHARED.keys() | PERSONAL.keys() | {"metrics_dashboard", "roi_calculation"} == INCLUDES.keys()
    for name in INCLUDES:
        assert (name in SHARED) != INCLUDES[name].personal


async def test_what_the_event_says_of_itself_is_shown_and_what_it_does_not_say_is_left_out_and_named(
    desk: Desk,
) -> None:
    whole = (await desk.mails(*OF_DETAILS))[ADA]
    for name, (_, shown) in OF_DETAILS.items():
        assert shown in whole.text, name
        assert INCLUDES[name].heading in whole.text
    await desk.world.set_event(details={})
    composed = await desk.composed(*OF_DETAILS)
    for message, mail in composed.ready:
        assert "river.example/" not in mail.text.replace("https://river.example\n", "")
        assert composed.missing[message.id] == {
            name: f"events.details.{key} is not set" for name, (key, _) in OF_DETAILS.items()
        }


@pytest.mark.parametrize(
    ("key", "value", "include", "why"),
    [
        ("survey_link", "javascript:alert(1)", "survey_link", "events.details.survey_link is no http(s) address"),
        ("parking", 12, "parking", "events.details.parking input should be a valid string"),
        (
            "resources",
            [{"url": "https://a.example"}],
            "resource_links",
            "events.details.resources.0.label field required",
        ),
        ("latitude", 200, "weather", "events.details.latitude input should be less than or equal to 90"),
        ("check_in", ["at", "eight"], "check_in_process", "events.details.check_in input should be a valid string"),
    ],
)
async def test_a_bad_detail_is_reported_by_name_and_stops_no_mail(
    desk: Desk, key: str, value: Any, include: str, why: str
) -> None:
    await desk.set_details(**{key: value})
    others = "what_to_expect", "photos_link"
    assert await desk.missing(include, *others) == {ADA: {include: why}, BEN: {include: why}}
    assert "Talks and tea." in (await desk.mails(include, *others))[ADA].text


def test_details_that_are_no_object_hold_nothing_and_say_so() -> None:
    assert read_details(["a"]) == (EventDetails(), {"": "events.details holds list, not an object"})
    assert read_details(None) == (EventDetails(), {})


async def test_foreign_words_are_shown_as_they_are_and_never_as_markup(desk: Desk) -> None:
    await desk.set_details(parking=HOSTILE, resources=[{"label": HOSTILE}], special_offer={"text": HOSTILE})
    await desk.pool.execute("UPDATE sessions SET title = $1", HOSTILE)
    await desk.pool.execute("UPDATE contacts SET last_name = $1", HOSTILE)
    names = "parking", "resource_links", "special_offer", "full_schedule", "ticket_details"
    mail = (await desk.mails(*names))[ADA]
    assert "<b " not in mail.html
    assert mail.text.count(HOSTILE) == 3 + 4 + 1


async def test_tickets_advice_and_recordings_are_each_readers_own(desk: Desk) -> None:
    names = (
        *("ticket_details", "session_recommendations", "top_speakers_by_interest"),
        *("session_recordings", "presentation_slides"),
    )
    mails = await desk.mails(*names)
    ada, ben = mails[ADA].text, mails[BEN].text
    for mine, theirs, words in ((ada, ben, "Ada Byron RIV-A Agents Alan/Kay"), (ben, ada, "RIV-B Dieter/Rams Chairs")):
        for word in words.split():
            assert word.replace("/", " ") in mine
            assert word.replace("/", " ") not in theirs
    assert "https://river.example/video/Streams" in ada
    assert "https://river.example/slides/Chairs" in ben
    assert (ada.count("video/"), ben.count("video/")) == (1, 1)


async def test_advice_is_for_the_interests_and_never_for_two_places_at_once(desk: Desk) -> None:
    await desk.pool.execute("UPDATE contacts SET interests = '{data,design,ai}' WHERE id = $1", desk.ada)
    text = (await desk.mails("session_recommendations"))[ADA].text
    assert "Agents" in text
    assert ("Streams" in text) != ("Chairs" in text)


async def test_without_interests_there_is_no_advice_and_that_is_said_of_this_reader_alone(desk: Desk) -> None:
    await desk.pool.execute("UPDATE contacts SET interests = '{}' WHERE id = $1", desk.ben)
    names = "session_recommendations", "top_speakers_by_interest"
    assert await desk.missing(*names) == {ADA: {}, BEN: dict.fromkeys(names, "the reader has named no interests")}


async def test_recordings_are_of_sessions_attended_or_of_all_where_nobody_kept_count(desk: Desk) -> None:
    await desk.pool.execute(
        "DELETE FROM session_attendance a USING registrations r WHERE r.id = a.registration_id AND r.contact_id = $1",
        desk.ben,
    )
    name = "video_recordings"
    assert await desk.missing(name) == {ADA: {}, BEN: {name: "no session the reader was in has a recording_url"}}
    await desk.pool.execute("DELETE FROM session_attendance")
    assert (await desk.mails(name))[BEN].text.count("river.example/video/") == 3
    await desk.pool.execute("UPDATE sessions SET recording_url = ''")
    assert (await desk.missing(name))[ADA] == {name: "no session of the event has a recording_url"}


async def test_the_programme_is_by_day_and_today_is_the_events_first_day_before_it_begins(desk: Desk) -> None:
    text = (await desk.mails("full_schedule", "today_schedule", "networking_opportunities"))[ADA].text
    whole, today = text.split("The programme\n")[1].split("Today\n")
    assert whole.count("Dinner") == 1
    assert "Dinner" not in today.split("Where people meet")[0]
    assert "Dinner" in today.split("Where people meet")[1]
    await desk.pool.execute("DELETE FROM sessions")
    absent = await desk.missing("full_schedule", "networking_opportunities")
    assert absent[ADA] == {"full_schedule": "the event has no sessions"}


async def test_the_next_event_is_the_organizers_next_published_one(desk: Desk) -> None:
    names = "next_event_preview", "early_bird_offer", "upcoming_events"
    text = (await desk.mails(*names))[ADA].text
    assert text.count("Lake Conf") >= 3
    assert "https://lake.example/early" in text
    await desk.pool.execute(
        "UPDATE events SET details = $1 WHERE name = 'Lake Conf'",
        {"early_bird": {"text": "Less.", "until": "2020-01-02"}},
    )
    ended = "events.details.early_bird of Lake Conf ended on 2020-01-02"
    assert (await desk.missing(*names))[ADA] == {"early_bird_offer": ended}
    await desk.pool.execute("UPDATE events SET status = 'draft' WHERE name = 'Lake Conf'")
    assert (await desk.missing(*names))[BEN] == dict.fromkeys(names, "the organizer has published no later event")


async def test_a_mail_whose_step_names_no_includes_has_those_it_is_made_for(desk: Desk) -> None:
    text = (await desk.mails(template="logistics_reminder"))[ADA].text
    assert "Tram 4 to the river." in text
    assert "Hotel Example" in text
    assert set((await desk.missing(template="logistics_reminder"))[ADA]) == {"weather"}


async def test_a_hundred_readers_ask_the_database_no_more_often_than_one(desk: Desk, database: str) -> None:
    asked: list[str] = []
    pool = await connect_pool(database, min_size=1, max_size=1)
    async with pool.acquire() as connection:
        connection.add_query_logger(lambda record: asked.append(record.query))
    composer = Composer(pool, "http://127.0.0.1:8000")
    counts = []
    for readers in (2, 100):
        await desk.world.people(readers - 2)
        await desk.pool.execute(
            "INSERT INTO registrations (event_id, contact_id) SELECT $1, id FROM contacts ON CONFLICT DO NOTHING",
            desk.world.event,
        )
        await enqueue(desk.pool, desk.world.request(step("session_recordings", "upcoming_events", "full_schedule")))
        (batch,) = (await claims.claim(desk.pool, "email", rehearsal=False, limit=100)).batches
        assert len(batch.messages) == readers
        await composer.mails(batch)  # the connection gets to know the types
        asked.clear()
        assert len((await composer.mails(batch)).ready) == readers
        counts.append(len(asked))
    await pool.close()
    assert counts[0] == counts[1]


async def test_the_announcement_of_the_next_event_speaks_of_it_whatever_its_step_names(desk: Desk) -> None:
    text = (await desk.mails("newsletter_signup", template="next_event_announcement"))[ADA].text
    assert "What comes next: Lake Conf" in text
    assert "Bring a colleague." not in text


async def test_the_journal_says_how_many_people_went_without_what_and_why(
    desk: Desk, dispatch: Dispatch, providers: Providers
) -> None:
    await desk.pool.execute("UPDATE contacts SET interests = '{}' WHERE id = $1", desk.ben)
    await desk.set_details(parking=None)
    sending = step("parking", "directions", "session_recommendations", template="detailed_schedule")
    await enqueue(desk.pool, desk.world.request(sending))
    await providers.faults(next=["rate_limit"])  # what is composed twice is counted once
    pump = dispatch.pump("email", rehearsal=False)
    await pump.drain()
    await desk.pool.execute("UPDATE messages SET not_before = NULL")
    await pump.drain()
    result = (await desk.world.journal(sending))["result"]
    assert result["sent"] == 2
    assert result["missing"] == {
        "parking": {"events.details.parking is not set": 2},
        "session_recommendations": {"the reader has named no interests": 1},
    }


async def test_what_will_be_missing_is_known_before_anything_is_sent(desk: Desk) -> None:
    await desk.pool.execute("UPDATE contacts SET interests = '{}' WHERE id = $1", desk.ben)
    await desk.set_details(hotel=None, latitude=None)
    await desk.pool.execute("UPDATE sessions SET recording_url = ''")

    def mail(id_: str, *include: str, **action: Any) -> Step:
        return Step(id=id_, name=id_, moment="0 hours", actions=(Action(verb="email", include=include, **action),))

    steps = [
        mail("logistics_reminder", "directions", "hotel_info", "weather"),
        mail("detailed_schedule", "full_schedule", "session_recommendations"),
        mail("session_recordings", "video_recordings", "horoscope"),
        mail("registration_confirmation", "ticket_details", "calendar_invite"),
        mail("thanks", segments={"vip": "vip_thank_you"}),
        mail("final", "details", template="final_reminder"),
    ]
    assert await missing(desk.pool, desk.world.event, steps) == {
        "logistics_reminder": {
            "hotel_info": "events.details.hotel is not set",
            "weather": "events.details.latitude and longitude are not set",
        },
        "detailed_schedule": {"session_recommendations": "1 of 2 registered people have named no interests"},
        "session_recordings": {
            "video_recordings": "no session of the event has a recording_url",
            "horoscope": "there is no such include",
        },
        "final": {"hotel": "the event does not say it"},
    }
    assert await desk.world.messages() == []


async def test_weather_to_come_is_not_missing(desk: Desk) -> None:
    wants = [step("weather")]
    assert await missing(desk.pool, desk.world.event, wants) == {}
    await desk.world.set_event(
        starts_at=desk.world.started + timedelta(days=30), ends_at=desk.world.started + timedelta(days=31)
    )
    assert await missing(desk.pool, desk.world.event, wants) == {}
