"""Renders email: once per campaign with blanks for the person, then only the blanks are filled for each recipient."""

import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup, escape

from templates.blocks import Block, Colors, draw
from templates.composing import RenderedEmail, Setting, compose, set_apart
from templates.designs import (
    DESIGNS,
    MailWords,
    design_of,
    missing_event_fields,
    missing_person_fields,
    missing_subject_fields,
)
from templates.errors import MissingField, UnfitField
from templates.facts import EventFacts, PersonFacts, one_line, web_address
from templates.includes import INCLUDES, Include
from templates.subjects import ApprovalFacts, DeliverableFacts, SponsorFacts, Subjects, subject_values
from templates.when import hours_elsewhere, zone

_PERSON = ("first_name", "company", "ticket_type", "ticket_code", "unsubscribe_url", "why")
_NOTHING: Mapping[str, Include] = {}
_NOBODY = Subjects()
# Unguessable, so that no text from outside can pass for a blank.
_SECRET = secrets.token_hex(6)
_BLANK = re.compile(f"\ue000{_SECRET}([a-z_.]+)\ue001")


def email_templates() -> tuple[str, ...]:
    """The names of the email templates."""
    return tuple(DESIGNS)


def render_email(
    template: str,
    slots: MailWords | None,
    event: EventFacts,
    person: PersonFacts,
    *,
    includes: Mapping[str, Include] = _NOTHING,
    sponsor: SponsorFacts | None = None,
    deliverable: DeliverableFacts | None = None,
    approval: ApprovalFacts | None = None,
) -> RenderedEmail:
    """The mail to one person, personal and shared includes together; all that is missing is named at once."""
    shared = {name: include for name, include in includes.items() if not INCLUDES[include.kind].personal}
    personal = {name: include for name, include in includes.items() if name not in shared}
    try:
        prepared = prepare_email(template, slots, event, includes=shared)
    except MissingField as absent:
        design = design_of(template)
        parts = design.words(slots)
        about = subject_values(design.subject_fields(parts), _about(sponsor, deliverable, approval), None)
        others = (*missing_person_fields(template, person), *missing_subject_fields(parts, about))
        raise MissingField(template, (*absent.fields, *others)) from None
    return prepared.for_person(person, includes=personal, sponsor=sponsor, deliverable=deliverable, approval=approval)


def prepare_email(
    template: str, slots: MailWords | None, event: EventFacts, *, includes: Mapping[str, Include] = _NOTHING
) -> "PreparedEmail":
    """Everything about the mail that is the same for all its readers; kept, so that asking again costs nothing.

    `includes` are those that are the same for all; a personal one is refused and belongs to `for_person`. Raises
    MissingField naming every absent fact of the event.
    """
    return _prepared(template, slots, event, tuple(includes.items()))


@lru_cache(maxsize=64)
def _prepared(
    template: str, slots: MailWords | None, event: EventFacts, includes: tuple[tuple[str, Include], ...]
) -> "PreparedEmail":
    return PreparedEmail(template, slots, event, dict(includes))


class PreparedEmail:
    """A mail with blanks for the person.

    People differ not only in what fills a blank but in which blanks there are (a ticket, a clock of their own, an
    include). The mail is therefore rendered once for every such shape of person; there are a few dozen at most.
    """

    def __init__(
        self, template: str, slots: MailWords | None, event: EventFacts, includes: Mapping[str, Include]
    ) -> None:
        design = design_of(template)
        absent = missing_event_fields(template, slots, event)
        if absent:
            raise MissingField(template, absent)
        if design.takes is None and slots is not None:
            raise UnfitField(f"template '{template}' has words of its own and takes no {type(slots).__name__}")
        if design.takes is not None and not isinstance(slots, design.takes):
            raise UnfitField(f"template '{template}' takes {design.takes.__name__}, not {type(slots).__name__}")
        self._template, self._slots, self._event, self._design = template, slots, event, design
        self._zone = zone(event.timezone)
        self._colors = Colors(event.brand, event.ink, event.accent)
        self._blocks = {name: self._shared(name, include) for name, include in includes.items()}
        self._parts = design.words(slots)
        self._subject_fields = design.subject_fields(self._parts)
        self._forms: dict[object, _Forms] = {}

    def for_person(
        self,
        person: PersonFacts,
        *,
        includes: Mapping[str, Include] = _NOTHING,
        sponsor: SponsorFacts | None = None,
        deliverable: DeliverableFacts | None = None,
        approval: ApprovalFacts | None = None,
    ) -> RenderedEmail:
        """The mail to this person, about this sponsor, deliverable or approval, with the person's own includes.

        Raises MissingField naming every absent fact of these.
        """
        about = _about(sponsor, deliverable, approval)
        values = {name: one_line(getattr(person, name)) for name in _PERSON}
        if self._subject_fields:
            values |= subject_values(self._subject_fields, about, self._zone)
        if sponsor is not None and not values["first_name"]:
            values["first_name"] = one_line(sponsor.contact_name)
        absent = missing_person_fields(self._template, person)
        if self._subject_fields:
            absent += missing_subject_fields(self._parts, values)
        if absent:
            raise MissingField(self._template, absent)
        if values["unsubscribe_url"]:
            web_address("person.unsubscribe_url", values["unsubscribe_url"])
        their_hours, tone = self._hours_for(person.timezone), self._design.tone(about)
        shape = their_hours, tone, tuple(includes), tuple(map(bool, values.values()))
        forms = self._forms.get(shape)
        if forms is None:
            forms = self._forms[shape] = self._made_for(values, Setting(their_hours, tone), includes)
        marked_up: dict[str, str] = {name: escape(value) for name, value in values.items()}
        for name, include in includes.items():
            _check(name, include)
            block = draw(include, self._colors)
            marked_up[f"includes.{name}"], values[f"includes.{name}"] = block
        text = forms.text.filled(values)
        subject, html = forms.subject.filled(values), forms.html.filled(marked_up)
        return RenderedEmail(subject, html, set_apart(text) if includes else text)

    def _made_for(self, values: Mapping[str, str], setting: Setting, includes: Mapping[str, Include]) -> "_Forms":
        for name in includes:
            if name in self._blocks:
                raise UnfitField(f"includes.{name} is already in the prepared mail; give it once")
        blanks = {name: _blank(name) if value else "" for name, value in values.items()}
        personal = {name: _block_blank(f"includes.{name}") for name in includes}
        setting = setting._replace(blocks={**self._blocks, **personal})
        return _Forms(*map(_Form, compose(self._template, self._slots, self._event, blanks, setting)))

    def _shared(self, name: str, include: Include) -> Block:
        _check(name, include)
        if INCLUDES[include.kind].personal:
            raise UnfitField(f"includes.{name} is personal; give it to for_person, or everybody would get one person's")
        return draw(include, self._colors)

    def _hours_for(self, timezone: str | None) -> str:
        if timezone is None or self._zone is None or self._event.starts_at is None:
            return ""
        return hours_elsewhere(self._event.starts_at, self._zone, timezone)


def _about(
    sponsor: SponsorFacts | None, deliverable: DeliverableFacts | None, approval: ApprovalFacts | None
) -> Subjects:
    if sponsor is None and deliverable is None and approval is None:
        return _NOBODY
    return Subjects(
        sponsor=sponsor or _NOBODY.sponsor,
        deliverable=deliverable or _NOBODY.deliverable,
        approval=approval or _NOBODY.approval,
    )


def _check(name: str, include: Include) -> None:
    if include.kind != name:
        raise UnfitField(f"includes.{name} holds an include of kind '{include.kind}'; give each under its kind")


def _blank(name: str) -> str:
    return f"\ue000{_SECRET}{name}\ue001"


def _block_blank(name: str) -> Block:
    return Block(Markup(_blank(name)), _blank(name))  # noqa: S704 - a blank has nothing to escape


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
