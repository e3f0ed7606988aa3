"""What becomes of messages, in the words of a sponsor sequence: opened, answered, declined, away."""

from datetime import datetime, time
from uuid import UUID

from database import events, notifications, proposals, sequences
from database.cancellations import ENDINGS
from database.connection import Pool
from database.occurrences import Occurrence
from database.proposals import Mark, Proposal
from models.answers import is_refusal, same_company
from models.moments import zone_named
from models.player import News
from starter.kinds import Kind
from workflows.sponsor_outreach import REACTIONS
from workflows.sponsor_outreach import SEQUENCE as TIMELINE

SEQUENCE = Kind(
    "SponsorSequenceWorkflow",
    "Sponsor Follow-up: {subject}",
    TIMELINE,
    REACTIONS,
    label="Sponsor Follow-up for {event.name}",
    subject="proposal",
    closes="event_date",
    facts=("proposal_opened", "out_of_office"),
)
"""What the sequences of an outreach are begun with; their rows are there before."""

MESSAGES = ("message_opened", "message_replied", "message_auto_replied", "message_unread")
"""What becomes of a sequence's messages."""

FACTS = ("sponsor_responded", "sponsor_declined", "sponsor_accepted", "sponsor_signed")
"""What the organizer or the EventOS application says of a proposal; a sequence is told it as it is."""

BACK_AT = time(9)
"""When somebody is back, by the event's clock, on the day that an out-of-office note names."""

MARKS: dict[str, Mark] = {"sponsor_responded": "hot", "sponsor_declined": "declined", "sponsor_accepted": "accepted"}


async def translate(pool: Pool, occurrence: Occurrence) -> News | str:
    """What a sequence is told of an occurrence, or why it is told nothing."""
    assert occurrence.automation_id is not None
    proposal = await proposals.followed_by(pool, occurrence.automation_id)
    if proposal is None:
        return "its automation follows up no proposal"
    match occurrence.kind:
        case kind if kind in FACTS:
            return _news(kind, occurrence)
        case "message_opened":
            if occurrence.data.get("step") != "send_proposal":
                return "it was not the proposal"
            await proposals.opened(pool, occurrence.automation_id, occurrence.occurred_at)
            return _news("proposal_opened", occurrence)
        case "message_replied":
            return await _answered(pool, occurrence, proposal)
        case "message_auto_replied":
            return await _away(pool, occurrence, proposal)
        case "message_unread":  # somebody has answered, and nothing goes out before it is known what
            return _news("out_of_office", occurrence, until=str(occurrence.data["until"]))
    return f"no sequence listens to {occurrence.kind}"


async def take_up(pool: Pool, event_id: UUID, published: Occurrence) -> str:
    """Go on with what an event that is published again had begun with its sponsors; says what came of it, if anything did."""
    event = await events.get(pool, event_id)
    if event is None or event.status != "published":  # it has changed again since
        return ""
    count = await sequences.take_up(pool, event_id, ENDINGS, published.created_at, SEQUENCE.timeline)
    return f"; {count} sponsor sequences begin anew" if count else ""


async def after_its_end(pool: Pool, occurrence: Occurrence) -> str:
    """Do what a sequence that has ended can no longer do: the proposal is marked or signed all the same."""
    assert occurrence.automation_id is not None
    if occurrence.kind == "sponsor_signed":
        return f"signed, {await proposals.sign(pool, occurrence.automation_id)} deliverables"
    if occurrence.kind in MARKS:
        return f"marked as {await proposals.mark(pool, occurrence.automation_id, MARKS[occurrence.kind])}"
    return "its sequence has ended"


async def _answered(pool: Pool, occurrence: Occurrence, proposal: Proposal) -> News | str:
    answer = await proposals.answer(pool, UUID(str(occurrence.data["reply"])))
    if answer is None:
        return "its answer is gone"
    if not same_company(answer.sender, answer.written_to):
        await notifications.tell(
            pool,
            event_id=proposal.event_id,
            automation_id=occurrence.automation_id,
            key=f"answer/{occurrence.data['reply']}",
            title=f"Somebody else answered the proposal to {proposal.sponsor}",
            body="The answer does not come from the company's address, so the sequence goes on. Read it, and mark the proposal.",
        )
        return "an answer from somebody else, which a person has to read"
    if proposal.status in ("accepted", "signed"):
        return f"the proposal is {proposal.status}, and the answer changes nothing"
    return _news("sponsor_declined" if is_refusal(answer.body) else "sponsor_responded", occurrence)


async def _away(pool: Pool, occurrence: Occurrence, proposal: Proposal) -> News | str:
    until = occurrence.data.get("until")
    if not until:
        return "an automatic answer that names no date"
    event = await events.get(pool, proposal.event_id)
    zone = zone_named(event.timezone if event and event.timezone else "UTC")
    back = datetime.combine(datetime.fromisoformat(str(until)).date(), BACK_AT, zone)
    return _news("out_of_office", occurrence, until=back.isoformat())


def _news(kind: str, occurrence: Occurrence, **data: str) -> News:
    return News(kind=kind, at=occurrence.occurred_at, data={"occurrence": occurrence.id, **data})
