"""Messages: what is asked of the outbox, what it answers, and what goes out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict

from models.automation import Frozen, Step, StepState
from models.player import Refusal

Channel = Literal["email", "whatsapp", "linkedin", "twitter", "facebook"]
CHANNELS: tuple[Channel, ...] = ("email", "whatsapp", "linkedin", "twitter", "facebook")


INVITE = "calendar_invite"
"""The include that brings the event's invitation along, a file for the reader's calendar."""

INVITATIONS: dict[str, Literal["REQUEST", "CANCEL"]] = {
    "registration_confirmation": "REQUEST",
    "event_moved": "REQUEST",
    "event_takes_place": "REQUEST",
    "event_cancelled": "CANCEL",
}
"""The mails that bring it unless their step names other includes, and what it tells the calendar."""

NOTICES = ("event_moved", "event_cancelled", "event_takes_place")
"""The mails that bring it whatever their step names: without it the calendar would keep what no longer holds."""


def invitation(template: str, include: Collection[str]) -> Literal["REQUEST", "CANCEL"] | None:
    """What the invitation that a mail carries tells the calendar; None where it carries none."""
    if INVITE in include or template in NOTICES or not include:
        return INVITATIONS.get(template, "REQUEST" if INVITE in include else None)
    return None


class Enqueue(Frozen):
    """Decide one round of a step for good, and queue its messages."""

    automation_id: UUID
    event_id: UUID
    step: Step
    round: int
    due: AwareDatetime
    now: AwareDatetime
    """The player's business instant."""
    date_revision: int
    """The revision of the event's dates the player has adopted."""
    revision: int = 0
    """The revision of the timeline the player has adopted."""
    valid_until: AwareDatetime | None = None
    until: str | None = None
    """The moment that `valid_until` is the instant of: should the event's dates move, it is another one."""
    tell: bool = False
    """Whether the player wants to hear when the last message is settled."""
    skip: str | None = None
    """Instead of doing the step, journal that it was skipped, with this reason."""
    next_step: str | None = None
    next_at: AwareDatetime | None = None
    """What the player will wait for after this step; kept on the automation's row."""


class Enqueued(Frozen):
    """What was decided, now or the first time it was asked."""

    # Earlier workers said more; their answers stand in the histories of automations under way.
    model_config = ConfigDict(frozen=True, extra="ignore")

    outcome: Refusal | Literal["decided"]
    log_id: UUID | None = None
    step_id: str | None = None
    """The branch the slot was decided for, perhaps not the one asked for."""
    state: StepState | None = None
    due: AwareDatetime | None = None
    reason: str | None = None
    open: int = 0
    ended: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class EmailMessage:
    """One rendered mail."""

    id: UUID
    to: str
    sender: str
    """`Name <address>`."""
    subject: str
    html: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)
    reply_to: str | tuple[str, ...] | None = None
    attachments: tuple[Attachment, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    """What the provider shows and counts by, beside the message's id; never anything about the person."""


@dataclass(frozen=True, slots=True)
class WhatsAppMessage:
    """One use of an approved template."""

    id: UUID
    to: str
    """E.164."""
    content_sid: str
    variables: Mapping[str, str]
    attempted_at: datetime | None = None
    """When it was first attempted, for the look-up."""


@dataclass(frozen=True, slots=True)
class SocialPost:
    """One post on one platform."""

    id: UUID
    text: str
    link: str | None = None
    attempted_at: datetime | None = None
