"""Renders email: once per campaign with blanks for the person, then only the blanks are filled for each recipient."""

import re
import secrets
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from markupsafe import escape

from templates.designs import DESIGNS, DETAIL_TITLES, design_of, missing_event_fields, missing_person_fields
from templates.errors import MissingField, UnfitField
from templates.facts import EventFacts, PersonFacts, one_line, web_address
from templates.merge import fill, fill_html
from templates.slots import EmailSlots, Notice
from templates.sources import html_template, text_template
from templates.when import hours_elsewhere, zone
from templates.words import event_words, merge_values

_PERSON = ("first_name", "company", "ticket_type", "ticket_code", "unsubscribe_url", "why")
# Unguessable, so that no text from outside can pass for a blank.
_SECRET = secrets.token_hex(6)
_BLANK = re.compile(f"\ue000{_SECRET}([a-z_]+)\ue001")
# Mail programs show the first words of the body after the preheader unless invisible characters keep them away.
_PREHEADER_PADDING = "\u034f\u200c\u00a0" * 30


class RenderedEmail(NamedTuple):
    """One mail as it is sent."""

    subject: str
    html: str
    text: str


def email_templates() -> tuple[str, ...]:
    """The names of the email templates."""
    return tuple(DESIGNS)


def render_email(
    template: str, slots: EmailSlots | Notice | None, event: EventFacts, person: PersonFacts
) -> RenderedEmail:
    """The mail to one person. Raises MissingField naming every absent fact of event and person at once."""
    try:
        prepared = prepare_email(template, slots, event)
    except MissingField as absent:
        raise MissingField(template, (*absent.fields, *missing_person_fields(template, person))) from None
    return prepared.for_person(person)


@lru_cache(maxsize=32)
def prepare_email(template: str, slots: EmailSlots | Notice | None, event: EventFacts) -> "PreparedEmail":
    """Everything about the mail that is the same for all its readers; kept, so that asking again costs nothing."""
    return PreparedEmail(template, slots, event)


class PreparedEmail:
    """A mail with blanks for the person.

    People differ not only in what fills a blank but in which blanks there are (a ticket, a clock of their own). The
    mail is therefore rendered once for every such shape of person; there are a few dozen at most.
    """

    def __init__(self, template: str, slots: EmailSlots | Notice | None, event: EventFacts) -> None:
        design = design_of(template)
        absent = missing_event_fields(template, slots, event)
        if absent or slots is None:
            raise MissingField(template, absent)
        if not isinstance(slots, design.takes):
            raise UnfitField(f"template '{template}' takes {design.takes.__name__}, not {type(slots).__name__}")
        self._template, self._slots, self._event = template, slots, event
        self._zone = zone(event.timezone)
        self._forms: dict[tuple[str, tuple[bool, ...]], _Forms] = {}

    def for_person(self, person: PersonFacts) -> RenderedEmail:
        """The mail to this person. Raises MissingField naming every absent fact of the person."""
        if absent := missing_person_fields(self._template, person):
            raise MissingField(self._template, absent)
        values = {name: one_line(getattr(person, name)) for name in _PERSON}
        if values["unsubscribe_url"]:
            web_address("person.unsubscribe_url", values["unsubscribe_url"])
        shape = self._hours_for(person.timezone), tuple(map(bool, values.values()))
        forms = self._forms.get(shape)
        if forms is None:
            forms = self._forms[shape] = self._made_for(values, shape[0])
        escaped = {name: escape(value) for name, value in values.items()}
        return RenderedEmail(forms.subject.filled(values), forms.html.filled(escaped), forms.text.filled(values))

    def _made_for(self, values: Mapping[str, str], their_hours: str) -> "_Forms":
        blanks = {name: f"\ue000{_SECRET}{name}\ue001" if value else "" for name, value in values.items()}
        return _Forms(*map(_Form, compose(self._template, self._slots, self._event, blanks, their_hours)))

    def _hours_for(self, timezone: str | None) -> str:
        if timezone is None or self._zone is None or self._event.starts_at is None:
            return ""
        return hours_elsewhere(self._event.starts_at, self._zone, timezone)


class _Form:
    """A text with blanks, cut at them."""

    __slots__ = ("_blanks", "_pieces")

    def __init__(self, text: str) -> None:
        self._pieces = _BLANK.split(text)
        self._blanks = [(place, self._pieces[place]) for place in range(1, len(self._pieces), 2)]

    def filled(self, values: Mapping[str, str]) -> str:
        pieces = self._pieces.copy()
        for place, name in self._blanks:
            pieces[place] = values[name]
        return "".join(pieces)


class _Forms(NamedTuple):
    subject: _Form
    html: _Form
    text: _Form


def compose(
    template: str, slots: EmailSlots | Notice, event: EventFacts, person: Mapping[str, str], their_hours: str
) -> RenderedEmail:
    """The mail for the person's values as given, be they words or blanks."""
    design, words = design_of(template), event_words(event)
    values = merge_values(words, person["first_name"])

    def plain(text: str) -> str:
        return fill(text, values) if isinstance(slots, EmailSlots) else text

    def marked_up(text: str) -> str:
        return fill_html(text, values) if isinstance(slots, EmailSlots) else text

    subject = plain(slots.subject)
    context = {
        "subject": subject,
        "preheader": plain(slots.preheader if isinstance(slots, EmailSlots) else slots.paragraphs[0]),
        "preheader_padding": _PREHEADER_PADDING,
        "event": words,
        "person": person,
        "their_hours": their_hours,
        "campaign": isinstance(slots, EmailSlots),
        "eyebrow": design.eyebrow,
        "sign_off": design.sign_off,
        "urgent": design.urgent,
        "price_shown": design.price_shown,
        "action_url": words[design.action] if isinstance(slots, EmailSlots) else slots.action_url,
        "blocks": [
            (*DETAIL_TITLES[key], event.details[key])
            for key in (name.removeprefix("details.") for name in design.blocks)
            if key in DETAIL_TITLES and event.details.get(key)
        ],
    }
    html = html_template(design.file).render(context, words=_words(slots, marked_up))
    text = text_template(design.file).render(context, words=_words(slots, plain))
    return RenderedEmail(one_line(subject), html, re.sub(r"\n{3,}", "\n\n", text).strip() + "\n")


def _words(slots: EmailSlots | Notice, word: Callable[[str], str]) -> dict[str, object]:
    shared: dict[str, object] = {
        "headline": word(slots.headline),
        "paragraphs": [word(text) for text in slots.paragraphs],
    }
    if isinstance(slots, Notice):
        return shared | {"rows": slots.rows, "cta_label": slots.action_label}
    return shared | {"highlights": [word(text) for text in slots.highlights], "cta_label": word(slots.cta_label)}
