"""Facts refuse what no mail could use, and colours stay readable."""

from datetime import UTC, datetime

import pytest

from templates import EventFacts, MissingField, UnfitField
from templates.facts import DARK_INK, LIGHT_INK, one_line


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"starts_at": datetime(2026, 5, 12, 9)}, "event.starts_at 2026-05-12T09:00:00 has no UTC offset"),  # noqa: DTZ001
        ({"timezone": "Mars/Olympus"}, "event.timezone 'Mars/Olympus'"),
        ({"brand_color": "red;}"}, "event.brand_color 'red;}'"),
        ({"url": "javascript:alert(1)"}, "event.url 'javascript:alert(1)'"),
        ({"register_url": 'https://x.example/" onclick="'}, "event.register_url"),
        ({"details": {"app_link": "app"}}, "event.details.app_link 'app'"),
        ({"details": {"parking": {"level": 2}}}, "event.details.parking is dict, not text"),
        (
            {"starts_at": datetime(2026, 5, 2, tzinfo=UTC), "ends_at": datetime(2026, 5, 1, tzinfo=UTC)},
            "event.ends_at is before event.starts_at",
        ),
    ],
)
def test_an_unfit_fact_is_refused_by_name(facts: dict[str, object], named: str) -> None:
    with pytest.raises(UnfitField) as refusal:
        EventFacts(**facts)  # type: ignore[arg-type]
    assert named in str(refusal.value)


@pytest.mark.parametrize(
    ("brand", "ink", "accent"),
    [("#2f4ad0", LIGHT_INK, "#2f4ad0"), ("#ffd400", DARK_INK, DARK_INK), ("#000000", LIGHT_INK, "#000000")],
)
def test_text_on_and_in_the_brand_colour_can_be_read(brand: str, ink: str, accent: str) -> None:
    event = EventFacts(brand_color=brand)
    assert (event.ink, event.accent) == (ink, accent)


def test_a_map_is_offered_only_for_an_address() -> None:
    assert EventFacts(venue="Hall").map_url == ""
    assert EventFacts(venue="Hall & Co", address="Street 1").map_url.endswith("query=Hall+%26+Co%2C+Street+1")


@pytest.mark.parametrize(
    ("text", "line"), [("a\r\nb", "a b"), (" a  b ", "a b"), ("\u202eevil", "evil"), ("Zoë 👩‍💻", "Zoë 👩‍💻")]
)
def test_one_line_keeps_letters_and_drops_controls(text: str, line: str) -> None:
    assert one_line(text) == line


def test_a_missing_field_names_whose_it_is() -> None:
    refusal = MissingField("final_reminder", ("event.venue", "event.city", "person.why"))
    assert str(refusal) == (
        "template 'final_reminder' needs event.venue, event.city and person.why, which are empty; "
        "set them on the event and the person"
    )
