"""WhatsApp templates: an approved body with numbered variables, each filled within its limit."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from templates.errors import MissingField, UnfitField, UnknownTemplate
from templates.facts import EventFacts, PersonFacts, one_line
from templates.merge import facts_behind, fill
from templates.slots import WhatsAppSlots
from templates.words import event_words, merge_values

_FOLDER = Path(__file__).parent / "whatsapp"
_LINKS = ("url", "register_url")


class Variable(BaseModel):
    """What fills a variable (a merge field, a slot or a link), and how long it may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    max_length: int = Field(gt=0)


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
    template: str, slots: WhatsAppSlots | None, event: EventFacts, person: PersonFacts
) -> RenderedWhatsApp:
    """The message to one person. Raises MissingField naming every absent fact, UnfitField where a text is too long."""
    try:
        approved = whatsapp_templates()[template]
    except KeyError:
        raise UnknownTemplate.among(template, whatsapp_templates()) from None
    absent = _missing(approved, slots, event)
    if absent or slots is None:
        raise MissingField(template, absent)
    words = event_words(event)
    values = merge_values(words, one_line(person.first_name))
    values |= {link: words[link] for link in _LINKS}
    values |= {name: fill(getattr(slots, name), values) for name in WhatsAppSlots.model_fields}
    variables = {
        str(number): _fitted(template, variable, one_line(values[variable.source]))
        for number, variable in enumerate(approved.variables, start=1)
    }
    preview = re.sub(r"\{\{(\d+)\}\}", lambda match: variables[match[1]], approved.body.strip())
    return RenderedWhatsApp(variables, preview)


def _missing(approved: WhatsAppTemplate, slots: WhatsAppSlots | None, event: EventFacts) -> tuple[str, ...]:
    sources = [variable.source for variable in approved.variables]
    links = [f"event.{source}" for source in sources if source in _LINKS]
    used = slots.merge_fields() if slots else ()
    absent = event.lacks((*facts_behind((*sources, *used)), *links))
    return (*absent, "slots") if slots is None else absent


def _fitted(template: str, variable: Variable, text: str) -> str:
    """A fact too long is shortened, as on a label; a link or a sentence cut short would be wrong: refused."""
    if len(text) <= variable.max_length:
        return text
    if variable.source in _LINKS or variable.source in WhatsAppSlots.model_fields:
        owner = "event" if variable.source in _LINKS else "slots"
        raise UnfitField(
            f"{owner}.{variable.source} has {len(text)} characters; WhatsApp template '{template}' has room for "
            f"{variable.max_length}; shorten it"
        )
    return text[: variable.max_length - 1].rstrip() + "…"
