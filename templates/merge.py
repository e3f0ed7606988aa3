"""Merge fields: the only thing that is ever replaced in generated text.

A field is written `{event_name}`. Replacement is one pass over the text, so a value that looks like a field stays as
it is, and no template engine ever sees the text.
"""

import re
from collections.abc import Iterable, Mapping

from markupsafe import Markup, escape

# Each with the facts it needs; {first_name} needs none, since a stranger is greeted too.
EVENT_FIELDS = {
    "event_name": ("event.name",),
    "event_date": ("event.starts_at", "event.timezone"),
    "event_time": ("event.starts_at", "event.timezone"),
    "event_venue": ("event.venue",),
    "event_city": ("event.city",),
    "event_price": ("event.price",),
    "organizer_name": ("event.organizer_name",),
}
MERGE_FIELDS = ("first_name", *EVENT_FIELDS)
# For our own letters only: no generated text says where an event was before.
_LETTER_FIELDS = EVENT_FIELDS | {"previous_date": ("event.moved_from", "event.timezone")}

_FIELD = re.compile(r"\{([a-z_]+)\}")
_BRACED = re.compile(r"\{+[^{}]*\}+|[{}]")


def merge_fields(text: str) -> tuple[str, ...]:
    """The names of the fields the text carries, each once, in reading order."""
    return tuple(dict.fromkeys(_FIELD.findall(text)))


def facts_behind(fields: Iterable[str]) -> tuple[str, ...]:
    """The facts of the event that these merge fields show."""
    return tuple(fact for field in fields for fact in _LETTER_FIELDS.get(field, ()))


def strange_braces(text: str, allowed: Iterable[str] = MERGE_FIELDS) -> tuple[str, ...]:
    """Everything in braces that is no allowed merge field, as it stands in the text."""
    good = {f"{{{name}}}" for name in allowed}
    return tuple(braced for braced in _BRACED.findall(text) if braced not in good)


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its fields replaced."""
    return _FIELD.sub(lambda match: values[match[1]], text)


def fill_html(text: str, values: Mapping[str, str]) -> Markup:
    """The text with its fields replaced, both escaped for HTML."""
    return Markup(_FIELD.sub(lambda match: escape(values[match[1]]), escape(text)))  # noqa: S704 - both were escaped
