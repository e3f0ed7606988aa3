"""What each occurrence leads to: an automation begun by a rule, or news for those that run."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

import structlog
from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError

from database import automations, events, notices, notifications, occurrences, planning
from database.connection import Pool
from database.events import Event
from database.occurrences import Occurrence, Rule
from database.registrations import NotConfirmed
from models import conditions
from models.approval import Approval
from models.automation import WorkflowType
from models.definition import from_definition
from models.player import AutomationInput, News
from models.problems import Known
from starter import rules, sponsor_news
from starter.cancelling import cancel_all, registered_before
from starter.client import AUTOMATION_TYPE, EVENT_ID, REHEARSAL
from starter.kinds import KINDS, Kind
from starter.rows import row_of, taken_up
from starter.telling import Telling, news_of
from starter.watch import Watches
from starter.webhooks import Webhooks

log = structlog.get_logger()


class Refused(Exception):
    """An automation that cannot begin, and why; trying again would not help."""


class UnknownSubject(LookupError):
    """What an automation would be about is not there, or is there no more."""


class Triggers:
    """Turns occurrences into automations and news. Every way through it may be walked twice."""

    def __init__(
        self,
        pool: Pool,
        client: Client,
        task_queue: str,
        webhooks: Webhooks | None = None,
        known: Known | None = None,
    ) -> None:
        """`known` are the names that the timelines of rules may use; without it they are not checked."""
        self._pool = pool
        self._client = client
        self._task_queue = task_queue
        self._watches = Watches(pool, client, task_queue)
        self._telling = Telling(pool, client)
        self._webhooks = webhooks
        self._known = known

    async def take_in(self, occurrence: Occurrence) -> str:
        """Do what an occurrence asks for; returns what came of it, in plain words."""
        outcome = await self._taken_in(occurrence)
        await self._watches.after(occurrence)
        return outcome

    async def _taken_in(self, occurrence: Occurrence) -> str:
        if occurrence.kind == "webhook" and self._webhooks is not None:
            return await self._webhooks.take_in(UUID(occurrence.data["delivery"]))
        if occurrence.automation_id is not None:
            told = await self._telling.tell(occurrence, occurrence.automation_id)
            if told is not None:
                return told
        if occurrence.event_id is None:
            return "belongs to no event"
        try:
            return await self._of_event(occurrence, occurrence.event_id)
        except Refused as error:
            await notifications.tell(
                self._pool,
                event_id=occurrence.event_id,
                key=f"occurrence/{occurrence.id}",
                title="An automation was not begun",
                body=str(error),
            )
            return f"not begun: {error}"

    async def _of_event(self, occurrence: Occurrence, event_id: UUID) -> str:
        match occurrence.kind:
            case "event_status_change":
                return await self._status_changed(occurrence, event_id)
            case "event_rescheduled":
                told = await occurrences.fan_out(
                    self._pool, event_id, "event_rescheduled", occurrence.data, occurrence.occurred_at
                )
                mailed = await notices.event_moved(self._pool, event_id)
                return f"{told} automations are told" + (f", {mailed} attendees get a notice" if mailed else "")
            case "sequence_created":
                event, proposal = await events.get(self._pool, event_id), UUID(occurrence.data["proposal"])
                if event is None:
                    return "its event is gone"
                return await self.begin(
                    "sponsor_outreach", event, proposal, occurrence.created_at, kind=sponsor_news.SEQUENCE
                )
            case "registration_confirmed":
                outcome = await self._others(occurrence, event_id)
                return await registered_before(self._pool, event_id, occurrence) or outcome
            case _:
                return await self._others(occurrence, event_id)

    async def _others(self, occurrence: Occurrence, event_id: UUID) -> str:
        """Rules may begin something, and custom automations may wait for it."""
        told = await occurrences.tell_customs(self._pool, event_id, occurrence)
        outcome = await self._match(occurrence, event_id)
        return f"{outcome}; {told} custom automations are told" if told else outcome

    async def begin(
        self,
        workflow_type: WorkflowType,
        event: Event,
        subject_id: UUID,
        since: datetime,
        *,
        kind: Kind | None = None,
        approval: Approval | None = None,
        anew: News | None = None,
    ) -> str:
        """Begin an automation of a kind for a subject, once for what happened at `since`; says what came of it.

        `approval` is what its rule says about it, if it says anything; else the organizer's setting counts. `anew` is a fact
        that also begins one where the last has ended: it goes on from there.
        """
        kind = kind or KINDS[workflow_type]
        closes = {"event_date": event.starts_at, "event_end": event.ends_at}.get(kind.closes or "")
        if closes is not None and closes <= event.now:
            said = "started" if kind.closes == "event_date" else "ended"
            raise Refused(f"{event.name} has already {said}, so its {workflow_type} has nothing left to do.")
        async with self._pool.acquire() as connection, connection.transaction():
            begun = await row_of(
                connection, workflow_type, kind, event, subject_id, since, approval, anew=anew is not None
            )
        if begun.status in ("completed", "failed", "cancelled"):
            return f"{workflow_type} has run already"
        if workflow_type == "attendee_nurture" and begun.generation > 1:
            await taken_up(self._pool, event.id, begun.id)
        try:
            await self._client.start_workflow(
                kind.workflow,
                AutomationInput(
                    automation_id=begun.id,
                    event_id=event.id,
                    subject_id=subject_id,
                    workflow_type=workflow_type,
                    steps=from_definition(begun.definition),
                    reactions=kind.reactions,
                    open_ended=kind.open_ended,
                    rules=begun.rules,
                    rehearsal=begun.rehearsal,
                    begun_by=anew,
                    earlier=(await planning.progress(self._pool, [begun.id]))[begun.id] if anew else {},
                ),
                id=begun.temporal_workflow_id,
                task_queue=self._task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                static_summary=(kind.label or kind.title).format(event=event),
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(EVENT_ID, str(event.id)),
                        SearchAttributePair(AUTOMATION_TYPE, workflow_type),
                        SearchAttributePair(REHEARSAL, begun.rehearsal),
                    ]
                ),
            )
        except WorkflowAlreadyStartedError:
            return f"{workflow_type} runs already"
        log.info("automation_begun", workflow_type=workflow_type, event_id=str(event.id), automation_id=str(begun.id))
        return f"{workflow_type} begun"

    async def _status_changed(self, occurrence: Occurrence, event_id: UUID) -> str:
        """Rules may begin something; an event that is cancelled or taken back takes its automations with it, until it is back."""
        outcome = await self._match(occurrence, event_id)
        status, was = occurrence.data.get("status"), occurrence.data.get("was")
        if status == "cancelled" or (was == "published" and status == "draft"):
            return await cancel_all(self._pool, event_id, status) or outcome
        return outcome + (await sponsor_news.take_up(self._pool, event_id, occurrence) if status == "published" else "")

    async def _match(self, occurrence: Occurrence, event_id: UUID) -> str:
        wanted = await occurrences.rules_for(self._pool, occurrence.kind, event_id, occurrence.data.get("rule"))
        if not wanted:
            return "no rule answers to it"
        event = await events.get(self._pool, event_id)
        if event is None:
            return "its event is gone"
        subject = {name: str(value) for name, value in occurrence.data.items() if value is not None}
        subject |= {"event_status": event.status}
        facts = ("ended",) if event.ends_at is not None and event.ends_at <= event.now else ()
        fire, outcomes = rules.fire_of(occurrence, event), list[str]()
        for rule in wanted:
            try:
                if rule.match and not conditions.parse(rule.match).holds(facts, subject):
                    continue
                if occurrence.kind == "event_status_change" and event.status != occurrence.data.get("status"):
                    return f"overtaken: the event is {event.status} now"
                found = rules.meant(
                    rule.name, rule.kind, rule.workflow_type, rule.parameters, event_id, self._known, fire
                )
            except (rules.Unfit, conditions.ConditionError) as error:
                outcomes.append(await self._refuse(rule, event, str(error)))
                continue
            try:
                subject_id = found.subject_id or await self._subject(found.workflow_type, event, occurrence)
                begins_anew = found.kind.begins_anew(occurrence.kind)
                outcomes.append(
                    await self.begin(
                        found.workflow_type,
                        event,
                        subject_id,
                        occurrence.created_at,
                        kind=found.kind,
                        approval=found.approval,
                        anew=news_of(occurrence) if begins_anew else None,
                    )
                )
            except (NotConfirmed, UnknownSubject) as error:
                outcomes.append(f"not begun: {error}")
        return "; ".join(outcomes) or "no rule answers to it"

    async def _refuse(self, rule: Rule, event: Event, reason: str) -> str:
        """Tell the organizer of a rule that begins nothing, once for what it says."""
        said = sha256(f"{rule.match}{rule.workflow_type}{rule.parameters}".encode()).hexdigest()[:32]
        await notifications.tell(
            self._pool,
            event_id=event.id,
            key=f"rule/{rule.id}/{event.organizer_id}/{said}",
            title=f"The rule '{rule.name}' cannot be followed",
            body=f"{reason}\nCorrect it in automation_rules; until then it begins nothing.",
        )
        return f"not begun: rule '{rule.name}' cannot be followed: {reason}"

    async def _subject(self, kind: WorkflowType, event: Event, occurrence: Occurrence) -> UUID:
        """What an automation would be about: something of this very event, whoever reported the occurrence."""
        about = KINDS[kind].subject
        if about == "event":
            return event.id
        try:
            subject_id = UUID(str(occurrence.data.get(about)))
        except ValueError:
            said = f"{occurrence.kind} begins {kind}, so its data needs {about!r} with an id."
            raise Refused(f"{said} It says {occurrence.data.get(about)!r}.") from None
        owner = await automations.event_of(self._pool, kind, subject_id)
        if owner is None:
            raise UnknownSubject(f"there is no {about} {subject_id}")
        if owner != event.id:
            raise Refused(f"{occurrence.kind} names {about} {subject_id}, which is not of {event.name}.")
        return subject_id
