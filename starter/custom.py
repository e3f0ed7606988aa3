"""The way in for a timeline that a person hands in: checked, shown, begun."""

from datetime import UTC, datetime

from temporalio.client import Client

from database import automations
from database.connection import Pool
from database.events import Event
from models import moments
from models.automation import Anchors, Frozen, Step
from models.ids import custom_subject_id
from models.problems import DefinitionError, Known
from starter import rules
from starter.control import ControlError
from starter.triggers import Refused, Triggers

OPEN = ("pending", "active", "paused")


class Created(Frozen):
    """A custom automation, begun or only tried out."""

    workflow_id: str | None
    """The Temporal workflow; None after a dry run."""
    steps: tuple[Step, ...]
    due: dict[str, datetime | None]
    """When each step is due if it begins now; None is not known yet."""


async def create(
    client: Client,
    pool: Pool,
    task_queue: str,
    event: Event,
    definition: object,
    name: str,
    known: Known,
    *,
    dry_run: bool = False,
) -> Created:
    """Begin a timeline in the stored form for an event; a ControlError names every problem, and then nothing was begun.

    Two of one event need names of their own; a name is free again once its automation was cancelled.
    """
    try:
        kind = rules.custom(definition, name, known)
        instants = moments.resolve_all(kind.timeline, _anchors(event), {})
    except DefinitionError as error:
        problems = "\n".join(f"  - {problem}" for problem in error.problems)
        raise ControlError(f"The timeline cannot be played:\n{problems}") from error
    except moments.UnknownZone as error:
        raise ControlError(str(error)) from error
    if event.status == "cancelled":
        raise ControlError(f"{event.name} is cancelled, so nothing begins for it.")
    subject = custom_subject_id(event.id, name)
    last = await automations.latest(pool, "custom", subject)
    if last is not None and last.status != "cancelled" and last.started:
        raise ControlError(
            f"{event.name} has an automation {name!r}, which is {last.status}: choose another name, or cancel it before."
        )
    if dry_run:
        return Created(workflow_id=None, steps=kind.timeline, due=instants.due)
    try:
        outcome = await Triggers(pool, client, task_queue).begin("custom", event, subject, datetime.now(UTC), kind=kind)
    except Refused as error:
        raise ControlError(str(error)) from error
    begun = await automations.latest(pool, "custom", subject)
    if outcome != "custom begun" or begun is None:
        raise ControlError(f"Somebody else has just begun {name!r} for {event.name}: choose another name.")
    return Created(workflow_id=begun.workflow_id, steps=kind.timeline, due=instants.due)


def _anchors(event: Event) -> Anchors:
    return Anchors(start=event.now, zone=event.timezone or "UTC", event_date=event.starts_at, event_end=event.ends_at)
