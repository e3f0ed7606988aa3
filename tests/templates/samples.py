"""A sponsor, a deliverable, an approval, generated words and an include of every kind, as material to vary."""

from datetime import UTC, date, datetime

from templates import (
    INCLUDES,
    ApprovalFacts,
    DeliverableFacts,
    EmailSlots,
    Figure,
    FollowUpSlots,
    ImpactReportSlots,
    Include,
    Link,
    Notice,
    ProposalSlots,
    Row,
    SponsorFacts,
    slots_of,
)
from templates.designs import MailWords

SPONSOR = SponsorFacts(
    name="Kestrel & Sons",
    contact_name="Jonas Weber",
    category="cloud infrastructure",
    tier="Gold",
    proposal_reference="NDS-SP-014",
    meeting_url="https://meet.example/kestrel?ref=1&seat=2",
)
DELIVERABLE = DeliverableFacts(
    name="Logo for the main stage",
    type="speaker_bio",
    due_date=date(2027, 4, 28),
    days_remaining=3,
    upload_url="https://eventos.example/deliverables/91/upload",
    rejection_reason="The file is too small.",
    urgency="high",
)
APPROVAL = ApprovalFacts(
    automation="Sponsor outreach",
    summary="10 sponsor proposals",
    needed_by=datetime(2027, 2, 1, 14, tzinfo=UTC),
    review_url="https://eventos.example/approvals/7",
)
WORDS: dict[type[MailWords], MailWords] = {
    EmailSlots: EmailSlots(
        subject="Come", preheader="Do", headline="Now", paragraphs=("Yes.",), cta_label="Go", highlights=()
    ),
    Notice: Notice(
        subject="Held",
        headline="Held",
        paragraphs=("Why.",),
        action_label="Open",
        action_url="https://eventos.example/1",
    ),
    ProposalSlots: ProposalSlots(
        subject="{sponsor_name} at {event_name}?",
        opening="I organize {event_name}.",
        why_you="You know these people.",
        offer="A stand and a workshop.",
        next_step="Is this for you, {first_name}?",
    ),
    FollowUpSlots: FollowUpSlots(
        subject="One more thought", opening="I keep thinking.", idea="What about a story?", next_step="Would it be fun?"
    ),
    ImpactReportSlots: ImpactReportSlots(
        subject="Your results from {event_name}",
        headline="What {sponsor_name} made possible",
        summary="Thank you.",
        reading="The first figures say whom you reached.",
        outlook="Write to your contacts.",
    ),
}
_LINK = "https://northwind.example/{}?a=1&b=2"


def words_for(template: str) -> MailWords | None:
    """Words that the mail takes; None where it has its own."""
    takes = slots_of(template)
    return WORDS[takes] if takes else None


def sample(kind: str) -> Include:
    """An include of that kind with everything its look can show."""
    link = Link(f"Open {kind}", _LINK.format(kind))
    if INCLUDES[kind].look == "tiles":
        return Include(kind=kind, figures=(Figure("Participants", "812", "of 940"), Figure("Leads", "57")), link=link)
    rows = (Row("9:00 am", f"Row of {kind}\nHall 3", _LINK.format(f"{kind}/row")), Row("10:00 am", "A < B & C"))
    return Include(kind=kind, text=f"Words of {kind}.", rows=rows, link=link)
