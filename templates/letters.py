"""The words of one mail, whoever wrote them: a language model into slots, or we into a file of `email/letters`."""

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from templates.merge import merge_fields

_FOLDER = Path(__file__).parent / "email" / "letters"

Urgency = Literal["low", "medium", "high", "critical"]


class Passage(NamedTuple):
    """A paragraph. With `when` (a merge field, or `includes.<name>`) it stands only where that has a value."""

    text: str
    when: str = ""
    otherwise: str = ""


class Parts(NamedTuple):
    """The words of a mail, merge fields not yet filled. `rows` without a value, and their labels, are left out.

    `literal` words carry no merge fields: braces in them are braces.
    """

    subject: str
    preheader: str
    headline: str = ""
    paragraphs: tuple[Passage, ...] = ()
    highlights: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    after: tuple[Passage, ...] = ()
    cta_label: str = ""
    literal: bool = False

    def needs(self) -> Iterator[str]:
        """The merge fields these words cannot do without."""
        if self.literal:
            return
        plain = (self.subject, self.preheader, self.headline, self.cta_label, *self.highlights)
        for text in (*plain, *(passage.text for passage in (*self.paragraphs, *self.after) if not passage.when)):
            yield from merge_fields(text)

    def fields(self) -> Iterator[str]:
        """Every merge field in these words, needed or not, and those their conditions ask for."""
        if self.literal:
            return
        yield from self.needs()
        for passage in (*self.paragraphs, *self.after):
            yield from merge_fields(f"{passage.text}{passage.otherwise}")
            if passage.when and not passage.when.startswith("includes."):
                yield passage.when
        for _, value in self.rows:
            yield from merge_fields(value)


def _passage(value: object) -> object:
    match value:
        case str():
            return Passage(value)
        case dict():
            return Passage(**value)
    return value


_Passages = tuple[Annotated[Passage, BeforeValidator(_passage)], ...]


class Tone(BaseModel):
    """How a mail begins when it is as urgent as this."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    eyebrow: str
    line: str
    urgent: bool = False


class Letter(BaseModel):
    """A mail as its file describes it; where `takes` names slots, these bring the words and the file the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: Literal["attendee", "sponsor", "organizer"]
    marketing: bool = Field(description="Whether the reader may opt out of mail like this.")
    look: Literal["card", "personal"] = "card"
    takes: str = ""
    eyebrow: str = ""
    urgent: bool = False
    tones: dict[Urgency, Tone] = Field(default={}, description="For mails that grow more urgent.")
    subject: str = ""
    preheader: str = ""
    headline: str = ""
    paragraphs: _Passages = ()
    rows: tuple[tuple[str, str], ...] = ()
    facts: bool = Field(default=False, description="Whether the box with date and place is shown.")
    includes: tuple[str, ...] = ()
    after: _Passages = Field(default=(), description="Below the includes.")
    cta_label: str = ""
    action: str = Field(default="", description="The address behind the button; without it there is no button.")
    sign_off: str = "See you there,"

    def parts(self) -> Parts:
        """The words that need nobody to generate them."""
        return Parts(
            self.subject,
            self.preheader,
            headline=self.headline,
            paragraphs=self.paragraphs,
            rows=self.rows,
            after=self.after,
            cta_label=self.cta_label,
        )


@cache
def letters() -> dict[str, Letter]:
    """Every letter by name."""
    return {
        path.stem: Letter.model_validate(tomllib.loads(path.read_text("utf-8")))
        for path in sorted(_FOLDER.glob("*.toml"))
    }


def letters_to(reader: Literal["attendee", "sponsor", "organizer"]) -> tuple[str, ...]:
    """The names of the letters that are written to such a reader."""
    return tuple(name for name, letter in letters().items() if letter.to == reader)
