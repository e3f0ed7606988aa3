"""Composes one mail: the words in their places, filled, around them the event's facts and the includes."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from templates.blocks import Block
from templates.designs import DETAIL_TITLES, EVENT_ACTIONS, Design, MailWords, design_of
from templates.facts import EventFacts, one_line
from templates.letters import Parts, Passage, Urgency
from templates.merge import fill, fill_html
from templates.slots import Notice
from templates.sources import html_template, text_template
from templates.words import event_words, merge_values

# Mail programs show the first words of the body after the preheader unless invisible characters keep them away.
_PREHEADER_PADDING = "\u034f\u200c\u00a0" * 30
_GAP = re.compile(r"\n{3,}")


class RenderedEmail(NamedTuple):
    """One mail as it is sent."""

    subject: str
    html: str
    text: str


class Setting(NamedTuple):
    """What of a mail differs by reader and is no blank: the clock of their own, the tone, the includes."""

    their_hours: str = ""
    tone: Urgency | None = None
    blocks: Mapping[str, Block] | None = None


def compose(
    template: str, slots: MailWords | None, event: EventFacts, person: Mapping[str, str], setting: Setting
) -> RenderedEmail:
    """The mail for the person's values as given, be they words or blanks."""
    design, words = design_of(template), event_words(event)
    parts, blocks = design.words(slots), setting.blocks or {}
    values = {**person, **merge_values(words, person["first_name"])}
    tone = design.letter.tones[setting.tone] if design.letter and setting.tone else None
    if tone:
        parts = parts._replace(paragraphs=(Passage(tone.line), *parts.paragraphs))

    def plain(text: str) -> str:
        return text if parts.literal else fill(text, values)

    def marked_up(text: str) -> str:
        return text if parts.literal else fill_html(text, values)

    subject, shown = plain(parts.subject), [blocks[name] for name in _in_order(design, blocks)]
    context = {
        "subject": subject,
        "preheader": plain(parts.preheader),
        "preheader_padding": _PREHEADER_PADDING,
        "event": words,
        "person": person,
        "their_hours": setting.their_hours,
        "marketing": design.marketing,
        "from_organizer": design.from_organizer,
        "eyebrow": tone.eyebrow if tone else design.eyebrow,
        "sign_off": design.sign_off,
        "signature": words["organizer_name"] if design.from_organizer else "EventOS",
        "urgent": tone.urgent if tone else design.urgent,
        "facts_shown": design.facts_shown,
        "price_shown": design.price_shown,
        "action_url": _action(design, slots, words, person),
        "blocks": [
            (*DETAIL_TITLES[key], event.details[key])
            for key in (name.removeprefix("details.") for name in design.blocks)
            if key in DETAIL_TITLES and event.details.get(key)
        ],
    }
    present = {name for name, value in values.items() if value} | {f"includes.{name}" for name in blocks}
    html = html_template(design.layout, design.file).render(
        context, words=_placed(parts, marked_up, present, values), includes=[block.html for block in shown]
    )
    text = text_template(design.file).render(
        context, words=_placed(parts, plain, present, values), includes=[block.text for block in shown]
    )
    return RenderedEmail(one_line(subject), html, set_apart(text).strip() + "\n")


def set_apart(text: str) -> str:
    """The text with at most one empty line between its paragraphs."""
    return _GAP.sub("\n\n", text)


def _placed(
    parts: Parts, word: Callable[[str], str], present: set[str], values: Mapping[str, str]
) -> dict[str, object]:
    return {
        "headline": word(parts.headline),
        "paragraphs": list(_standing(parts.paragraphs, word, present)),
        "highlights": [word(text) for text in parts.highlights],
        "rows": [(label, filled) for label, value in parts.rows if (filled := word(value))],
        "after": list(_standing(parts.after, word, present)),
        "cta_label": word(parts.cta_label),
        "reference": values.get("proposal_reference", ""),
    }


def _standing(passages: tuple[Passage, ...], word: Callable[[str], str], present: set[str]) -> Iterator[str]:
    """The passages whose condition holds, or what stands in their place."""
    for passage in passages:
        text = passage.text if not passage.when or passage.when in present else passage.otherwise
        if text:
            yield word(text)


def _action(design: Design, slots: MailWords | None, words: Mapping[str, str], person: Mapping[str, str]) -> str:
    if isinstance(slots, Notice):
        return slots.action_url
    return words[design.action] if design.action in EVENT_ACTIONS else person.get(design.action, "")


def _in_order(design: Design, names: Mapping[str, object]) -> list[str]:
    """The design's own includes in its order, then those that a timeline adds."""
    own = [name for name in design.includes if name in names]
    return own + [name for name in names if name not in own]
