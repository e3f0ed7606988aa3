"""The worker: what it hosts, and how it stops."""

import asyncio
import gc
import os
import signal
import sys
from contextlib import AsyncExitStack
from datetime import timedelta

import structlog
import uvloop
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import logs
from activities.acts import Acts
from activities.bearings import BearingsActivities
from activities.content import Content
from activities.deliverables import Deliverables
from activities.dispatch import Dispatch
from activities.failures import CountFailures
from activities.followup import Followup
from activities.intake import Intake
from activities.notices import Notices
from activities.outbox import Outbox
from activities.revising import Revisions, known_here
from activities.sponsors import Sponsors
from activities.watch import Watch
from database.connection import DatabaseUnreachable, Pool, connect_pool
from models.ids import INTAKE_WORKFLOW_ID, dispatch_workflow_id
from models.messages import CHANNELS
from models.player import DispatchInput
from providers import accounts
from settings import MissingSettings, Settings
from starter.client import TemporalUnreachable, connect
from starter.hearing import DropUnintelligible
from starter.triggers import Triggers
from starter.webhooks import Webhooks
from workflows.attendee_nurture import AttendeeEngagementWorkflow
from workflows.custom import CustomWorkflow
from workflows.deliverable_tracking import DeliverableTrackingWorkflow
from workflows.event_launch import EventLaunchWorkflow
from workflows.event_watch import EventWatchWorkflow
from workflows.post_event_followup import PostEventFollowupWorkflow
from workflows.pumps import DispatchWorkflow, IntakeWorkflow
from workflows.sponsor_outreach import SEQUENCE, SponsorOutreachWorkflow, SponsorSequenceWorkflow

log = structlog.get_logger()

STOP_SECONDS = 10
"""How long a stopping worker may take to finish or hand back what is in flight."""

POLLS = 20
"""Requests for workflow tasks that wait at the server at the same time."""

WORKFLOWS = [
    EventLaunchWorkflow,
    SponsorOutreachWorkflow,
    SponsorSequenceWorkflow,
    AttendeeEngagementWorkflow,
    DeliverableTrackingWorkflow,
    PostEventFollowupWorkflow,
    CustomWorkflow,
    EventWatchWorkflow,
    DispatchWorkflow,
    IntakeWorkflow,
]


def runner(*, strict: bool = False) -> WorkflowRunner:
    """Who runs workflow code: the worker runs it as it is.

    `strict` is the SDK's sandbox, which imports every workflow anew for each run and refuses whatever is not deterministic.
    All histories, those that are kept and those of every test, are replayed in it; each journey of thousands need not be.
    """
    if not strict:
        return UnsandboxedWorkflowRunner()
    passed = SandboxRestrictions.default.with_passthrough_modules("models", "annotated_types", "tzdata")
    return SandboxedWorkflowRunner(restrictions=passed)


def deeds(pool: Pool, live: accounts.Accounts, rehearsal: accounts.Accounts | None) -> Acts:
    """Everything that a step can do beside sending."""
    return Acts(
        Content(pool, live, rehearsal).deeds,
        Followup(pool, live, rehearsal).deeds,
        Sponsors(pool, live, rehearsal, SEQUENCE).deeds,
        Deliverables(pool).deeds,
        Notices(pool).deeds,
    )


def build(
    client: Client, pool: Pool, settings: Settings, live: accounts.Accounts, rehearsal: accounts.Accounts | None
) -> Worker:
    """A worker with everything it hosts; whoever builds it runs it. Without `rehearsal` accounts there are no rehearsals."""
    listen_url = settings.database_listen_url or settings.database_url
    webhooks = Webhooks(pool, live.email, rehearsal.email if rehearsal else None)
    acts = deeds(pool, live, rehearsal)
    triggers = Triggers(pool, client, settings.task_queue, webhooks, known_here(acts.targets, "custom"))
    retention = timedelta(days=settings.webhook_retention_days)
    intake = Intake(pool, listen_url, triggers.take_in, retention)
    dispatch = Dispatch(
        pool,
        live=live,
        rehearsal=rehearsal,
        public_url=settings.public_url,
        listen_url=listen_url,
        inbound_domain=settings.inbound_domain,
    )
    bearings = BearingsActivities(pool)
    outbox = Outbox(pool)
    revising = Revisions(pool, acts.targets)
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=WORKFLOWS,
        activities=[
            intake.intake,
            dispatch.dispatch,
            outbox.enqueue,
            outbox.begin_step,
            outbox.end_step,
            outbox.free_step,
            outbox.decide,
            revising.revise,
            bearings.look,
            bearings.rest,
            bearings.finish,
            Watch(pool).look_over,
            acts.generate_content,
            acts.update_records,
            acts.notify,
            acts.call,
        ],
        interceptors=[logs.BindActivity(), CountFailures(pool), DropUnintelligible()],
        workflow_runner=runner(),
        graceful_shutdown_timeout=timedelta(seconds=STOP_SECONDS),
        # A thousand that begin at once ask on the queue that all workers share; by default one poll in five is for it.
        max_concurrent_workflow_task_polls=POLLS,
        nonsticky_to_sticky_poll_ratio=0.5,
        # A killed worker's workflows go to another one after this long.
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=5),
    )


async def start_pumps(client: Client, task_queue: str, *, rehearsals: bool) -> None:
    """Have Temporal run each pump, once, however many workers ask for it."""
    for rehearsal in (False, True) if rehearsals else (False,):
        for channel in CHANNELS:
            await client.start_workflow(
                DispatchWorkflow.run,
                DispatchInput(channel=channel, rehearsal=rehearsal),
                id=dispatch_workflow_id(channel, rehearsal=rehearsal),
                task_queue=task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary=f"Sends {channel}{' of rehearsals' if rehearsal else ''}",
            )
    await client.start_workflow(
        IntakeWorkflow.run,
        id=INTAKE_WORKFLOW_ID,
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary="Reads occurrences",
    )


async def run(settings: Settings) -> None:
    """Host workflows and activities until SIGTERM or SIGINT; then finish or hand back what is in flight."""
    settings.require("DATABASE_URL", "PUBLIC_URL")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with AsyncExitStack() as stack:
        pool = await connect_pool(settings.database_url, min_size=2, max_size=20)
        stack.push_async_callback(pool.close)
        client = await connect(settings)
        live = accounts.live(settings)
        stack.push_async_callback(live.aclose)
        rehearsal = accounts.rehearsal(settings) if settings.sandbox_url else None
        if rehearsal is not None:
            stack.push_async_callback(rehearsal.aclose)
        worker = build(client, pool, settings, live, rehearsal)
        await start_pumps(client, settings.task_queue, rehearsals=rehearsal is not None)
        # What is there by now stays: the collector need not walk through it again, nor look as often as for a short script.
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)
        log.info("worker_started", task_queue=settings.task_queue)
        async with worker:
            await stop.wait()
            log.info("worker_stopping", seconds=STOP_SECONDS)
    log.info("worker_stopped")


def main() -> None:
    """`python -m worker`: exit status 0 after a clean stop, 1 if it could not start or go on."""
    settings = Settings.from_environment()
    logs.set_up(settings.log_level, settings.log_format)
    status = 0
    try:
        uvloop.run(run(settings))
    except (MissingSettings, DatabaseUnreachable, TemporalUnreachable) as error:
        sys.stderr.write(f"{error}\n")
        status = 1
    except Exception:
        log.exception("worker_failed")
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # The SDK's native threads have aborted the interpreter's own shutdown after heavy runs; everything is closed by now.
    os._exit(status)


if __name__ == "__main__":
    main()
