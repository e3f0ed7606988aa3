"""Phone numbers as they are dialled from anywhere: E.164."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult


def international(said: str) -> str | None:
    """A number with + and country code as E.164, without what is dialled within its country only; None if it cannot be one.

    Whether somebody has the number is not asked: blocks of numbers are handed out faster than libraries learn of them.
    """
    try:
        number = phonenumbers.parse(said)
    except NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
