"""Composing: from messages of the ledger to what a provider is handed, and what to say when the words cannot be made."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar
from uuid import UUID

import structlog
from pydantic import ValidationError

from activities import about, includes
from activities.about import About
from activities.facts import event_facts
from database import contents
from database.batches import Batch, Claimed
from database.connection import Pool
from database.contents import Content
from models.messages import Attachment, EmailMessage, SocialPost, WhatsAppMessage, invitation
from models.phones import international
from models.replies import reply_address
from providers.weather import Weather
from templates import (
    EventFacts,
    Include,
    MissingField,
    PersonFacts,
    SocialPosts,
    TemplateError,
    WhatsAppSlots,
    invite,
    is_marketing,
    prepare_email,
    render_social,
    render_whatsapp,
    slots_of,
)

M = TypeVar("M", bound=EmailMessage | WhatsAppMessage | SocialPost)
log = structlog.get_logger()

BREATH = 10
"""Messages composed at a stretch; then other batches have their turn, some of which hold locks in the database."""

Writer = Callable[[Claimed, About], M]
"""Writes one message with the words and facts that it was made for, and what it is about."""


class NoContentSid(TemplateError):
    """WhatsApp knows no approved template for a message."""


class NoNumber(TemplateError):
    """A phone number that nobody can have."""


@dataclass
class Composed(Generic[M]):
    """What could be composed, in the order of the batch, and why the rest could not."""

    ready: list[tuple[Claimed, M]] = field(default_factory=list)
    failed: list[tuple[Claimed, str]] = field(default_factory=list)
    """This person's facts are missing or unfit."""
    faulty: list[tuple[Claimed, str]] = field(default_factory=list)
    """What is wrong is wrong for everybody: the event's facts, the campaign's words."""
    unapproved: bool = False
    """Words were changed since the gates saw them approved: nothing of the batch may go before the gates have looked again."""
    missing: dict[UUID, Mapping[str, str]] = field(default_factory=dict)
    """Which includes a message goes without, and why."""


Prepare = Callable[[Claimed, Content, EventFacts, Mapping[str, Include]], Writer[M]]
"""Prepares everything about messages like this one that is the same for all their readers."""


class Composer:
    """Reads facts and words as they are now, once per batch, and fills them in for each person."""

    def __init__(
        self, pool: Pool, public_url: str, weather: Weather | None = None, *, inbound_domain: str = ""
    ) -> None:
        self._pool = pool
        self._public_url = public_url.rstrip("/")
        self._inbound_domain = inbound_domain
        self._weather = weather

    async def mails(self, batch: Batch) -> Composed[EmailMessage]:
        """One mail per message, with a one-click unsubscribe link of its own."""
        return await self._compose(batch, self._mails)

    async def whatsapp(self, batch: Batch) -> Composed[WhatsAppMessage]:
        """One use of an approved template per message."""
        return await self._compose(batch, _whatsapp)

    async def posts(self, batch: Batch) -> Composed[SocialPost]:
        """One post per message."""
        return await self._compose(batch, _posts)

    async def _compose(self, batch: Batch, prepare: Prepare[M]) -> Composed[M]:
        wanted = {(message.event_id, message.content_id) for message in batch.messages}
        known = await contents.load(self._pool, batch.channel, wanted)
        spoken_of = await about.load(self._pool, batch)
        blocks = await includes.load(self._pool, self._weather, batch, known)
        writers: dict[tuple[UUID, UUID | None, str, tuple[str, ...]], Writer[M] | str] = {}
        shared: dict[tuple[UUID, UUID | None, str, tuple[str, ...]], includes.Made] = {}
        composed: Composed[M] = Composed(unapproved=any(content.unapproved for content in known.values()))
        for place, message in enumerate(batch.messages):
            if place % BREATH == 0:
                await asyncio.sleep(0)
            key = (message.event_id, message.content_id, message.template, tuple(message.include))
            if key not in writers:
                shared[key] = blocks.shared(message)
                writers[key] = _writer(message, known.get(key[:2]), prepare, shared[key].there)
            writer = writers[key]
            if isinstance(writer, str):
                composed.faulty.append((message, writer))
                continue
            try:
                its = spoken_of.get(message.id, about.NOTHING)
                if isinstance(its, TemplateError):
                    raise its
                own = blocks.personal(message, its.includes)
                if own.there:
                    its = replace(its, includes={**its.includes, **own.there})
                composed.ready.append((message, writer(message, its)))
                if missing := {**shared[key].missing, **own.missing}:
                    composed.missing[message.id] = missing
            except TemplateError as error:
                (composed.faulty if _concerns_all(error) else composed.failed).append((message, str(error)))
            except Exception as error:  # noqa: BLE001 - a mistake in a template must not stop everybody else's messages
                writers[key] = mistake = _mistake(message, error)
                composed.faulty.append((message, mistake))
        return composed

    def _mails(
        self, like: Claimed, content: Content, event: EventFacts, shared: Mapping[str, Include]
    ) -> Writer[EmailMessage]:
        words = slots_of(like.template)
        slots = words.model_validate(content.slots) if words is not None and content.slots is not None else None
        prepared = prepare_email(like.template, slots, event, includes=shared)
        marketing = is_marketing(like.template)
        sender = _mailbox(event.organizer_name, content.sender_email)

        def write(message: Claimed, its: About) -> EmailMessage:
            unsubscribe = f"{self._public_url}/unsubscribe/{message.id}"
            person = _person(message, event, unsubscribe, its.why)
            mail = prepared.for_person(
                person,
                includes=its.includes,
                sponsor=its.sponsor,
                deliverable=its.deliverable,
                approval=its.approval,
            )
            return EmailMessage(
                id=message.id,
                to=message.address,
                sender=sender,
                subject=mail.subject,
                html=mail.html,
                text=mail.text,
                headers=one_click(unsubscribe) if marketing else {},
                reply_to=self._reply_to(message, its, content),
                attachments=(_invitation(message, content, event, person, its.sequence),) if message.alone else (),
                tags={"template": message.template, "step": message.step},
            )

        return write

    def _reply_to(self, message: Claimed, its: About, content: Content) -> str | tuple[str, ...]:
        """The organizer; where an answer is waited for, first the address that leads it back to this very message."""
        if not (its.awaits_answer and self._inbound_domain):
            return content.reply_to
        return reply_address(message.id, self._inbound_domain), content.reply_to


def _writer(
    message: Claimed, content: Content | None, prepare: Prepare[M], shared: Mapping[str, Include]
) -> Writer[M] | str:
    """The writer for messages like this one, or why nobody's can be written."""
    if content is None:
        return "the event has no organizer; set events.organizer_id"
    try:
        return prepare(message, content, event_facts(content.facts), shared)
    except (TemplateError, ValidationError) as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - as above
        return _mistake(message, error)


def _mistake(message: Claimed, error: Exception) -> str:
    log.error("message_not_composed", template=message.template, channel=message.channel, exc_info=error)
    return f"template '{message.template}' could not be filled: {type(error).__name__}: {error}"


def _concerns_all(error: TemplateError) -> bool:
    """Whether everybody's message fails like this one."""
    return isinstance(error, MissingField) and any(not name.startswith("person.") for name in error.fields)


def _whatsapp(
    like: Claimed, content: Content, event: EventFacts, shared: Mapping[str, Include]
) -> Writer[WhatsAppMessage]:
    sid = content.whatsapp_content.get(like.template)
    if sid is None:
        raise NoContentSid(
            f"the organizer has no approved ContentSid for WhatsApp template '{like.template}'; "
            "set it in organizers.whatsapp_content"
        )
    slots = WhatsAppSlots.model_validate(content.slots) if content.slots is not None else None

    def write(message: Claimed, its: About) -> WhatsAppMessage:
        if international(message.address) is None:
            raise NoNumber("the phone number cannot be one: its country code or its length is wrong; correct it")
        person = _person(message, event, "", its.why)
        variables = render_whatsapp(
            message.template,
            slots,
            event,
            person,
            includes={**shared, **its.includes},
            sponsor=its.sponsor,
            deliverable=its.deliverable,
        ).variables
        return WhatsAppMessage(id=message.id, to=message.address, content_sid=sid, variables=variables)

    return write


def _posts(like: Claimed, content: Content, event: EventFacts, _shared: Mapping[str, Include]) -> Writer[SocialPost]:
    if content.slots is None:
        raise MissingField(like.template, ["slots"])
    text = render_social(content.variant or like.address, SocialPosts.model_validate(content.slots), event)
    return lambda message, _: SocialPost(id=message.id, text=text)


def _invitation(
    message: Claimed, content: Content, event: EventFacts, person: PersonFacts, sequence: int
) -> Attachment:
    """The event for the reader's calendar. One person and one event are one entry there, whatever is sent how often."""
    method = invitation(message.template, message.include) or "REQUEST"
    file = invite(
        event,
        uid=f"{message.event_id}.{message.person_id}@eventos",
        sequence=sequence,
        method=method,
        person=person,
        stamp=content.now,
        organizer_email=content.reply_to,
        attendee_email=message.address,
    )
    return Attachment("invite.ics", f"text/calendar; charset=utf-8; method={method}", file)


def _person(message: Claimed, event: EventFacts, unsubscribe: str, why: str) -> PersonFacts:
    why = why or (
        f"you are registered for {event.name}"
        if message.registered
        else f"{event.organizer_name} has you among its contacts"
    )
    return PersonFacts(
        first_name=message.first_name or "",
        company=message.company or "",
        timezone=message.timezone,
        unsubscribe_url=unsubscribe,
        ticket_type=message.ticket_type or "",
        ticket_code=message.ticket_code or "",
        why=why,
    )


def one_click(url: str) -> dict[str, str]:
    """The headers of RFC 8058: mail programs show a button that unsubscribes without a page."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _mailbox(name: str, address: str) -> str:
    """`Name <address>`, the name quoted where it holds what would end it."""
    plain = "".join(c for c in name if c.isprintable() and c not in '<>"\\').strip()
    quoted = f'"{plain}"' if any(c in plain for c in ",;:@.()[]") else plain
    return f"{quoted} <{address}>" if plain else address
