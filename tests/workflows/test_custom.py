"""Timelines given as data: what is refused, what begins, what they hear, and that they live like the others."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from database import control, occurrences
from database.control import Scope
from models.definition import from_definition, to_definition
from models.ids import custom_subject_id
from starter.control import ControlError
from starter.kinds import KINDS
from starter.sponsor_news import SEQUENCE
from tests.workflows.custom_stage import create, report, seats
from tests.workflows.followup_stage import live
from tests.workflows.house import House

DAY = timedelta(days=1)
TIMELINES = {"sponsor_sequence": SEQUENCE.timeline} | {
    name: kind.timeline for name, kind in KINDS.items() if name != "custom"
}


@pytest.mark.parametrize("name", TIMELINES)
def test_a_timeline_of_ours_is_the_same_after_it_was_written_down_and_read(name: str) -> None:
    assert from_definition(json.loads(json.dumps(to_definition(TIMELINES[name])))) == TIMELINES[name]


async def test_each_goes_by_the_facts_it_asks_for_and_takes_one_branch_and_no_late_step(working: House) -> None:
    """Two on one event. On the second day it is reported that seats run out: on the third the one that asks for this
    mails those who are not registered, the other, which asks for something else, posts. Neither says "save the date", which
    was due long before."""
    event = await working.rehearsal()
    await live(working, event, await _now(working, event))
    seats_left = await create(working, event, seats("seats_run_out"), "Seats")
    weather = await create(working, event, seats("it_rains"), "Weather")
    assert seats_left.workflow_id == f"custom/{custom_subject_id(event, 'Seats')}/1"
    await live(working, event, await _now(working, event) + 2 * DAY)
    await report(working, event, "seats_run_out")
    await live(working, event)

    late = "skipped: late by"
    for begun, taken, other, why in (
        (seats_left, "last_seats", "push", "the other branch was taken"),
        (weather, "push", "last_seats", "the condition does not hold: it_rains"),
    ):
        assert begun.workflow_id is not None
        row = await working.until_row(begun.workflow_id, status="completed")
        states = await working.states(begun.workflow_id)
        assert states.pop("save_the_date").startswith(late)
        assert (states["hello"], states[taken]) == ("success", "success")
        assert states[other] == f"skipped: {why}"
        journal = await working.journal(begun.workflow_id)
        assert journal[taken]["due_at"] == row["started_at"] + 3 * DAY
    assert (await working.row(str(weather.workflow_id)))["name"] == "Weather"


async def _now(house: House, event: UUID) -> Any:
    return await house.pool.fetchval("SELECT clock_now FROM events WHERE id = $1", event)


async def test_a_signal_by_any_name_is_heard_if_a_condition_asks_for_it(working: House) -> None:
    steps = [
        {"id": "wait", "type": "social", "platforms": ["linkedin"], "delay": "0 hours"},
        {"id": "open", "type": "social", "platforms": ["twitter"], "delay": "9 seconds", "condition": "doors_open"},
        {"id": "shut", "type": "social", "platforms": ["facebook"], "delay": "9 seconds", "condition": "doors_shut"},
    ]
    id_ = str((await create(working, await working.event(), {"steps": steps}, "Doors")).workflow_id)
    await working.handle(id_).signal("nobody_asked")
    await working.handle(id_).signal("doors_open")
    await working.until_row(id_, status="completed")
    await working.until_step(id_, "open", "success")  # its post may leave after the end
    assert await working.states(id_) == {
        "wait": "success",
        "open": "success",
        "shut": "skipped: the condition does not hold: doors_shut",
    }


async def test_everything_that_is_wrong_is_named_with_its_place_and_nothing_begins(house: House) -> None:
    steps = [
        {"id": "mail", "type": "email", "template": "remainder_email", "audience": "everybody"},
        {"id": "due", "type": "social", "platforms": ["myspace"], "delay": "deadline - 1 day"},
        {"id": "odd", "type": "social", "platforms": ["twitter"], "delay": "soon", "condition": "paused"},
        {"id": "back", "type": "social", "platforms": ["twitter"], "delay": "1 day", "next": "mail"},
    ]
    event = await house.event()
    with pytest.raises(ControlError) as refused:
        await create(house, event, {"steps": steps}, "  ")
    for words in (
        "steps[0].template: there is no template 'remainder_email' (did you mean 'reminder_email'?)",
        "steps[0].audience: there is no audience 'everybody'",
        "steps[1].platforms: there is no platform 'myspace'",
        "steps[1].delay: a custom automation has no due date",
        "steps[2].delay: ",
        "steps[2].condition: 'paused' steers an automation and is no fact",
        "steps[3].next: 'mail' does not come behind this step",
        "name: a name is a text of 1 to 200 characters",
    ):
        assert words in str(refused.value)
    assert await house.automations(event) == []


async def test_a_dry_run_begins_nothing_and_a_name_is_taken_until_its_automation_is_cancelled(working: House) -> None:
    event = await working.event()
    tried = await create(working, event, seats("x"), "Seats", dry_run=True)
    assert tried.workflow_id is None
    assert tried.due["save_the_date"] is not None
    assert await working.automations(event) == []
    first = str((await create(working, event, seats("x"), "Seats")).workflow_id)
    await working.until_row(first, status="active")
    with pytest.raises(ControlError, match="has an automation 'Seats', which is active"):
        await create(working, event, seats("x"), "Seats")
    await control.cancel(working.pool, Scope(event_id=event), "enough")
    assert (await create(working, event, seats("x"), "Seats")).workflow_id == first.removesuffix("1") + "2"


# -- rules ----------------------------------------------------------------------------------------------------------


async def rule(house: House, name: str, workflow_type: str = "custom", match: str = "", **parameters: Any) -> None:
    await house.pool.execute(
        """
        INSERT INTO automation_rules (name, kind, occurrence, match, workflow_type, parameters)
        VALUES ($1, 'external', 'tickets_low', $2, $3, $4)
        """,
        *(name, match, workflow_type, parameters),
    )


async def taken_in(house: House) -> str:
    due = await occurrences.due(house.pool, 10, [])
    [found] = [one for one in due if one.kind == "tickets_low" and one.automation_id is None]
    outcome = await house.triggers.take_in(found)
    await occurrences.settle(house.pool, found.id, outcome)
    return outcome


async def test_a_rule_begins_a_timeline_of_its_own_and_those_that_cannot_be_read_say_so_once(house: House) -> None:
    event = await house.event()
    await rule(house, "Unreadable", match="status = 'x'", definition=seats("x"))
    await rule(house, "Empty")
    await rule(house, "Broken", definition={"steps": [{"id": "a", "type": "email", "delay": "soon"}]})
    await rule(house, "Last tickets", definition=seats("x"))
    await report(house, event, "tickets_low")
    assert (await taken_in(house)).endswith("custom begun")
    await report(house, event, "tickets_low")
    assert (await taken_in(house)).endswith("custom runs already")
    [row] = await house.automations(event)
    assert (row["name"], row["subject_id"]) == ("Last tickets", custom_subject_id(event, "Last tickets"))
    told = await house.pool.fetch("SELECT title, body FROM notifications ORDER BY title")
    assert [one["title"] for one in told] == [
        "The rule 'Broken' cannot be followed",
        "The rule 'Empty' cannot be followed",
        "The rule 'Unreadable' cannot be followed",
    ]
    assert "steps[0].delay" in told[0]["body"]
    assert "parameters" in told[1]["body"]

    await house.pool.execute("UPDATE automation_rules SET match = 'still = wrong' WHERE name = 'Unreadable'")
    await report(house, event, "tickets_low")
    await taken_in(house)
    assert await house.pool.fetchval("SELECT count(*) FROM notifications WHERE title LIKE '%Unreadable%'") == 2


async def test_a_fact_that_comes_about_again_and_again_is_told_once(house: House) -> None:
    event = await house.event()
    await create(house, event, seats("tickets_low"), "Seats")
    await house.pool.execute("DELETE FROM occurrences")
    for told in ("; 1 custom automations are told", "", ""):
        await report(house, event, "tickets_low")
        assert await taken_in(house) == f"no rule answers to it{told}"

    # What could not be told, and is held, does not count.
    await house.pool.execute("UPDATE occurrences SET held_at = now() WHERE automation_id IS NOT NULL")
    await report(house, event, "tickets_low")
    assert await taken_in(house) == "no rule answers to it; 1 custom automations are told"
