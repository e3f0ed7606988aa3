"""What providers say, without the people of whom they say it."""

import pytest

from providers.words import impersonal


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Invalid 'To' Phone Number: whatsapp:+15005550001", "Invalid 'To' Phone Number: a number"),
        ("Invalid 'To' Phone Number: +1500555XXXX.", "Invalid 'To' Phone Number: a number."),
        ("The 'To' phone number: +49 151 1234-5678, is unreachable", "The 'To' phone number: a number, is unreachable"),
        ("550 5.1.1 <ada.l@people.example>: unknown user", "550 5.1.1 <an address>: unknown user"),
        (
            "You can only write to your own address (ada@people.example).",
            "You can only write to your own address (an address).",
        ),
        (
            "no such path: /emails/ada%40people.example?to=%2B4915112345678",
            "no such path: /emails/an address?to=a number",
        ),
        ("The mail.example domain is not verified.", "The mail.example domain is not verified."),
        ("post 17841400000000000 by @river has HX00000000000000000000000000000000, code +10", None),
    ],
)
def test_addresses_and_numbers_are_left_out_and_nothing_else(said: str, kept: str | None) -> None:
    assert impersonal(said) == (said if kept is None else kept)
    assert impersonal(impersonal(said)) == impersonal(said)
