"""What a message may be about beside the event and its reader: a sponsor, a deliverable, an approval."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from templates.errors import UnfitField
from templates.facts import one_line, web_address
from templates.letters import Urgency
from templates.when import day_span, hours, long_day, time_left


@dataclass(frozen=True, slots=True, kw_only=True)
class SponsorFacts:
    """A sponsor, won or hoped for. `contact_name` greets where the reader's own name is unknown."""

    name: str = ""
    contact_name: str = ""
    category: str = ""
    tier: str = ""
    proposal_reference: str = ""
    meeting_url: str = ""

    def __post_init__(self) -> None:
        if self.meeting_url:
            web_address("sponsor.meeting_url", self.meeting_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverableFacts:
    """What a sponsor owes. `days_remaining` counts to `due_date` in the event's zone; below zero it is overdue."""

    name: str = ""
    type: str = ""
    due_date: date | None = None
    days_remaining: int | None = None
    upload_url: str = ""
    rejection_reason: str = ""
    urgency: Urgency = "medium"

    def __post_init__(self) -> None:
        if self.upload_url:
            web_address("deliverable.upload_url", self.upload_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalFacts:
    """What waits for an organizer's approval. `summary` says it in a few words: `10 sponsor proposals`."""

    automation: str = ""
    summary: str = ""
    needed_by: datetime | None = None
    review_url: str = ""

    def __post_init__(self) -> None:
        if self.needed_by is not None and self.needed_by.tzinfo is None:
            raise UnfitField("approval.needed_by has no UTC offset; give an aware datetime")
        if self.review_url:
            web_address("approval.review_url", self.review_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """What one message is about; what it is not about stays empty."""

    sponsor: SponsorFacts = SponsorFacts()
    deliverable: DeliverableFacts = DeliverableFacts()
    approval: ApprovalFacts = ApprovalFacts()


# Each merge field with the fact it shows and how that is said.
_FIELDS: dict[str, tuple[str, Callable[[Subjects], object]]] = {
    "sponsor_name": ("sponsor.name", lambda about: about.sponsor.name),
    "sponsor_category": ("sponsor.category", lambda about: about.sponsor.category),
    "sponsor_tier": ("sponsor.tier", lambda about: about.sponsor.tier),
    "proposal_reference": ("sponsor.proposal_reference", lambda about: about.sponsor.proposal_reference),
    "meeting_url": ("sponsor.meeting_url", lambda about: about.sponsor.meeting_url),
    "deliverable_name": ("deliverable.name", lambda about: about.deliverable.name),
    "deliverable_type": ("deliverable.type", lambda about: about.deliverable.type.replace("_", " ").capitalize()),
    "due_date": ("deliverable.due_date", lambda about: about.deliverable.due_date),
    "time_left": ("deliverable.days_remaining", lambda about: about.deliverable.days_remaining),
    "upload_url": ("deliverable.upload_url", lambda about: about.deliverable.upload_url),
    "rejection_reason": ("deliverable.rejection_reason", lambda about: about.deliverable.rejection_reason),
    "automation_name": ("approval.automation", lambda about: about.approval.automation),
    "approval_summary": ("approval.summary", lambda about: about.approval.summary),
    "needed_by": ("approval.needed_by", lambda about: about.approval.needed_by),
    "review_url": ("approval.review_url", lambda about: about.approval.review_url),
}
SUBJECT_FIELDS = tuple(_FIELDS)


def subject_values(fields: Iterable[str], about: Subjects, tz: ZoneInfo | None) -> dict[str, str]:
    """What these merge fields stand for; empty where the fact is unknown. Instants are said in `tz`."""
    return {field: _said(_FIELDS[field][1](about), tz) for field in fields}


def subject_fact(field: str) -> str:
    """The fact that a merge field shows: `sponsor.name`."""
    return _FIELDS[field][0]


def subject_lacks(needed: Iterable[str], values: Mapping[str, str]) -> tuple[str, ...]:
    """The facts behind those of the needed merge fields that have no value."""
    return tuple(subject_fact(field) for field in needed if not values[field])


def _said(value: object, tz: ZoneInfo | None) -> str:
    match value:
        case str():
            return one_line(value)
        case datetime() if tz:
            return f"{day_span(value, None, tz)}, {hours(value, None, tz)}"
        case date():
            return long_day(value)
        case int():
            return time_left(value)
    return ""
