"""Approval lived on a stepped clock: words that nobody has approved do not go out, and what was approved is what goes out."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import pytest
from temporalio.client import WorkflowUpdateFailedError

from database import claims, decisions
from database.approvals import Waiting
from database.control import Scope
from models.approval import Decide, Decided
from models.changes import Change
from starter import control, rehearsal
from starter.conductor import conduct
from starter.control import ControlError
from tests.workflows.house import House, Row, shown
from workflows.event_launch import RECORDS
from workflows.timeline import email, generate, step, timeline, update

DAY, HOUR = timedelta(days=1), timedelta(hours=1)

LAUNCH = timeline(
    step("write", "0 hours", generate("email_templates"), late="run"),
    step("lay_out", "0 hours after write", update(RECORDS[1]), late="run"),
    step("announce", "0 hours after lay_out", email("announcement_email", to="all_contacts"), until="event_date"),
    step("remind", "7 days", email("reminder_email", to="all_contacts"), late="skip", until="last_call"),
    step(
        "last_call",
        "event_date - 3 days",
        email("last_chance_email", to="all_contacts"),
        late="latest",
        until="event_date",
    ),
)


@dataclass
class Launch:
    """A rehearsal of a small launch, whose time the test moves on."""

    house: House
    event: UUID
    start: datetime
    id: str = ""

    @property
    def pool(self) -> Any:
        return self.house.pool

    async def live(self, span: timedelta | None = None) -> None:
        async for _ in conduct(self.pool, self.house.client, self.event, None if span is None else self.start + span):
            pass

    async def row(self) -> Row:
        return await self.house.row(self.id)

    async def sent(self) -> dict[str, timedelta]:
        """What went out to the contacts, and how long after the start."""
        rows = await self.pool.fetch(
            "SELECT DISTINCT template, sent_at FROM messages WHERE status = 'sent' AND template <> 'notification' ORDER BY sent_at"
        )
        return {row["template"]: row["sent_at"] - self.start for row in rows}

    async def told(self) -> list[tuple[str, timedelta]]:
        """What the organizer was mailed, and when."""
        rows = await self.pool.fetch(
            """
            SELECT coalesce(n.title, 'settled') AS title, m.sent_at
            FROM messages m LEFT JOIN notifications n ON n.id = m.content_id
            WHERE m.template = 'notification' AND m.status = 'sent' ORDER BY m.sent_at
            """
        )
        return [(row["title"], row["sent_at"] - self.start) for row in rows]

    async def waiting(self) -> Waiting:
        return await control.to_approve(self.pool, (await self.row())["id"])

    async def approve(self, content_hash: str | None = None, **changes: Any) -> str:
        waiting = await self.waiting()
        decision = Decide(step=waiting.step, content_hash=content_hash or waiting.content_hash, by="Olga")
        id_ = (await self.row())["id"]
        return await control.approve(self.house.client, self.pool, id_, decision.model_copy(update=changes))

    async def reject(self, note: str) -> str:
        waiting = await self.waiting()
        decision = Decide(step=waiting.step, content_hash=waiting.content_hash, by="Olga", note=note)
        return await control.reject(self.house.client, self.pool, (await self.row())["id"], decision)

    async def modify(self, **steps: Any) -> None:
        """Somebody changes the timeline."""
        id_ = (await self.row())["id"]
        await control.modify(self.house.client, self.pool, id_, Change(steps=steps, by="Olga"))

    async def revise(self, template: str, **words: Any) -> None:
        """Some program changes the words of a mail."""
        await self.pool.execute("UPDATE email_templates SET slots = slots || $2 WHERE name = $1", template, words)
        await self.house.quiet()

    async def claim(self) -> list[str]:
        """Look at the queue as the dispatcher does; the templates that may go."""
        claimed = await claims.claim(self.pool, "email", rehearsal=True, limit=100)
        return [message.template for batch in claimed.batches for message in batch.messages]

    async def approvals(self) -> list[tuple[str, str]]:
        rows = await self.pool.fetch("SELECT step, status FROM approvals ORDER BY asked_at, decided_at NULLS LAST")
        return [(row["step"], row["status"]) for row in rows]


async def begin(house: House, approval: str | None = "required") -> Launch:
    """Begin it for a copy of an event in thirty days, under the organizer's setting."""
    event = await house.event()
    await house.set_event(event, venue="River Hall", city="Berlin", url="https://river.example")
    await house.set_event(event, register_url="https://river.example/register")
    await house.pool.execute("UPDATE organizers SET postal_address = 'Quay 1, 10115 Berlin'")
    if approval is not None:
        await house.pool.execute(
            "INSERT INTO approval_settings SELECT organizer_id, 'custom', $2 FROM events WHERE id = $1", event, approval
        )
    start = datetime.now(UTC).replace(microsecond=0)
    launch = Launch(house, await rehearsal.copy(house.pool, event, start), start)
    launch.id = await house.begin(launch.event, LAUNCH)
    return launch


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


async def decided_unheard(launch: Launch, verb: Literal["approve", "reject"], content_hash: str) -> Decide:
    """A decision that is taken in while the worker that took it dies, so that the player never hears of it."""
    waiting = await launch.waiting()
    decision = Decide(step=waiting.step, content_hash=content_hash, by="Olga")
    about = Decided(automation_id=waiting.automation_id, event_id=waiting.event_id, verb=verb, decision=decision)
    await decisions.decide(launch.pool, about)
    return decision


async def test_an_approval_whose_answer_was_lost_is_answered_when_it_is_repeated_and_sends_at_once(
    working: House,
) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    decision = await decided_unheard(launch, "approve", (await launch.waiting()).content_hash)
    assert await working.handle(launch.id).execute_update("approve", decision) == "approved"
    await launch.live(2 * HOUR)
    assert await launch.sent() == {"announcement_email": HOUR}
    assert await launch.approvals() == [("announce", "approved")]


async def test_a_piece_whose_approval_was_lost_is_approved_once(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    piece, left = (await launch.waiting()).contents[0], len((await launch.waiting()).contents) - 1
    decision = await decided_unheard(launch, "approve", piece.content_hash)
    said = await working.handle(launch.id).execute_update("approve", decision)
    assert said == f"{piece.name} is approved; {left} more to decide about"
    assert await launch.pool.fetchval("SELECT count(*) FROM approvals WHERE content_id = $1", piece.id) == 1


async def test_a_refused_decision_has_the_player_look_for_one_that_was_taken(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    decision = await decided_unheard(launch, "approve", (await launch.waiting()).content_hash)
    other = decision.model_copy(update={"content_hash": "of other words"})
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await working.handle(launch.id).execute_update("approve", other)
    assert "Nothing of it waits for approval" in str(refused.value.cause)
    await launch.live(2 * HOUR)
    assert await launch.sent() == {"announcement_email": HOUR}


async def test_taking_away_the_step_that_waits_has_the_approval_stand_before_the_next(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    await launch.modify(announce=None)
    assert await launch.approvals() == [("remind", "pending")]
    assert await launch.approve() == "approved; remind goes on"
    await launch.live()
    assert list(await launch.sent()) == ["reminder_email", "last_chance_email"]
    assert (await launch.sent())["reminder_email"] == 7 * DAY
    assert len(await launch.told()) == 1


async def test_an_approval_moves_to_the_step_that_is_due_first_and_is_reminded_of_before_that_is_overdue(
    working: House,
) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    post = {"type": "email", "template": "last_chance_email", "audience": "all_contacts", "delay": "2 days"}
    await launch.modify(announce=None, soon=post)
    assert (await launch.waiting()).step == "soon"
    await launch.live(3 * DAY)
    assert [at for _, at in await launch.told()] == [timedelta(), DAY, 2 * DAY + 5 * HOUR]
    await launch.approve()
    await launch.live(4 * DAY)
    assert await launch.sent() == {"last_chance_email": 3 * DAY}


async def test_a_waiting_step_that_is_changed_to_need_no_approval_goes_out_and_the_next_one_waits(
    working: House,
) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    await launch.modify(announce={"type": "social", "platforms": ["twitter"], "template": None, "audience": None})
    assert (await launch.waiting()).step == "remind"
    await launch.live(2 * HOUR)
    assert (await working.states(launch.id))["announce"] == "success"
    await launch.approve()
    await launch.live(8 * DAY)
    assert (await launch.sent())["reminder_email"] == 7 * DAY


async def test_an_approval_of_words_that_nothing_sends_any_more_is_asked_for_no_longer(working: House) -> None:
    launch = await begin(working)
    await launch.live(HOUR)
    await launch.reject("too loud")
    await launch.modify(announce=None, remind=None, last_call=None)
    assert await launch.approvals() == [("announce", "superseded")]
    await launch.live(DAY)
    row = await launch.row()
    assert (row["status"], row["last_error"]) == ("completed", None)


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
