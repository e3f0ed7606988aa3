"""What people ask of automations, and what they are answered when it cannot be done."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from database import events
from database.control import Scope
from models.player import AutomationInput, News, StepOrder
from starter import client, control
from starter.client import NotReady
from starter.control import ControlError
from tests.workflows.house import House
from workflows.timeline import social, step, timeline

LATER = timeline(step("post", "1 hour", social("linkedin")))


@workflow.defn(name="CustomWorkflow")
class Broken:
    """None of its tasks succeeds."""

    @workflow.run
    async def run(self, about: AutomationInput) -> None:  # noqa: ARG002 - it comes to nothing
        raise RuntimeError("this worker cannot play it")


async def test_an_event_is_found_by_its_id_and_by_part_of_its_name(house: House) -> None:
    event = await house.event(name="Harbour Days")
    assert (await control.find_event(house.pool, str(event))).id == event
    assert (await control.find_event(house.pool, "harbour")).id == event
    with pytest.raises(ControlError, match="There is no event 'Lake'"):
        await control.find_event(house.pool, "Lake")
    other = await house.event(name="Harbour Nights")
    with pytest.raises(ControlError, match="'harbour' fits 2 events") as refused:
        await control.find_event(house.pool, "harbour")
    assert str(event) in str(refused.value)
    assert str(other) in str(refused.value)


async def test_an_event_that_cannot_be_launched_is_refused_with_everything_it_lacks(house: House) -> None:
    id_ = await house.event(starts_at=None, timezone=None)
    await house.set_event(id_, organizer_id=None)
    event = await events.get(house.pool, id_)
    assert event is not None
    with pytest.raises(ControlError) as refused:
        await control.publish(house.pool, event)
    for lack in ("no organizer", "no start", "no end", "no time zone"):
        assert lack in str(refused.value)
    assert await house.pool.fetchval("SELECT status FROM events WHERE id = $1", id_) == "draft"


async def test_publishing_twice_says_so(house: House) -> None:
    event = await events.get(house.pool, await house.event())
    assert event is not None
    assert await control.publish(house.pool, event) is True
    assert await control.publish(house.pool, event) is False


async def test_pausing_nothing_resuming_nothing_and_cancelling_nothing_are_refused(house: House) -> None:
    nothing = Scope(event_id=await house.event())
    with pytest.raises(ControlError, match="Nothing there is active"):
        await control.pause(house.pool, nothing)
    with pytest.raises(ControlError, match="Nothing there is paused"):
        await control.resume(house.pool, nothing, "by_policy")
    with pytest.raises(ControlError, match="Nothing there is running"):
        await control.cancel(house.pool, nothing)


async def test_a_pause_of_one_kind_leaves_the_others_alone(house: House) -> None:
    event = await house.event()
    await house.begin(event, LATER)
    with pytest.raises(ControlError):
        await control.pause(house.pool, Scope(event_id=event, workflow_type="event_launch"))
    assert await control.pause(house.pool, Scope(event_id=event, workflow_type="custom")) == 1


async def test_without_a_worker_the_caller_is_told_that_the_outcome_is_unknown(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "ANSWER_SECONDS", 0.5)
    id_ = await house.begin(await house.event(), LATER)
    automation = (await house.row(id_))["id"]
    with pytest.raises(ControlError, match="so the outcome is unknown"):
        await control.order(house.client, house.pool, automation, "retry", StepOrder(step="post"))


async def test_a_workflow_whose_tasks_fail_takes_no_orders_and_says_what_to_look_at(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "ANSWER_SECONDS", 0.5)
    id_ = await house.begin(await house.event(), LATER)
    automation = (await house.row(id_))["id"]
    clock = News(kind="clock", at=datetime.now(UTC))

    async def refused() -> str:
        try:
            await control.order(house.client, house.pool, automation, "retry", StepOrder(step="post"))
        except ControlError as error:
            return str(error) if "takes no orders" in str(error) else ""
        raise AssertionError("it was obeyed")

    broken = Worker(
        house.client, task_queue=house.queue, workflows=[Broken], workflow_runner=UnsandboxedWorkflowRunner()
    )
    async with broken:
        assert "the worker's log and the Temporal Web UI say why" in await house.until(refused, 40)
        with pytest.raises(NotReady):
            await client.tell(house.client, id_, clock, rehearsal=True, once="clock")
    await house.handle(id_).terminate()  # it has no history that today's code could have made
    await house.pool.execute("DELETE FROM automation_workflows")


async def test_an_automation_that_has_ended_or_never_was_takes_no_orders(working: House) -> None:
    id_ = await working.begin(await working.event(), timeline(step("post", "0 seconds", social("linkedin"))))
    await working.handle(id_).result()
    automation = (await working.row(id_))["id"]
    with pytest.raises(ControlError, match="is completed"):
        await control.order(working.client, working.pool, automation, "skip", StepOrder(step="post"))
    with pytest.raises(ControlError, match="There is no automation"):
        await control.order(working.client, working.pool, uuid4(), "skip", StepOrder(step="post"))


async def test_what_a_pause_held_is_released_by_a_resume(house: House) -> None:
    event = await house.event()
    id_ = await house.begin(event, LATER)
    await control.pause(house.pool, Scope(event_id=event))
    row = await house.row(id_)
    assert row["status"] == "paused"
    assert datetime.now(UTC) - row["paused_at"] < timedelta(seconds=5)
    assert await control.resume(house.pool, Scope(event_id=event), "send_all") == [row["id"]]
    told = await house.pool.fetch("SELECT kind, data FROM occurrences WHERE automation_id = $1 ORDER BY id", row["id"])
    assert [(one["kind"], one["data"]) for one in told] == [("paused", {}), ("resumed", {"policy": "send_all"})]
