"""The way to the watch of an event: begun when the event is published, told when it changes."""

from uuid import UUID

from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy

from database import watch
from database.connection import Pool
from database.occurrences import Occurrence
from database.watch import Begun
from models.player import News
from models.watch import WatchInput, event_watch_id
from starter.client import EVENT_ID, REHEARSAL, tell
from starter.kinds import NEWS

CHANGES = ("event_status_change", "event_rescheduled", "event_deleted", "rules_changed")
"""Occurrences of an event after which its watch has to look at everything anew."""

BESIDE = ("webhook", *NEWS)
"""Occurrences that change nothing a condition could name: reports of providers, and what steers one automation."""


class Watches:
    """Tells each event's watch what concerns it. Telling it twice changes nothing."""

    def __init__(self, pool: Pool, client: Client, task_queue: str) -> None:
        self._pool = pool
        self._client = client
        self._task_queue = task_queue

    async def after(self, occurrence: Occurrence) -> None:
        """What an occurrence means to the watch of its event; to be asked after everything else came of it."""
        if occurrence.event_id is None:
            return
        if occurrence.kind in CHANGES and occurrence.automation_id is None:
            await self._hear(occurrence, occurrence.event_id)
        elif occurrence.kind not in BESIDE and not occurrence.kind.startswith("message_"):
            await watch.ask_conditions(self._pool, occurrence.event_id)

    async def _hear(self, occurrence: Occurrence, event_id: UUID) -> None:
        news = News(kind=occurrence.kind, at=occurrence.occurred_at, data=occurrence.data)
        once = f"occurrence-{occurrence.id}"
        begun = await watch.begin(self._pool, event_id)
        if begun is not None:
            await self._tell(begun, event_id, news, once)
        else:
            await tell(self._client, event_watch_id(event_id), news, rehearsal=occurrence.rehearsal, once=once)

    async def _tell(self, begun: Begun, event_id: UUID, news: News, once: str) -> None:
        """Tell a watch that runs, or begin one: both in one request, so that nothing can come between."""
        about = WatchInput(event_id=event_id, rehearsal=begun.rehearsal)
        attributes = TypedSearchAttributes(
            [SearchAttributePair(EVENT_ID, str(event_id)), SearchAttributePair(REHEARSAL, begun.rehearsal)]
        )
        if not begun.rehearsal:
            await self._client.start_workflow(
                "EventWatchWorkflow",
                about,
                id=begun.temporal_workflow_id,
                task_queue=self._task_queue,
                static_summary="Event Watch",
                search_attributes=attributes,
                start_signal=news.kind,
                start_signal_args=[news],
            )
            return
        start: WithStartWorkflowOperation[object, None] = WithStartWorkflowOperation(
            "EventWatchWorkflow",
            about,
            id=begun.temporal_workflow_id,
            task_queue=self._task_queue,
            static_summary="Event Watch",
            search_attributes=attributes,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        await self._client.execute_update_with_start_workflow("tell", news, start_workflow_operation=start, id=once)
