"""WhatsApp templates: an approved body with numbered variables, each filled within its limit."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from templates.errors import MissingField, UnfitField, UnknownTemplate
from templates.facts import EventFacts, PersonFacts, one_line
from templates.includes import Include
from templates.merge import facts_behind, fill
from templates.slots import WhatsAppSlots
from templates.subjects import (
    SUBJECT_FIELDS,
    DeliverableFacts,
    SponsorFacts,
    Subjects,
    subject_fact,
    subject_lacks,
    subject_values,
)
from templates.when import zone
from templates.words import event_words, merge_values

_FOLDER = Path(__file__).parent / "whatsapp"
_EVENT_LINKS = ("url", "register_url")
_SLOTS = frozenset(WhatsAppSlots.model_fields)
_NOTHING: Mapping[str, Include] = {}


class Variable(BaseModel):
    """What fills a variable, and how long it may be.

    A source is a merge field, a slot, a link of the event or, as `includes.<name>`, that of an include; `instead` are
    those tried in turn where it has nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    instead: tuple[str, ...] = ()
    max_length: int = Field(gt=0)

    def filled_by(self, values: Mapping[str, str]) -> str:
        """The first source with a value; where none has one, the source that was meant."""
        return next((source for source in (self.source, *self.instead) if values.get(source)), self.source)


class WhatsAppTemplate(BaseModel):
    """A template as it was approved: its body, and its variables in the order of their numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    body: str
    variables: tuple[Variable, ...]


class RenderedWhatsApp(NamedTuple):
    """The variables by number, as the provider wants them, and the message as the reader will see it."""

    variables: dict[str, str]
    preview: str


@cache
def whatsapp_templates() -> dict[str, WhatsAppTemplate]:
    """Every template by name."""
    return {
        path.stem: WhatsAppTemplate.model_validate(tomllib.loads(path.read_text("utf-8")))
        for path in sorted(_FOLDER.glob("*.toml"))
    }


def render_whatsapp(
    template: str,
    slots: WhatsAppSlots | None,
    event: EventFacts,
    person: PersonFacts,
    *,
    includes: Mapping[str, Include] = _NOTHING,
    sponsor: SponsorFacts | None = None,
    deliverable: DeliverableFacts | None = None,
) -> RenderedWhatsApp:
    """The message to one person. Of an include only its link is shown; slots are needed where the template has any.

    Raises MissingField naming every absent fact, UnfitField where a text is too long.
    """
    try:
        approved = whatsapp_templates()[template]
    except KeyError:
        raise UnknownTemplate.among(template, whatsapp_templates()) from None
    about = Subjects(sponsor=sponsor or SponsorFacts(), deliverable=deliverable or DeliverableFacts())
    words = event_words(event)
    values = merge_values(words, one_line(person.first_name or about.sponsor.contact_name))
    values |= {link: words[link] for link in _EVENT_LINKS}
    values |= subject_values(SUBJECT_FIELDS, about, zone(event.timezone))
    values |= {f"includes.{name}": include.link.url for name, include in includes.items() if include.link}
    # A word still to be filled has something in it, whatever its merge fields will say.
    values |= {name: getattr(slots, name) for name in _SLOTS} if slots else {}
    sources = [variable.filled_by(values) for variable in approved.variables]
    if absent := _missing(sources, slots, event, values):
        raise MissingField(template, absent)
    values |= {name: fill(values[name], values) for name in _SLOTS if slots}
    variables = {
        str(number): _fitted(template, source, variable.max_length, one_line(values[source]))
        for number, (source, variable) in enumerate(zip(sources, approved.variables, strict=True), start=1)
    }
    preview = re.sub(r"\{\{(\d+)\}\}", lambda match: variables[match[1]], approved.body.strip())
    return RenderedWhatsApp(variables, preview)


def missing_chat_fields(template: str, event: EventFacts) -> tuple[str, ...]:
    """What the template needs of the event and does not find, whoever reads it; generated words aside."""
    approved = whatsapp_templates().get(template)
    if approved is None:
        raise UnknownTemplate.among(template, whatsapp_templates())
    absent: tuple[str, ...] = ()
    for variable in approved.variables:
        needs = [
            facts_behind((source,)) or ((f"event.{source}",) if source in _EVENT_LINKS else ())
            for source in (variable.source, *variable.instead)
        ]
        if all(facts and event.lacks(facts) for facts in needs):
            absent += event.lacks(needs[0])
    return tuple(dict.fromkeys(absent))


def _missing(
    sources: list[str], slots: WhatsAppSlots | None, event: EventFacts, values: Mapping[str, str]
) -> tuple[str, ...]:
    used = slots.merge_fields() if slots else ()
    links = [f"event.{source}" for source in sources if source in _EVENT_LINKS]
    absent = event.lacks((*facts_behind((*sources, *used)), *links))
    absent += subject_lacks((source for source in sources if source in SUBJECT_FIELDS), values)
    absent += tuple(source for source in sources if source.startswith("includes.") and not values.get(source))
    return (*absent, "slots") if slots is None and not _SLOTS.isdisjoint(sources) else absent


def _fitted(template: str, source: str, room: int, text: str) -> str:
    """A fact too long is shortened, as on a label; a link or a sentence cut short would be wrong: refused."""
    if len(text) <= room:
        return text
    if source in _SLOTS or _is_link(source):
        raise UnfitField(
            f"{_fact(source)} has {len(text)} characters; WhatsApp template '{template}' has room for {room}; shorten it"
        )
    return text[: room - 1].rstrip() + "…"


def _fact(source: str) -> str:
    if source in SUBJECT_FIELDS:
        return subject_fact(source)
    return f"slots.{source}" if source in _SLOTS else f"event.{source}" if source in _EVENT_LINKS else source


def _is_link(source: str) -> bool:
    return source.endswith("url") or source.startswith("includes.")
