"""The lives whose histories are kept: scripts of what happens to automations, each with its interesting turns.

A life says which histories come of it; `python -m tests.histories.record` lives them.
"""

from datetime import date
from functools import partial
from uuid import uuid4

from temporalio import activity
from temporalio.worker import Worker

import worker as hosting
from database import control
from database.control import Scope
from models.ids import dispatch_workflow_id
from models.player import DispatchInput, StepOrder
from starter import control as orders
from tests.histories.launch_lives import now, refuse
from tests.histories.life import DAY, LIVES, Life, life
from tests.workflows import custom_stage, deliverable_stage, followup_stage, guests, sponsor_stage
from tests.workflows.deliverable_stage import at, tracker
from tests.workflows.followup_stage import live
from tests.workflows.house import House
from workflows.pumps import DispatchWorkflow, IntakeWorkflow

__all__ = ["LIVES", "Life"]

# -- sponsors -------------------------------------------------------------------------------------------------------


@life("sponsor_outreach", "sponsor_sequence_not_opened", "sponsor_sequence_opened", "sponsor_sequence_answered")
async def sponsors_who_open_and_answer(house: House) -> dict[str, str]:
    outreach = await sponsor_stage.begin(house)
    await outreach.live(0.5)
    await outreach.opens("Millrace")
    await outreach.opens("Stratus Yard")
    await outreach.live(8)
    await outreach.replies("Stratus Yard", "ada@stratusyard.example")
    await outreach.live()
    return {
        "sponsor_outreach": f"sponsor_outreach/{outreach.event}/1",
        "sponsor_sequence_not_opened": await sequence(outreach, "Brightkiln"),
        "sponsor_sequence_opened": await sequence(outreach, "Millrace"),
        "sponsor_sequence_answered": await sequence(outreach, "Stratus Yard"),
    }


@life("sponsor_sequence_declined", "sponsor_sequence_out_of_office", "sponsor_sequence_accepted_and_signed")
async def sponsors_who_decide(house: House) -> dict[str, str]:
    outreach = await sponsor_stage.begin(house)
    await outreach.live(1)
    await outreach.replies("Brightkiln", "ada@brightkiln.example", "Thanks, but we are not interested.")
    back: date = (outreach.start + 5 * DAY).date()
    await outreach.happens("Millrace", "message_auto_replied", reply=str(outreach.event), until=back.isoformat())
    await outreach.says("Stratus Yard", "accepted")
    await outreach.live(6)
    await outreach.says("Stratus Yard", "signed")
    await outreach.live(9)
    await control.cancel(outreach.pool, Scope(event_id=outreach.event), "enough")
    await outreach.live(10)
    return {
        "sponsor_sequence_declined": await sequence(outreach, "Brightkiln"),
        "sponsor_sequence_out_of_office": await sequence(outreach, "Millrace"),
        "sponsor_sequence_accepted_and_signed": await sequence(outreach, "Stratus Yard"),
    }


@life("sponsor_outreach_held_and_given_up", "sponsor_sequence_paused_and_overtaken_by_the_event")
async def an_outreach_that_is_held_and_a_sequence_that_is_paused(house: House) -> dict[str, str]:
    await refuse(house, "refusal")
    outreach = await sponsor_stage.begin(house)
    await outreach.live(1)
    parent = f"sponsor_outreach/{outreach.event}/1"
    row = await house.row(parent)
    await orders.order(house.client, house.pool, row["id"], "skip", StepOrder(step="generate_proposals"))
    await outreach.live(2)
    sponsor = next(iter(await outreach.sequences()))
    scope = Scope(automation_id=(await outreach.sequence(sponsor))["id"])
    await control.pause(house.pool, scope)
    await outreach.live(6)
    await control.resume(house.pool, scope, "send_all")
    await outreach.live(8)
    starts = outreach.start + 10 * DAY
    await house.set_event(outreach.event, starts_at=starts, ends_at=starts + DAY)
    await outreach.live()
    return {
        "sponsor_outreach_held_and_given_up": parent,
        "sponsor_sequence_paused_and_overtaken_by_the_event": await sequence(outreach, sponsor),
    }


async def sequence(outreach: sponsor_stage.Outreach, sponsor: str) -> str:
    id_: str = (await outreach.sequence(sponsor))["temporal_workflow_id"]
    return id_


# -- attendees ------------------------------------------------------------------------------------------------------


@life("attendee_engagement_registered_late", "attendee_engagement_paused_and_moved", "attendee_engagement_cancelled")
async def attendees(house: House) -> dict[str, str]:
    visitors = await guests.welcome(house, guests.DATE - 40 * DAY)
    early, gone = await visitors.register(), await visitors.register("bob")
    await visitors.live(guests.DATE - 36 * DAY)
    await control.pause(house.pool, Scope(automation_id=(await visitors.row(early))["id"]))
    await visitors.live(guests.DATE - 30 * DAY)
    await control.resume(house.pool, Scope(event_id=visitors.event), "by_policy")
    await visitors.set(gone, status="cancelled")
    await visitors.live(guests.DATE - 2 * DAY)
    late = await visitors.register("eve")
    await visitors.live(guests.DATE - DAY / 2)
    await visitors.move(20 * DAY)
    await visitors.set(late, checked_in_at=guests.DATE)
    await visitors.live()
    return {
        "attendee_engagement_registered_late": guests.engagement(late),
        "attendee_engagement_paused_and_moved": guests.engagement(early),
        "attendee_engagement_cancelled": guests.engagement(gone),
    }


# -- deliverables ---------------------------------------------------------------------------------------------------


@life(
    "deliverable_tracking_overdue",
    "deliverable_tracking_rejected_and_approved",
    "deliverable_tracking_due_date_moved",
    "deliverable_tracking_paused_and_resumed",
)
async def deliverables(house: House) -> dict[str, str]:
    office = await deliverable_stage.open_office(house)
    overdue, rejected, moved, paused = [await office.owes() for _ in range(4)]
    await office.live(at(8, 15))
    await office.set(rejected, status="submitted")
    await office.set(moved, due_date=date(2027, 4, 1))
    await control.pause(house.pool, Scope(automation_id=(await house.row(tracker(paused)))["id"]))
    await office.live(at(14, 10))
    await office.set(rejected, status="rejected", rejection_reason="Too small")
    await control.resume(house.pool, Scope(automation_id=(await house.row(tracker(paused)))["id"]), "by_policy")
    await office.live(at(18, 10))
    for one in (rejected, paused):
        await office.set(one, status="submitted")
    await office.live(at(19, 10))
    for one in (rejected, paused):
        await office.set(one, status="approved")
    await office.live(at(25, 10))
    await office.set(overdue, status="submitted")
    await office.live()
    await office.set(overdue, status="approved")
    await office.set(moved, status="approved")
    await office.live()
    return {
        "deliverable_tracking_overdue": tracker(overdue),
        "deliverable_tracking_rejected_and_approved": tracker(rejected),
        "deliverable_tracking_due_date_moved": tracker(moved),
        "deliverable_tracking_paused_and_resumed": tracker(paused),
    }


# -- follow-up ------------------------------------------------------------------------------------------------------


@life("post_event_followup_paused_moved_and_resumed")
async def a_follow_up(house: House) -> dict[str, str]:
    _, event, end = await followup_stage.ended_event(house)
    await control.pause(house.pool, Scope(event_id=event))
    await live(house, event, end + 2 * DAY)
    await control.resume(house.pool, Scope(event_id=event), "by_policy")
    await live(house, event, end + 2 * DAY + DAY / 2)
    await house.set_event(event, starts_at=end + 3 * DAY, ends_at=end + 4 * DAY)
    await live(house, event)
    return {"post_event_followup_paused_moved_and_resumed": followup_stage.id_of(event)}


# -- custom ---------------------------------------------------------------------------------------------------------


@life("custom_by_a_fact", "custom_by_signals")
async def timelines_of_ones_own(house: House) -> dict[str, str]:
    event = await house.rehearsal()
    begun = await now(house, event)
    by_fact = (await custom_stage.create(house, event, custom_stage.seats("seats_run_out"), "Seats")).workflow_id
    await live(house, event, begun + 2 * DAY)
    await custom_stage.report(house, event, "seats_run_out")
    await live(house, event)
    real = await house.event()
    by_signals = str((await custom_stage.create(house, real, custom_stage.seats("it_rains"), "Weather")).workflow_id)
    await house.handle(by_signals).signal("nobody_asked")
    await house.handle(by_signals).signal("it_rains")
    await house.until_row(by_signals, current_step="ask")
    await control.cancel(house.pool, Scope(event_id=real), "enough")
    await house.until_row(by_signals, status="cancelled", current_step=None)
    return {"custom_by_a_fact": str(by_fact), "custom_by_signals": by_signals}


# -- pumps ----------------------------------------------------------------------------------------------------------


@activity.defn(name="dispatch")
async def nothing_to_send(about: DispatchInput) -> None:
    """A dispatch that finds the queue empty at once."""


@activity.defn(name="intake")
async def nothing_to_read() -> None:
    """An intake that finds no occurrence at once."""


@life("dispatch_pump", "intake_pump")
async def pumps_until_they_continue_as_new(house: House) -> dict[str, str]:
    queue = f"pumps-{uuid4().hex[:8]}"
    async with Worker(
        house.client,
        task_queue=queue,
        workflows=[DispatchWorkflow, IntakeWorkflow],
        activities=[nothing_to_send, nothing_to_read],
        workflow_runner=hosting.runner(),
    ):
        dispatch = await house.client.start_workflow(
            DispatchWorkflow.run,
            DispatchInput(channel="email", rehearsal=False),
            id=f"{dispatch_workflow_id('email', rehearsal=False)}-{queue}",
            task_queue=queue,
        )
        intake = await house.client.start_workflow(IntakeWorkflow.run, id=f"intake-{queue}", task_queue=queue)
        for pump in (dispatch, intake):
            await house.until(partial(continued, house, pump.id, str(pump.first_execution_run_id)), 120)
            await pump.terminate()
    return {
        "dispatch_pump": f"{dispatch.id}#{dispatch.first_execution_run_id}",
        "intake_pump": f"{intake.id}#{intake.first_execution_run_id}",
    }


async def continued(house: House, pump: str, first: str) -> bool:
    return (await house.handle(pump).describe()).run_id != first
