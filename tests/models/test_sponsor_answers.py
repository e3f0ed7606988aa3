"""Answers by mail: from the company or from somebody else, a refusal or not."""

import pytest

from models.answers import is_refusal, own_words, same_company


@pytest.mark.parametrize(
    ("sender", "written_to"),
    [
        ("Ada <ada@acme.example>", "ada@acme.example"),
        ("Bob <BOB@ACME.example>", "ada@acme.example"),
        ("bob@mail.acme.example", "ada@acme.example"),
        ("bob@acme.example", "ada@eu.acme.example"),
        ("ada@gmail.com", "ada@gmail.com"),
    ],
)
def test_the_same_person_and_a_colleague_answer_for_the_company(sender: str, written_to: str) -> None:
    assert same_company(sender, written_to)


@pytest.mark.parametrize(
    ("sender", "written_to"),
    [
        ("bob@gmail.com", "ada@gmail.com"),
        ("bob@acme.example", "ada@acme-partners.example"),
        ("bob@notacme.example", "ada@acme.example"),
        ("bob@other.example", "ada@acme.example"),
        ("", "ada@acme.example"),
        ("", ""),
        ("nonsense", "ada@acme.example"),
    ],
)
def test_a_stranger_and_a_neighbour_at_the_mail_provider_do_not(sender: str, written_to: str) -> None:
    assert not same_company(sender, written_to)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, but we are not interested.",
        "No, thank you.",
        "We'll pass on this one. Best, Ada",
        "We have to decline this year.",
        "Unfortunately we can't sponsor events at the moment.",
        "Please remove us from your list.",
        "Vielen Dank, aber wir haben kein Interesse.",
        "Obrigado, mas não temos interesse.",
        "We are not interested.\n\nOn Tue, 1 Dec 2026 at 10:00, River Conferences <hello@river.example> wrote:\n> Shall we talk?",
    ],
)
def test_a_refusal_is_known(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sounds interesting, tell me more.",
        "I'll pass this on to marketing.",
        "We'll pass it along, thanks.",
        "We are not interested in a booth, but what would a workshop cost?",
        "Let's talk.\n\n> If you are not interested, a no is just as welcome.",
        "Yes!\n\n-----Original Message-----\nFrom: hello@river.example\nWe are not interested",
    ],
)
def test_what_is_no_refusal_is_left_to_people(text: str) -> None:
    assert not is_refusal(text)


def test_own_words_end_where_the_quotation_begins() -> None:
    assert own_words("Gern!\r\n\r\nAm 1.12.2026 um 10:00 schrieb River <hello@river.example>:\r\n> Hallo") == "Gern!"
