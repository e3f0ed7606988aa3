"""The facts of an event, found in whatever JSON a prompt carries."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

FACT_KEYS = {
    "name": ("event_name", "name", "title"),
    "city": ("city", "event_city", "location"),
    "audience": ("audience", "target_audience", "audiences"),
    "highlights": ("highlights", "key_points", "topics", "sessions", "speakers"),
    "organizer": ("organizer_name", "organizer", "host"),
    "sponsor": ("sponsor_name", "sponsor", "company"),
}
# Where a prompt lists the merge fields that would stay empty.
EMPTY_FIELDS = "merge_fields_without_value"
MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*"
# Dates, times and prices written out: such facts are left to merge fields.
LITERAL = re.compile(
    rf"\d[-/.]\d|\d:\d\d|\d\s*(?:am|pm)\b|[$€£]|\b(?:eur|usd|gbp)\b|%|\b\d+(?:st|nd|rd|th)?\s+{MONTH}\b|\b{MONTH}\s+\d"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day",
    re.IGNORECASE,
)
MARKUP = re.compile(r"[{}<>]|https?://|www\.")


@dataclass(frozen=True)
class Facts:
    """What the request tells about the event; dates, times and prices written out are left aside."""

    values: Mapping[str, str] = field(default_factory=dict)
    highlights: tuple[str, ...] = ()
    empty_fields: frozenset[str] = frozenset()

    @classmethod
    def found_in(cls, text: str) -> "Facts":
        """The facts in the first JSON object of the text, wherever in it they stand."""
        levels = _levels(_first_object(text))
        found = {fact: next((level[key] for level in levels for key in keys if level.get(key)), None)
                 for fact, keys in FACT_KEYS.items()}  # fmt: skip
        highlights = tuple(_lower(text) for text in _texts(found.pop("highlights")) if not LITERAL.search(text))
        values = {fact: text for fact, value in found.items() if (text := " and ".join(_texts(value)[:2]))}
        values = {fact: text for fact, text in values.items() if not LITERAL.search(text)}
        if "audience" in values:
            values["audience"] = _lower(values["audience"])
        values |= {key: tagged(values[fact]) for key, fact in (("tag", "name"), ("citytag", "city")) if fact in values}
        values |= dict(zip(("highlight", "second"), highlights, strict=False))
        empty = next((level[EMPTY_FIELDS] for level in levels if level.get(EMPTY_FIELDS)), ())
        return cls(values, highlights, frozenset(str(name).strip("{}") for name in empty))


def _first_object(text: str) -> Any:
    start = text.find("{")
    while start >= 0:
        end = text.rfind("}") + 1
        while end > start:
            try:
                return orjson.loads(text[start:end])
            except orjson.JSONDecodeError:
                end = text.rfind("}", start, end - 1) + 1
        start = text.find("{", start + 1)
    return {}


def _levels(value: Any) -> list[dict[str, Any]]:
    """Every object in the value, outermost first; an object called `event` before all others."""
    levels, queue = [], [value]
    while queue:
        item = queue.pop(0)
        if isinstance(item, dict):
            levels.append(item)
            queue.extend(item.values())
        elif isinstance(item, list):
            queue.extend(item)
    event = next((level["event"] for level in levels if isinstance(level.get("event"), dict)), None)
    return [event, *levels] if event else levels


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        text = " ".join(value.split()).rstrip(".")
        return [text] if text and not MARKUP.search(text) else []
    if isinstance(value, dict):
        return _texts(value.get("title") or value.get("name"))
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []


def _lower(text: str) -> str:
    """The text for the middle of a sentence: an article or plain word loses its capital, a name or acronym keeps it."""
    first, _, rest = text.partition(" ")
    plain = first[1:].islower() and (not rest or rest[0].islower())
    return text[0].lower() + text[1:] if plain else text


def tagged(text: str) -> str:
    """The text as one word, as in a hashtag."""
    return "".join(word[0].upper() + word[1:] for word in re.findall(r"\w+", text))
