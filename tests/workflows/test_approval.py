"""Approval lived on a stepped clock: words that nobody has approved do not go out, and what was approved is what goes out."""

from datetime import timedelta

import pytest

from database import decisions
from database.control import Scope
from models.approval import Decide
from starter import control, resuming
from starter.control import ControlError
from tests.workflows.approval_stage import DAY, HOUR, Launch, begin
from tests.workflows.house import House, shown


async def test_what_needs_no_approval_goes_out_by_itself(working: House) -> None:
    launch = await begin(working, approval=None)
    await launch.live(HOUR)
    assert await launch.sent() == {"announcement_email": timedelta()}
    assert await launch.approvals() == []
    with pytest.raises(ControlError, match=r"Nothing of automation .* waits for approval"):
        await launch.waiting()


async def test_a_launch_that_needs_approval_waits_for_it_and_asks_the_organizer_at_once(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    assert await launch.sent() == {}
    row = await launch.row()
    assert (row["status"], row["current_step"], row["last_error"]) == ("active", "announce", None)
    assert (row["approval"], row["next_execution_at"]) == ("required", None)
    assert await launch.told() == [("To approve: Custom: River Conf", timedelta())]
    waiting = await launch.waiting()
    assert (waiting.step, waiting.status, len(waiting.contents)) == ("announce", "pending", 4)
    assert "**announce waits for approval**" in await shown(working, launch.id)

    assert await launch.approve() == "approved; announce goes on"
    await launch.live(2 * HOUR)
    assert await launch.sent() == {"announcement_email": HOUR}
    assert await launch.approvals() == [("announce", "approved")]
    row = await launch.row()
    assert row["current_step"] == "remind"
    assert row["steps_completed"] == 3


async def test_the_approver_is_reminded_before_the_step_is_overdue_and_after_a_day_and_then_left_alone(
    working: House,
) -> None:
    launch = await begin(working)
    await launch.live(6 * DAY)
    told = await launch.told()
    assert [at for _, at in told] == [timedelta(), 5 * HOUR, 24 * HOUR]
    assert {title for title, _ in told[1:]} == {"Still to approve: Custom: River Conf"}
    assert await launch.pool.fetchval("SELECT reminders_sent FROM approvals") == 2


async def test_a_late_approval_sends_what_waited_for_it_and_what_fell_due_behind_it_is_late(working: House) -> None:
    launch = await begin(working)
    await launch.live(10 * DAY)
    await launch.approve()
    await launch.live(11 * DAY)
    assert await launch.sent() == {"announcement_email": 10 * DAY}
    states = await working.states(launch.id)
    assert states["announce"] == "success"
    assert states["remind"].startswith("skipped: late by")


async def test_a_step_is_late_only_after_its_own_approval(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    await launch.approve()
    await launch.live(DAY)
    await launch.revise("reminder_email", subject="A new subject")
    await launch.live(9 * DAY)
    assert (await launch.waiting()).step == "remind"
    assert list(await launch.sent()) == ["announcement_email"]
    await launch.approve()
    await launch.live(10 * DAY)
    assert await launch.sent() == {"announcement_email": HOUR, "reminder_email": 9 * DAY}


async def test_other_content_than_what_was_shown_is_not_approved(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    before = (await launch.waiting()).content_hash
    await launch.revise("announcement_email", subject="Changed behind your back")
    with pytest.raises(ControlError, match=r"The content has changed since it was shown.*eventos approve"):
        await launch.approve(before)
    await launch.live(2 * HOUR)
    assert await launch.sent() == {}
    assert await launch.approvals() == [("announce", "superseded"), ("announce", "pending")]
    assert len(await launch.told()) == 2
    await launch.approve()
    await launch.live(3 * HOUR)
    assert await launch.sent() == {"announcement_email": 2 * HOUR}


async def test_nonsense_is_refused_with_clear_words(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    with pytest.raises(ControlError, match="Not anounce but announce waits for approval"):
        await launch.approve(step="anounce")
    with pytest.raises(ControlError, match="Not remind but announce waits for approval"):
        await launch.approve(step="remind")
    with pytest.raises(ControlError, match="Not remind but announce"):
        await control.to_approve(launch.pool, (await launch.row())["id"], "remind")
    waiting = await launch.waiting()
    await control.cancel(launch.pool, Scope(automation_id=(await launch.row())["id"]))
    await launch.live(2 * HOUR)
    with pytest.raises(ControlError, match=r"Nothing of automation .* waits"):
        await launch.approve(waiting.content_hash)
    assert await launch.approvals() == [("announce", "pending")]


async def test_approving_twice_is_approving_once(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    waiting, row = await launch.waiting(), await launch.row()
    decision = Decide(step=waiting.step, content_hash=waiting.content_hash)
    handle, once = working.handle(launch.id), f"approve/{waiting.approval_id}"
    said = [await handle.execute_update("approve", decision, id=once) for _ in range(2)]
    assert said == ["approved; announce goes on"] * 2
    await launch.live(2 * HOUR)
    assert await launch.sent() == {"announcement_email": HOUR}
    assert row["id"] == waiting.automation_id


async def test_words_changed_after_the_approval_hold_what_is_queued_until_they_are_approved_again(
    working: House,
) -> None:
    working.post_as = None
    launch = await begin(working)
    await working.until(lambda: _asked(launch))
    await launch.approve()
    await working.until_step(launch.id, "announce", "running")
    await launch.revise("announcement_email", subject="Changed after you looked")
    assert "announcement_email" not in await launch.claim()
    held = await launch.pool.fetch(
        "SELECT status, reason, release_at FROM messages WHERE template = 'announcement_email'"
    )
    assert {(one["status"], one["reason"]) for one in held} == {("queued", "held until its words are approved")}
    assert (await launch.waiting()).step == "announce"
    assert await launch.claim() == []

    await launch.approve()
    assert await launch.claim() == ["announcement_email"] * 3


DEAF = """
CREATE FUNCTION hold_news() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.held_at := now(); RETURN NEW; END $$;
CREATE TRIGGER deaf BEFORE INSERT ON occurrences FOR EACH ROW WHEN (NEW.kind = 'content_changed') EXECUTE FUNCTION hold_news();
"""
"""Nobody is told that words were changed."""


async def test_changed_words_can_be_approved_before_the_automation_has_heard_that_they_changed(working: House) -> None:
    working.post_as = None
    launch = await begin(working)
    await working.until(lambda: _asked(launch))
    await launch.approve()
    await working.until_step(launch.id, "announce", "running")
    await launch.pool.execute(DEAF)
    await launch.revise("announcement_email", subject="Changed after you looked")
    assert await decisions.ask_again(launch.pool, (await launch.row())["id"])
    await launch.approve()
    assert await launch.claim() == ["announcement_email"] * 3


async def _asked(launch: Launch) -> bool:
    return bool(await launch.approvals())


async def test_a_rejection_holds_the_step_until_the_words_are_changed_and_approved(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    said = await launch.reject("too loud")
    assert said == (
        "rejected by Olga: too loud. Nobody is written to: change the words and approve them, or cancel the automation"
    )
    await launch.live(3 * DAY)
    row = await launch.row()
    assert (row["status"], row["current_step"], row["last_error"]) == ("active", "announce", said)
    assert await launch.sent() == {}
    assert len(await launch.told()) == 1  # nobody is reminded of what was refused
    await launch.revise("announcement_email", headline="A quiet word")
    await launch.approve()
    await launch.live(4 * DAY)
    assert await launch.sent() == {"announcement_email": 3 * DAY}
    assert (await launch.row())["last_error"] is None


async def test_a_pause_while_it_waits_reminds_nobody_and_an_approval_in_it_counts_after_the_resume(
    working: House,
) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    scope = Scope(automation_id=(await launch.row())["id"])
    await control.pause(launch.pool, scope)
    await launch.live(3 * DAY)
    assert len(await launch.told()) == 1
    await launch.approve()
    await launch.live(4 * DAY)
    assert await launch.sent() == {}
    await control.resume(launch.pool, scope, "by_policy")
    await launch.live(5 * DAY)
    assert await launch.sent() == {"announcement_email": 4 * DAY}


async def test_an_event_moved_while_it_waits_changes_nothing_but_the_dates(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    starts = launch.start + 60 * DAY
    await working.set_event(launch.event, starts_at=starts, ends_at=starts + DAY)
    await launch.live(DAY)
    assert await launch.approvals() == [("announce", "pending")]
    await launch.approve()
    await launch.live()
    sent = await launch.sent()
    assert list(sent) == ["announcement_email", "reminder_email", "last_chance_email"]
    assert abs(sent["last_chance_email"] - 57 * DAY) <= HOUR  # the clocks may change between


async def test_what_is_not_approved_before_the_event_is_never_sent(working: House) -> None:
    launch = await begin(working)
    await launch.live()
    assert await launch.sent() == {}
    row = await launch.row()
    assert row["status"] == "completed"
    assert (await working.states(launch.id))["announce"] == "skipped: overtaken by event_date"


async def test_a_launch_cancelled_while_it_waits_ends_and_takes_the_request_with_it(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    await control.cancel(launch.pool, Scope(automation_id=(await launch.row())["id"]))
    await launch.live()
    assert (await launch.row())["status"] == "cancelled"
    assert await launch.sent() == {}
    assert len(await launch.told()) == 1


async def test_what_waits_for_approval_is_not_skipped_by_a_resume_that_skips_what_fell_due_in_the_pause(
    working: House,
) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    scope = Scope(automation_id=(await launch.row())["id"])
    await control.pause(launch.pool, scope)
    await launch.live(2 * HOUR)
    async with resuming.view(launch.pool, scope) as view:
        [foreseen] = await view.foresee("skip_all")
    assert (foreseen.steps, dict(foreseen.skipped)) == (0, {})
    await control.resume(launch.pool, scope, "skip_all")
    await launch.live(DAY)
    assert (await launch.row())["current_step"] == "announce"
    await launch.approve()
    await launch.live(2 * DAY)
    assert await launch.sent() == {"announcement_email": DAY}


async def test_what_was_approved_in_a_pause_is_skipped_by_a_resume_that_skips_what_it_kept_from_going(
    working: House,
) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    scope = Scope(automation_id=(await launch.row())["id"])
    await control.pause(launch.pool, scope)
    await launch.live(2 * HOUR)
    await launch.approve()
    await launch.live(3 * HOUR)
    why = "fell due during a pause, and the resume skipped it"
    async with resuming.view(launch.pool, scope) as view:
        [foreseen] = await view.foresee("skip_all")
    assert (foreseen.steps, dict(foreseen.skipped)) == (0, {why: 1})
    await control.resume(launch.pool, scope, "skip_all")
    await launch.live(DAY)
    assert (await working.states(launch.id))["announce"] == f"skipped: {why}"
