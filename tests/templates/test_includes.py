"""Includes: drawn the same way wherever they stand, left out where they are not given, never another person's."""

from dataclasses import replace

import pytest

from templates import (
    INCLUDES,
    EventFacts,
    Figure,
    Include,
    Link,
    PersonFacts,
    Row,
    UnfitField,
    UnknownInclude,
    UnknownTemplate,
    default_includes,
    missing_includes,
    prepare_email,
    render_email,
)
from templates.blocks import draw
from templates.designs import DESIGNS
from tests.templates.page import Page
from tests.templates.samples import SPONSOR, sample, words_for

# Every include of the timelines' tables, and the word of the organizers in a moved or cancelled event's mail.
NAMED = """
ticket_details calendar_invite what_to_expect preparation_checklist networking_tips top_speakers_by_interest
full_schedule session_recommendations parking_info directions parking hotel_info weather check_in_process app_download
networking_opportunities today_schedule live_updates_link survey_link social_share_prompt photos_link
session_recordings presentation_slides resource_links community_link next_event_preview early_bird_offer
social_share_cta photo_gallery video_recordings slack_invite linkedin_group upcoming_meetups metrics_dashboard
roi_calculation testimonials early_bird_discount referral_program newsletter_signup community_highlights
upcoming_events special_offer organizer_note
"""
HOSTILE = '<b onclick="x">{{7*7}} & {event_price}'


def test_every_include_of_the_timelines_has_a_look_a_heading_and_a_source() -> None:
    assert set(INCLUDES) == set(NAMED.split())
    for kind in INCLUDES.values():
        assert kind.heading
        assert kind.source
        assert "\n" not in kind.source


def test_every_include_has_a_mail_that_shows_it() -> None:
    assert {name for design in DESIGNS.values() for name in design.includes} == set(INCLUDES)


@pytest.mark.parametrize("kind", INCLUDES)
def test_an_include_says_everything_it_holds_in_both_parts(kind: str, event: EventFacts, person: PersonFacts) -> None:
    include = sample(kind)
    mail = render_email("welcome_preparation", None, event, person, includes={kind: include})
    page = Page(mail.html)
    for part in (page.words, mail.text):
        for text in (INCLUDES[kind].heading, include.text, *(f.value for f in include.figures)):
            assert text in part
        for row in include.rows:
            assert all(line in part for line in (row.label, *row.detail.splitlines()))
    for url in (include.link.url if include.link else "", *(row.url for row in include.rows)):
        assert not url or (url in page.links and url in mail.text)
    assert "\n\n\n" not in mail.text


@pytest.mark.parametrize("kind", INCLUDES)
def test_a_hostile_include_is_shown_as_it_is(kind: str, event: EventFacts, person: PersonFacts) -> None:
    tiles = INCLUDES[kind].look == "tiles"
    hostile = Include(
        kind=kind,
        heading=HOSTILE,
        text=HOSTILE,
        rows=() if tiles else (Row(HOSTILE, HOSTILE),),
        link=Link(HOSTILE, "https://e.example/?a=1&b=2"),
        figures=(Figure(HOSTILE, HOSTILE, HOSTILE),) if tiles else (),
    )
    mail = render_email("welcome_preparation", None, event, person, includes={kind: hostile})
    assert "<b " not in mail.html
    assert Page(mail.html).words.count(HOSTILE) == mail.text.count(HOSTILE) >= 4


def test_a_heading_of_its_own_replaces_that_of_the_kind(event: EventFacts, person: PersonFacts) -> None:
    weather = Include(kind="weather", heading="Bring an umbrella", text="Showers.")
    text = render_email("logistics_reminder", None, event, person, includes={"weather": weather}).text
    assert "\n\nBring an umbrella\nShowers.\n" in text
    assert "Weather" not in text


def test_lines_of_text_are_paragraphs_and_a_schedule_has_days(event: EventFacts, person: PersonFacts) -> None:
    includes = {
        "parking_info": Include(kind="parking_info", text="One.\n\n Two.\r\nThree."),
        "full_schedule": Include(
            kind="full_schedule", rows=(Row("Wednesday"), Row("9:00 am", "Opening\nHall 3"), Row("Thursday"))
        ),
    }
    mail = render_email("detailed_schedule", None, event, person, includes=includes)
    assert mail.html.count('<p class="tight">') == 3
    assert "The programme\n\nWednesday\n* 9:00 am Opening – Hall 3\n\nThursday\n" in mail.text


@pytest.mark.parametrize(
    ("include", "named"),
    [
        ({"kind": "weather"}, "includes.weather has nothing in it"),
        ({"kind": "weather", "figures": (Figure("a", "1"),)}, "includes.weather shows no figures; give it rows"),
        ({"kind": "roi_calculation", "rows": (Row("a"),)}, "includes.roi_calculation shows no rows; give it figures"),
        ({"kind": "survey_link", "link": Link("Go", "javascript:alert(1)")}, "includes.survey_link 'javascript:"),
        ({"kind": "full_schedule", "rows": (Row("9", "a", "x"),)}, "includes.full_schedule 'x' is no http"),
    ],
)
def test_an_unfit_include_is_refused_by_name(include: dict[str, object], named: str) -> None:
    with pytest.raises(UnfitField) as refusal:
        Include(**include)  # type: ignore[arg-type]
    assert named in str(refusal.value)


def test_an_unknown_include_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownInclude, match=r"no include 'horoscope'; there are app_download, .* and what_to_expect"):
        Include(kind="horoscope", text="Good.")
    with pytest.raises(UnknownInclude):
        missing_includes("welcome_preparation", ["horoscope"], ())
    with pytest.raises(UnknownTemplate):
        missing_includes("newsletter", None, ())


def test_what_was_wanted_and_not_given_is_named() -> None:
    given = {"parking": sample("parking")}
    assert missing_includes("logistics_reminder", None, given) == ("directions", "hotel_info", "weather")
    assert missing_includes("logistics_reminder", ["weather", "parking"], given) == ("weather",)
    assert missing_includes("logistics_reminder", [], given) == ()


def test_includes_that_need_no_data_have_words_of_ours(event: EventFacts, person: PersonFacts) -> None:
    assert set(default_includes()) == {
        *("calendar_invite", "check_in_process", "networking_opportunities", "networking_tips"),
        *("preparation_checklist", "social_share_cta", "social_share_prompt"),
    }
    for name, include in default_includes().items():
        assert (
            INCLUDES[name].heading in render_email("final_details", None, event, person, includes={name: include}).text
        )


def test_an_include_that_a_timeline_adds_follows_those_of_the_mail(event: EventFacts, person: PersonFacts) -> None:
    for template in ("announcement_email", "final_reminder", "final_details"):
        added = {name: sample(name) for name in ("weather", "app_download")}
        text = render_email(template, words_for(template), event, person, includes=added).text
        first, second = ("app_download", "weather") if template == "final_details" else ("weather", "app_download")
        assert text.index(f"Open {first}") < text.index(f"Open {second}") < text.index("See you")


def test_a_personal_include_cannot_be_prepared_for_everybody(event: EventFacts) -> None:
    with pytest.raises(UnfitField, match=r"includes\.ticket_details is personal; give it to for_person"):
        prepare_email("registration_confirmation", None, event, includes={"ticket_details": sample("ticket_details")})


def test_an_include_is_given_under_its_kind_and_once(event: EventFacts, person: PersonFacts) -> None:
    weather = {"weather": sample("weather")}
    prepared = prepare_email("logistics_reminder", None, event, includes=weather)
    with pytest.raises(UnfitField, match=r"includes\.weather is already in the prepared mail"):
        prepared.for_person(person, includes=weather)
    prepared.for_person(person, includes={"parking": sample("parking")})
    with pytest.raises(UnfitField, match=r"includes\.parking holds an include of kind 'weather'"):
        prepared.for_person(person, includes={"parking": sample("weather")})
    with pytest.raises(UnfitField, match=r"includes\.parking holds an include of kind 'weather'"):
        prepare_email("logistics_reminder", None, event, includes={"parking": sample("weather")})


def test_everybody_gets_the_includes_of_their_own(event: EventFacts, person: PersonFacts) -> None:
    prepared = prepare_email("session_recordings", None, event, includes={"resource_links": sample("resource_links")})
    for talk in ("Streams", "Tables"):
        heard = Include(kind="video_recordings", rows=(Row(talk, "", f"https://v.example/{talk}"),))
        mail = prepared.for_person(person, includes={"video_recordings": heard})
        for part in (mail.html, mail.text):
            assert f"https://v.example/{talk}" in part
            assert part.count("https://v.example/") == 1
            assert "Open resource_links" in part
    alone = prepared.for_person(person)
    assert "v.example" not in alone.html
    assert "The recordings are ready" not in alone.text


def test_a_prepared_mail_with_personal_includes_is_the_mail_rendered_whole(
    event: EventFacts, person: PersonFacts
) -> None:
    for template in DESIGNS:
        design = DESIGNS[template]
        if not design.includes:
            continue
        words = words_for(template)
        given = {name: sample(name) for name in design.includes}
        personal = {name for name in given if INCLUDES[name].personal}
        shared = {name: include for name, include in given.items() if name not in personal}
        prepared = prepare_email(template, words, event, includes=shared)
        mine = {name: given[name] for name in sorted(personal, reverse=True)}
        one = prepared.for_person(person, includes=mine, sponsor=SPONSOR)
        # Given to the person, all of them take the other way through the same template.
        two = prepare_email(template, words, event).for_person(person, includes=given, sponsor=SPONSOR)
        assert one == two


def test_what_is_the_same_for_all_is_drawn_once(event: EventFacts, person: PersonFacts) -> None:
    includes = {"full_schedule": sample("full_schedule")}
    prepared = prepare_email("detailed_schedule", None, event, includes=includes)
    assert prepare_email("detailed_schedule", None, replace(event), includes=dict(includes)) is prepared
    prepared.for_person(person)
    before = draw.cache_info()
    for name in ("Ada", "Ben", "Cleo"):
        prepared.for_person(replace(person, first_name=name))
    assert draw.cache_info() == before
    other = {"full_schedule": replace(includes["full_schedule"], text="Changed.")}
    assert prepare_email("detailed_schedule", None, event, includes=other) is not prepared


def test_includes_can_be_kept() -> None:
    assert hash(sample("weather")) == hash(sample("weather"))
