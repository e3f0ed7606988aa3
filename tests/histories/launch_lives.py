"""The lives of launches: played to the end, paused and moved, held, in real time, approved, changed."""

import asyncio
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import httpx2

from database import control
from database.control import Scope
from database.seed import seed
from models.approval import Decide
from models.changes import Change
from models.player import StepOrder
from models.watch import event_watch_id
from starter import control as orders
from starter.control import ControlError
from tests.histories.life import DAY, life
from tests.workflows.followup_stage import live
from tests.workflows.house import House


async def launched(house: House, approval: str = "auto") -> tuple[UUID, str]:
    """A rehearsal with a launch and nothing else, just published; whether its words go out by themselves."""
    await house.pool.execute("UPDATE automation_rules SET enabled = (workflow_type = 'event_launch')")
    event = await house.rehearsal()
    await house.pool.execute("INSERT INTO approval_settings SELECT id, 'event_launch', $1 FROM organizers", approval)
    await house.set_event(event, status="published")
    await live(house, event, await now(house, event))
    return event, f"event_launch/{event}/1"


async def now(house: House, event: UUID) -> datetime:
    at: datetime = await house.pool.fetchval("SELECT clock_now FROM events WHERE id = $1", event)
    return at


@life("event_launch_to_its_end", "event_watch_to_its_end")
async def a_launch_to_its_end(house: House) -> dict[str, str]:
    event, launch = await launched(house)
    await live(house, event)
    return {"event_launch_to_its_end": launch, "event_watch_to_its_end": event_watch_id(event)}


@life("event_launch_paused_moved_and_cancelled", "event_watch_moved_and_cancelled")
async def a_launch_that_is_paused_moved_and_cancelled(house: House) -> dict[str, str]:
    event, launch = await launched(house)
    begun = await now(house, event)
    await live(house, event, begun + 6 * DAY)
    await control.pause(house.pool, Scope(event_id=event))
    await live(house, event, begun + 9 * DAY)
    await control.resume(house.pool, Scope(event_id=event), "by_policy")
    await live(house, event, begun + 10 * DAY)
    starts = begun + 12 * DAY
    await house.set_event(event, starts_at=starts, ends_at=starts + DAY)
    await live(house, event, begun + 11 * DAY + DAY / 2)
    await house.set_event(event, starts_at=starts + 30 * DAY, ends_at=starts + 31 * DAY)
    await live(house, event, starts + DAY)
    await house.set_event(event, status="cancelled")
    await live(house, event)
    return {"event_launch_paused_moved_and_cancelled": launch, "event_watch_moved_and_cancelled": event_watch_id(event)}


@life("event_launch_held_and_retried")
async def a_launch_whose_words_are_held_and_retried(house: House) -> dict[str, str]:
    await refuse(house, "refusal")
    event, launch = await launched(house)
    row = await house.row(launch)
    await orders.order(house.client, house.pool, row["id"], "retry", StepOrder(step="generate_marketing_content"))
    await live(house, event)
    return {"event_launch_held_and_retried": launch}


@life("event_launch_by_real_timers", "event_watch_by_real_timers")
async def a_launch_in_real_time(house: House) -> dict[str, str]:
    """It is fetched while it waits for its week: these two histories are open."""
    await house.pool.execute("UPDATE automation_rules SET enabled = (workflow_type = 'event_launch')")
    async with house.pool.acquire() as connection:
        event = (await seed(connection)).event_id
    await house.set_event(event, status="published")
    await house.quiet()
    launch = f"event_launch/{event}/1"
    await house.until_row(launch, current_step="post_social_media", status="active")
    await control.pause(house.pool, Scope(event_id=event))
    await house.until_row(launch, next_execution_at=None)
    await control.resume(house.pool, Scope(event_id=event), "by_policy")
    await house.until_row(launch, status="active", current_step="post_social_media")
    await house.set_event(event, ends_at=(await house.row(launch))["started_at"] + 40 * DAY)
    await house.quiet()
    await asyncio.sleep(1)  # both are still writing down what they wait for
    return {"event_launch_by_real_timers": launch, "event_watch_by_real_timers": event_watch_id(event)}


async def refuse(house: House, *faults: str) -> None:
    """Have the stand-in model answer like this, once each."""
    async with httpx2.AsyncClient() as http:
        wish = {"provider": "openai", "next": list(faults)}
        (await http.post(f"{house.settings.sandbox_url}/_sandbox/faults", json=wish)).raise_for_status()


@life("event_launch_approved")
async def a_launch_whose_words_are_read_before_they_go_out(house: House) -> dict[str, str]:
    """The approver is asked, reminded twice, rejects, and approves once the words are others; a week later others once more."""
    event, launch = await launched(house, approval="required")
    begun, automation = await now(house, event), (await house.row(launch))["id"]
    await live(house, event, begun + 2 * DAY)
    shown = await orders.to_approve(house.pool, automation)
    refused = Decide(step=shown.step, content_hash=shown.content_hash, note="too loud")
    await orders.reject(house.client, house.pool, automation, refused)
    for template, day in (("announcement_email", 3), ("reminder_email", 9)):
        await house.pool.execute(
            "UPDATE email_templates SET slots = slots || $2 WHERE name = $1", template, {"subject": "A quiet word"}
        )
        await live(house, event, begun + day * DAY)
        shown = await orders.to_approve(house.pool, automation)
        approved = Decide(step=shown.step, content_hash=shown.content_hash)
        await orders.approve(house.client, house.pool, automation, approved)
    await live(house, event)
    return {"event_launch_approved": launch}


@life("event_launch_changed")
async def a_launch_whose_timeline_is_changed(house: House) -> dict[str, str]:
    """A dry run, a refusal, and two changes: a step is put off, one goes, one comes; the last while it is paused."""
    event, launch = await launched(house)
    begun, automation = await now(house, event), (await house.row(launch))["id"]
    await live(house, event, begun + 2 * DAY)
    put_off = {"week_1_reminder": {"delay": "8 days"}, "week_2_social": None}
    await orders.modify(house.client, house.pool, automation, Change(steps=put_off, dry_run=True))
    with suppress(ControlError):
        await orders.modify(house.client, house.pool, automation, Change(steps={"send_announcement": None}))
    await orders.modify(house.client, house.pool, automation, Change(steps=put_off))
    await live(house, event, begun + 9 * DAY)
    await control.pause(house.pool, Scope(event_id=event))
    await live(house, event, begun + 10 * DAY)
    another = {"type": "social", "platforms": ["linkedin"], "delay": "11 days"}
    await orders.modify(house.client, house.pool, automation, Change(steps={"one_more_post": another}))
    await control.resume(house.pool, Scope(event_id=event), "by_policy")
    await live(house, event)
    return {"event_launch_changed": launch}
