"""Which message is answered, whether a machine answers, and until when somebody is away."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.replies import answered_message, away_until, is_automatic, reply_address

TODAY = date(2026, 11, 22)


@given(st.uuids())
def test_a_reply_address_leads_back_to_its_message(message_id: UUID) -> None:
    address = reply_address(message_id, "in.example")
    assert address == address.lower()
    assert len(address.partition("@")[0]) <= 64
    assert answered_message(["other@x.example", f"Hall <{address.upper()}>"]) == message_id


@given(st.text(max_size=60))
def test_any_other_address_leads_nowhere_and_breaks_nothing(text: str) -> None:
    assert answered_message([text, f"reply+{text}@in.example"]) is None or len(text) == 26


@pytest.mark.parametrize(
    ("headers", "subject", "automatic"),
    [
        ({"auto-submitted": "auto-replied"}, "Re: Proposal", True),
        ({"auto-submitted": "auto-generated; owner=x"}, "", True),
        ({"auto-submitted": "no"}, "Re: Proposal", False),
        ({"x-autoreply": "yes"}, "Re: Proposal", True),
        ({"precedence": "Bulk"}, "Re: Proposal", True),
        ({"precedence": "first-class"}, "Re: Proposal", False),
        ({"return-path": "<>"}, "Re: Proposal", True),
        ({}, "Automatic reply: Proposal", True),
        ({}, "Auto-Reply: Proposal", True),
        ({}, "Out of Office Re: Proposal", True),
        ({}, "Automatische Antwort: Angebot", True),
        ({}, "Abwesenheitsnotiz", True),
        ({}, "Réponse automatique : Proposition", True),
        ({}, "Undeliverable: Proposal", True),
        ({}, "Re: Automatic lighting at our booth", False),
        ({}, "Re: Out of office furniture?", False),
        ({}, "Autograph session", False),
        ({}, "", False),
    ],
)
def test_a_machine_is_told_from_a_person(headers: dict[str, str], subject: str, automatic: bool) -> None:
    assert is_automatic(headers, subject) is automatic


def test_a_mail_servers_complaint_is_no_answer_of_a_person() -> None:
    assert is_automatic({}, "Your message", "Mail <MAILER-DAEMON@x.example>")


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("I am away until 2026-12-07.", date(2026, 12, 7)),
        ("I am out from 1 December to 7 December 2026.", date(2026, 12, 7)),
        ("Back on December 7th, 2026!", date(2026, 12, 7)),
        ("I return on Monday, 7th of December.", date(2026, 12, 7)),
        ("Ich bin bis 07.12.2026 nicht im Büro.", date(2026, 12, 7)),
        ("Ab dem 7. Dezember bin ich wieder da.", date(2026, 12, 7)),
        ("Je serai de retour le 7 décembre 2026.", date(2026, 12, 7)),
        ("Vuelvo el 7 de diciembre de 2026.", date(2026, 12, 7)),
        ("Away until 5 Jan.", date(2027, 1, 5)),
        ("Away until 12/07/2026.", None),
        ("I left the company on 3 March 2024.", None),
        ("Back on 31 February.", None),
        ("Founded 1901-01-01, we close 2099-01-01.", None),
        ("I am away.", None),
    ],
)
def test_the_day_until_which_somebody_is_away_is_the_latest_ahead(text: str, until: date | None) -> None:
    assert away_until(text, TODAY) == until


@given(st.text(), st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_no_text_breaks_the_search_for_a_day(text: str, today: date) -> None:
    found = away_until(text, today)
    assert found is None or found >= today
