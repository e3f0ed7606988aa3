"""What a message is about beside its event and its reader: a deliverable, and the sponsor who owes it; and which invitation it brings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from activities import followup, sponsors
from database import deliverable_tracking, invitations, notifications
from database.batches import Batch
from database.connection import Pool
from templates import ApprovalFacts, DeliverableFacts, SponsorFacts, TemplateError
from templates.includes import Include


@dataclass(frozen=True, slots=True)
class About:
    """The facts of one message; a message of an event alone has none."""

    sponsor: SponsorFacts | None = None
    deliverable: DeliverableFacts | None = None
    approval: ApprovalFacts | None = None
    why: str = ""
    """Why the reader gets it, where that is neither a registration nor being a contact."""
    includes: Mapping[str, Include] = field(default_factory=dict)
    """The reader's own."""
    awaits_answer: bool = False
    """An answer to it steers its automation, and has to find its way back."""
    sequence: int = 0
    """The number of the invitation that it brings."""


NOTHING = About()
TO_ORGANIZER = About(why="you organize the event")


async def load(pool: Pool, batch: Batch) -> Mapping[UUID, About | TemplateError]:
    """What the messages of a tracker, a sponsor sequence or a follow-up are about, as it is now, or why that cannot be said.

    Other messages have no entry.
    """
    ids = [message.id for message in batch.messages]
    found: dict[UUID, About | TemplateError] = {
        id_: About(sponsor=its.sponsor, why=its.why, includes=its.includes)
        for id_, its in (await followup.about(pool, ids)).items()
    }
    templates = {message.id: message.template for message in batch.messages}
    for id_, (sponsor, why) in (await sponsors.spoken_of(pool, batch)).items():
        found[id_] = About(sponsor=sponsor, why=why, awaits_answer=templates[id_] not in sponsors.TO_ORGANIZER)
    found |= {m.id: TO_ORGANIZER for m in batch.messages if m.template == notifications.NOTICE}
    owed = [message.id for message in batch.messages if message.template in deliverable_tracking.TEMPLATES]
    if owed:
        found |= {id_: _about(facts) for id_, facts in (await deliverable_tracking.facts(pool, owed)).items()}
    for message in batch.messages:
        its = found.get(message.id, NOTHING)
        if message.alone and message.person_id is not None and isinstance(its, About):
            sequence = await invitations.next_sequence(pool, message.event_id, message.person_id)
            found[message.id] = replace(its, sequence=sequence)
    return found


def _about(facts: deliverable_tracking.Facts) -> About | TemplateError:
    try:
        return About(
            SponsorFacts(**facts.sponsor),
            DeliverableFacts(**facts.deliverable),
            ApprovalFacts(review_url=facts.review_url),
            facts.why,
        )
    except TemplateError as error:
        return error
