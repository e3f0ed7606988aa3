"""Sponsors in the database: who is a match, what is kept of it, what becomes of a proposal, and which news that is."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from database import proposals, sequences, sponsors
from database.connection import Pool
from models.approval import DEFAULTS
from tests.market import NOW, SLOTS, Market, insert, make_market
from workflows.sponsor_outreach import SEQUENCE, TIMELINE


@pytest.fixture
async def market(pool: Pool) -> Market:
    return await make_market(pool)


# -- matches --------------------------------------------------------------------------------------------------------


async def test_a_match_is_kept_with_every_part_of_its_score(market: Market) -> None:
    await market.sponsor("Stratus Yard", audience=["platforms"], past_sponsorships=["Other Conf"], budget=5000)
    await insert(market.pool, "speakers", event_id=market.event, name="Marta", topics=["platforms"])
    (row,) = await market.matched()
    assert {part["part"]: part["points"] for part in row["score_parts"]} == {
        "category": 35, "history": 15, "audience": 25, "budget": 5
    }  # fmt: skip
    assert row["score"] == 80
    assert row["rank"] == 1
    assert row["status"] == "matched"
    assert row["score_parts"][3]["why"] == "the event has set no prices"


async def test_who_cannot_or_must_not_be_written_to_is_no_candidate(market: Market) -> None:
    fine = await market.sponsor("Fine")
    await market.sponsor("No Address", contact_email="")
    await market.sponsor("Odd Address", contact_email="ask at the desk")
    await market.sponsor("Complained", contact_email="Stop@Complained.example")
    await insert(
        market.pool,
        "suppressions",
        organizer_id=market.organizer,
        channel="email",
        address="stop@complained.example",
        reason="complaint",
    )
    sponsor = await market.sponsor("Sponsor Already")
    await insert(market.pool, "sponsorships", event_id=market.event, sponsor_id=sponsor)
    assert [one.id for one in await sponsors.candidates(market.pool, market.event)] == [fine]


async def test_matches_are_kept_once_whoever_finds_them_again(market: Market) -> None:
    await market.sponsor("One")
    first = await market.matched()
    await market.sponsor("Two")
    assert await market.matched() == first


async def test_a_later_outreach_asks_again_only_whom_nobody_has_asked(market: Market) -> None:
    await market.sponsor("Asked")
    await market.followed()
    new = await market.sponsor("New")
    market.outreach = await market.automation(market.event, generation=2)
    rows = await market.matched()
    assert [row["sponsor_id"] for row in rows if row["outreach_id"] == market.outreach] == [new]


async def test_a_sponsor_whose_sequence_was_cancelled_is_asked_anew_under_the_same_proposal(market: Market) -> None:
    await market.sponsor("Once More")
    (before,) = await market.followed()
    await market.pool.execute("UPDATE automation_workflows SET status = 'cancelled'")
    market.outreach = await market.automation(market.event, generation=2)
    (after,) = await market.followed()
    assert after["id"] == before["id"]
    assert after["sequence_id"] != before["sequence_id"]
    generations = await market.pool.fetch(
        "SELECT generation FROM automation_workflows WHERE subject_id = $1 ORDER BY 1", after["id"]
    )
    assert [row["generation"] for row in generations] == [1, 2]


async def test_an_event_without_tiers_offers_everybodys_and_one_with_its_own_only_these(market: Market) -> None:
    assert [tier.name for tier in (await sponsors.sought(market.pool, market.event)).tiers] == [
        "Gold", "Silver", "Bronze"
    ]  # fmt: skip
    await insert(market.pool, "sponsor_tiers", event_id=market.event, name="Friend", price=800, rank=1)
    assert [tier.name for tier in (await sponsors.sought(market.pool, market.event)).tiers] == ["Friend"]


# -- sequences ------------------------------------------------------------------------------------------------------


async def test_each_written_proposal_gets_a_sequence_with_its_mail_and_the_occurrence_that_starts_it(
    market: Market,
) -> None:
    await market.sponsor("One")
    await market.sponsor("Two")
    rows = await market.followed()
    assert await sequences.begin(market.pool, market.outreach, SEQUENCE) == 2
    automations = await market.pool.fetch(
        "SELECT * FROM automation_workflows WHERE id = ANY($1) ORDER BY name", [row["sequence_id"] for row in rows]
    )
    assert [(row["name"], row["workflow_type"], row["status"]) for row in automations] == [
        ("Sponsor Follow-up: One", "sponsor_outreach", "pending"),
        ("Sponsor Follow-up: Two", "sponsor_outreach", "pending"),
    ]
    assert {row["subject_id"] for row in automations} == {row["id"] for row in rows}
    assert all(len(row["definition"]["steps"]) == len(SEQUENCE) for row in automations)
    told = await market.occurrences("sequence_created")
    assert [one["data"] for one in told] == [{"proposal": str(row["id"])} for row in rows]
    mails = await market.pool.fetch(
        """
        SELECT t.name, t.subject, t.slots FROM email_templates t JOIN marketing_campaigns c ON c.id = t.campaign_id
        WHERE c.automation_id = ANY($1)
        """,
        [row["sequence_id"] for row in rows],
    )
    assert [tuple(mail) for mail in mails] == [("proposal_email", "An idea", SLOTS)] * 2


async def test_a_match_whose_proposal_was_not_written_gets_no_sequence(market: Market) -> None:
    await market.sponsor("One")
    await market.matched()
    assert await sequences.begin(market.pool, market.outreach, SEQUENCE) == 0


async def test_who_became_a_sponsor_before_the_proposals_go_out_gets_no_sequence(market: Market) -> None:
    sponsor = await market.sponsor("One")
    (row,) = await market.matched()
    await proposals.keep_words(market.pool, row["id"], SLOTS, {})
    await insert(market.pool, "sponsorships", event_id=market.event, sponsor_id=sponsor)
    assert await sequences.begin(market.pool, market.outreach, SEQUENCE) == 0


async def test_a_sequence_that_is_taken_up_sends_the_words_as_they_were_changed_last_and_is_taken_up_once(
    market: Market,
) -> None:
    await market.sponsor("One")
    await market.sponsor("Cancelled by name")
    (first, other) = sorted(await market.followed(), key=lambda row: row["rank"])
    why = {first["sequence_id"]: "the event was unpublished", other["sequence_id"]: "the automation was cancelled"}
    for id_, reason in why.items():
        await market.pool.execute(
            "UPDATE automation_workflows SET status = 'cancelled', cancelled_because = $2 WHERE id = $1", id_, reason
        )
    await market.pool.execute("UPDATE email_templates SET slots = slots || $1", {"subject": "A better idea"})
    since = await market.pool.fetchval("SELECT clock_timestamp()")

    async def again() -> int:
        return await sequences.take_up(market.pool, market.event, ["the event was unpublished"], since, SEQUENCE)

    assert (await again(), await again()) == (1, 0)
    present = await market.pool.fetchval("SELECT sequence_id FROM proposals WHERE id = $1", first["id"])
    assert await sequences.present(market.pool, first["sequence_id"]) == present != first["sequence_id"]
    assert await sequences.present(market.pool, other["sequence_id"]) == other["sequence_id"]
    subject = await market.pool.fetchval(
        "SELECT t.subject FROM email_templates t JOIN marketing_campaigns c ON c.id = t.campaign_id WHERE c.automation_id = $1",
        present,
    )
    assert subject == "A better idea"


async def test_no_sequence_is_taken_up_once_the_event_has_begun(market: Market) -> None:
    await market.sponsor("One")
    await market.followed()
    await market.pool.execute("UPDATE automation_workflows SET status = 'cancelled', cancelled_because = 'gone'")
    await market.pool.execute("UPDATE events SET starts_at = now()")
    assert await sequences.take_up(market.pool, market.event, ["gone"], NOW + timedelta(days=1), SEQUENCE) == 0
    assert len(await market.occurrences("event_created")) == 1


# -- what becomes of a proposal -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marks", "sponsor", "proposal"),
    [
        (["warm"], "warm", "active"),
        (["warm", "hot"], "hot", "responded"),
        (["hot", "warm"], "hot", "responded"),
        (["hot", "declined"], "declined", "declined"),
        (["hot", "accepted"], "accepted", "accepted"),
        (["accepted", "hot"], "accepted", "responded"),
    ],
)
async def test_a_mark_takes_the_place_of_what_was_less(
    market: Market, marks: list[proposals.Mark], sponsor: str, proposal: str
) -> None:
    await market.sponsor("One")
    (row,) = await market.followed()
    for mark in marks:
        await proposals.mark(market.pool, row["sequence_id"], mark)
    assert await market.pool.fetchval("SELECT status FROM sponsors") == sponsor
    assert await market.pool.fetchval("SELECT status FROM proposals") == proposal


async def test_what_the_application_writes_is_news_and_what_the_sequence_writes_is_none(market: Market) -> None:
    await market.sponsor("One")
    (row,) = await market.followed()
    await proposals.mark(market.pool, row["sequence_id"], "accepted")
    assert await market.occurrences() == []
    await market.pool.execute("UPDATE proposals SET status = 'declined'")
    await market.pool.execute("UPDATE proposals SET status = 'declined', updated_at = now()")
    (told,) = await market.occurrences()
    assert (told["kind"], told["automation_id"], told["subject"]) == (
        "sponsor_declined",
        row["sequence_id"],
        f"proposal/{row['id']}",
    )


async def test_signing_makes_one_sponsorship_and_what_its_tier_owes_none_of_it_due_in_the_past(market: Market) -> None:
    await market.sponsor("One")
    (row,) = await market.followed()
    assert await proposals.sign(market.pool, row["sequence_id"]) == 4
    assert await proposals.sign(market.pool, row["sequence_id"]) == 4
    signed = await market.pool.fetchrow("SELECT tier, amount FROM sponsorships")
    assert signed is not None
    assert tuple(signed) == ("Silver", None)
    due = await market.pool.fetch("SELECT name, due_date FROM sponsor_deliverables ORDER BY due_date, name")
    event = await market.pool.fetchval("SELECT (starts_at AT TIME ZONE timezone)::date FROM events")
    assert [(one["name"], (event - one["due_date"]).days) for one in due] == [
        ("Signed contract", 45),
        ("Company logo", 30),
        ("Payment", 30),
        ("Booth materials", 14),
    ]
    assert await market.pool.fetchval("SELECT status FROM proposals") == "signed"
    assert await market.pool.fetchval("SELECT status FROM sponsors") == "accepted"


async def test_signing_adopts_the_sponsorship_that_is_there_and_adds_only_what_its_tier_owes_and_it_has_not(
    market: Market,
) -> None:
    sponsor = await market.sponsor("One")
    (row,) = await market.followed()
    there = {"id": uuid4(), "event_id": market.event, "sponsor_id": sponsor, "tier": "Gold", "amount": 9000}
    await insert(market.pool, "sponsorships", **there)
    owed = {"name": "company logo ", "deliverable_type": "logo", "due_date": (NOW + timedelta(days=9)).date()}
    await insert(market.pool, "sponsor_deliverables", sponsorship_id=there["id"], event_id=market.event, **owed)
    assert await proposals.sign(market.pool, row["sequence_id"]) == 6
    assert [dict(one) for one in await market.pool.fetch("SELECT id, tier, amount FROM sponsorships")] == [
        {"id": there["id"], "tier": "Gold", "amount": 9000}
    ]
    assert await market.pool.fetchval("SELECT sponsorship_id FROM proposals") == there["id"]
    names = await market.pool.fetch("SELECT name FROM sponsor_deliverables ORDER BY name")
    assert [one["name"] for one in names] == [
        "Booth materials", "Payment", "Signed contract", "Speaker biography", "Stage banner", "company logo "
    ]  # fmt: skip


@pytest.mark.parametrize(("tier", "owes"), [("", 4), ("Friend of the house", 0)])
async def test_a_sponsorship_that_names_no_tier_owes_what_was_proposed_and_one_of_an_unknown_tier_nothing(
    market: Market, tier: str, owes: int
) -> None:
    sponsor = await market.sponsor("One")
    (row,) = await market.followed()
    await insert(market.pool, "sponsorships", event_id=market.event, sponsor_id=sponsor, tier=tier)
    assert await proposals.sign(market.pool, row["sequence_id"]) == owes


async def test_a_sponsorship_made_elsewhere_is_told_to_the_sequence_once_and_one_made_by_signing_is_not(
    market: Market,
) -> None:
    sponsor = await market.sponsor("One")
    await market.sponsor("Two")
    one, two = sorted(await market.followed(), key=lambda row: row["sponsor_id"] != sponsor)
    await proposals.sign(market.pool, two["sequence_id"])
    assert await market.occurrences() == []
    await market.pool.execute(
        "INSERT INTO sponsorships (event_id, sponsor_id, tier) SELECT $1, $2, unnest(ARRAY['Gold', 'Lunch'])",
        *(market.event, sponsor),
    )
    (told,) = await market.occurrences()
    assert (told["kind"], told["automation_id"]) == ("sponsor_signed", one["sequence_id"])
    await proposals.sign(market.pool, one["sequence_id"])
    await insert(market.pool, "sponsorships", event_id=market.event, sponsor_id=sponsor, tier="Dinner")
    assert len(await market.occurrences()) == 1


@pytest.mark.parametrize(("days", "left"), [(20, 3), (2, 2)])
async def test_who_signs_late_has_three_days_and_the_day_of_the_event_at_the_most(
    market: Market, days: int, left: int
) -> None:
    await market.sponsor("One")
    (row,) = await market.followed()
    await market.pool.execute("UPDATE events SET starts_at = $1", NOW + timedelta(days=days))
    await proposals.sign(market.pool, row["sequence_id"])
    earliest: date = await market.pool.fetchval("SELECT min(due_date) FROM sponsor_deliverables")
    today: date = await market.pool.fetchval("SELECT (now() AT TIME ZONE 'Europe/Berlin')::date")
    assert (earliest - today).days == left


# -- the event ------------------------------------------------------------------------------------------------------


async def test_an_event_is_created_once_it_has_dates_and_categories_whether_at_once_or_later(pool: Pool) -> None:
    async def told() -> list[str]:
        rows = await pool.fetch(
            "SELECT e.name FROM occurrences o JOIN events e ON e.id = o.event_id WHERE kind = 'event_created' ORDER BY o.id"
        )
        return [row["name"] for row in rows]

    bare = uuid4()
    await insert(pool, "events", id=bare, name="Bare")
    await insert(
        pool, "events", name="Whole", starts_at=NOW, ends_at=NOW + timedelta(hours=1), sponsor_categories=["cloud"]
    )
    assert await told() == ["Whole"]
    await pool.execute("UPDATE events SET starts_at = $2, ends_at = $2 WHERE id = $1", bare, NOW)
    assert await told() == ["Whole"]
    await pool.execute("UPDATE events SET sponsor_categories = '{cloud}' WHERE id = $1", bare)
    await pool.execute("UPDATE events SET sponsor_categories = '{cloud, hiring}' WHERE id = $1", bare)
    assert await told() == ["Whole", "Bare"]


async def test_the_outreach_begins_by_a_rule_and_its_proposals_are_reviewed_first(pool: Pool) -> None:
    rule = await pool.fetchrow("SELECT * FROM automation_rules WHERE workflow_type = 'sponsor_outreach'")
    assert rule is not None
    assert (rule["occurrence"], rule["parameters"], rule["enabled"]) == ("event_created", {}, True)
    assert DEFAULTS == {"sponsor_outreach": "required"}
    assert len(TIMELINE) == 3
