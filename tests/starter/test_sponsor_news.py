"""What a sequence hears of its messages, and what is done for one that has ended."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from database.connection import Pool
from database.occurrences import Occurrence
from models.player import News
from starter import sponsor_news
from tests.market import NOW, Market, insert, make_market


@pytest.fixture
async def market(pool: Pool) -> Market:
    market = await make_market(pool)
    await market.sponsor("Stratus Yard")
    await market.followed()
    return market


async def heard(market: Market, kind: str, **data: Any) -> News | str:
    sequence = await market.pool.fetchval("SELECT sequence_id FROM proposals")
    return await sponsor_news.translate(market.pool, occurrence(kind, market, sequence, data))


def occurrence(kind: str, market: Market, automation: UUID, data: dict[str, Any]) -> Occurrence:
    return Occurrence(7, kind, False, market.event, automation, "message/x", data, NOW, 0, NOW)


async def reply(market: Market, sender: str, body: str = "Tell me more.") -> str:
    """An answer to the proposal that was sent to ada@stratusyard.example."""
    pool, log, message, delivery = market.pool, uuid4(), uuid4(), uuid4()
    sequence = await pool.fetchval("SELECT sequence_id FROM proposals")
    await insert(
        pool,
        "workflow_execution_logs",
        id=log,
        workflow_id=sequence,
        step_id="send_proposal",
        step_name="Send",
        action_type="email",
        status="success",
        slot="send_proposal",
    )
    values = {"id": message, "key": str(message), "rehearsal": False, "organizer_id": market.organizer}
    values |= {"event_id": market.event, "automation_id": sequence, "log_id": log, "step": "send_proposal"}
    values |= {"channel": "email", "address": "ada@stratusyard.example", "template": "proposal_email"}
    await insert(pool, "messages", **values, release_at=NOW, status="sent")
    await insert(
        pool, "webhook_deliveries", id=delivery, provider="resend", rehearsal=False, delivery_key=str(delivery), body={}
    )
    said = {"sender": sender, "body": body, "automatic": False, "replied_at": NOW}
    await insert(pool, "replies", id=delivery, message_id=message, **said)
    return str(delivery)


async def test_the_proposal_opened_is_a_fact_and_any_other_mail_opened_is_none(market: Market) -> None:
    told = await heard(market, "message_opened", step="send_proposal", round=0)
    assert told == News(kind="proposal_opened", at=NOW, data={"occurrence": 7})
    assert await market.pool.fetchval("SELECT opened_at FROM proposals") == NOW
    assert await heard(market, "message_opened", step="send_value_email", round=0) == "it was not the proposal"


@pytest.mark.parametrize("sender", ["ada@stratusyard.example", "Bob <bob@stratusyard.example>"])
async def test_an_answer_of_the_reader_or_a_colleague_is_the_sponsors(market: Market, sender: str) -> None:
    told = await heard(market, "message_replied", reply=await reply(market, sender))
    assert isinstance(told, News)
    assert told.kind == "sponsor_responded"


async def test_an_answer_from_elsewhere_is_shown_to_a_person_and_is_no_fact(market: Market) -> None:
    id_ = await reply(market, "bob@elsewhere.example")
    for _ in range(2):
        told = await heard(market, "message_replied", reply=id_)
        assert told == "an answer from somebody else, which a person has to read"
    titles = await market.pool.fetch("SELECT title FROM notifications")
    assert [row["title"] for row in titles] == ["Somebody else answered the proposal to Stratus Yard"]


async def test_a_refusal_is_the_sponsors_no(market: Market) -> None:
    id_ = await reply(market, "ada@stratusyard.example", "Thank you, but we are not interested.")
    told = await heard(market, "message_replied", reply=id_)
    assert isinstance(told, News)
    assert told.kind == "sponsor_declined"


async def test_an_answer_after_the_acceptance_makes_nobody_merely_hot_again(market: Market) -> None:
    await market.pool.execute("UPDATE proposals SET status = 'accepted'")
    told = await heard(market, "message_replied", reply=await reply(market, "ada@stratusyard.example"))
    assert told == "the proposal is accepted, and the answer changes nothing"


async def test_an_out_of_office_note_counts_until_nine_in_the_events_zone_of_the_day_it_names(market: Market) -> None:
    told = await heard(market, "message_auto_replied", reply=str(uuid4()), until="2026-12-14")
    assert isinstance(told, News)
    assert told.kind == "out_of_office"
    assert datetime.fromisoformat(str(told.data["until"])) == datetime(2026, 12, 14, 8, tzinfo=UTC)


async def test_an_automatic_answer_without_a_date_is_no_fact(market: Market) -> None:
    told = await heard(market, "message_auto_replied", reply=str(uuid4()), until=None)
    assert told == "an automatic answer that names no date"


async def test_while_an_answer_cannot_be_read_nothing_more_is_written(market: Market) -> None:
    told = await heard(market, "message_unread", until="2026-12-14T08:00:00+00:00")
    assert told == News(kind="out_of_office", at=NOW, data={"occurrence": 7, "until": "2026-12-14T08:00:00+00:00"})


@pytest.mark.parametrize("kind", sponsor_news.FACTS)
async def test_what_the_application_says_of_a_proposal_is_told_as_it_is(market: Market, kind: str) -> None:
    told = await heard(market, kind, proposal="p")
    assert isinstance(told, News)
    assert told.kind == kind


async def test_what_is_about_no_proposal_is_told_to_nobody(market: Market) -> None:
    said = await sponsor_news.translate(market.pool, occurrence("message_opened", market, market.outreach, {}))
    assert said == "its automation follows up no proposal"


async def test_a_proposal_whose_sequence_has_ended_is_marked_and_signed_all_the_same(market: Market) -> None:
    sequence = await market.pool.fetchval("SELECT sequence_id FROM proposals")
    said = [
        await sponsor_news.after_its_end(market.pool, occurrence(kind, market, sequence, {}))
        for kind in ("sponsor_responded", "sponsor_accepted", "sponsor_signed", "sponsor_signed", "proposal_opened")
    ]
    assert said == [
        "marked as hot",
        "marked as accepted",
        "signed, 4 deliverables",
        "signed, 4 deliverables",
        "its sequence has ended",
    ]
    assert await market.pool.fetchval("SELECT count(*) FROM sponsorships") == 1
