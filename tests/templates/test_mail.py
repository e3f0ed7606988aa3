"""Email: what every mail contains, what it refuses, and that preparing changes nothing."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from templates import (
    EmailSlots,
    EventFacts,
    MissingField,
    Notice,
    PersonFacts,
    UnfitField,
    UnknownTemplate,
    missing_blocks,
    prepare_email,
    render_email,
)
from templates.composing import Setting, compose
from templates.designs import DESIGNS
from templates.facts import one_line
from templates.when import hours_elsewhere, zone
from tests.templates.page import Page

CAMPAIGN = ("announcement_email", "reminder_email", "last_chance_email", "final_reminder")
HOSTILE = (
    "<script>alert(1)</script>",
    "{{7*7}}",
    "{% raw %}",
    '" onload="x',
    "a & b",
    "{event_price}",
    "\ue000first_name\ue001",
)


NOTICE = Notice(
    subject="send_announcement is held",
    headline="A step waits for you",
    paragraphs=("It could not be done: {{7*7}} <b>.",),
    rows=(("Step", "send_announcement"), ("Reason", "event.venue is empty")),
    action_label="Open the automation",
    action_url="https://eventos.example/automations/1",
)


@pytest.mark.parametrize("template", CAMPAIGN)
def test_a_campaign_mail_says_who_what_when_where_and_how_to_leave(
    template: str, words: EmailSlots, event: EventFacts, person: PersonFacts
) -> None:
    mail = render_email(template, words, event, person)
    page = Page(mail.html)
    assert mail.subject == "Maya, come to Northwind Data Summit 2027"
    for part in (page.words, mail.text):
        for expected in (
            "Northwind Data Summit 2027",
            "Hi Maya,",
            "Meet in Berlin",
            "Wednesday, 12 May – Thursday, 13 May 2027",
            "9:00 am (Berlin time, CEST)",
            "Hall 3 & Garden",
            "Luckenwalder Straße 3, 10963 Berlin",
            "Reserve your seat",
            "12 workshops",
            "Northwind Events GmbH",
            "Torstraße 140, 10119 Berlin, Germany",
            "You get this mail because you registered for the summit.",
        ):
            assert expected in part
    assert "Forty talks by people on call." in page.words
    assert person.unsubscribe_url in page.links


@pytest.mark.parametrize("template", CAMPAIGN)
def test_the_text_part_carries_every_link_of_the_html_part(
    template: str, words: EmailSlots, event: EventFacts, person: PersonFacts
) -> None:
    mail = render_email(template, words, event, person)
    links = Page(mail.html).links
    assert len(links) >= 3
    assert all(link in mail.text for link in links)
    assert "<" not in mail.text
    assert "&amp;" not in mail.text


@pytest.mark.parametrize(("template", "link"), [("announcement_email", "register_url"), ("final_reminder", "url")])
def test_the_button_leads_to_registration_or_for_the_registered_to_the_event(
    template: str, link: str, words: EmailSlots, event: EventFacts, person: PersonFacts
) -> None:
    links = Page(render_email(template, words, event, person).html).links
    assert links[0] == getattr(event, link)


def test_only_the_last_chance_looks_urgent(words: EmailSlots, event: EventFacts, person: PersonFacts) -> None:
    shown = {name: Page(render_email(name, words, event, person).html).words for name in CAMPAIGN}
    assert [name for name in CAMPAIGN if "Last chance to register" in shown[name]] == ["last_chance_email"]


def test_a_final_reminder_shows_ticket_and_every_block_there_is(
    words: EmailSlots, event: EventFacts, person: PersonFacts
) -> None:
    mail = render_email("final_reminder", words, event, person)
    for part in (Page(mail.html).words, mail.text):
        for expected in (
            "Conference pass",
            "Lindt Analytics",
            "NDS-7K2M",
            "Check-in",
            "Getting there",
            "Parking",
            "Get the app",
        ):
            assert expected in part
    assert missing_blocks("final_reminder", event) == ()


def test_a_block_without_data_is_left_out_and_reported(
    words: EmailSlots, event: EventFacts, person: PersonFacts
) -> None:
    bare = replace(event, details={"directions": "U1"}, tagline="")
    mail = render_email("final_reminder", words, bare, replace(person, ticket_type="", ticket_code=""))
    for part in (Page(mail.html).words, mail.text):
        assert "Getting there" in part
        assert not any(title in part for title in ("Parking", "Check-in", "Show at", "Your ticket", "Get the app"))
    assert missing_blocks("final_reminder", bare) == (
        *("tagline", "check_in", "parking", "hotel", "what_to_expect", "app_link"),
    )


@pytest.mark.parametrize("template", CAMPAIGN)
def test_a_template_needs_nothing_beyond_what_it_declares(template: str, event: EventFacts) -> None:
    plain = EmailSlots(
        subject="Come", preheader="Do", headline="Now", paragraphs=("Yes.",), cta_label="Go", highlights=()
    )
    design = DESIGNS[template]
    barest = EventFacts(
        **{name: getattr(event, name) for name in (need.removeprefix("event.") for need in design.event_needs)}
    )
    mail = render_email(template, plain, barest, PersonFacts(why="you asked", unsubscribe_url="https://e.example/u"))
    for part in (mail.subject, mail.html, mail.text):
        assert not any(trace in part for trace in ("{{", "{%", "None", "Undefined", "\ue000", "Price", "Open the map"))
    assert "Hello," in mail.text
    assert all(Page(mail.html).links)


@pytest.mark.parametrize("template", CAMPAIGN)
def test_everything_missing_is_named_at_once(template: str, words: EmailSlots) -> None:
    with pytest.raises(MissingField) as refusal:
        render_email(template, words, EventFacts(), PersonFacts())
    assert set(refusal.value.fields) == set(DESIGNS[template].event_needs) | {
        "event.city",
        "event.price",
        "person.why",
        "person.unsubscribe_url",
    }


def test_a_missing_field_is_refused_by_name_with_what_to_do(
    words: EmailSlots, event: EventFacts, person: PersonFacts
) -> None:
    with pytest.raises(MissingField) as one:
        render_email("final_reminder", words, replace(event, venue=""), person)
    assert str(one.value) == ("template 'final_reminder' needs event.venue, which is empty; set it on the event")
    with pytest.raises(MissingField) as two:
        render_email("final_reminder", words, replace(event, venue=" "), replace(person, why=""))
    assert str(two.value) == (
        "template 'final_reminder' needs event.venue and person.why, which are empty; "
        "set them on the event and the person"
    )


def test_a_merge_field_makes_its_fact_necessary(words: EmailSlots, event: EventFacts, person: PersonFacts) -> None:
    free = replace(event, price="")
    with pytest.raises(MissingField, match=r"event\.price"):
        render_email("announcement_email", words, free, person)
    unpriced = words.model_copy(update={"paragraphs": ("Come.",)})
    assert "Price" not in render_email("announcement_email", unpriced, free, person).text


def test_a_mail_without_words_is_refused(event: EventFacts, person: PersonFacts) -> None:
    with pytest.raises(MissingField, match="slots"):
        render_email("announcement_email", None, event, person)
    with pytest.raises(UnfitField, match="takes EmailSlots, not Notice"):
        render_email("announcement_email", NOTICE, event, person)


def test_an_unknown_template_is_refused_with_the_names_there_are(words: EmailSlots, event: EventFacts) -> None:
    with pytest.raises(
        UnknownTemplate,
        match=r"'newsletter'; there are announcement_email, approval_reminder, .* and welcome_preparation",
    ):
        prepare_email("newsletter", words, event)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_fact_is_shown_as_it_is_and_does_nothing(
    hostile: str, words: EmailSlots, event: EventFacts, person: PersonFacts
) -> None:
    tame = Page(render_email("final_reminder", words, event, person).html)
    mail = render_email(
        "final_reminder",
        words,
        replace(event, name=hostile, venue=hostile, organizer_name=hostile, details={"parking": hostile}),
        replace(person, first_name=hostile, ticket_code=hostile, company=hostile, why=hostile),
    )
    page = Page(mail.html)
    assert page.words.count(one_line(hostile)) >= 8
    assert page.elements <= tame.elements
    assert mail.subject == f"{hostile}, come to {hostile}"


def test_a_line_break_in_a_name_cannot_end_the_subject_header(
    words: EmailSlots, event: EventFacts, person: PersonFacts
) -> None:
    mail = render_email(
        "announcement_email", words, replace(event, name="A\r\nBcc: x"), replace(person, first_name="B\nTo: y\u202e")
    )
    assert mail.subject == "B To: y, come to A Bcc: x"


def test_an_unsubscribe_address_that_is_none_is_refused(
    words: EmailSlots, event: EventFacts, person: PersonFacts
) -> None:
    with pytest.raises(UnfitField, match=r"person\.unsubscribe_url 'javascript:alert\(1\)'"):
        render_email("announcement_email", words, event, replace(person, unsubscribe_url="javascript:alert(1)"))


def test_a_reader_elsewhere_sees_both_clocks(words: EmailSlots, event: EventFacts, person: PersonFacts) -> None:
    mail = render_email("announcement_email", words, event, replace(person, timezone="America/New_York"))
    for part in (Page(mail.html).words, mail.text):
        assert "9:00 am (Berlin time, CEST)" in part
        assert "For you: 3:00 am (New York time, EDT)" in part
    for same in (None, "Europe/Zurich", "Mars/Olympus"):
        assert "For you" not in render_email("announcement_email", words, event, replace(person, timezone=same)).text


def test_a_notification_says_what_waits_and_where_to_go(event: EventFacts) -> None:
    mail = render_email("notification", NOTICE, event, PersonFacts(first_name="Jonas", why="you organize the summit"))
    page = Page(mail.html)
    assert mail.subject == "send_announcement is held"
    for part in (page.words, mail.text):
        for expected in (
            "Hi Jonas,",
            "It could not be done: {{7*7}} <b>.",
            "event.venue is empty",
            "Open the automation",
        ):
            assert expected in part
    assert page.links == [NOTICE.action_url]


def test_a_mail_stays_compact(words: EmailSlots, event: EventFacts, person: PersonFacts) -> None:
    full = words.model_copy(update={"paragraphs": ("Word " * 60, "Word " * 60, "Word " * 40)})
    for template in CAMPAIGN:
        assert len(render_email(template, full, event, person).html.encode()) < 13_000


def test_a_campaign_is_prepared_once(words: EmailSlots, event: EventFacts) -> None:
    again = EmailSlots.model_validate(words.model_dump())
    assert prepare_email("announcement_email", words, event) is prepare_email(
        "announcement_email", again, replace(event)
    )
    moved = replace(event, details={"parking": "Elsewhere."})
    assert prepare_email("announcement_email", words, event) is not prepare_email("announcement_email", words, moved)


LETTERS = st.text(max_size=12) | st.sampled_from(HOSTILE)
PEOPLE = st.builds(
    PersonFacts,
    first_name=LETTERS,
    company=LETTERS,
    ticket_type=LETTERS,
    ticket_code=LETTERS,
    why=LETTERS.filter(str.strip),
    unsubscribe_url=st.sampled_from(("https://e.example/u/1", "http://e.example/?a=1&b=2")),
    timezone=st.sampled_from((None, "Europe/Berlin", "Asia/Kathmandu", "America/New_York", "Nowhere")),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(person=PEOPLE, template=st.sampled_from(CAMPAIGN))
def test_a_prepared_mail_is_the_mail_rendered_directly(
    person: PersonFacts, template: str, words: EmailSlots, event: EventFacts
) -> None:
    values = {
        name: one_line(getattr(person, name))
        for name in ("first_name", "company", "ticket_type", "ticket_code", "unsubscribe_url", "why")
    }
    berlin = zone("Europe/Berlin")
    assert event.starts_at
    assert berlin
    their_hours = hours_elsewhere(event.starts_at, berlin, person.timezone) if person.timezone else ""
    direct = compose(template, words, event, values, Setting(their_hours))
    assert prepare_email(template, words, event).for_person(person) == direct
