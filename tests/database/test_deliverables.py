"""Deliverables: whoever changes a row, its tracker hears of it, and what the row says stays true."""

import asyncio
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from database import control, gates
from database.connection import Pool
from database.control import Scope
from database.deliverable_tracking import CHASING
from tests.database.desk import DUE, NOW, Desk, make_desk


@pytest.fixture
async def desk(pool: Pool) -> Desk:
    return await make_desk(pool)


# -- what is heard ------------------------------------------------------------------------------------------------------


async def test_a_tiers_deliverables_added_in_one_statement_are_an_occurrence_each(desk: Desk) -> None:
    await desk.pool.execute(
        """
        INSERT INTO sponsor_deliverables (sponsorship_id, event_id, name, deliverable_type, due_date)
        SELECT $1, $2, 'Banner ' || n, 'banner', $3 FROM generate_series(1, 5) n
        """,
        *(desk.sponsorship, desk.event, DUE),
    )
    rows = await desk.pool.fetch("SELECT * FROM occurrences WHERE kind = 'deliverable_added'")
    ids = {row["id"] for row in await desk.pool.fetch("SELECT id FROM sponsor_deliverables")}
    assert {row["subject"] for row in rows} == {f"deliverable/{id_}" for id_ in ids}
    assert {(row["event_id"], row["rehearsal"], row["lane"], row["occurred_at"]) for row in rows} == {
        (desk.event, True, 1, NOW)
    }
    assert all(row["data"] == {"deliverable": row["subject"].partition("/")[2], "status": "pending"} for row in rows)


async def test_each_change_is_heard_once_and_in_its_order_by_the_tracker_that_runs(desk: Desk) -> None:
    logo = await desk.owes()
    tracker = await desk.tracker(logo)
    await desk.set(logo, due_date=DUE + timedelta(days=1))
    await desk.set(logo, status="in_progress")
    await desk.set(logo, status="submitted")
    await desk.set(logo, file_url="https://acme.example/logo.svg", status="submitted")
    await desk.set(logo, status="rejected", rejection_reason="Too small")
    await desk.set(logo, status="pending")
    await desk.set(logo, status="approved")
    assert await desk.heard(logo) == [
        ("deliverable_added", None),
        ("deliverable_moved", tracker),
        ("deliverable_submitted", tracker),
        ("deliverable_rejected", tracker),
        ("deliverable_approved", tracker),
    ]


async def test_what_needs_no_approval_is_approved_by_being_handed_in(desk: Desk) -> None:
    fee = await desk.owes(name="Fee", deliverable_type="payment", requires_approval=False)
    await desk.set(fee, status="submitted")
    assert [kind for kind, _ in await desk.heard(fee)][1:] == ["deliverable_submitted", "deliverable_approved"]
    assert (await desk.row(fee))["status"] == "submitted"


async def test_a_hand_in_that_is_taken_back_is_heard(desk: Desk) -> None:
    logo = await desk.owes(status="submitted")
    tracker = await desk.tracker(logo)
    await desk.set(logo, status="in_progress")
    assert (await desk.heard(logo))[1:] == [("deliverable_reopened", tracker)]


async def test_what_happens_before_the_tracker_begins_is_news_for_it(desk: Desk) -> None:
    logo, banner = await desk.owes(), await desk.owes(name="Banner")
    await desk.set(logo, status="submitted")
    await desk.set(banner, status="submitted")
    assert await desk.heard(logo) == [("deliverable_added", None), ("deliverable_submitted", None)]
    tracker = await desk.tracker(logo, "pending")
    assert await desk.heard(logo) == [("deliverable_added", None), ("deliverable_submitted", tracker)]
    assert (await desk.heard(banner))[1:] == [("deliverable_submitted", None)]


async def test_a_change_at_the_moment_the_tracker_begins_is_not_lost(desk: Desk) -> None:
    logo = await desk.owes()
    async with desk.pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute("UPDATE sponsor_deliverables SET status = 'submitted' WHERE id = $1", logo)
            beginning = asyncio.create_task(desk.tracker(logo))
            await asyncio.sleep(0.2)
        tracker = await beginning
    assert (await desk.heard(logo))[1:] == [("deliverable_submitted", tracker)]


async def test_a_tracker_that_has_ended_hears_nothing(desk: Desk) -> None:
    logo = await desk.owes()
    await desk.tracker(logo, "cancelled")
    second = await desk.tracker(logo, "active", 2)
    await desk.set(logo, status="submitted")
    assert (await desk.heard(logo))[1:] == [("deliverable_submitted", second)]


async def test_only_what_is_still_owed_matches_the_rule(desk: Desk) -> None:
    rule = await desk.pool.fetchrow("SELECT * FROM automation_rules WHERE occurrence = 'deliverable_added'")
    assert rule is not None
    assert (rule["workflow_type"], rule["kind"]) == ("deliverable_tracking", "event")
    assert rule["match"] == "status != 'submitted' and status != 'approved'"


async def test_a_deleted_deliverable_cancels_its_tracker_and_nobody_elses(desk: Desk) -> None:
    logo, banner = await desk.owes(), await desk.owes(name="Banner")
    tracker, other = await desk.tracker(logo), await desk.tracker(banner)
    await desk.pool.execute("DELETE FROM sponsor_deliverables WHERE id = $1", logo)
    rows = await desk.pool.fetch("SELECT id, status FROM automation_workflows")
    assert {row["id"]: row["status"] for row in rows} == {tracker: "cancelled", other: "active"}
    told = await desk.pool.fetch("SELECT automation_id, data FROM occurrences WHERE kind = 'cancelled'")
    assert [(row["automation_id"], row["data"]) for row in told] == [(tracker, {"why": "the deliverable was deleted"})]


async def test_an_event_can_be_deleted_with_everything_that_tracks_it(desk: Desk) -> None:
    tracker = await desk.tracker(await desk.owes())
    await desk.message(tracker)
    await desk.pool.execute("DELETE FROM events WHERE id = $1", desk.event)
    assert await desk.pool.fetchval("SELECT count(*) FROM sponsor_deliverables") == 0
    assert await desk.pool.fetchval("SELECT count(*) FROM occurrences WHERE kind = 'cancelled'") == 0


async def test_an_event_published_again_has_its_deliverables_tracked_again(desk: Desk) -> None:
    logo, kept = await desk.owes(), await desk.owes(name="Banner")
    tracker = await desk.tracker(logo)
    await desk.tracker(kept)
    await desk.pool.execute("UPDATE events SET status = 'draft' WHERE id = $1", desk.event)
    await control.cancel(desk.pool, Scope(automation_id=tracker), "the event was unpublished")
    await desk.pool.execute("UPDATE events SET status = 'published' WHERE id = $1", desk.event)
    assert [kind for kind, _ in await desk.heard(logo)] == ["deliverable_added"] * 2
    assert [kind for kind, _ in await desk.heard(kept)] == ["deliverable_added"]


# -- what the row says --------------------------------------------------------------------------------------------------


async def test_an_overdue_deliverable_that_gets_a_date_ahead_is_pending_again(desk: Desk) -> None:
    logo = await desk.owes(status="overdue", due_date=date(2027, 3, 1))
    await desk.set(logo, due_date=date(2027, 3, 9))
    assert (await desk.row(logo))["status"] == "overdue"
    await desk.set(logo, due_date=date(2027, 3, 10))
    assert (await desk.row(logo))["status"] == "pending"
    await desk.set(logo, due_date=date(2027, 3, 9))
    assert (await desk.row(logo))["status"] == "overdue"


@pytest.mark.parametrize("status", ["submitted", "approved"])
async def test_a_changed_date_leaves_what_was_handed_in_alone(desk: Desk, status: str) -> None:
    logo = await desk.owes(status=status)
    await desk.set(logo, due_date=date(2027, 3, 1))
    assert (await desk.row(logo))["status"] == status


async def test_a_hand_in_is_dated_by_the_calendar_of_the_event(desk: Desk) -> None:
    await desk.pool.execute(
        "UPDATE events SET timezone = 'Pacific/Auckland', clock_now = $2 WHERE id = $1",
        desk.event,
        NOW + timedelta(hours=6),
    )
    logo = await desk.owes()
    await desk.set(logo, status="submitted")
    row = await desk.row(logo)
    assert row["submitted_date"] == date(2027, 3, 11)
    assert row["submitted_at"] is not None
    await desk.set(logo, status="approved")
    assert (await desk.row(logo))["approved_at"] == NOW + timedelta(hours=6)


async def test_a_date_that_the_application_gives_is_kept(desk: Desk) -> None:
    logo = await desk.owes()
    await desk.set(logo, status="submitted", submitted_date=date(2027, 3, 2))
    await desk.set(logo, status="approved", approved_at=NOW - timedelta(days=1))
    row = await desk.row(logo)
    assert (row["submitted_date"], row["approved_at"]) == (date(2027, 3, 2), NOW - timedelta(days=1))


async def test_each_hand_in_and_each_approval_has_the_day_on_which_it_came(desk: Desk) -> None:
    logo = await desk.owes()
    for days in (0, 12):
        now = NOW + timedelta(days=days)
        await desk.pool.execute("UPDATE events SET clock_now = $2 WHERE id = $1", desk.event, now)
        for status in ("submitted", "in_progress", "submitted", "approved"):
            await desk.set(logo, status=status)
        row = await desk.row(logo)
        assert (row["submitted_date"], row["approved_at"]) == (now.date(), now)
        await desk.set(logo, status="rejected", rejection_reason="Too small")


@pytest.mark.parametrize(("zone", "read_as"), [("Asia/Tokyo", "Asia/Tokyo"), ("Europe/Lisbn", "UTC"), (None, "UTC")])
async def test_the_deadline_is_the_last_minute_of_the_due_date_where_the_event_is(
    desk: Desk, zone: str | None, read_as: str
) -> None:
    await desk.pool.execute("UPDATE events SET timezone = $2 WHERE id = $1", desk.event, zone)
    logo = await desk.owes()
    await desk.set(logo, due_date=DUE + timedelta(days=1))  # a mistyped zone refuses nobody's change
    deadline = await desk.pool.fetchval("SELECT eventos_deadline($1)", logo)
    assert deadline == datetime(2027, 4, 1, 23, 59, tzinfo=ZoneInfo(read_as))
    assert await desk.pool.fetchval("SELECT eventos_deadline($1)", desk.event) is None


async def test_the_newest_tracker_is_named_by_the_row(desk: Desk) -> None:
    logo = await desk.owes()
    first = await desk.tracker(logo, "cancelled")
    assert (await desk.row(logo))["workflow_id"] == first
    second = await desk.tracker(logo, generation=2)
    assert (await desk.row(logo))["workflow_id"] == second


async def test_a_reminder_counts_once_on_however_many_channels_it_went_out(desk: Desk) -> None:
    logo = await desk.owes()
    tracker = await desk.tracker(logo)
    mail, log = await desk.message(tracker, "deliverable_urgent")
    chat, _ = await desk.message(tracker, "deliverable_urgent", "whatsapp", log)
    thanks, _ = await desk.message(tracker, "deliverable_thank_you")
    failed, _ = await desk.message(tracker)
    sent = "UPDATE messages SET status = 'sent', sent_at = $2 WHERE id = ANY($1)"
    await desk.pool.execute(sent, [mail, chat], NOW)
    await desk.pool.execute(sent, [thanks], NOW + timedelta(days=1))
    await desk.pool.execute("UPDATE messages SET status = 'failed' WHERE id = $1", failed)
    row = await desk.row(logo)
    assert (row["reminders_sent"], row["last_reminder_sent_at"]) == (1, NOW)
    another, _ = await desk.message(tracker)
    await desk.pool.execute(sent, [another], NOW + timedelta(days=2))
    row = await desk.row(logo)
    assert (row["reminders_sent"], row["last_reminder_sent_at"]) == (2, NOW + timedelta(days=2))


@pytest.mark.parametrize(
    "change", [{"status": "submitted"}, {"status": "approved"}, {"due_date": DUE + timedelta(days=7)}]
)
async def test_what_chases_dies_at_the_gate_when_it_is_no_longer_true(desk: Desk, change: dict[str, Any]) -> None:
    logo = await desk.owes()
    tracker = await desk.tracker(logo)
    reminder, _ = await desk.message(tracker)
    thanks, _ = await desk.message(tracker, "deliverable_thank_you")
    await desk.set(logo, **change)
    limits = {row["id"]: row["valid_until"] for row in await desk.pool.fetch("SELECT id, valid_until FROM messages")}
    assert limits == {reminder: NOW, thanks: None}


async def test_what_chases_stays_while_it_is_true(desk: Desk) -> None:
    logo = await desk.owes()
    await desk.message(await desk.tracker(logo))
    await desk.set(logo, status="in_progress")
    await desk.set(logo, description="In colour")
    assert await desk.pool.fetchval("SELECT valid_until FROM messages") is None


@pytest.mark.parametrize("status", ["submitted", "approved"])
@pytest.mark.parametrize("letter", CHASING)
async def test_what_chases_is_stopped_by_a_hand_in_that_commits_before_it_is_written(
    desk: Desk, letter: str, status: str
) -> None:
    """Whoever decides it has seen nothing of the hand-in, and the hand-in has seen no message to stop."""
    logo = await desk.owes()
    tracker = await desk.tracker(logo)
    thanks, _ = await desk.message(tracker, "deliverable_thank_you")
    async with desk.pool.acquire() as deciding, deciding.transaction():
        chasing, _ = await replace(desk, pool=cast("Pool", deciding)).message(tracker, letter)
        await desk.set(logo, status=status)
    assert {one.message.id: (one.verdict, one.reason) for one in await gates.judge(desk.pool, [chasing, thanks])} == {
        chasing: ("skipped", "it was handed in meanwhile"),
        thanks: ("send", None),
    }


@pytest.mark.parametrize("status", ["in_progress", "rejected", "overdue"])
async def test_what_chases_passes_the_gate_while_nothing_is_handed_in(desk: Desk, status: str) -> None:
    logo = await desk.owes(status=status)
    chasing, _ = await desk.message(await desk.tracker(logo))
    assert [one.verdict for one in await gates.judge(desk.pool, [chasing])] == ["send"]


async def test_a_reminder_that_is_held_when_it_is_handed_in_says_why_it_does_not_go(desk: Desk) -> None:
    logo = await desk.owes()
    reminder, _ = await desk.message(await desk.tracker(logo))
    await desk.pool.execute("UPDATE messages SET release_at = 'infinity', counted = FALSE")  # paused, or in quiet hours
    await desk.set(logo, status="submitted")
    (judged,) = await gates.judge(desk.pool, [reminder])
    assert (judged.verdict, judged.reason) == ("skipped", "it was handed in meanwhile")
