"""Sponsor outreach: an event's best matches, a proposal to each, and a sequence that follows each proposal up."""

from temporalio import workflow

from models.automation import Reaction
from models.matching import NO_MATCH, PROPOSALS
from models.player import AutomationInput, News
from workflows.automation import Automation
from workflows.sponsor_knowledge import SequenceKnowledge
from workflows.timeline import email, generate, step, timeline, update

TIMELINE = timeline(
    step("find_matches", "0 hours", update("sponsor_matches"), late="run"),
    step("generate_proposals", "0 hours after find_matches", generate(*PROPOSALS), late="run"),
    step("create_follow_up_sequence", "0 hours after generate_proposals", update("follow_up_sequences"), late="run"),
)

SEQUENCE = timeline(
    step("send_proposal", "0 hours", email("proposal_email", track=True), until="event_date", priority=2),
    step(
        "check_opened",
        "72 hours",
        condition="proposal_opened == false",
        late="skip",
        until="send_value_email",
        priority=3,
    ),
    step(
        "check_responded",
        "72 hours",
        condition="sponsor_responded == false",
        late="skip",
        until="send_value_email",
        priority=3,
    ),
    step(
        "send_gentle_reminder",
        "72 hours",
        email("gentle_reminder"),
        condition="not proposal_opened and not sponsor_accepted",
        late="skip",
        until="send_value_email",
        branch="third_day",
    ),
    step(
        "send_follow_up",
        "72 hours",
        generate("follow_up"),
        email("follow_up"),
        condition="proposal_opened and not sponsor_accepted",
        late="skip",
        until="send_value_email",
        branch="third_day",
    ),
    step(
        "send_value_email",
        "168 hours",
        email("value_reinforcement"),
        update("mark_warm"),
        condition="not sponsor_accepted",
        late="skip",
        until="send_social_proof",
    ),
    step(
        "send_social_proof",
        "336 hours",
        email("social_proof"),
        condition="not sponsor_accepted",
        late="skip",
        until="send_last_chance",
    ),
    step(
        "send_last_chance",
        "504 hours",
        email("last_chance", urgency="high"),
        condition="not sponsor_accepted",
        late="skip",
        until="event_date",
        priority=3,
    ),
)

# An answer is answered at once, whatever the hour: priority 1.
REACTIONS = (
    Reaction(
        fact="sponsor_responded",
        steps=(
            step("mark_hot", "0 hours", update("mark_hot"), priority=1),
            step("schedule_meeting", "0 hours", email("schedule_meeting"), until="event_date", priority=1),
            step("tell_of_answer", "0 hours", email("sponsor_responded", to="the_organizer"), priority=1),
        ),
        ends=True,
    ),
    Reaction(
        fact="sponsor_declined",
        steps=(
            step("mark_declined", "0 hours", update("mark_declined"), priority=1),
            step("thank_for_answer", "0 hours", email("declined_thank_you"), until="event_date", priority=1),
        ),
        ends=True,
    ),
    Reaction(
        fact="sponsor_accepted",
        steps=(
            step("mark_accepted", "0 hours", update("mark_accepted"), priority=1),
            step("tell_of_acceptance", "0 hours", email("sponsor_accepted", to="the_organizer"), priority=1),
        ),
    ),
    Reaction(
        fact="sponsor_signed",
        steps=(step("create_sponsorship", "0 hours", update("sponsorship"), priority=1),),
        ends=True,
    ),
)


@workflow.defn
class SponsorOutreachWorkflow(Automation):
    """Finds sponsors for an event and writes to them. Its sequences are automations of their own, and outlive it."""

    @workflow.init
    def __init__(self, about: AutomationInput) -> None:
        super().__init__(about)

    @workflow.run
    async def run(self, about: AutomationInput) -> dict[str, int]:  # noqa: ARG002 - taken in by __init__
        """Play the timeline; says how many matches, proposals and sequences there are."""
        await self.play()
        done = {target: said for results in self.knows.results.values() for target, said in results.items()}
        return {
            "matches_found": _count(done.get("sponsor_matches")),
            "proposals_generated": sum(done.get(target, NO_MATCH) != NO_MATCH for target in PROPOSALS),
            "sequences_created": _count(done.get("follow_up_sequences")),
        }


@workflow.defn
class SponsorSequenceWorkflow(Automation):
    """Follows up one proposal: by whether it was opened, until it is answered or the event begins."""

    @workflow.init
    def __init__(self, about: AutomationInput) -> None:
        super().__init__(about)
        self.knows = SequenceKnowledge(about)

    @workflow.run
    async def run(self, about: AutomationInput) -> None:  # noqa: ARG002 - taken in by __init__
        """Play the sequence until somebody answers, or until the event."""
        await self.play()

    @workflow.signal
    def proposal_opened(self, news: News | None = None) -> None:
        """The proposal was opened by a person."""
        self.hear_fact("proposal_opened", news)

    @workflow.signal
    def sponsor_responded(self, news: News | None = None) -> None:
        """Somebody of the company answered, neither with a refusal nor by a machine."""
        self.hear_fact("sponsor_responded", news)

    @workflow.signal
    def sponsor_declined(self, news: News | None = None) -> None:
        """The sponsor does not want to."""
        self.hear_fact("sponsor_declined", news)

    @workflow.signal
    def sponsor_accepted(self, news: News | None = None) -> None:
        """The sponsor wants to, and nothing is signed yet."""
        self.hear_fact("sponsor_accepted", news)

    @workflow.signal
    def sponsor_signed(self, news: News | None = None) -> None:
        """The contract is signed."""
        self.hear_fact("sponsor_signed", news)

    @workflow.signal
    def out_of_office(self, news: News) -> None:
        """The reader is away `until` an instant: the next step waits for it."""
        self._hear(news)


def _count(said: str | None) -> int:
    """The number that begins what came of a target."""
    return int(said.split()[0]) if said else 0
