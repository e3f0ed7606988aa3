"""What a tracker knows of its deliverable: who is written to, of what, and what it may change."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from activities.facts import event_facts
from database import deliverable_tracking, events
from database.connection import Pool
from templates import DeliverableFacts, PersonFacts, SponsorFacts, render_email
from tests.database.desk import Desk, make_desk


@pytest.fixture
async def desk(pool: Pool) -> Desk:
    return await make_desk(pool)


async def people(desk: Desk, tracker: UUID, audience: str) -> list[tuple[str, str | None]]:
    rows = await desk.pool.fetch(
        f"""
        WITH scope AS (
            SELECT a.id AS automation_id, a.event_id, a.organizer_id, a.subject_id FROM automation_workflows a WHERE a.id = $1
        ) SELECT email, phone FROM ({deliverable_tracking.AUDIENCES[audience]}) people
        """,
        tracker,
    )
    return [(row["email"], row["phone"]) for row in rows]


# -- who is written to, and of what -------------------------------------------------------------------------------------


async def test_the_sponsors_contact_is_written_to(desk: Desk) -> None:
    logo = await desk.owes()
    tracker = await desk.tracker(logo)
    assert await people(desk, tracker, "sponsor") == [("ada@acme.example", "+4917139200001")]


async def test_each_hand_in_is_thanked_for_once(desk: Desk) -> None:
    logo = await desk.owes()
    tracker = await desk.tracker(logo)
    await desk.set(logo, status="submitted")
    assert len(await people(desk, tracker, "sponsor_not_yet_thanked")) == 1
    await desk.message(tracker, "deliverable_thank_you")
    assert await people(desk, tracker, "sponsor_not_yet_thanked") == []
    await desk.set(logo, status="approved")
    assert await people(desk, tracker, "sponsor_not_yet_thanked") == []
    await desk.set(logo, status="rejected")
    await desk.set(logo, status="submitted")
    assert len(await people(desk, tracker, "sponsor_not_yet_thanked")) == 1


async def test_a_rejection_is_explained_only_while_it_stands(desk: Desk) -> None:
    logo = await desk.owes(status="rejected")
    tracker = await desk.tracker(logo)
    assert len(await people(desk, tracker, "sponsor_of_rejected")) == 1
    await deliverable_tracking.await_again(desk.pool, tracker)
    assert await people(desk, tracker, "sponsor_of_rejected") == []


async def test_the_organizer_is_asked_only_where_an_approval_is_needed(desk: Desk) -> None:
    asked, free = await desk.owes(), await desk.owes(requires_approval=False)
    first, second = await desk.tracker(asked), await desk.tracker(free)
    assert await people(desk, first, "organizer_who_approves") == [("hello@river.example", None)]
    assert await people(desk, second, "organizer_who_approves") == []
    assert await deliverable_tracking.ask_for_review(desk.pool, first) is True
    assert await deliverable_tracking.ask_for_review(desk.pool, first) is True
    assert await deliverable_tracking.ask_for_review(desk.pool, second) is False
    titles = await desk.pool.fetch("SELECT title FROM notifications")
    assert [row["title"] for row in titles] == ["Logo waits for your approval"]


async def test_words_are_made_of_what_is_true_when_they_are_sent(desk: Desk) -> None:
    logo = await desk.owes(due_date=date(2027, 3, 13), file_url="https://acme.example/logo.svg")
    message, _ = await desk.message(await desk.tracker(logo))
    await desk.set(logo, due_date=date(2027, 3, 14), rejection_reason="Too small")
    facts = (await deliverable_tracking.facts(desk.pool, [message, uuid4()]))[message]
    assert facts.deliverable == {
        "name": "Logo",
        "type": "logo",
        "due_date": date(2027, 3, 14),
        "days_remaining": 4,
        "upload_url": "https://river.example/sponsors",
        "rejection_reason": "Too small",
        "urgency": "high",
    }
    assert facts.sponsor == {"name": "Acme", "contact_name": "Ada", "category": "Cloud", "tier": "Gold"}
    assert facts.why == "Acme sponsors River Conf"
    assert facts.review_url == "https://acme.example/logo.svg"


async def test_an_organizer_is_not_greeted_by_the_sponsors_name(desk: Desk) -> None:
    message, _ = await desk.message(await desk.tracker(await desk.owes()), "deliverable_review")
    await desk.pool.execute("UPDATE messages SET person_id = organizer_id")
    facts = (await deliverable_tracking.facts(desk.pool, [message]))[message]
    assert (facts.sponsor["contact_name"], facts.why) == ("", "you organize River Conf")


async def test_days_are_counted_on_the_calendar_of_the_event(desk: Desk) -> None:
    logo = await desk.owes(due_date=date(2027, 3, 11))
    message, _ = await desk.message(await desk.tracker(logo))
    evening = datetime(2027, 3, 10, 22, 30, tzinfo=UTC)
    left = {}
    for zone in ("Europe/Lisbon", "Asia/Tokyo"):
        await desk.pool.execute(
            "UPDATE events SET clock_now = $2, timezone = $3 WHERE id = $1", desk.event, evening, zone
        )
        left[zone] = (await deliverable_tracking.facts(desk.pool, [message]))[message].deliverable["days_remaining"]
    assert left == {"Europe/Lisbon": 1, "Asia/Tokyo": 0}


@pytest.mark.parametrize(
    ("letter", "reason", "says"),
    [
        ("deliverable_reminder", None, "Only a few days are left."),
        ("deliverable_urgent", None, "https://river.example/sponsors"),
        ("deliverable_overdue", None, "has not reached us"),
        ("deliverable_overdue", "Too small", "we cannot use what we were sent"),
        ("deliverable_rejected", "Too small", "Too small"),
        ("deliverable_thank_you", None, "has reached us"),
    ],
)
async def test_every_mail_to_the_sponsor_can_be_written_from_the_facts(
    desk: Desk, letter: str, reason: str | None, says: str
) -> None:
    logo = await desk.owes(due_date=date(2027, 3, 13), rejection_reason=reason)
    message, _ = await desk.message(await desk.tracker(logo), letter)
    known = (await deliverable_tracking.facts(desk.pool, [message]))[message]
    mail = render_email(
        letter,
        None,
        event_facts(await events.facts(desk.pool, desk.event)),
        PersonFacts(why=known.why),
        sponsor=SponsorFacts(**known.sponsor),
        deliverable=DeliverableFacts(**known.deliverable),
    )
    assert says in mail.text
    assert "Ada" in mail.text
    assert "Logo" in mail.subject


# -- what a tracker changes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "then"),
    [("pending", "overdue"), ("in_progress", "overdue"), ("submitted", "submitted"), ("rejected", "rejected")],
)
async def test_only_what_was_not_handed_in_becomes_overdue(desk: Desk, status: str, then: str) -> None:
    logo = await desk.owes(status=status)
    tracker = await desk.tracker(logo)
    for _ in range(2):
        assert await deliverable_tracking.mark_overdue(desk.pool, tracker) == then
    titles = [row["title"] for row in await desk.pool.fetch("SELECT title FROM notifications")]
    assert titles == (["Logo is overdue"] if then == "overdue" else [])


@pytest.mark.parametrize(("status", "then"), [("rejected", "pending"), ("submitted", "submitted")])
async def test_only_what_is_still_rejected_is_awaited_again(desk: Desk, status: str, then: str) -> None:
    logo = await desk.owes(status=status, submitted_date=date(2027, 3, 9), rejection_reason="Too small")
    assert await deliverable_tracking.await_again(desk.pool, await desk.tracker(logo)) == then
    row = await desk.row(logo)
    assert (row["submitted_date"] is None) is (then == "pending")
    assert row["rejection_reason"] == "Too small"


async def test_of_a_deliverable_that_is_gone_nothing_is_changed(desk: Desk) -> None:
    logo = await desk.owes()
    tracker = await desk.tracker(logo)
    await desk.pool.execute("DELETE FROM sponsor_deliverables")
    for act in (
        deliverable_tracking.mark_overdue,
        deliverable_tracking.await_again,
        deliverable_tracking.ask_for_review,
    ):
        assert await act(desk.pool, tracker) is None
