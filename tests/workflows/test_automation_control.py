"""Pause, resume and cancel: the database obeys at once, the player as soon as it hears."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError

from database import control
from database.control import Scope
from tests.workflows.house import House, shown
from workflows.timeline import email, social, step, timeline

SOON = timeline(
    step("first", "6 seconds", social("linkedin"), late="skip", grace=timedelta(seconds=1)),
    step("second", "8 seconds", social("twitter"), late="send"),
    step("last", "25 seconds", social("facebook"), late="send"),
)
LATER = timeline(step("announce", "1 hour", email("announcement_email", to="all_contacts")))


def of(event: object) -> Scope:
    return Scope(event_id=event)  # type: ignore[arg-type]


SKIPPED = "skipped: fell due during a pause, and the resume skipped it"


async def test_no_step_begins_while_paused_and_a_resume_says_what_becomes_of_what_fell_due(working: House) -> None:
    policies = ("by_policy", "send_all", "skip_all")
    events = {policy: await working.event() for policy in policies}
    ids = {policy: await working.begin(event, SOON) for policy, event in events.items()}
    for policy, id_ in ids.items():
        await working.until_row(id_, current_step="first", status="active")
        assert await control.pause(working.pool, of(events[policy])) == 1
    rows = [await working.until_row(id_, status="paused", next_execution_at=None) for id_ in ids.values()]
    overdue = max(row["started_at"] for row in rows) + timedelta(seconds=9)
    await asyncio.sleep((overdue - datetime.now(UTC)).total_seconds())
    assert [await working.journal(id_) for id_ in ids.values()] == [{}, {}, {}]

    for policy, event in events.items():
        assert len(await control.resume(working.pool, of(event), policy)) == 1
    for id_ in ids.values():
        await working.until_row(id_, status="completed")
    late, all_, none = [await working.states(id_) for id_ in ids.values()]
    assert late.pop("first").startswith("skipped: late by ")
    assert late == {"second": "success", "last": "success"}
    assert set(all_.values()) == {"success"}
    assert none.pop("first").startswith("skipped: ")
    assert none == {"second": SKIPPED, "last": "success"}


async def test_a_shift_moves_what_counts_from_the_start_by_the_pause_and_leaves_what_counts_from_the_event(
    working: House,
) -> None:
    event = await working.event(starts_at=datetime.now(UTC) + timedelta(seconds=45))
    steps = timeline(
        step("first", "6 seconds", social("linkedin"), late="skip", grace=timedelta(seconds=8)),
        step("then", "1 second after first", social("twitter")),
        step("eve", "event_date - 1 second", social("facebook")),
    )
    id_ = await working.begin(event, steps)
    await working.until_row(id_, current_step="first", status="active")
    assert await control.pause(working.pool, of(event)) == 1
    paused = (await working.row(id_))["paused_at"]
    await asyncio.sleep(15)  # by policy the first would be late now
    assert len(await control.resume(working.pool, of(event), "shift")) == 1
    resumed = await working.pool.fetchval("SELECT occurred_at FROM occurrences WHERE kind = 'resumed'")
    row = await working.until_row(id_, status="completed", seconds=90)
    journal = await working.journal(id_)
    assert journal["first"]["due_at"] == row["started_at"] + timedelta(seconds=6) + (resumed - paused)
    assert journal["eve"]["due_at"] == await working.pool.fetchval("SELECT starts_at - interval '1 second' FROM events")
    assert set((await working.states(id_)).values()) == {"success"}


async def test_a_pause_that_the_player_has_not_heard_of_holds_its_next_step_all_the_same(working: House) -> None:
    event = await working.event()
    id_ = await working.begin(event, SOON[1:2])
    start = (await working.until_row(id_, status="active"))["started_at"]
    await working.until_row(id_, next_execution_at=start + timedelta(seconds=8))
    # Recorded, and told to nobody: as if the pause came between the plan and the enqueue.
    await working.pool.execute("UPDATE automation_workflows SET status = 'paused' WHERE temporal_workflow_id = $1", id_)
    await working.until(lambda: says_paused(working, id_))
    await working.until_row(id_, next_execution_at=None)
    assert await working.journal(id_) == {}
    assert len(await control.resume(working.pool, of(event), "by_policy")) == 1
    await working.until_row(id_, status="completed")


async def says_paused(house: House, id_: str) -> bool:
    return "**paused**" in await shown(house, id_)


async def test_a_pause_before_the_start_is_seen_by_the_first_look(house: House) -> None:
    event = await house.event()
    id_ = await house.begin(event, SOON[:2])
    assert await control.pause(house.pool, of(event)) == 1
    async with house.at_work():
        row = await house.until_row(id_, next_execution_at=None, status="paused")
        await house.until(lambda: started(house, id_))
        assert await house.journal(id_) == {}
        await control.resume(house.pool, of(event), "by_policy")
        await house.until_row(id_, status="completed")
    assert row["status"] == "paused"


async def started(house: House, id_: str) -> bool:
    return (await house.row(id_))["started_at"] is not None


@pytest.mark.parametrize("when", ["before the start", "waiting", "paused", "sending", "held"])
async def test_a_cancellation_ends_it_in_every_state(house: House, when: str) -> None:
    event = await house.event()
    if when == "held":
        await house.set_event(event, organizer_id=None)
    steps = timeline(step("announce", "0 seconds", email("announcement_email", to="all_contacts")))
    id_ = await house.begin(event, steps if when in ("sending", "held") else LATER)
    house.post_as = None
    if when == "before the start":
        await control.cancel(house.pool, of(event), "no more")
    async with house.at_work():
        match when:
            case "waiting":
                await house.until_row(id_, current_step="announce", status="active")
            case "paused":
                await control.pause(house.pool, of(event))
                await house.quiet()
            case "sending":
                await house.until_step(id_, "announce", "running")
            case "held":
                await house.until(lambda: held(house, id_))
        if when != "before the start":
            assert await control.cancel(house.pool, of(event), "no more") == 1
        await house.handle(id_).result()
        await house.deliver()
        await house.quiet()
    row = await house.row(id_)
    assert (row["status"], row["current_step"], row["next_execution_at"]) == ("cancelled", None, None)
    assert row["completed_at"] is not None
    assert await house.pool.fetchval("SELECT count(*) FROM messages WHERE status NOT IN ('cancelled')") == 0
    reasons = {name: (known["status"], known["result"]["reason"]) for name, known in (await house.journal(id_)).items()}
    assert reasons == {"announce": ("skipped", "no more")}


async def held(house: House, id_: str) -> bool:
    return "has no organizer" in ((await house.row(id_))["last_error"] or "")


async def test_news_that_comes_after_the_end_settles_its_occurrence(working: House) -> None:
    event = await working.event()
    id_ = await working.begin(event, timeline(step("post", "0 seconds", social("linkedin"))))
    row = await working.until_row(id_, status="completed")
    await working.handle(id_).result()
    await working.pool.execute(
        """
        INSERT INTO occurrences (kind, event_id, automation_id, subject, data, occurred_at)
        VALUES ('paused', $1, $2, 'automation/' || $2::uuid, '{}', now())
        """,
        event,
        row["id"],
    )
    await working.quiet()
    outcome = await working.pool.fetchval("SELECT outcome FROM occurrences WHERE kind = 'paused'")
    assert outcome == "its automation does not run"
    assert (await working.row(id_))["status"] == "completed"


async def test_one_that_is_cancelled_through_temporal_ends_its_row_as_cancelled(working: House) -> None:
    id_ = await working.begin(await working.event(), LATER)
    await working.until_row(id_, current_step="announce", status="active")
    await working.handle(id_).cancel()
    with pytest.raises(WorkflowFailureError):
        await working.handle(id_).result()
    assert (await working.handle(id_).describe()).status == WorkflowExecutionStatus.CANCELED
    row = await working.row(id_)
    assert (row["status"], row["next_execution_at"]) == ("cancelled", None)


async def test_one_whose_workflow_was_terminated_is_marked_as_failed_when_it_is_next_told(working: House) -> None:
    event = await working.event()
    id_ = await working.begin(event, LATER)
    await working.until_row(id_, current_step="announce", status="active")
    await working.handle(id_).terminate()
    await control.pause(working.pool, of(event))
    row = await working.until_row(id_, status="failed")
    assert row["last_error"] == "its workflow was ended from outside"


async def test_one_whose_event_is_deleted_ends(working: House) -> None:
    event = await working.event()
    id_ = await working.begin(event, SOON)
    await working.until_row(id_, current_step="first", status="active")
    await working.pool.execute("DELETE FROM events WHERE id = $1", event)
    await working.handle(id_).result()
    assert await working.pool.fetchval("SELECT count(*) FROM messages") == 0
