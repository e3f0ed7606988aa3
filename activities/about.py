"""What a message is about beside its event and its reader: a deliverable, and the sponsor who owes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from database import deliverable_tracking
from database.batches import Batch
from database.connection import Pool
from templates import ApprovalFacts, DeliverableFacts, SponsorFacts, TemplateError


@dataclass(frozen=True, slots=True)
class About:
    """The facts of one message; a message of an event alone has none."""

    sponsor: SponsorFacts | None = None
    deliverable: DeliverableFacts | None = None
    approval: ApprovalFacts | None = None
    why: str = ""
    """Why the reader gets it, where that is neither a registration nor being a contact."""


NOTHING = About()


async def load(pool: Pool, batch: Batch) -> Mapping[UUID, About | TemplateError]:
    """What each message of a tracker is about, as it is now, or why that cannot be said. Other messages have no entry."""
    ids = [message.id for message in batch.messages if message.template in deliverable_tracking.TEMPLATES]
    if not ids:
        return {}
    return {id_: _about(facts) for id_, facts in (await deliverable_tracking.facts(pool, ids)).items()}


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
