"""The follow-up: the owner's table to the letter, and what becomes of it in life."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from database import control
from database.control import Scope
from models.automation import Anchors
from models.definition import from_definition, to_definition
from tests.workflows.followup_stage import ended_event, id_of, live
from tests.workflows.house import House
from tests.workflows.stage import Stage
from workflows.post_event_followup import TIMELINE

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
END = datetime(2027, 6, 10, 16, tzinfo=UTC)

TABLE = [
    # id, moment, audience, template or segments, include, late, until, priority, topic
    (
        *("thank_you_survey", "event_end + 24 hours", "present_speakers_sponsors"),
        {
            "speakers": "speaker_thank_you",
            "sponsors": "sponsor_thank_you",
            "vip": "vip_thank_you",
            "attendees": "attendee_thank_you",
        },
        ("survey_link", "social_share_cta", "photo_gallery"),
        *("send", "event_end + 7 days", 2, "thank_you"),
    ),
    (
        *("content_delivery", "event_end + 72 hours", "registered_attendees", "session_recordings"),
        ("video_recordings", "presentation_slides", "resource_links"),
        *("send", "event_end + 14 days", 2, "recordings"),
    ),
    (
        *("community_invitation", "event_end + 168 hours", "registered_attendees", "join_community"),
        ("slack_invite", "linkedin_group", "upcoming_meetups"),
        *("send", "event_end + 30 days", 3, None),
    ),
    (
        *("sponsor_results", "event_end + 336 hours", "sponsors", "sponsorship_impact_report"),
        ("metrics_dashboard", "roi_calculation", "testimonials"),
        *("send", None, 2, None),
    ),
    (
        *("next_event_preview", "event_end + 720 hours", "all_of_event", "next_event_announcement"),
        ("early_bird_discount", "referral_program", "newsletter_signup"),
        *("send", "event_end + 60 days", 3, "next_event"),
    ),
    (
        *("re_engagement", "event_end + 1440 hours", "not_engaged_with_community", "re_engagement"),
        ("community_highlights", "upcoming_events", "special_offer"),
        *("skip", None, 3, None),
    ),
]
VERBS = {"community_invitation": ["email", "whatsapp"], "sponsor_results": ["generate", "email"]}


def test_the_timeline_is_the_owners_table() -> None:
    rows = []
    for step in TIMELINE:
        mails = [action for action in step.actions if action.verb in ("email", "whatsapp")]
        words = {(action.audience, action.template or str(action.segments), action.include) for action in mails}
        assert len(words) == 1, step.id
        action = mails[0]
        said = action.segments or action.template
        when = (step.late.value, step.until, step.priority, step.topic)
        rows.append((step.id, step.moment, action.audience, said, action.include, *when))
    assert rows == TABLE
    assert {step.id: [action.verb for action in step.actions] for step in TIMELINE} == {
        row[0]: VERBS.get(str(row[0]), ["email"]) for row in TABLE
    }
    assert TIMELINE[3].actions[0].targets == ("sponsorship_impact_report",)


def test_the_timeline_is_kept_in_the_stored_form_and_read_back_as_it_was() -> None:
    stored = to_definition(TIMELINE)
    assert from_definition(stored) == TIMELINE
    assert stored["steps"][0]["segments"]["vip"] == "vip_thank_you"


# -- on paper -------------------------------------------------------------------------------------------------------


def begun(at: datetime, end: datetime = END) -> Stage:
    return Stage(TIMELINE, Anchors(start=at, zone="Europe/Berlin", event_date=end - DAY, event_end=end), now=at)


def lived(stage: Stage) -> list[tuple[str, str, timedelta]]:
    """What became of each step, and how long after the event."""
    stage.play(END + timedelta(days=400))
    return [(decision.step_id, getattr(decision, "reason", "done"), now - END) for now, decision in stage.history]


ON_TIME = [
    ("thank_you_survey", "done", 1 * DAY),
    ("content_delivery", "done", 3 * DAY),
    ("community_invitation", "done", 7 * DAY),
    ("sponsor_results", "done", 14 * DAY),
    ("next_event_preview", "done", 30 * DAY),
    ("re_engagement", "done", 60 * DAY),
]


def test_begun_at_the_end_every_step_comes_at_its_hour() -> None:
    assert lived(begun(END)) == ON_TIME


def test_begun_two_days_late_the_thanks_go_at_once_and_the_rest_on_time() -> None:
    assert lived(begun(END + 2 * DAY)) == [("thank_you_survey", "done", 2 * DAY), *ON_TIME[1:]]


def test_begun_ten_days_late_nobody_is_thanked_any_more_but_what_is_useful_goes_at_once() -> None:
    assert lived(begun(END + 10 * DAY)) == [
        ("thank_you_survey", "overtaken by event_end + 7 days", 10 * DAY),
        ("content_delivery", "done", 10 * DAY),
        ("community_invitation", "done", 10 * DAY),
        *ON_TIME[3:],
    ]


def test_an_outage_of_two_days_delays_what_fell_into_it_and_moves_nothing_else() -> None:
    stage = begun(END)
    stage.play(END + 2 * DAY)
    stage.now = END + 4 * DAY
    assert lived(stage) == [ON_TIME[0], ("content_delivery", "done", 4 * DAY), *ON_TIME[2:]]


def test_an_outage_over_the_last_step_leaves_it_out_as_late() -> None:
    stage = begun(END)
    stage.play(END + 59 * DAY)
    stage.now = END + 62 * DAY
    assert lived(stage)[-1] == ("re_engagement", "late by 2 days", 62 * DAY)


def test_an_end_that_is_moved_later_takes_everything_ahead_with_it() -> None:
    stage = begun(END)
    stage.play(END + 2 * DAY)
    moved = END + 5 * DAY
    stage.move(Anchors(start=END, zone="Europe/Berlin", event_date=moved - DAY, event_end=moved, date_revision=1))
    found = lived(stage)
    assert found[0] == ON_TIME[0]
    assert found[1:] == [("thank_you_survey", "done", 6 * DAY)] + [
        (name, "done", after + 5 * DAY) for name, _, after in ON_TIME[1:]
    ]


# -- lived ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def ended(working: House) -> tuple[House, UUID, datetime]:
    return await ended_event(working)


async def sent(house: House, event: UUID) -> dict[str, dict[str, int]]:
    """How many messages of each template went out, by step."""
    rows = await house.pool.fetch(
        """
        SELECT step, template, count(*) AS count FROM messages WHERE event_id = $1 AND status = 'sent' AND channel = 'email'
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
        event,
    )
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["step"], {})[row["template"]] = row["count"]
    return found


async def instants(house: House, event: UUID) -> dict[str, Any]:
    return {id_: row["due_at"] for id_, row in (await house.journal(id_of(event))).items()}


async def test_the_end_of_an_event_begins_its_follow_up_which_lives_for_sixty_days(
    ended: tuple[House, UUID, datetime],
) -> None:
    house, event, end = ended
    row = await house.row(id_of(event))
    assert (row["name"], row["started_at"]) == ("Post-Event Follow-up: Buildcraft Lisbon", end)
    await live(house, event)

    assert await instants(house, event) == {name: end + after for name, _, after in ON_TIME}
    assert set((await house.states(id_of(event))).values()) == {"success"}
    assert (await house.row(id_of(event)))["completed_at"] == end + 60 * DAY
    found = await sent(house, event)
    thanks = found["thank_you_survey"]
    assert set(thanks) == {"attendee_thank_you", "sponsor_thank_you", "vip_thank_you"}
    assert (thanks["sponsor_thank_you"], thanks["attendee_thank_you"] + thanks["vip_thank_you"]) == (2, 60)
    assert found["sponsor_results"] == {"sponsorship_impact_report": 2}
    assert found["content_delivery"] == {"session_recordings": 80}
    assert found["next_event_preview"] == {"next_event_announcement": 82}
    words = await house.pool.fetchval(
        "SELECT count(DISTINCT content_id) FROM messages WHERE event_id = $1 AND step = 'sponsor_results'", event
    )
    assert words == 2


async def test_a_pause_over_the_thanks_sends_them_on_resume_by_policy_and_never_if_all_is_skipped(
    ended: tuple[House, UUID, datetime],
) -> None:
    house, event, end = ended
    scope = Scope(event_id=event)
    await control.pause(house.pool, scope)
    await live(house, event, end + 2 * DAY)
    assert await sent(house, event) == {}
    await control.resume(house.pool, scope, "by_policy")
    await live(house, event, end + 2 * DAY)
    assert set(await sent(house, event)) == {"thank_you_survey"}

    await control.pause(house.pool, scope)
    await live(house, event, end + 4 * DAY)
    await control.resume(house.pool, scope, "skip_all")
    await live(house, event, end + 4 * DAY)
    assert (await house.states(id_of(event)))["content_delivery"].startswith("skipped: fell due during a pause")
    await live(house, event, end + 8 * DAY)
    assert (await house.states(id_of(event)))["community_invitation"] == "success"


async def test_a_cancelled_follow_up_sends_nothing_more(ended: tuple[House, UUID, datetime]) -> None:
    house, event, end = ended
    await live(house, event, end + 2 * DAY)
    await control.cancel(house.pool, Scope(event_id=event), "enough")
    await live(house, event)
    assert set(await sent(house, event)) == {"thank_you_survey"}
    assert (await house.row(id_of(event)))["status"] == "cancelled"


async def test_an_end_moved_after_the_thanks_thanks_again_after_the_new_end(
    ended: tuple[House, UUID, datetime],
) -> None:
    house, event, end = ended
    await live(house, event, end + 2 * DAY)
    moved = end + 10 * DAY
    await house.set_event(event, starts_at=moved - DAY, ends_at=moved)
    await live(house, event)
    found = await instants(house, event)
    assert found == {name: moved + after for name, _, after in ON_TIME}
    rounds = await house.pool.fetch(
        "SELECT round, count(*) FROM messages WHERE event_id = $1 AND step = 'thank_you_survey' GROUP BY 1 ORDER BY 1",
        event,
    )
    assert [row["round"] for row in rounds] == [0, 1]


async def test_who_clicked_in_the_community_mail_is_not_asked_again(ended: tuple[House, UUID, datetime]) -> None:
    house, event, end = ended
    await live(house, event, end + 8 * DAY)
    await house.pool.execute(
        """
        UPDATE messages SET clicked_at = sent_at WHERE id IN
            (SELECT id FROM messages WHERE event_id = $1 AND step = 'community_invitation' AND channel = 'email' LIMIT 30)
        """,
        event,
    )
    await live(house, event)
    assert (await sent(house, event))["re_engagement"] == {"re_engagement": 50}
