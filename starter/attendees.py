"""The way in for attendees: register somebody, begin their engagement, and say beforehand what will be sent."""

import re
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from database import events, registrations
from database.audiences import USABLE
from database.connection import Pool
from database.events import Event
from models.automation import Anchors
from models.moments import UnknownZone, resolve_all
from starter.control import ControlError
from workflows.attendee_nurture import TIMELINE
from workflows.timeline import Skip, plan


class Ahead(NamedTuple):
    """One touch of the timeline: when it comes, or why it does not."""

    step: str
    at: datetime | None
    why_not: str = ""


async def start_for_attendee(pool: Pool, registration_id: UUID) -> bool:
    """Begin the engagement of a registration, for a program that does not rely on the database's triggers.

    True if it begins now; False if it has begun already, however often it is asked. ControlError says why it cannot.
    """
    registration = await registrations.get(pool, registration_id)
    if registration is None:
        raise ControlError(f"There is no registration {registration_id}. `eventos register EVENT EMAIL` makes one.")
    event = await events.get(pool, registration.event_id)
    assert event is not None
    open_for_attendees(event)
    try:
        return await registrations.accompany(pool, registration)
    except registrations.NotConfirmed as error:
        raise ControlError(
            f"Registration {registration_id} cannot be accompanied: {error}. Confirm it first."
        ) from error


async def register(pool: Pool, event: Event, email: str) -> bool:
    """Register somebody for an event by address; False if they were registered before. Their engagement begins by itself."""
    email = email.strip()
    if not re.fullmatch(USABLE["email"], email):
        raise ControlError(f"{email!r} is not a usable address; write it like name@example.com.")
    if event.organizer_id is None:
        raise ControlError(f"{event.name} has no organizer: set events.organizer_id.")
    open_for_attendees(event)
    return (await registrations.register(pool, event.id, email))[1]


def open_for_attendees(event: Event) -> None:
    """Refuse an event whose attendees are not accompanied, and say what to do."""
    if event.status != "published":
        raise ControlError(
            f"{event.name} is {event.status}, so nobody is accompanied. `eventos publish {event.id}` publishes it; "
            "who is registered then is accompanied from then on."
        )
    if event.ends_at is not None and event.ends_at <= event.now:
        raise ControlError(
            f"{event.name} ended on {event.ends_at:%Y-%m-%d %H:%M} UTC, so there is nothing left to send."
        )


def ahead(event: Event) -> list[Ahead]:
    """What somebody who registers now will be sent, and what not and why, in the order of the timeline."""
    anchors = Anchors(
        start=event.now, zone=event.timezone or "UTC", event_date=event.starts_at, event_end=event.ends_at
    )
    try:
        instants = resolve_all(TIMELINE, anchors, {})
    except UnknownZone as error:
        raise ControlError(str(error)) from error
    skipped = {
        one.step_id: one.reason
        for one in plan(TIMELINE, instants, {}, (), event.now).decisions
        if isinstance(one, Skip)
    }
    found = []
    for step in TIMELINE:
        due, until = instants.due[step.id], instants.until.get(step.id)
        why = skipped.get(step.id, "")
        if not why and due is not None and until is not None and until <= due:
            why = f"overtaken by {step.until}"
        if not why and due is None:
            why = "the event has no such date yet"
        found.append(Ahead(step.id, None if why or due is None else max(due, event.now), why))
    return found
