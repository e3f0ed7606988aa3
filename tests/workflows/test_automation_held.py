"""A step that fails for good is held: an automation says so, waits for a person, and never dies of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateStage

from models.player import StepOrder
from starter.control import ControlError, order
from tests.workflows.house import House, Row, shown
from workflows.timeline import email, social, step, timeline, update

NOWHERE = timeline(
    step("records", "0 seconds", update("marketing_campaign"), late="run"),
    step("post", "1 second after records", social("linkedin"), until="event_date"),
)
"""Its first step cannot succeed: nothing was generated before it."""
ACCEPTED = WorkflowUpdateStage.ACCEPTED
WHY = "marketing_campaign: Nothing was generated for this campaign yet; put generate_marketing_content before it."


async def until_held(house: House, id_: str) -> Row:
    async def held() -> Row | None:
        row = await house.row(id_)
        return row if row["last_error"] and row["next_execution_at"] is None else None

    row: Row = await house.until(held)
    return row


async def ask(house: House, id_: str, verb: Any, name: str, **more: Any) -> str:
    automation = (await house.row(id_))["id"]
    return await order(house.client, house.pool, automation, verb, StepOrder(step=name, by="Olga"), **more)


async def give_words(house: House, event: object) -> None:
    await house.pool.execute(
        """
        INSERT INTO marketing_campaigns (event_id, automation_id, name) SELECT event_id, id, 'Launch'
        FROM automation_workflows WHERE event_id = $1
        """,
        event,
    )


async def test_a_step_that_fails_for_good_is_held_and_everybody_can_see_why(working: House) -> None:
    event = await working.event()
    id_ = await working.begin(event, NOWHERE)
    row = await working.until_row(id_, last_error=WHY)
    assert (row["status"], row["current_step"], row["tasks_failed"]) == ("active", "records", 1)
    journal = await working.journal(id_)
    assert (journal["records"]["status"], journal["records"]["error_message"]) == ("running", WHY)
    assert "post" not in journal
    told = await working.pool.fetchrow("SELECT title, body FROM notifications")
    assert told is not None
    assert (told["title"], told["body"]) == ("Records is held", WHY)
    await working.until(lambda: says_held(working, id_))


async def says_held(house: House, id_: str) -> bool:
    return f"**records is held**: {WHY}" in await shown(house, id_)


async def test_a_retry_frees_it_once_the_cause_is_mended(working: House) -> None:
    event = await working.event()
    id_ = await working.begin(event, NOWHERE)
    await until_held(working, id_)
    assert (await ask(working, id_, "retry", "records")).startswith("records is held: marketing_campaign: Nothing")

    await give_words(working, event)
    assert await ask(working, id_, "retry", "records", once="order-1") == "records is success"
    assert await ask(working, id_, "retry", "records", once="order-1") == "records is success"
    row = await working.until_row(id_, steps_completed=2)
    assert row["last_error"] is None
    journal = await working.journal(id_)
    assert journal["post"]["due_at"] == journal["records"]["ended_at"] + timedelta(seconds=1)
    assert await working.pool.fetchval("SELECT count(*) FROM notifications") == 0


async def test_a_skip_gives_it_up_and_goes_on_behind_it(working: House) -> None:
    id_ = await working.begin(await working.event(), NOWHERE)
    await until_held(working, id_)
    reason = f"given up by Olga after: {WHY}"
    assert await ask(working, id_, "skip", "records") == f"records is failed: {reason}"
    await working.until_step(id_, "post", "success")
    row = await working.row(id_)
    assert (await working.states(id_))["records"] == f"failed: {reason}"
    assert (row["steps_completed"], row["last_error"]) == (2, None)


async def test_nonsense_is_refused_with_clear_words(working: House) -> None:
    id_ = await working.begin(await working.event(), NOWHERE)
    await until_held(working, id_)
    with pytest.raises(ControlError, match="There is no step 'recrods'; the steps are records, post"):
        await ask(working, id_, "retry", "recrods")
    with pytest.raises(ControlError, match="post is not yet due; only a held step can be retried or skipped"):
        await ask(working, id_, "skip", "post")
    assert (await working.states(id_)) == {"records": f"running: {WHY}"}


async def test_two_retries_at_once_are_obeyed_once(working: House) -> None:
    event = await working.event()
    id_ = await working.begin(event, NOWHERE)
    await until_held(working, id_)
    handle = working.handle(id_)
    for _ in range(2):
        await handle.start_update("retry", StepOrder(step="records"), wait_for_stage=ACCEPTED)
    await until_held(working, id_)
    assert (await working.states(id_)) == {"records": f"running: {WHY}"}


async def test_a_target_that_nobody_carries_out_is_held_and_never_passed_over(working: House) -> None:
    id_ = await working.begin(await working.event(), timeline(step("tell", "0 seconds", update("the_moon"))))
    row = await until_held(working, id_)
    assert "Nothing can update 'the_moon'" in row["last_error"]


async def test_a_step_whose_messages_all_fail_is_held_and_a_retry_sends_them_again(working: House) -> None:
    working.post_as = None
    event = await working.event(contacts=4)
    announce = step("announce", "0 seconds", email("announcement_email", to="all_contacts"))
    id_ = await working.begin(event, timeline(announce, step("then", "1 second", social("linkedin"))))
    await working.until_step(id_, "announce", "running")
    assert await working.deliver("failed", "the account is suspended") == 4
    await working.until(lambda: says(working, id_, "**announce is held**: the account is suspended"))
    assert (await working.row(id_))["last_error"] == "the account is suspended"
    working.post_as = "sent"
    await working.until_step(id_, "then", "success")

    assert await ask(working, id_, "retry", "announce") in ("announce is running", "announce is success")
    row = await working.until_row(id_, status="completed")
    assert (row["last_error"], row["steps_completed"]) == (None, 2)
    assert await working.pool.fetchval("SELECT count(*) FROM messages WHERE status = 'sent' AND step = 'announce'") == 4


async def says(house: House, id_: str, words: str) -> bool:
    return words in await shown(house, id_)


async def test_an_event_that_passes_while_a_step_is_held_ends_it_with_reasons(working: House) -> None:
    event = await working.event(starts_at=datetime.now(UTC) + timedelta(seconds=2))
    id_ = await working.begin(event, NOWHERE)
    row = await working.until_row(id_, status="completed")
    states = await working.states(id_)
    assert states == {
        "records": f"failed: not mended in time: {WHY}",
        "post": "skipped: event_date came before it was due",
    }
    assert row["steps_completed"] == 2


async def test_a_failure_in_a_local_activity_holds_the_step_too(working: House) -> None:
    event = await working.event()
    await working.set_event(event, organizer_id=None)
    id_ = await working.begin(event, timeline(step("post", "0 seconds", social("linkedin"))))
    row = await until_held(working, id_)
    assert row["last_error"] == f"Event {event} has no organizer; set events.organizer_id."
    assert row["status"] == "active"
