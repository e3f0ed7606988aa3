"""The only speller of ids and keys."""

from datetime import UTC, datetime
from uuid import UUID, uuid5


def automation_workflow_id(workflow_type: str, subject_id: UUID | str, generation: int) -> str:
    """The Temporal workflow id of an automation: the same subject and generation can never run twice."""
    return f"{workflow_type}/{subject_id}/{generation}"


def custom_subject_id(event_id: UUID, name: str, fire: datetime | None = None) -> UUID:
    """The subject of a custom automation: two of one event have a subject of their own each, by their names.

    Where a recurrence begins it, each of its instants has one of its own: what was sent at one is sent again at the next.
    """
    subject = uuid5(event_id, name)
    return subject if fire is None else uuid5(subject, fire.astimezone(UTC).isoformat())


def dispatch_workflow_id(channel: str, *, rehearsal: bool) -> str:
    """The id of the pump that sends one channel; rehearsals have pumps of their own."""
    return f"dispatch/{'rehearsal/' if rehearsal else ''}{channel}"


INTAKE_WORKFLOW_ID = "intake"
"""The id of the pump that reads occurrences."""


def message_key_prefix(workflow_type: str, subject_id: UUID | str, step: str, round_: int) -> str:
    """The part of a message key that all messages of one round of a step share.

    The whole key is kind / subject / step / round / person / channel. The generation of the automation is no part of it:
    what an earlier generation sent is not sent again.
    """
    return f"{workflow_type}/{subject_id}/{step}/{round_}/"


def message_key(prefix: str, person: UUID | str, channel: str, ordinal: int = 0) -> str:
    """One thing to one person on one channel; a deliberate resend has an ordinal above 0."""
    return f"{prefix}{person}/{channel}" + (f"/{ordinal}" if ordinal else "")
