"""Conditions on columns of the subject, on the real server: a column is looked at just before its step is decided."""

import pytest

from models.changes import Change
from starter import control
from starter.control import ControlError
from tests.workflows.house import House
from workflows.timeline import social, step, timeline

CITIES = timeline(
    step("porto", "7 seconds", social("linkedin"), condition="city == 'Porto'"),
    step("elsewhere", "7 seconds", social("twitter"), condition="city != 'Porto'"),
)


async def test_a_column_that_changed_since_the_start_decides_as_it_is_when_the_step_is_due(working: House) -> None:
    event = await working.event(city="Lisbon")
    id_ = await working.begin(event, CITIES)
    await working.until_row(id_, current_step="porto", status="active")
    await working.set_event(event, city="Porto")
    await working.until_row(id_, status="completed")
    # Nothing waits for the post, so it may leave after the automation's end.
    await working.until_step(id_, "porto", "success")
    states = await working.states(id_)
    assert states["elsewhere"] == "skipped: the condition does not hold: city != 'Porto'"


async def test_a_column_without_a_value_differs_from_every_value(working: House) -> None:
    id_ = await working.begin(await working.event(), CITIES)
    await working.until_row(id_, status="completed")
    states = await working.states(id_)
    assert (states["porto"].startswith("skipped"), states["elsewhere"]) == (True, "success")


async def test_a_change_that_names_a_column_the_subject_does_not_have_is_refused(working: House) -> None:
    later = timeline(step("porto", "1 hour", social("linkedin"), condition="city == 'Porto'"))
    id_ = await working.begin(await working.event(), later)
    automation = (await working.row(id_))["id"]
    change = Change(steps={"porto": {"condition": "citty == 'Porto'"}}, by="Ada")
    with pytest.raises(
        ControlError, match=r"porto.condition: the subject has no column 'citty' \(did you mean 'city'\?\)"
    ):
        await control.modify(working.client, working.pool, automation, change)
