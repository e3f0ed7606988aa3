"""The slots of words written to and about sponsors: proposal, follow-up, rationale of a match, impact report."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from templates.letters import Parts, Passage
from templates.merge import MERGE_FIELDS
from templates.slots import FIXED, ONE_LINE, MailSlots, Slots, refuse_unfit

_COUNT = (
    r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-\w+)?|hundreds?|thousands?|[mb]illions?|dozens?"
)
_FIGURE_WORDS = re.compile(
    rf"\b(?:{_COUNT}|per\s?cent|percent(?:age)?|twice|thrice|doubl\w+|tripl\w+)\b|%", re.IGNORECASE
)
_MERGE = re.compile(r"\{[a-z_]+\}")


def _no_figures(text: str) -> str:
    """Figures of a report come from the records alone."""
    words = _MERGE.sub("", text)
    if found := [char for char in words if char.isnumeric()] + _FIGURE_WORDS.findall(words):
        raise ValueError(
            f"figure {', '.join(map(repr, found))}; the figures stand beside your words and come from the records, "
            "so write none, neither in digits nor in words"
        )
    return text


TO_SPONSOR = AfterValidator(refuse_unfit((*MERGE_FIELDS, "sponsor_name")))
WITHOUT_FIGURES = AfterValidator(_no_figures)

_FIELDS_HINT = "May carry merge fields such as {first_name}, {sponsor_name} or {event_date}."
_Subject = Annotated[str, Field(min_length=1, max_length=90), ONE_LINE, TO_SPONSOR]
_Passage = Annotated[str, Field(min_length=1, max_length=500), ONE_LINE, TO_SPONSOR]
_Exact = Annotated[str, Field(min_length=1, max_length=600), ONE_LINE, TO_SPONSOR, WITHOUT_FIGURES]


class ProposalSlots(MailSlots):
    """The words of a first letter to a possible sponsor; greeting, meeting link and signature are added around them."""

    subject: _Subject = Field(
        description=f"Subject line as one person writes to another, at best under 55 characters. {_FIELDS_HINT}"
    )
    opening: _Passage = Field(
        description=f"One or two sentences: who writes, about which event, and why to them. {_FIELDS_HINT}"
    )
    why_you: _Passage = Field(
        description=f"Two or three sentences: what this sponsor does and whom they would meet. {_FIELDS_HINT}"
    )
    offer: _Passage = Field(
        description=f"Two or three sentences: what the sponsorship holds for them, from the input. {_FIELDS_HINT}"
    )
    next_step: _Passage = Field(
        description=f"One sentence that asks one easy question, to be answered by reply. {_FIELDS_HINT}"
    )

    def parts(self) -> Parts:
        """The words in their places."""
        words = (self.opening, self.why_you, self.offer, self.next_step)
        return Parts(self.subject, self.opening, paragraphs=tuple(map(Passage, words)))


class FollowUpSlots(MailSlots):
    """The words of a second letter, to a sponsor who opened the proposal and has not answered."""

    subject: _Subject = Field(
        description=f"Subject line that carries on the first letter, at best under 55 characters. {_FIELDS_HINT}"
    )
    opening: _Passage = Field(
        description=f"One sentence that refers to the proposal; never that they opened or ignored it. {_FIELDS_HINT}"
    )
    idea: _Passage = Field(
        description=f"Two or three sentences: one concrete idea for this sponsor that the proposal lacks. {_FIELDS_HINT}"
    )
    next_step: _Passage = Field(
        description=f"One sentence that asks one easy question, to be answered by reply. {_FIELDS_HINT}"
    )

    def parts(self) -> Parts:
        """The words in their places."""
        words = (self.opening, self.idea, self.next_step)
        return Parts(self.subject, self.opening, paragraphs=tuple(map(Passage, words)))


class RationaleSlots(Slots):
    """Why a sponsor fits an event, for the organizer who decides."""

    rationale: Annotated[str, Field(min_length=1, max_length=320), ONE_LINE, FIXED] = Field(
        description="One or two plain sentences: what in the input speaks for this sponsor, and what is doubtful. "
        "No merge fields."
    )


class ImpactReportSlots(MailSlots):
    """The words around the figures of a sponsor's report. No figure may stand in them: those come from the records."""

    subject: Annotated[str, Field(min_length=1, max_length=90), ONE_LINE, TO_SPONSOR, WITHOUT_FIGURES] = Field(
        description=f"Subject line, at best under 60 characters, without any number. {_FIELDS_HINT}"
    )
    headline: Annotated[str, Field(min_length=1, max_length=90), ONE_LINE, TO_SPONSOR, WITHOUT_FIGURES] = Field(
        description=f"Headline, one short phrase, without any number. {_FIELDS_HINT}"
    )
    summary: _Exact = Field(
        description=f"Two sentences above the figures: thanks, and what the sponsor made possible. {_FIELDS_HINT}"
    )
    reading: _Exact = Field(
        description="Two or three sentences below the figures: how to read them, without naming, comparing or rounding "
        f"one. {_FIELDS_HINT}"
    )
    outlook: _Exact = Field(description=f"One or two sentences: what to do with it now, and a question. {_FIELDS_HINT}")

    def parts(self) -> Parts:
        """The words in their places."""
        return Parts(
            self.subject,
            self.summary,
            headline=self.headline,
            paragraphs=(Passage(self.summary),),
            after=(Passage(self.reading), Passage(self.outlook)),
        )
