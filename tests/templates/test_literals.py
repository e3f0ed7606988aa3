"""Literal dates, times and prices are found, and nothing that only looks like one."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates import literal_dates

FOUND = (
    "12 May", "May 12, 2026", "May 12th", "the 12th of May", "12–13 May", "twelfth of June", "May 2026", "in October",
    "2026-05-12", "12/05", "31/12/2026", "12.05.2026", "12-May", "１２ May", "1\u200b2 May", "Tuesday", "by Friday",
    "9 am", "5pm", "at 9:30 p.m.", "14:00", "14h30", "nine o'clock", "at noon",
    "$199", "US$ 49", "EUR 99", "99 USD", "199€", "€1.299,00", "199 euros", "ninety-nine dollars", "Rs. 500", "20% off",
)  # fmt: skip
PASSED = (
    "Day 1", "400 attendees", "DevConf 2026", "24/7 support", "you may bring 2 guests", "march 5 miles", "3 tracks",
    "100% remote", "I am in", "version 2.0", "top 10", "$10M raised", "Room 12", "90 minutes", "1:1 meetings",
    "May we?", "a 2h workshop", "ISO 27001", "9 amazing talks", "over 1,000 people", "second to none", "A/B tests",
    "8 out of 10", "{event_date} at {event_time} for {event_price}",
)  # fmt: skip


@pytest.mark.parametrize("text", FOUND)
def test_a_written_date_time_or_price_is_found(text: str) -> None:
    assert literal_dates(f"Join us {text}, everybody.")


@pytest.mark.parametrize("text", PASSED)
def test_a_number_that_is_no_date_passes(text: str) -> None:
    assert literal_dates(f"Join us: {text}, everybody.") == ()


def test_findings_come_in_reading_order_as_they_were_written() -> None:
    assert literal_dates("From $199 on 12 May 2026 at 9 am") == ("$199", "12 May 2026", "9 am")


@given(
    day=st.dates(date(1990, 1, 1), date(2090, 12, 31)),
    form=st.sampled_from(("%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%d %b", "%b %d", "%d/%m/%Y", "%m/%d", "%A", "%B %Y")),
)
def test_every_day_in_every_common_form_is_found(day: date, form: str) -> None:
    assert literal_dates(f"See you {day.strftime(form)}!")


@given(moment=st.times(), form=st.sampled_from(("%H:%M", "%I %p", "%I:%M %p", "%I:%M%p")))
def test_every_time_of_day_is_found(moment: time, form: str) -> None:
    assert literal_dates(f"Doors open {moment.strftime(form).lower()}.")


@given(
    amount=st.integers(0, 10**6) | st.decimals(0, 10**4, places=2),
    form=st.sampled_from(("${}", "€ {}", "{} €", "EUR {}", "{} USD", "{} dollars", "£{}")),
)
def test_every_price_is_found(amount: object, form: str) -> None:
    assert literal_dates(f"Tickets from {form.format(amount)} only")


@given(count=st.integers(0, 10**7), noun=st.sampled_from(("attendees", "talks", "seats", "minutes", "people")))
def test_no_count_of_things_is_taken_for_a_date(count: int, noun: str) -> None:
    assert literal_dates(f"Join {count} {noun} on Day {count}") == ()


@given(text=st.text())
def test_any_text_can_be_examined(text: str) -> None:
    assert isinstance(literal_dates(text), tuple)
