"""Whom a person means by what they type: an automation, an event, a kind of automation."""

import re
from typing import NamedTuple, get_args
from uuid import UUID

from database import automations, events
from database.connection import Pool
from database.control import Scope
from models.automation import WorkflowType
from models.phrases import either, nearest
from starter.control import ControlError, find_event, unknown

KIND_NAMES: tuple[str, ...] = get_args(WorkflowType)

ID = re.compile(r"[0-9a-fA-F]{8}-?[0-9a-fA-F-]*|\S+/\S*")
"""What can only be meant as an id: Temporal's has slashes."""


class Aim(NamedTuple):
    """A scope, and how to call it."""

    scope: Scope
    name: str


async def find_automation(pool: Pool, reference: str) -> UUID:
    """The one automation that is meant by its id, the beginning of it, or its Temporal id."""
    found = await automations.find(pool, reference)
    if not found:
        raise ControlError(await unknown(pool, reference))
    if len(found) > 1:
        raise ControlError(_several(reference, [(one.id, one.name) for one in found]))
    return found[0].id


async def aim(pool: Pool, reference: str | None, kind: str | None) -> Aim:
    """What an automation's id, an event, a kind, or an event and a kind stand for. Raises ControlError."""
    if kind is not None and kind not in KIND_NAMES:
        raise ControlError(f"There is no kind {kind!r}{nearest(kind, KIND_NAMES)}; it is one of {either(KIND_NAMES)}.")
    if reference is None:
        if kind is None:
            raise ControlError("Say which: an automation's id, an event, or --kind for all of a kind in every event.")
        return Aim(Scope(workflow_type=kind), f"all events ({kind})")
    meant = await automations.find(pool, reference)
    called = await events.find(pool, reference)
    if len(meant) + len(called) > 1 and meant:
        raise ControlError(
            _several(reference, [*((one.id, one.name) for one in meant), *((one.id, one.name) for one in called)])
        )
    if meant:
        [one] = meant
        if kind not in (None, one.workflow_type):
            raise ControlError(f"{one.name} is of kind {one.workflow_type}, not {kind}: leave out --kind.")
        return Aim(Scope(automation_id=one.id), one.name)
    if not called and ID.fullmatch(reference):
        raise ControlError(await unknown(pool, reference, "no automation and no event"))
    event = await find_event(pool, reference)
    return Aim(Scope(event_id=event.id, workflow_type=kind), event.name)


def _several(reference: str, found: list[tuple[UUID, str]]) -> str:
    names = "\n".join(f"  {id_}  {name}" for id_, name in found)
    return f"{reference!r} fits {len(found)}; name one by its whole id:\n{names}"
