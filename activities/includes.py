"""Includes of messages: what each wants, made once per batch where it is the same for all, else from one query for all."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import UUID

from activities import followup, forecasts, personal_includes, shared_includes
from activities.facts import event_facts
from activities.followup import NO_FIGURES
from activities.forecasts import Outlook
from activities.personal_includes import OF_INTERESTS, PERSONAL
from activities.shared_includes import OF_AHEAD, SHARED, Absent, Known
from database import contents, includes
from database.batches import Batch, Claimed
from database.connection import Pool
from database.contents import Content
from database.followup import REPORT
from database.includes import Programme, Reader
from models.automation import Step
from models.details import read_details
from providers.weather import Weather
from templates import INCLUDES, Include, TemplateError, email_templates, includes_of, missing_blocks

DETAILS = "details"
"""What the specification calls the blocks that a template has of its own: directions, parking and the like."""

SUBJECTS = {"next_event_announcement": ("next_event_preview",)}
"""What a mail is about: it has these whatever its step names."""

FIGURES = frozenset(name for name, include in INCLUDES.items() if include.personal) - PERSONAL.keys()
"""What a sponsor's report shows: the follow-up's."""

OF_PROGRAMME = shared_includes.OF_PROGRAMME | personal_includes.OF_PROGRAMME
STRANGER = Reader()


class Made(NamedTuple):
    """Includes by name, and why others are missing."""

    there: dict[str, Include]
    missing: dict[str, str]


def wanted(template: str, include: Sequence[str]) -> tuple[str, ...]:
    """The includes that a mail is to carry: those its step names, else those its template is made for."""
    if template not in email_templates():
        return ()
    names = tuple(dict.fromkeys(name for name in (*SUBJECTS.get(template, ()), *include) if name != DETAILS))
    return names if include else includes_of(template)


@dataclass(frozen=True, slots=True)
class Blocks:
    """What the includes of one batch are made of."""

    known: Mapping[UUID, Known] = field(default_factory=dict)
    readers: Mapping[UUID, Reader] = field(default_factory=dict)

    def shared(self, message: Claimed) -> Made:
        """Those that are the same for everybody whose message is like this one."""
        known = self.known.get(message.event_id)
        made = Made({}, {}) if known is None else shared(known, message.template, message.include)
        # A WhatsApp template shows few of them, and refuses to go without those it shows.
        return made if message.channel == "email" else Made(made.there, {})

    def personal(self, message: Claimed, given: Collection[str]) -> Made:
        """The reader's own, beside those already `given`."""
        known, reader = self.known.get(message.event_id), self.readers.get(message.id, STRANGER)
        if known is None or message.channel != "email":
            return Made({}, {})
        return _personal(known, message, reader, given)


async def load(
    pool: Pool, weather: Weather | None, batch: Batch, known: Mapping[tuple[UUID, UUID | None], Content]
) -> Blocks:
    """What the includes of a batch are made of; `known` are the events' facts. A batch that wants none costs nothing."""
    if batch.channel not in ("email", "whatsapp"):
        return Blocks()
    wants: dict[UUID, set[str]] = {}
    own = []
    for message in batch.messages:
        if names := wanted(message.template, message.include):
            wants.setdefault(message.event_id, set()).update(names)
            if not PERSONAL.keys().isdisjoint(names):
                own.append(message.id)
    facts = {event_id: content for (event_id, _), content in known.items() if event_id in wants}
    events = await _known(pool, facts, wants)
    for id_, event in events.items():
        if "weather" in wants[id_]:
            outlook = await forecasts.outlook(pool, weather, id_, _question(event))
            events[id_] = replace(event, outlook=outlook)
    return Blocks(events, await includes.readers(pool, own) if own else {})


async def _known(pool: Pool, facts: Mapping[UUID, Content], wants: Mapping[UUID, Collection[str]]) -> dict[UUID, Known]:
    with_programme = [id_ for id_ in facts if not OF_PROGRAMME.isdisjoint(wants[id_])]
    with_ahead = [id_ for id_ in facts if not OF_AHEAD.isdisjoint(wants[id_])]
    programmes = await includes.programmes(pool, with_programme) if with_programme else {}
    ahead = await includes.ahead(pool, with_ahead) if with_ahead else {}
    found = {}
    for id_, content in facts.items():
        try:
            event = event_facts(content.facts)
        except TemplateError:
            continue  # nothing can be written about this event, and whoever composes says why
        details, problems = read_details(content.facts["details"])
        found[id_] = Known(
            event=event,
            now=content.now,
            details=details,
            problems=problems,
            programme=programmes.get(id_, Programme()),
            ahead=ahead.get(id_, ()),
        )
    return found


def _question(known: Known) -> forecasts.Asking | Outlook:
    return forecasts.question(known.event, known.details, known.problems, known.today)


def shared(known: Known, template: str, include: Sequence[str]) -> Made:
    """The includes of a mail that are the same for all its readers, and why others of these are missing."""
    made = Made({}, {})
    for name in wanted(template, include):
        if name not in INCLUDES:
            made.missing[name] = "there is no such include"
        elif not INCLUDES[name].personal:
            try:
                made.there[name] = SHARED[name](name, known)
            except (Absent, TemplateError) as why:
                made.missing[name] = str(why)
    if DETAILS in include:
        made.missing.update(dict.fromkeys(missing_blocks(template, known.event), "the event does not say it"))
    return made


def _personal(known: Known, message: Claimed, reader: Reader, given: Collection[str]) -> Made:
    made = Made({}, {})
    for name in wanted(message.template, message.include):
        if name in given or name not in INCLUDES or not INCLUDES[name].personal:
            continue
        try:
            if name not in PERSONAL:
                raise Absent(NO_FIGURES)
            made.there[name] = PERSONAL[name](name, known, reader)
        except (Absent, TemplateError) as why:
            made.missing[name] = str(why)
    return made


async def missing(pool: Pool, event_id: UUID, steps: Iterable[Step]) -> dict[str, dict[str, str]]:
    """What the mails of these steps would go without, as things stand: step id -> {include: why}.

    Nothing is written, sent or asked of a provider. Steps that lack nothing have no entry. Raises LookupError for an event
    that is not there or has no organizer, and TemplateError where nothing at all can be written about it.
    """
    mails = [
        (step.id, template, action.include)
        for step in steps
        for action in step.actions
        if action.verb == "email"
        for template in (action.segments.values() or (action.template or step.id,))
    ]
    found = await contents.load(pool, "email", {(event_id, None)})
    if not found:
        raise LookupError(f"There is no event {event_id} with an organizer.")
    content = found[event_id, None]
    event_facts(content.facts)
    wants = {name for _, template, include in mails for name in wanted(template, include)}
    known = (await _known(pool, {event_id: content}, {event_id: wants}))[event_id]
    everybody = await _readers_as_they_are(pool, event_id, known, wants)
    ends_at = known.event.ends_at
    figures = (
        await followup.lacking(pool, event_id, over=bool(ends_at and ends_at <= known.now)) if FIGURES & wants else {}
    )
    lacks: dict[str, dict[str, str]] = {}
    for step_id, template, include in mails:
        own = everybody | (figures if template == REPORT else dict.fromkeys(FIGURES, NO_FIGURES))
        why = shared(known, template, include).missing | {
            name: own[name] for name in wanted(template, include) if name in own
        }
        if "weather" in why:
            outlook = await forecasts.foreseen(pool, event_id, _question(known))
            why = {name: said for name, said in why.items() if name != "weather"} | (
                {"weather": outlook.why} if outlook.why and not outlook.early else {}
            )
        if why:
            lacks.setdefault(step_id, {}).update(why)
    return lacks


async def _readers_as_they_are(pool: Pool, event_id: UUID, known: Known, wants: Collection[str]) -> dict[str, str]:
    """Why personal includes would be missing: for everybody, or for how many of the registered people."""
    programme = known.programme
    topics = {topic for session in programme.sessions for topic in session.topics}
    topics |= {topic for speaker in programme.speakers for topic in speaker.topics}
    attended = frozenset(one.id for one in programme.sessions)
    anybody = Reader("Anybody", "Ticket", "Code", True, tuple(sorted(topics)), attended)
    lacks = {}
    for name in wants:
        if name not in PERSONAL:
            continue
        try:
            PERSONAL[name](name, known, anybody)
        except (Absent, TemplateError) as why:
            lacks[name] = "nobody has told what the sessions are about" if name in OF_INTERESTS else str(why)
    if not OF_INTERESTS.isdisjoint(wants):
        without, registered = await includes.without_interests(pool, event_id)
        for name in OF_INTERESTS.intersection(wants) - lacks.keys():
            if without:
                lacks[name] = f"{without} of {registered} registered people have named no interests"
    return lacks
