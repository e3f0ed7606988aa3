"""Slots refuse what generated text must not carry, and their schemas can be asked of a language model."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from templates import MERGE_FIELDS, RESPONSES, EmailSlots, SocialSlots, WhatsAppSlots
from templates.merge import fill, fill_html, merge_fields
from templates.slots import x_length

GOOD = {
    "subject": "Come to {event_name}",
    "preheader": "Forty talks.",
    "headline": "Meet your peers",
    "paragraphs": ["On {event_date}, {first_name}."],
    "cta_label": "Reserve your seat",
    "highlights": [],
}


def refusal(model: type[BaseModel], **change: object) -> str:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(change)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Hello {name}", "unknown merge field {name}"),
        ("{{7*7}}", "unknown merge field {{7*7}}"),
        ("{{first_name}}", "unknown merge field {{first_name}}"),
        ("{% include 'x' %}", "unknown merge field {% include 'x' %}"),
        ("half {a brace", "unknown merge field {"),
        ("On 12 May", "literal date, time or price '12 May'"),
        ("From $199 at 9 am", "'$199', '9 am'"),
        ("<b>Bold</b>", "HTML '<b>', '</b>'"),
        ("<img src=x onerror=alert(1)", "HTML '<img"),
        ("&lt;b&gt;", "HTML '&lt;', '&gt;'"),
        ("See https://evil.example/x", "literal link 'https://evil.example/x'"),
    ],
)
def test_unfit_text_is_refused_naming_what_was_found(text: str, named: str) -> None:
    assert named in refusal(EmailSlots, **GOOD | {"preheader": text})
    assert named in refusal(EmailSlots, **GOOD | {"paragraphs": ["Fine.", text]})


@pytest.mark.parametrize(
    "text", ["1 < 2 and 3 > 2", "Q&A with R&D", "Day 1 of DevConf 2026", "{event_price} for {event_name}"]
)
def test_plain_text_with_odd_characters_is_accepted(text: str) -> None:
    assert EmailSlots.model_validate(GOOD | {"preheader": text}).preheader == text


@pytest.mark.parametrize(
    ("slot", "value"),
    [
        ("subject", "x" * 91),
        ("preheader", "x" * 141),
        ("paragraphs", ["x" * 601]),
        ("paragraphs", []),
        ("paragraphs", ["x"] * 6),
        ("highlights", ["x"] * 6),
        ("cta_label", "x" * 33),
        ("headline", " \n "),
    ],
)
def test_text_that_is_too_long_or_absent_is_refused_by_slot(slot: str, value: object) -> None:
    assert slot in refusal(EmailSlots, **GOOD | {slot: value})


def test_a_slot_of_one_line_has_one_line() -> None:
    assert EmailSlots.model_validate(GOOD | {"subject": " Come\r\nBcc:  all "}).subject == "Come Bcc: all"


def test_a_button_and_a_public_post_cannot_address_a_person() -> None:
    assert "{first_name}; allowed: none here" in refusal(EmailSlots, **GOOD | {"cta_label": "Go, {first_name}"})
    assert "unknown merge field {first_name}" in refusal(
        SocialSlots, linkedin="Hi {first_name}", twitter="Hi", facebook="Hi"
    )


def test_a_post_for_x_leaves_room_for_its_link() -> None:
    assert SocialSlots(linkedin="a", twitter="x" * 256, facebook="a").twitter
    assert "at most 256 characters" in refusal(SocialSlots, linkedin="a", twitter="x" * 257, facebook="a")
    assert "258 characters as X counts them" in refusal(SocialSlots, linkedin="a", twitter="🎉" * 129, facebook="a")


@pytest.mark.parametrize(("text", "length"), [("abc", 3), ("日本", 4), ("🎉", 2), ("é", 1), ("“quoted”", 8)])
def test_length_is_counted_as_x_counts(text: str, length: int) -> None:
    assert x_length(text) == length


def test_whatsapp_words_are_single_lines() -> None:
    assert WhatsAppSlots(opening="One\ntwo", message="a\t b").message == "a b"


@given(text=st.text(alphabet="{}abc_first_name 7*", max_size=30))
def test_whatever_is_accepted_carries_only_known_fields(text: str) -> None:
    try:
        accepted = EmailSlots.model_validate(GOOD | {"preheader": text}).preheader
    except ValidationError:
        return
    assert set(merge_fields(accepted)) <= set(MERGE_FIELDS)
    filled = fill(accepted, dict.fromkeys(MERGE_FIELDS, ""))
    assert "{" not in filled
    assert "}" not in filled


@given(value=st.text())
def test_a_value_is_never_filled_twice_and_always_escaped(value: str) -> None:
    values = dict.fromkeys(MERGE_FIELDS, value) | {"event_city": "twice"}
    assert fill("a {event_name} b", values) == f"a {value} b"
    html = fill_html("<i> {event_name} & {first_name}", values)
    assert "<" not in html
    assert html.unescape() == f"<i> {value} & {value}"


@pytest.mark.parametrize("kind", RESPONSES)
def test_a_response_schema_is_strict_and_describes_every_field(kind: str) -> None:
    schema = RESPONSES[kind].model_json_schema()
    for model in (schema, *schema.get("$defs", {}).values()):
        properties: dict[str, dict[str, Any]] = model["properties"]
        assert model["additionalProperties"] is False
        assert set(model["required"]) == set(properties)
        for field in properties.values():
            assert field["description"]
            assert "default" not in field
            assert "prefixItems" not in field


def test_an_answer_in_json_becomes_words_that_can_be_kept() -> None:
    words = EmailSlots.model_validate(GOOD)
    assert EmailSlots.model_validate_json(words.model_dump_json()) == words
    assert hash(words) == hash(words.model_copy())
    assert words.merge_fields() == ("event_name", "event_date", "first_name")
