"""What the steps of an outreach do: the sandbox's model writes, and what it wrote is kept, tried out and paid for once."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.content import UnusableAnswer
from activities.sponsors import Sponsors, spoken_of
from database.batches import Batch, Claimed
from database.connection import Pool
from models.matching import NO_MATCH
from models.player import Act
from providers.accounts import rehearsal
from settings import Settings
from tests.activities.conftest import Providers
from tests.market import Market, make_market
from workflows.sponsor_outreach import REACTIONS, SEQUENCE, TIMELINE


@pytest.fixture
async def market(pool: Pool) -> Market:
    market = await make_market(pool)
    await market.sponsor("Stratus Yard", industry="hosting", audience=["platforms"])
    await market.sponsor("Ladder & Kin", category="hiring", contact_name="")
    return market


@pytest.fixture
async def deeds(pool: Pool, settings: Settings, providers: Providers) -> AsyncIterator[Sponsors]:
    assert providers.url
    accounts = rehearsal(settings)
    yield Sponsors(pool, accounts, accounts, SEQUENCE)
    await accounts.aclose()


async def do(deeds: Sponsors, market: Market, verb: str, target: str, automation: UUID | None = None) -> str:
    about = Act(
        automation_id=automation or market.outreach, event_id=market.event, step="s", target=target, rehearsal=True
    )
    done: str = await ActivityEnvironment().run(deeds.deeds[verb, target], about)
    return done


async def test_every_target_of_the_timelines_has_somebody_who_does_it(deeds: Sponsors) -> None:
    steps = (*TIMELINE, *SEQUENCE, *(step for reaction in REACTIONS for step in reaction.steps))
    asked = {
        (action.verb, target)
        for step in steps
        for action in step.actions
        if action.verb in ("generate", "update", "call")
        for target in action.targets
    }
    assert asked == set(deeds.deeds)


async def test_a_proposal_is_written_with_its_rationale_and_paid_for_once(
    deeds: Sponsors, market: Market, providers: Providers
) -> None:
    assert await do(deeds, market, "update", "sponsor_matches") == "2 found"
    first = await do(deeds, market, "generate", "proposal_1")
    asked = await providers.requests("openai")
    assert await do(deeds, market, "generate", "proposal_1") == first
    assert await providers.requests("openai") == asked == 2
    row = await market.pool.fetchrow("SELECT * FROM proposals WHERE rank = 1")
    assert row is not None
    assert (str(row["id"]), row["status"]) == (first, "written")
    assert row["rationale"]
    assert set(row["slots"]) == {"subject", "opening", "why_you", "offer", "next_step"}
    assert row["usage"]["rationale"]["output_tokens"] > 0
    assert row["usage"]["proposal"]["output_tokens"] > 0


async def test_a_sponsor_without_a_contact_name_gets_a_proposal_too(deeds: Sponsors, market: Market) -> None:
    await do(deeds, market, "update", "sponsor_matches")
    assert UUID(await do(deeds, market, "generate", "proposal_2"))


async def test_where_fewer_than_ten_fit_the_others_are_left_out(deeds: Sponsors, market: Market) -> None:
    await do(deeds, market, "update", "sponsor_matches")
    assert await do(deeds, market, "generate", "proposal_3") == NO_MATCH


async def test_the_letter_is_not_told_what_is_known_of_money_and_refusals(
    deeds: Sponsors, market: Market, providers: Providers
) -> None:
    await market.pool.execute("UPDATE sponsors SET budget = 4321, status = 'declined'")
    await do(deeds, market, "update", "sponsor_matches")
    await do(deeds, market, "generate", "proposal_1")
    (letter,) = [one for one in await providers.accepted("openai") if one["to"] == "ProposalSlots"]
    told = (await providers.http.get(f"{providers.url}/messages/openai/{letter['id']}")).text
    assert "why_they_fit" in told
    assert "the event looks for sponsors in" in told
    assert "budget" not in told
    assert "declined" not in told


async def test_an_answer_that_cannot_be_used_counts_and_leaves_what_was_kept(
    deeds: Sponsors, market: Market, providers: Providers
) -> None:
    await do(deeds, market, "update", "sponsor_matches")
    await providers.faults("openai", next=["none", "truncate"])
    with pytest.raises(UnusableAnswer):
        await do(deeds, market, "generate", "proposal_1")
    row = await market.pool.fetchrow("SELECT rationale, slots FROM proposals WHERE rank = 1")
    assert row is not None
    assert row["rationale"]
    assert row["slots"] is None
    await do(deeds, market, "generate", "proposal_1")
    assert await providers.requests("openai") == 3


async def test_a_follow_up_is_kept_among_the_words_of_its_sequence(deeds: Sponsors, market: Market) -> None:
    row, _ = await market.followed()
    campaign = await do(deeds, market, "generate", "follow_up", row["sequence_id"])
    names = await market.pool.fetch("SELECT name FROM email_templates WHERE campaign_id = $1", UUID(campaign))
    assert {one["name"] for one in names} == {"proposal_email", "follow_up"}


async def test_a_mail_of_a_sequence_is_about_its_sponsor_and_greets_its_contact_but_never_the_organizer_so(
    market: Market,
) -> None:
    _, row = await market.followed()
    messages = [
        Claimed(
            uuid4(),
            market.organizer,
            market.event,
            automation,
            uuid4(),
            "email",
            "x@y.example",
            template,
            None,
            True,
            1,
        )
        for automation, template in (
            (row["sequence_id"], "gentle_reminder"),
            (row["sequence_id"], "sponsor_responded"),
            (market.outreach, "announcement_email"),
        )
    ]
    found = await spoken_of(market.pool, Batch(uuid4(), uuid4(), "email", False, tuple(messages)))
    assert list(found) == [messages[0].id, messages[1].id]
    (sponsor, _), (told, why) = found.values()
    assert (sponsor.name, sponsor.contact_name, sponsor.tier) == ("Stratus Yard", "Ada", "Silver")
    assert (told.name, told.contact_name, why) == ("Stratus Yard", "", "you organize the event")


async def test_what_belongs_to_no_proposal_is_refused_for_good(deeds: Sponsors, market: Market) -> None:
    for verb, target in (("generate", "follow_up"), ("update", "mark_hot"), ("update", "sponsorship")):
        with pytest.raises(ApplicationError, match="follows up no proposal") as refused:
            await do(deeds, market, verb, target)
        assert refused.value.non_retryable
