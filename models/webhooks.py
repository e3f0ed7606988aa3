"""What comes back from providers, in our words, whoever said it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

Provider = Literal["resend", "twilio"]
Word = Literal[
    "sent",
    "delivered",
    "opened",
    "clicked",
    "read",
    "bounced",
    "complained",
    "failed",
    "suppressed",
    "received",
    "ignored",
]
"""`received` is an answer that came in; `ignored` is whatever no one here acts on."""


class Refused(Exception):
    """A delivery is not taken; the message says why."""


class BadSignature(Refused):
    """Nobody who knows the secret has signed this, or it was signed too long ago."""


class Malformed(Refused):
    """It is not what the provider sends."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody sent us."""

    sender: str
    recipients: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in small letters."""
    answers: tuple[str, ...] = ()
    """Ids of the messages that it names as those it answers."""


@dataclass(frozen=True, slots=True)
class Report:
    """One delivery of a provider, in our words."""

    word: Word
    message_id: UUID | None = None
    """Ours."""
    provider_id: str | None = None
    at: datetime | None = None
    """When it happened, if the provider says so."""
    why: str | None = None
    """The provider's words for what went wrong."""
    suppress: str | None = None
    """Why nothing may go to this address any more, if that follows."""
    scanner: bool = False
    """Whether a program that is known to look into other people's messages did it."""
    rfc_id: str | None = None
    """The mail's Message-ID."""
    answer: Answer | None = None


DEEPEST = 50


def storable(value: Any, depth: int = DEEPEST) -> Any:
    """JSON as PostgreSQL keeps it: without NUL and half characters, its numbers within 64 bits. Raises Malformed if too deep."""
    if depth == 0:
        raise Malformed(f"The body is nested more than {DEEPEST} deep.")
    match value:
        case str():
            return value.replace("\0", "").encode(errors="replace").decode()
        case dict():
            return {storable(str(name), depth - 1): storable(one, depth - 1) for name, one in value.items()}
        case list():
            return [storable(one, depth - 1) for one in value]
        case int() if abs(value) >= 2**63:
            return str(value)
    return value
