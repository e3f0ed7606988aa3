"""WhatsApp: numbered variables within the limits of an approved template."""

import re
from dataclasses import replace

import pytest

from templates import (
    EventFacts,
    Include,
    Link,
    MissingField,
    PersonFacts,
    UnfitField,
    UnknownTemplate,
    WhatsAppSlots,
    render_whatsapp,
    whatsapp_templates,
)
from tests.templates.samples import DELIVERABLE, SPONSOR, sample

BODY_LIMIT = 1024
WORDS = WhatsAppSlots(opening="{event_name} is on.", message="Come to {event_city}, {first_name}.")


@pytest.mark.parametrize("name", whatsapp_templates())
def test_a_template_numbers_its_variables_and_fits_even_when_all_are_full(name: str) -> None:
    template = whatsapp_templates()[name]
    numbers = [int(number) for number in re.findall(r"\{\{(\d+)\}\}", template.body)]
    assert numbers == list(range(1, len(template.variables) + 1))
    words = re.sub(r"\{\{\d+\}\}", "", template.body)
    assert len(words) + sum(variable.max_length for variable in template.variables) <= BODY_LIMIT
    body = template.body.strip()
    assert not body.startswith("{{")
    assert not body.endswith("}}")


@pytest.mark.parametrize(("name", "link"), [("whatsapp_broadcast", "register_url"), ("final_reminder", "url")])
def test_a_message_fills_every_variable_and_reads_as_one_text(
    name: str, link: str, event: EventFacts, person: PersonFacts
) -> None:
    message = render_whatsapp(name, WORDS, event, person)
    assert list(message.variables) == [str(n) for n in range(1, len(message.variables) + 1)]
    assert all(value and "\n" not in value for value in message.variables.values())
    for expected in (
        *("Hi Maya", "Northwind Data Summit 2027 is on.", "Come to Berlin, Maya.", "12–13 May 2027", "Hall 3 & Garden"),
        getattr(event, link),
    ):
        assert expected in message.preview
    assert "{" not in message.preview


def test_a_person_without_a_name_is_still_greeted(event: EventFacts) -> None:
    assert render_whatsapp("whatsapp_broadcast", WORDS, event, PersonFacts()).preview.startswith("Hi there, this is")


def test_a_long_fact_is_shortened_but_a_link_or_a_sentence_is_refused(event: EventFacts, person: PersonFacts) -> None:
    long_name = replace(event, name="Summit " * 20)
    short = WhatsAppSlots(opening="It is on.", message="Come.")
    assert render_whatsapp("final_reminder", short, long_name, person).variables["3"].endswith("…")
    assert len(render_whatsapp("final_reminder", short, long_name, person).variables["3"]) <= 80
    with pytest.raises(UnfitField, match=r"event\.url has 1\d\d characters.*room for 150"):
        render_whatsapp("final_reminder", short, replace(event, url=f"https://x.example/{'a' * 150}"), person)
    with pytest.raises(UnfitField, match=r"slots\.opening has .*room for 160"):
        render_whatsapp("final_reminder", WORDS, replace(event, name="Summit " * 30), person)


def test_everything_missing_is_named_at_once(person: PersonFacts) -> None:
    with pytest.raises(MissingField) as refusal:
        render_whatsapp("final_reminder", None, EventFacts(), person)
    assert set(refusal.value.fields) == {
        *("event.name", "event.starts_at", "event.timezone", "event.venue", "event.url", "slots"),
    }
    with pytest.raises(MissingField, match=r"event\.city"):
        render_whatsapp("final_reminder", WORDS, EventFacts(), person)


def test_an_unknown_template_is_refused_with_the_names_there_are(event: EventFacts, person: PersonFacts) -> None:
    with pytest.raises(UnknownTemplate, match=r"there are day_of_welcome, .* and whatsapp_broadcast"):
        render_whatsapp("hello", WORDS, event, person)


def test_a_deliverable_is_chased_with_its_own_facts(event: EventFacts) -> None:
    nameless = PersonFacts()
    message = render_whatsapp("deliverable_urgent", None, event, nameless, sponsor=SPONSOR, deliverable=DELIVERABLE)
    assert message.preview.startswith(
        "Hi Jonas Weber, *Logo for the main stage* for Northwind Data Summit 2027 is due in 3 days "
        "(Wednesday, 28 April 2027), and we do not have it yet."
    )
    assert DELIVERABLE.upload_url in message.variables["6"]
    with pytest.raises(MissingField) as refusal:
        render_whatsapp("deliverable_urgent", None, event, nameless)
    assert refusal.value.fields == (
        *("deliverable.name", "deliverable.days_remaining", "deliverable.due_date", "deliverable.upload_url"),
    )


def test_a_welcome_leads_to_live_updates_or_else_to_the_event(event: EventFacts, person: PersonFacts) -> None:
    live = {"live_updates_link": sample("live_updates_link")}
    assert live["live_updates_link"].link
    shown = render_whatsapp("day_of_welcome", None, event, person, includes=live).variables["5"]
    assert shown == live["live_updates_link"].link.url
    assert render_whatsapp("day_of_welcome", None, event, person).variables["5"] == event.url


def test_the_community_is_joined_by_the_first_link_there_is(event: EventFacts, person: PersonFacts) -> None:
    for given, leads_to in (
        (("linkedin_group", "slack_invite"), "slack_invite"),
        (("community_link", "linkedin_group"), "linkedin_group"),
        (("community_link",), "community_link"),
    ):
        includes = {name: sample(name) for name in given}
        assert (
            f"/{leads_to}?" in render_whatsapp("join_community", None, event, person, includes=includes).variables["3"]
        )
    with pytest.raises(MissingField, match=r"needs includes\.slack_invite, which is empty"):
        render_whatsapp("join_community", None, event, person)


def test_a_link_of_an_include_is_never_cut(event: EventFacts, person: PersonFacts) -> None:
    long = Include(kind="slack_invite", link=Link("Join", f"https://x.example/{'a' * 300}"))
    with pytest.raises(UnfitField, match=r"includes\.slack_invite has 318 characters.*room for 300"):
        render_whatsapp("join_community", None, event, person, includes={"slack_invite": long})
