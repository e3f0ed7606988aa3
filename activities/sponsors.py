"""Sponsor outreach's deeds: matches found, proposals and follow-ups written, sequences begun, sponsors marked and signed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeVar
from uuid import UUID

import structlog
from pydantic import BaseModel

from activities.acts import Deed
from activities.content import UNUSABLE, UnusableAnswer
from activities.facts import event_facts
from activities.failures import final
from activities.trial import try_out
from database import approvals, campaigns, events, notifications, proposals, sequences, sponsors
from database.batches import Batch
from database.connection import Pool
from database.proposals import Mark, Proposal
from models.automation import Step
from models.matching import NO_MATCH, PROPOSALS, best
from models.player import Act
from providers.accounts import Accounts
from providers.errors import Unavailable
from templates import (
    FollowUpSlots,
    MissingField,
    ProposalSlots,
    RationaleSlots,
    SponsorFacts,
    TemplateError,
    build_prompt,
)

T = TypeVar("T", bound=BaseModel)

ANSWERS: Mapping[Mark, str] = {
    "hot": "has answered the proposal",
    "declined": "declines the proposal",
    "accepted": "accepts the proposal",
}
"""What the organizer is told on the dashboard."""

TO_ORGANIZER = ("sponsor_responded", "sponsor_accepted")
"""Mails of a sequence that its sponsor does not get."""

log = structlog.get_logger()


class Sponsors:
    """What the steps of an outreach and of its sequences do beside sending mail. Everything here may be done twice."""

    def __init__(self, pool: Pool, live: Accounts, rehearsal: Accounts | None, sequence: Sequence[Step]) -> None:
        self._pool = pool
        self._live = live
        self._rehearsal = rehearsal
        self._sequence = tuple(sequence)

    @property
    def deeds(self) -> Mapping[tuple[str, str], Deed]:
        """What it can do, by verb and target."""
        return {
            ("update", "sponsor_matches"): self.find_matches,
            **dict.fromkeys([("generate", target) for target in PROPOSALS], self.write_proposal),
            ("update", "follow_up_sequences"): self.begin_sequences,
            ("generate", "follow_up"): self.write_follow_up,
            ("update", "mark_warm"): self.mark,
            ("update", "mark_hot"): self.mark,
            ("update", "mark_declined"): self.mark,
            ("update", "mark_accepted"): self.mark,
            ("update", "sponsorship"): self.sign,
        }

    async def find_matches(self, about: Act) -> str:
        """Score the organizer's sponsors against the event and keep the best; says how many."""
        try:
            sought = await sponsors.sought(self._pool, about.event_id)
        except LookupError as error:
            raise final(str(error)) from error
        found = best(sought, await sponsors.candidates(self._pool, about.event_id))
        count = await proposals.keep_matches(self._pool, about.automation_id, about.event_id, found)
        log.info("sponsors_matched", matches=count)
        return f"{count} found"

    async def write_proposal(self, about: Act) -> str:
        """Have the model say why one match was proposed, and write the proposal; its id, or NO_MATCH. What is written is kept."""
        proposal = await proposals.ranked(self._pool, about.automation_id, PROPOSALS.index(about.target) + 1)
        if proposal is None:
            return NO_MATCH
        if proposal.rationale is None:
            reasons = {"score": proposal.score, "of": 100, "parts": proposal.score_parts}
            why, usage = await self._write(about, "match_rationale", RationaleSlots, proposal, {"match": reasons})
            await proposals.keep_rationale(self._pool, proposal.id, why.rationale, usage)
        if proposal.slots is None:
            words, usage = await self._write(about, "proposal_email", ProposalSlots, proposal, _offer(proposal))
            await proposals.keep_words(self._pool, proposal.id, words.model_dump(mode="json"), usage)
        return str(proposal.id)

    async def begin_sequences(self, about: Act) -> str:
        """Begin the follow-up of every proposal that is written; says how many there are."""
        return f"{await sequences.begin(self._pool, about.automation_id, self._sequence)} begun"

    async def write_follow_up(self, about: Act) -> str:
        """Have the model write the second letter of a sequence, and keep it; the id of the sequence's campaign.

        What an organizer reviews is the proposal. The letter that follows it up needs no approval, unless somebody changes it.
        """
        proposal = await self._followed(about)
        material = _offer(proposal) | {"proposal": proposal.slots}
        words, usage = await self._write(about, "follow_up", FollowUpSlots, proposal, material)
        slots = words.model_dump(mode="json")
        campaign_id = await campaigns.keep_content(self._pool, about.automation_id, "follow_up", slots, usage)
        await campaigns.keep_emails(self._pool, campaign_id, {"follow_up": slots})
        await approvals.approve_written(self._pool, about.automation_id, "follow_up")
        return str(campaign_id)

    async def mark(self, about: Act) -> str:
        """Mark the sponsor of a sequence as warm, hot, declined or accepted; the organizer is told of an answer."""
        marks: dict[str, Mark] = {
            "mark_warm": "warm", "mark_hot": "hot", "mark_declined": "declined", "mark_accepted": "accepted"
        }  # fmt: skip
        mark, proposal = marks[about.target], await self._followed(about)
        await proposals.mark(self._pool, about.automation_id, mark)
        if mark in ANSWERS:
            await notifications.tell(
                self._pool,
                event_id=about.event_id,
                automation_id=about.automation_id,
                key=f"{mark}/{proposal.id}",
                title=f"{proposal.sponsor} {ANSWERS[mark]}",
                body="No more letters go out to them. Read what they wrote, and take it from here.",
            )
        return mark

    async def sign(self, about: Act) -> str:
        """Make the sponsorship and what its tier owes; says how many deliverables."""
        try:
            count = await proposals.sign(self._pool, about.automation_id)
        except LookupError as error:
            raise final(str(error)) from error
        return f"signed, {count} deliverables"

    async def _followed(self, about: Act) -> Proposal:
        proposal = await proposals.followed_by(self._pool, about.automation_id)
        if proposal is None:
            raise final(f"Automation {about.automation_id} follows up no proposal.")
        return proposal

    async def _write(
        self, about: Act, kind: str, answer: type[T], proposal: Proposal, material: Mapping[str, Any]
    ) -> tuple[T, dict[str, Any]]:
        """Have the model write, and try out what it wrote; with what it has cost."""
        accounts = self._rehearsal if about.rehearsal else self._live
        if accounts is None:
            raise final("A rehearsal needs the sandbox: set SANDBOX_URL and start the worker again.")
        sponsor = sponsor_facts(proposal)
        try:
            event = event_facts(await events.facts(self._pool, about.event_id))
            instructions, facts = build_prompt(kind, event, sponsor=sponsor, material=material)
            written = await accounts.openai.generate(instructions, facts, answer)
        except (TemplateError, LookupError) as error:
            raise final(str(error)) from error
        except Unavailable as error:
            if error.code not in UNUSABLE:
                raise
            raise UnusableAnswer(str(error)) from error
        try:
            try_out(written.value, event, sponsor)
        except MissingField as error:
            raise final(str(error)) from error
        except TemplateError as error:
            raise UnusableAnswer(str(error)) from error
        log.info("content_generated", part=kind, **asdict(written.usage))
        return written.value, {"model": written.model, "request_id": written.request_id, **asdict(written.usage)}


def sponsor_facts(proposal: Proposal) -> SponsorFacts:
    """What mail of a sequence may say of its sponsor."""
    first_name, _, _ = proposal.contact_name.strip().partition(" ")
    return SponsorFacts(
        name=proposal.sponsor,
        contact_name=first_name,
        category=proposal.category,
        tier=proposal.tier,
        proposal_reference=f"SP-{proposal.id.hex[:6].upper()}",
        meeting_url=proposal.meeting_url,
    )


async def spoken_of(pool: Pool, batch: Batch) -> dict[UUID, tuple[SponsorFacts, str]]:
    """The sponsor that each message of a sequence is about, and why its reader gets it, by message."""
    known = await proposals.followed(pool, {message.automation_id for message in batch.messages})
    found = {}
    for message in batch.messages:
        if (proposal := known.get(message.automation_id)) is None:
            continue
        facts, why = (
            sponsor_facts(proposal),
            f"you may be the right person to ask about a partnership with {proposal.sponsor}",
        )
        if message.template in TO_ORGANIZER:
            facts, why = replace(facts, contact_name=""), "you organize the event"
        found[message.id] = facts, why
    return found


def _offer(proposal: Proposal) -> dict[str, Any]:
    """What a letter may speak of. What is known of the sponsor's money and of earlier answers stays with the organizer."""
    reasons = [
        part["why"] for part in proposal.score_parts if part["points"] and part["part"] in ("category", "audience")
    ]
    return {"why_they_fit": reasons, "industry": proposal.industry, "offer": {"benefits": list(proposal.benefits)}}
