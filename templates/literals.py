"""Finds dates, times and prices written out in text: they may change, so generated text must carry merge fields."""

import re
import unicodedata
from collections.abc import Iterator

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|apr(?:il)?|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    # "may" and "march" are also verbs: only the capitalised ones are months
    r"|nov(?:ember)?|dec(?:ember)?|(?-i:Mar(?:ch)?|MAR(?:CH)?|May|MAY))\b\.?"
)
_ORDINAL = (
    r"(?:(?:twenty|thirty)-)?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)"
    r"|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth"
    r"|twentieth|thirtieth"
)
_DAY = rf"(?:(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?|{_ORDINAL})"
_NUMBER = r"\d[\d.,\u202f']*"
_CURRENCY = (
    r"USD|EUR|GBP|CHF|CAD|AUD|NZD|SGD|HKD|JPY|CNY|INR|BRL|MXN|ZAR|NGN|KES|AED|SAR|SEK|NOK|DKK|PLN|CZK|HUF|TRY|ILS|COP"
    r"|ARS|CLP|PEN|KRW|PHP|IDR|MYR|THB|VND"
)
_CURRENCY_WORD = r"dollars?|euros?|pounds?|cents?|francs?|rupees?|pesos?|reais|yen|yuan|bucks?|quid"
_TENS = r"(?:ten|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred)"
_SIGN = r"[$€£¥₹₦₽₩₺₪₫฿₴]"
# "$10M raised" is a figure of the trade, not the price of a ticket.
_NO_FORTUNE = r"(?![\d.,]*\s?(?:[mb]n?|million|billion)\b)"

_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # dates in figures: 2026-05-12, 12/05, 12.05.2026
        r"\b\d{4}([-/.])\d{1,2}\1\d{1,2}\b",
        r"(?<![\d/.])(?!24/7\b)(?:0?[1-9]|[12]\d|3[01])/(?:0?[1-9]|[12]\d|3[01])(?:/\d{2,4})?(?![\d/])",
        r"(?<![\d.])(?:0?[1-9]|[12]\d|3[01])([.-])(?:0?[1-9]|1[0-2]|[12]\d|3[01])\1(?:\d{4}|\d{2})(?!\d)",
        # dates in words: 12 May, May 12th, the twelfth of May, May 2026, in May, Tuesday
        rf"\b{_DAY}(?:\s*(?:-|–|—|to|and|&|/)\s*{_DAY})?[\s-]*(?:of\s+)?{_MONTH}(?:,?\s+\d{{4}}\b)?",
        rf"\b{_MONTH}\s*(?:the\s+)?{_DAY}\b(?:,?\s+\d{{4}}\b)?",
        rf"\b{_MONTH},?\s+\d{{4}}\b",
        rf"\b(?:in|this|next|early|late|mid|until|by|before|since|from|end of)[\s-]+{_MONTH}",
        r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b",
        # times: 9 am, 9:30 p.m., 14:00, 14h30, nine o'clock, at noon
        r"\b(?:1[0-2]|0?[1-9])(?:[:.][0-5]\d)?\s*(?:am\b|pm\b|a\.m\.|p\.m\.)",
        r"(?<![\d:])(?:[01]?\d|2[0-4]):[0-5]\d(?![\d:])",
        r"\b(?:[01]?\d|2[0-3])h[0-5]\d\b",
        r"\b(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\s*o['’]?clock\b",
        r"\b(?:at|by|until|till|from|before|after)\s+(?:noon|midday|midnight)\b",
        # prices: $199, 99 €, EUR 99, 99 dollars, 20 % off
        rf"(?:\b(?:US|CA|AU|NZ|HK|S|R))?{_SIGN}\s?{_NO_FORTUNE}{_NUMBER}",
        rf"{_NUMBER}\s?{_SIGN}",
        rf"\b(?:{_CURRENCY}|Rs\.?|kr\.?|zł)\s?{_NO_FORTUNE}{_NUMBER}",
        rf"(?<![\w.]){_NUMBER}\s?(?:{_CURRENCY}|{_CURRENCY_WORD}|kr|zł)\b",
        rf"\b{_TENS}(?:-\w+)?\s+(?:{_CURRENCY_WORD})\b",
        r"\b\d{1,3}\s?(?:%|percent|per cent)\s+(?:off|discount|cheaper)\b",
    )
)


def literal_dates(text: str) -> tuple[str, ...]:
    """Every date, weekday, time and price written out in the text, in reading order, each as it stands there.

    English only. Merge fields, bare years, counts ("400 attendees"), "Day 1" and "24/7" are none.
    """
    return tuple(found for _, found in sorted(_found(_plain(text))))


def _found(text: str) -> Iterator[tuple[int, str]]:
    taken: set[int] = set()
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if taken.isdisjoint(range(*match.span())):
                taken.update(range(*match.span()))
                yield match.start(), match.group().strip()


def _plain(text: str) -> str:
    """Full-width digits as digits, invisible characters gone, merge fields out of sight."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return re.sub(r"\{[^{}]*\}", "\N{OBJECT REPLACEMENT CHARACTER}", text)
