"""Phone numbers: one spelling for each, and none for what cannot be dialled from abroad."""

import pytest

from models.phones import international


@pytest.mark.parametrize(
    ("said", "dialled"),
    [
        ("+49 (0)170 1234567", "+491701234567"),
        ("+4901701234567", "+491701234567"),
        ("+44 (0) 7911 123456", "+447911123456"),
        ("+39 06 1234567", "+39061234567"),  # in Italy the zero belongs to the number
        ("+351 912 345 678", "+351912345678"),
        ("+14155550199", "+14155550199"),
    ],
)
def test_a_number_is_spelt_as_it_is_dialled_from_anywhere(said: str, dialled: str) -> None:
    assert international(said) == dialled
    assert international(dialled) == dialled


@pytest.mark.parametrize("said", ["", "0170 1234567", "+1 555 123", "+49 30", "+999 123 456 789", "call me"])
def test_what_names_no_country_or_is_too_short_is_no_number(said: str) -> None:
    assert international(said) is None
