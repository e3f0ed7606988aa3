"""The outlook of an event: everything its automations will do, those that run and those that rules will begin."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from activities import includes
from activities.facts import event_facts
from database import events, planning, sequences, sponsors
from database.audiences import UnknownAudience
from database.cancellations import ENDINGS
from database.connection import Connection, Pool
from database.events import Event
from database.followup import ABSENT, THANKS
from database.planning import Organizer, Running, Subject
from database.sequences import Lost
from models.approval import DEFAULTS
from models.automation import Action, Anchors, Step, WorkflowType
from models.matching import PROPOSALS
from models.moments import UnknownZone, zone_named
from models.outlook import Outlook, Planned, Reach, Strand
from models.slots import next_good_slot
from starter import ahead
from starter.beginnings import Beginning, Known, beginnings
from starter.control import ControlError, unpublishable
from starter.kinds import KINDS
from starter.lacking import lacking
from starter.sponsor_news import SEQUENCE
from starter.strands import merged, uncovered, without_covered
from templates import EventFacts, TemplateError
from workflows.foresight import Foreseen

PER_PERSON = ("attendee_nurture",)
"""Kinds with so many automations that those of an hour are looked at as one."""

FOLLOWS = "create_follow_up_sequence"
"""The step of an outreach that begins the sequences."""


async def outlook(pool: Pool, event: Event, at: datetime | None = None) -> Outlook:
    """What will happen to an event; a draft is supposed to be published now, or at `at`. Changes nothing."""
    if event.status != "draft" and at is not None:
        raise ControlError(f"{event.name} is {event.status}; only the publication of a draft can be supposed.")
    if at is not None and at < event.now:
        raise ControlError(f"{at:%Y-%m-%d %H:%M} UTC has passed; suppose a publication from now on.")
    published_at = (at or event.now) if event.status == "draft" else None
    async with planning.snapshot(pool) as connection:
        planner = await _planner(pool, connection, event)
        missing = unpublishable(event, published_at or event.now) if published_at else []
        strands = [await planner.running(group) for group in await planning.running(connection, event.id, PER_PERSON)]
        lost = await sequences.lost(connection, event.id, ENDINGS) if published_at else Lost(False, 0)
        if event.status != "cancelled":
            known = Known(
                event,
                published_at,
                await planning.begun(connection, event.id),
                await planning.pending(connection, event.id),
                await planning.owed(connection, event.id),
                await planning.whole(connection, event.id),
                lost.outreach,
            )
            rules = await planning.rules(connection, event.id)
            strands += [await planner.beginning(one) for one in beginnings(rules, known)]
        strands += await planner.sequences(strands, lost.sequences, published_at)
    return Outlook(
        event=event.id,
        name=event.name,
        status=event.status,
        zone=event.timezone or "UTC",
        now=event.now,
        published_at=published_at,
        missing=(*missing, *planner.problems),
        strands=tuple(without_covered(merged(strands, PER_PERSON)) if planner.overlap else merged(strands, PER_PERSON)),
    )


async def _planner(pool: Pool, connection: Connection, event: Event) -> "_Planner":
    organizer = await planning.organizer(connection, event.organizer_id) if event.organizer_id else None
    problems = []
    try:
        facts = event_facts(await events.facts(connection, event.id))
    except TemplateError as error:
        facts = EventFacts(name=event.name)
        problems.append(str(error))
    if organizer is not None and not organizer.postal_address:
        problems.append(
            "its organizer has no postal address, which every marketing mail has to carry: set organizers.postal_address"
        )
    return _Planner(pool, connection, event, facts, organizer, problems)


class _Planner:
    """Describes strands of one event, in one snapshot."""

    def __init__(
        self,
        pool: Pool,
        connection: Connection,
        event: Event,
        facts: EventFacts,
        organizer: Organizer | None,
        problems: list[str],
    ) -> None:
        self.problems = problems
        self._pool = pool
        self._connection = connection
        self._event = event
        self._facts = facts
        self._organizer = organizer
        self._reaches: dict[tuple[Any, ...], Reach] = {}
        self._includes: dict[str, dict[str, str]] = {}

    @property
    def overlap(self) -> bool:
        """Whether one message on a topic stands for all on it."""
        return self._organizer is None or self._organizer.overlap != "all"

    async def running(self, group: Running) -> Strand:
        """An automation that has begun, or many of one hour."""
        problem, foreseen = group.last_error or "", list[Foreseen]()
        try:
            foreseen = await ahead.of_running(self._connection, group)
        except UnknownZone as error:
            problem = str(error)
        alone = group.members == 1
        name = group.name if alone else _class_name(group.workflow_type, self._event)
        subject = group.subject_id if alone else None
        steps = []
        for one in foreseen:
            step = await self._planned(one, group.workflow_type, subject, group.id, group.members)
            if group.absent and any(reach.template == THANKS for reach in step.reaches):
                step = step.model_copy(update={"verdict": "skipped", "why": ABSENT})
            steps.append(uncovered(step, group.covered.get(one.step.topic or "")))
        return Strand(
            type=group.workflow_type,
            name=name,
            status=group.status,
            count=group.members,
            approval=group.approval == "required",
            problem=problem,
            steps=tuple(steps),
        )

    async def beginning(self, one: Beginning) -> Strand:
        """An automation that a rule will begin."""
        kind, event = one.kind or KINDS.get(one.workflow_type), self._event
        name = kind.title.format(event=event, subject=one.subject) if kind else one.subject
        said = one.rule.parameters.get("approval") if one.rule else None
        settings = self._organizer.approval if self._organizer else {}
        approval = (said or settings.get(one.workflow_type) or DEFAULTS.get(one.workflow_type)) == "required"
        strand = Strand(
            type=one.workflow_type,
            name=name,
            status="ahead",
            begins=one.at,
            because=one.because,
            approval=approval,
            problem=one.problem,
        )
        if one.at is None or kind is None or one.problem:
            return strand
        closes = {"event_date": event.starts_at, "event_end": event.ends_at}.get(kind.closes or "")
        if closes is not None and closes <= one.at:
            return strand.model_copy(update={"problem": "the event will have begun by then, and nothing is left to do"})
        subject = one.subject_id if one.subject_id.int else None
        return await self._begun(strand, kind.timeline, self._anchors(one.at, one.deadline), subject)

    async def sequences(self, strands: Sequence[Strand], again: int, published_at: datetime | None) -> list[Strand]:
        """The sequences that outreaches which are still to make them will begin, one for each match, and those begun `again`."""
        found = list[Strand]()
        if again and published_at is not None:
            found.append(_follow_up("each open proposal", published_at, "publication", again))
        instants = [
            step.at for strand in strands for step in strand.steps if step.step == FOLLOWS and step.verdict == "goes"
        ]
        if instants and instants[0] is not None:
            count = min(len(PROPOSALS), len(await sponsors.candidates(self._connection, self._event.id)))
            found.append(_follow_up("each match", instants[0], FOLLOWS, count))
        return [
            await self._begun(one, SEQUENCE.timeline, self._anchors(one.begins), None, sequence=True)
            for one in found
            if one.begins is not None
        ]

    async def _begun(
        self, strand: Strand, steps: Sequence[Step], anchors: Anchors, subject: UUID | None, *, sequence: bool = False
    ) -> Strand:
        workflow_type: WorkflowType = strand.type  # type: ignore[assignment]  # strands are made from kinds
        try:
            stands_for = UUID(int=0) if sequence else (subject or self._event.id)
            foreseen = ahead.of_one_to_begin(workflow_type, self._event.id, stands_for, steps, anchors)
        except UnknownZone as error:
            return strand.model_copy(update={"problem": str(error)})
        planned = [await self._planned(one, workflow_type, subject, None, strand.count) for one in foreseen]
        return strand.model_copy(update={"steps": tuple(planned)})

    async def _planned(
        self, one: Foreseen, workflow_type: WorkflowType, subject: UUID | None, automation: UUID | None, count: int
    ) -> Planned:
        idle = one.verdict == "skipped"
        reaches, problems = [], []
        for action in () if idle else one.step.actions:
            try:
                reaches += await self._reach(one, action, workflow_type, subject, automation, count)
            except UnknownAudience as error:
                problems.append(str(error))
        content = self._organizer.whatsapp_content if self._organizer else {}
        left_out = {} if idle else await self._left_out(one.step)
        return Planned(
            step=one.step.id,
            name=one.step.name,
            verdict=one.verdict,
            at=one.at,
            last=one.at,
            count=count,
            why=one.why,
            does=tuple(f"{action.verb} {target}" for action in one.step.actions for target in _deeds(action)),
            reaches=tuple(reaches),
            missing=() if idle else (*problems, *lacking(one.step, self._facts, content)),
            left_out=left_out,
        )

    async def _reach(
        self,
        one: Foreseen,
        action: Action,
        workflow_type: WorkflowType,
        subject: UUID | None,
        automation: UUID | None,
        count: int,
    ) -> list[Reach]:
        if action.verb == "social":
            zone = zone_named(self._event.timezone or "UTC")
            return [
                Reach(
                    channel=platform,
                    at=next_good_slot(platform, one.at, zone) if action.optimal_time and one.at else None,
                )
                for platform in action.targets
            ]
        if action.verb not in ("email", "whatsapp"):
            return []
        step = one.step
        if self._organizer is None or self._event.organizer_id is None or (subject is None and action.audience is None):
            return [Reach(channel=action.verb, template=action.template, audience=action.audience, people=count)]
        key = (
            workflow_type,
            subject if action.audience is None else None,
            step.id,
            step.topic,
            action.model_dump_json(),
        )
        if key not in self._reaches:
            about = Subject(
                self._event.id, self._event.organizer_id, subject or self._event.id, workflow_type, automation
            )
            self._reaches[key] = await planning.reach(self._connection, about, step, action)
        return [self._reaches[key]]

    async def _left_out(self, step: Step) -> dict[str, str]:
        """The includes that a step's mails would go without, and why."""
        key = step.model_dump_json(include={"id", "actions"})
        if key not in self._includes:
            try:
                self._includes[key] = (await includes.missing(self._pool, self._event.id, [step])).get(step.id, {})
            except (LookupError, TemplateError):
                self._includes[key] = {}  # said once, of the whole event
        return self._includes[key]

    def _anchors(self, start: datetime, deadline: datetime | None = None) -> Anchors:
        event = self._event
        return Anchors(
            start=start,
            zone=event.timezone or "UTC",
            event_date=event.starts_at,
            event_end=event.ends_at,
            deadline=deadline,
        )


def _follow_up(whose: str, begins: datetime, because: str, count: int) -> Strand:
    return Strand(
        type="sponsor_outreach",
        name=f"Sponsor Follow-up: {whose}",
        status="ahead",
        begins=begins,
        because=because,
        count=count,
        problem="" if count else "no sponsor matches: there is nobody to write to",
    )


def _class_name(workflow_type: WorkflowType, event: Event) -> str:
    kind = KINDS[workflow_type]
    return kind.title.format(event=event, subject="each")


def _deeds(action: Action) -> tuple[str, ...]:
    return () if action.verb in ("email", "whatsapp", "social") else action.targets
