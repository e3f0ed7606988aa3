"""Conditions: what may be said, when they hold, and how an error points at the wrong word."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.conditions import ConditionError, Term, parse

FACTS = {"proposal_opened"}
SUBJECT = {"status": "published", "city": "Sant'Agata"}


@pytest.mark.parametrize(
    "text",
    [
        "proposal_opened",
        "proposal_opened == true",
        "proposal_opened != false",
        "not sponsor_responded",
        "sponsor_responded == false",
        "status == 'published'",
        'city == "Sant\'Agata"',
        "status != 'draft'",
        "missing != 'x'",
        "proposal_opened and not sponsor_responded and status=='published'",
    ],
)
def test_a_condition_holds_for_what_is_so(text: str) -> None:
    assert parse(text).holds(FACTS, SUBJECT)
    assert parse(text).unmet(FACTS, SUBJECT) == ""


@pytest.mark.parametrize(
    ("text", "unmet"),
    [
        ("sponsor_responded", "sponsor_responded"),
        ("proposal_opened == false", "not proposal_opened"),
        ("status == 'draft'", "status == 'draft'"),
        ("missing == 'x'", "missing == 'x'"),
        (
            "proposal_opened and sponsor_responded and status != 'published'",
            "sponsor_responded and status != 'published'",
        ),
    ],
)
def test_a_condition_names_the_parts_that_do_not_hold(text: str, unmet: str) -> None:
    assert not parse(text).holds(FACTS, SUBJECT)
    assert parse(text).unmet(FACTS, SUBJECT) == unmet


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("proposal_opened or sponsor_responded", "or"),
        ("not", ""),
        ("proposal_opened and", ""),
        ("status == published", "published"),
        ("status == 'published", "'"),
        ("not proposal_opened == true", "=="),
        ("status = 'published'", "="),
        ("a b", "b"),
        ("and", "and"),
        ("", ""),
        ("== 'x'", "=="),
    ],
)
def test_an_error_underlines_the_wrong_word(text: str, word: str) -> None:
    with pytest.raises(ConditionError) as error:
        parse(text)
    _, shown, carets = str(error.value).split("\n")
    assert shown.removeprefix("    ") == text
    assert shown[carets.index("^") : carets.rindex("^") + 1] == word


terms = st.builds(
    Term,
    st.sampled_from(["opened", "responded", "status"]),
    st.none() | st.text("abc \"'", max_size=6).filter(lambda text: not {"'", '"'} <= set(text)),
    st.booleans(),
)


@given(st.lists(terms, min_size=1, max_size=4))
def test_a_condition_that_is_written_down_reads_the_same(written: list[Term]) -> None:
    assert parse(" and ".join(map(str, written))).terms == tuple(written)


@given(
    terms,
    st.sets(st.sampled_from(["opened", "responded"])),
    st.dictionaries(st.just("status"), st.text("abc", max_size=2)),
)
def test_exactly_one_of_a_term_and_its_opposite_holds(term: Term, facts: set[str], subject: dict[str, str]) -> None:
    assert term.holds(facts, subject) is not term.negated().holds(facts, subject)


@given(st.text(max_size=40))
def test_no_text_at_all_raises_anything_but_a_condition_error(text: str) -> None:
    with suppress(ConditionError):
        assert parse(text)
