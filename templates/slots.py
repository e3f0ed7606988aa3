"""The typed slots that generated text fills: one model per kind of message.

The models are also the schemas a language model is asked to fill, so every field is required, limits are in the
schema, and each description says what is wanted. What a schema cannot say (no literal date, no unknown merge field, no
markup, no link) the validators refuse, naming what they found.
"""

import re
import unicodedata
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from templates.facts import one_line
from templates.letters import Parts, Passage
from templates.literals import literal_dates
from templates.merge import EVENT_FIELDS, MERGE_FIELDS, merge_fields, strange_braces

X_LIMIT = 280
X_LINK = 23
# The link stands on a line of its own.
X_ROOM = X_LIMIT - X_LINK - 1
LINKEDIN_LIMIT = 3000
FACEBOOK_LIMIT = 2000

_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>?")
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]+);", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|www\.)\S*", re.IGNORECASE)
# The ranges X counts once; every other character counts twice.
_X_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))


def x_length(text: str) -> int:
    """The length as X counts it, links excepted: common characters once, all others twice."""
    points = map(ord, unicodedata.normalize("NFC", text))
    return sum(1 if any(low <= point <= high for low, high in _X_LIGHT) else 2 for point in points)


def refuse_unfit(allowed: Collection[str]) -> Callable[[str], str]:
    """A validator that lets no braces but these merge fields pass, and no date, price, markup or link."""

    def check(text: str) -> str:
        if braces := strange_braces(text, allowed):
            known = ", ".join(f"{{{name}}}" for name in allowed) or "none here"
            raise ValueError(f"unknown merge field {', '.join(braces)}; allowed: {known}")
        if literals := literal_dates(text):
            raise ValueError(
                f"literal date, time or price {', '.join(map(repr, literals))}; write a merge field instead"
            )
        if tags := _TAG.findall(text) + _ENTITY.findall(text):
            raise ValueError(f"HTML {', '.join(map(repr, tags))}; write plain text")
        if links := _LINK.findall(text):
            raise ValueError(f"literal link {', '.join(map(repr, links))}; links are added by the template")
        return text

    return check


def _within_x(text: str) -> str:
    if (length := x_length(text)) > X_ROOM:
        raise ValueError(
            f"{length} characters as X counts them; beside the link that is added there is room for {X_ROOM}"
        )
    return text


def _lines(text: object) -> object:
    """Lines without trailing blanks and control characters, at most one empty line between them."""
    if not isinstance(text, str):
        return text
    return re.sub(r"\n{3,}", "\n\n", "\n".join(map(one_line, text.splitlines()))).strip()


def _line(text: object) -> object:
    return one_line(text) if isinstance(text, str) else text


# Limits stand before these in every annotation, so that they hold for the cleaned text and appear in the schema.
ONE_LINE = BeforeValidator(_line)
LINES = BeforeValidator(_lines)
TO_ONE = AfterValidator(refuse_unfit(MERGE_FIELDS))
TO_ALL = AfterValidator(refuse_unfit(EVENT_FIELDS))
FIXED = AfterValidator(refuse_unfit(()))

Paragraph = Annotated[str, Field(min_length=1, max_length=600), ONE_LINE, TO_ONE]
Highlight = Annotated[str, Field(min_length=1, max_length=140), ONE_LINE, TO_ONE]

_FOR_PERSON = "May carry merge fields such as {first_name} or {event_date}."
_FOR_ALL = "May carry the event's merge fields such as {event_name} or {event_date}, but not {first_name}."


class Slots(BaseModel):
    """Words for one message. Hashable, so that what is made from them can be kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def texts(self) -> Iterator[str]:
        """Every text in every slot."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            yield from (value,) if isinstance(value, str) else value

    def merge_fields(self) -> tuple[str, ...]:
        """The merge fields these words use, each once."""
        return tuple(dict.fromkeys(field for text in self.texts() for field in merge_fields(text)))


class MailSlots(Slots):
    """Slots that bring the words of a mail."""

    @abstractmethod
    def parts(self) -> Parts:
        """The words in their places."""


class EmailSlots(MailSlots):
    """The words of one campaign mail; the template adds greeting, facts, button address and footer."""

    subject: Annotated[str, Field(min_length=1, max_length=90), ONE_LINE, TO_ONE] = Field(
        description=f"Subject line, at best under 60 characters, no capitals for emphasis. {_FOR_PERSON}"
    )
    preheader: Annotated[str, Field(min_length=1, max_length=140), ONE_LINE, TO_ONE] = Field(
        description=f"The line shown after the subject in the inbox; adds to the subject. {_FOR_PERSON}"
    )
    headline: Annotated[str, Field(min_length=1, max_length=90), ONE_LINE, TO_ONE] = Field(
        description=f"Headline at the top of the mail, one short phrase. {_FOR_PERSON}"
    )
    paragraphs: tuple[Paragraph, ...] = Field(
        min_length=1,
        max_length=5,
        description=f"Two or three short paragraphs of plain text. No greeting, no signature: the template has both. "
        f"{_FOR_PERSON}",
    )
    cta_label: Annotated[str, Field(min_length=1, max_length=32), ONE_LINE, FIXED] = Field(
        description="Label of the button: a verb and what it gets, such as 'Reserve your seat'. No merge fields."
    )
    highlights: tuple[Highlight, ...] = Field(
        max_length=5,
        description=f"Up to five reasons to come, one short line each; empty leaves the block out. {_FOR_PERSON}",
    )

    def parts(self) -> Parts:
        """The words in their places."""
        return Parts(
            self.subject,
            self.preheader,
            headline=self.headline,
            paragraphs=tuple(map(Passage, self.paragraphs)),
            highlights=self.highlights,
            cta_label=self.cta_label,
        )


class WhatsAppSlots(Slots):
    """The words that fill the variables of an approved WhatsApp template."""

    opening: Annotated[str, Field(min_length=1, max_length=120), ONE_LINE, TO_ONE] = Field(
        description=f"One sentence that says why this message is worth reading. No greeting. {_FOR_PERSON}"
    )
    message: Annotated[str, Field(min_length=1, max_length=300), ONE_LINE, TO_ONE] = Field(
        description=f"One or two sentences on a single line, without a link. {_FOR_PERSON}"
    )


class SocialSlots(Slots):
    """The words of one post per platform; the link to the event is added below each."""

    linkedin: Annotated[str, Field(min_length=1, max_length=LINKEDIN_LIMIT - 300), LINES, TO_ALL] = Field(
        description=f"LinkedIn post of 60 to 150 words in short paragraphs, at most three hashtags. {_FOR_ALL}"
    )
    twitter: Annotated[str, Field(min_length=1, max_length=X_ROOM), LINES, TO_ALL, AfterValidator(_within_x)] = Field(
        description=f"Post for X, at best under 200 characters, at most two hashtags. {_FOR_ALL}"
    )
    facebook: Annotated[str, Field(min_length=1, max_length=FACEBOOK_LIMIT), LINES, TO_ALL] = Field(
        description=f"Facebook post of 40 to 80 words, warm, one question to the reader. {_FOR_ALL}"
    )


class LandingPageSlots(Slots):
    """The words of the event's landing page."""

    title: Annotated[str, Field(min_length=1, max_length=70), ONE_LINE, TO_ALL] = Field(
        description=f"Page title for browsers and search engines. {_FOR_ALL}"
    )
    meta_description: Annotated[str, Field(min_length=1, max_length=160), ONE_LINE, TO_ALL] = Field(
        description=f"Description for search engines, one or two sentences. {_FOR_ALL}"
    )
    headline: Annotated[str, Field(min_length=1, max_length=90), ONE_LINE, TO_ALL] = Field(
        description=f"Headline of the page, one short phrase. {_FOR_ALL}"
    )
    subheadline: Annotated[str, Field(min_length=1, max_length=180), ONE_LINE, TO_ALL] = Field(
        description=f"One sentence below the headline: for whom, and what they take home. {_FOR_ALL}"
    )
    paragraphs: tuple[Annotated[str, Field(min_length=1, max_length=800), ONE_LINE, TO_ALL], ...] = Field(
        min_length=1, max_length=6, description=f"Two to four paragraphs about the event. {_FOR_ALL}"
    )
    highlights: tuple[Annotated[str, Field(min_length=1, max_length=140), ONE_LINE, TO_ALL], ...] = Field(
        max_length=8, description=f"Three to six reasons to come, one short line each. {_FOR_ALL}"
    )
    cta_label: Annotated[str, Field(min_length=1, max_length=32), ONE_LINE, FIXED] = Field(
        description="Label of the button, such as 'Reserve your seat'. No merge fields."
    )


class Notice(BaseModel):
    """The words of a notification: written by us about one automation, not generated, so anything may stand in them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str = Field(min_length=1, max_length=200)
    headline: str = Field(min_length=1, max_length=200)
    paragraphs: tuple[str, ...] = Field(min_length=1, description="What happened and what to do, in plain words.")
    rows: tuple[tuple[str, str], ...] = Field(default=(), description="Facts as label and value: step, due, reason.")
    action_label: str = Field(default="", max_length=40)
    action_url: str = Field(default="", pattern=r"^(https?://[^\s<>\"']+)?$")
    """Where it is dealt with, if there is a page for it."""

    def parts(self) -> Parts:
        """The words in their places."""
        return Parts(
            self.subject,
            self.paragraphs[0],
            headline=self.headline,
            paragraphs=tuple(map(Passage, self.paragraphs)),
            rows=self.rows,
            cta_label=self.action_label,
            literal=True,
        )


class EmailTemplates(BaseModel):
    """The four mails of a launch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    announcement_email: EmailSlots = Field(description="First news of the event, to everybody the organizer knows.")
    reminder_email: EmailSlots = Field(description="A week later, to those not registered: a new angle, no repetition.")
    last_chance_email: EmailSlots = Field(
        description="Days before the event, to those not registered: urgent, not shrill."
    )
    final_reminder: EmailSlots = Field(
        description="Shortly before the event, to those registered: practical, looking forward."
    )


class SocialPosts(SocialSlots):
    """The posts of a launch, and those of the second push two weeks later."""

    linkedin_push: Annotated[str, Field(min_length=1, max_length=LINKEDIN_LIMIT - 300), LINES, TO_ALL] = Field(
        description=f"Second LinkedIn post, from another angle than the first. {_FOR_ALL}"
    )
    twitter_push: Annotated[str, Field(min_length=1, max_length=X_ROOM), LINES, TO_ALL, AfterValidator(_within_x)] = (
        Field(description=f"Second post for X, from another angle than the first. {_FOR_ALL}")
    )


class WhatsAppMessages(BaseModel):
    """The WhatsApp words of a launch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    whatsapp_broadcast: WhatsAppSlots = Field(description="A personal invitation to a VIP contact.")
    final_reminder: WhatsAppSlots = Field(description="A last practical word to somebody who is registered.")
