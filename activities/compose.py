"""Composing: from messages of the ledger to what a provider is handed, and what to say when the words cannot be made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

import structlog
from pydantic import ValidationError

from activities.facts import event_facts
from database import contents
from database.batches import Batch, Claimed
from database.connection import Pool
from database.contents import Content
from models.messages import EmailMessage, SocialPost, WhatsAppMessage
from templates import (
    EmailSlots,
    EventFacts,
    MissingField,
    PersonFacts,
    SocialPosts,
    TemplateError,
    UnknownTemplate,
    WhatsAppSlots,
    prepare_email,
    render_social,
    render_whatsapp,
)

M = TypeVar("M", EmailMessage, WhatsAppMessage, SocialPost)
log = structlog.get_logger()


class NoContentSid(TemplateError):
    """WhatsApp knows no approved template for a message."""


@dataclass
class Composed(Generic[M]):
    """What could be composed, in the order of the batch, and why the rest could not."""

    ready: list[tuple[Claimed, M]] = field(default_factory=list)
    failed: list[tuple[Claimed, str]] = field(default_factory=list)
    """One person's facts are missing or unfit."""
    faulty: list[tuple[Claimed, str]] = field(default_factory=list)
    """What is wrong is wrong for everybody: the event's facts, the campaign's words."""


class Composer:
    """Reads facts and words as they are now, once per batch, and fills them in for each person."""

    def __init__(self, pool: Pool, public_url: str) -> None:
        self._pool = pool
        self._public_url = public_url.rstrip("/")

    async def mails(self, batch: Batch) -> Composed[EmailMessage]:
        """One mail per message, with a one-click unsubscribe link of its own."""
        return await self._compose(batch, self._mail)

    async def whatsapp(self, batch: Batch) -> Composed[WhatsAppMessage]:
        """One use of an approved template per message."""
        return await self._compose(batch, lambda message, content, event: _whatsapp(message, content, event, batch.first_posted_at))

    async def posts(self, batch: Batch) -> Composed[SocialPost]:
        """One post per message."""
        return await self._compose(batch, lambda message, content, event: _post(message, content, event, batch.first_posted_at))

    async def _compose(self, batch: Batch, make: Callable[[Claimed, Content, EventFacts], M]) -> Composed[M]:
        wanted = {(message.event_id, message.content_id) for message in batch.messages}
        known = await contents.load(self._pool, batch.channel, wanted)
        composed: Composed[M] = Composed()
        facts: dict[object, EventFacts | TemplateError] = {}
        for message in batch.messages:
            content = known.get((message.event_id, message.content_id))
            try:
                if content is None:
                    raise TemplateError("the event has no organizer; set events.organizer_id")
                event = facts.get(message.event_id) or facts.setdefault(message.event_id, event_facts(content.facts))
                assert isinstance(event, EventFacts)
                composed.ready.append((message, make(message, content, event)))
            except (TemplateError, ValidationError) as error:
                where = composed.faulty if _concerns_all(error) else composed.failed
                where.append((message, str(error)))
            except Exception as error:  # a mistake in a template must not stop the messages of everybody else
                log.exception("message_not_composed", message_id=str(message.id), template=message.template)
                composed.faulty.append((message, f"template '{message.template}' could not be filled: {type(error).__name__}: {error}"))
        return composed

    def _mail(self, message: Claimed, content: Content, event: EventFacts) -> EmailMessage:
        slots = EmailSlots.model_validate(content.slots) if content.slots is not None else None
        unsubscribe = f"{self._public_url}/unsubscribe/{message.id}"
        try:
            prepared = prepare_email(message.template, slots, event)
        except TemplateError as error:
            raise _ForAll(str(error)) from error
        mail = prepared.for_person(_person(message, event, unsubscribe))
        return EmailMessage(
            id=message.id,
            to=message.address,
            sender=_mailbox(event.organizer_name, content.sender_email),
            subject=mail.subject,
            html=mail.html,
            text=mail.text,
            headers={"List-Unsubscribe": f"<{unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
            reply_to=content.reply_to,
        )


class _ForAll(TemplateError):
    """Words that cannot be made for anybody."""


def _concerns_all(error: Exception) -> bool:
    """Whether everybody's message fails like this one."""
    if isinstance(error, MissingField):
        return not all(name.startswith("person.") for name in error.fields)
    return isinstance(error, (_ForAll, ValidationError, UnknownTemplate, NoContentSid)) or type(error) is TemplateError


def _whatsapp(message: Claimed, content: Content, event: EventFacts, attempted_at: datetime | None) -> WhatsAppMessage:
    sid = content.whatsapp_content.get(message.template)
    if sid is None:
        raise NoContentSid(
            f"the organizer has no approved ContentSid for WhatsApp template '{message.template}'; "
            "set it in organizers.whatsapp_content"
        )
    slots = WhatsAppSlots.model_validate(content.slots) if content.slots is not None else None
    rendered = render_whatsapp(message.template, slots, event, _person(message, event, ""))
    return WhatsAppMessage(
        id=message.id, to=message.address, content_sid=sid, variables=rendered.variables, attempted_at=attempted_at
    )


def _post(message: Claimed, content: Content, event: EventFacts, attempted_at: datetime | None) -> SocialPost:
    if content.slots is None:
        raise MissingField(message.template, ["slots"])
    text = render_social(content.variant or message.address, SocialPosts.model_validate(content.slots), event)
    return SocialPost(id=message.id, text=text, attempted_at=attempted_at)


def _person(message: Claimed, event: EventFacts, unsubscribe: str) -> PersonFacts:
    why = f"you are registered for {event.name}" if message.registered else f"{event.organizer_name} has you among its contacts"
    return PersonFacts(
        first_name=message.first_name or "",
        company=message.company or "",
        timezone=message.timezone,
        unsubscribe_url=unsubscribe,
        ticket_type=message.ticket_type or "",
        ticket_code=message.ticket_code or "",
        why=why,
    )


def _mailbox(name: str, address: str) -> str:
    """`Name <address>`, the name quoted where it holds what would end it."""
    plain = "".join(c for c in name if c.isprintable() and c not in '<>"\\').strip()
    quoted = f'"{plain}"' if any(c in plain for c in ",;:@.()[]") else plain
    return f"{quoted} <{address}>" if plain else address
