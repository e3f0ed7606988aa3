"""The story that `eventos demo` lives: one event with its sponsors, attendees and deliverables. Change it and watch."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from database import application, reports
from models.approval import Decide
from starter import control, rehearsal
from starter.scenes import Scene, Stage

Act = Callable[[Stage], Awaitable[object]]

HOUR = 3600
DAY = 24 * HOUR


def registers(count: int) -> Act:
    """That many contacts register."""
    return lambda here: application.register(here.pool, here.event_id, count)


def registration(email: str, status: str) -> Act:
    """Somebody's registration is cancelled or confirmed."""
    return lambda here: application.set_registration(here.pool, here.event_id, email, status)


def decides(sponsor: str, status: str) -> Act:
    """The organizer writes down what a sponsor has decided."""
    return lambda here: application.decide(here.pool, here.event_id, sponsor, status)


def deliverable(sponsor: str, name: str | None, status: str, why: str | None = None) -> Act:
    """What a sponsor owes is handed in, approved or rejected; None is all that is open."""
    return lambda here: application.set_deliverables(here.pool, here.event_id, sponsor, name, status, why)


async def publish(here: Stage) -> None:
    """The organizer publishes the event."""
    await rehearsal.publish(here.pool, here.event_id)


async def approve(here: Stage) -> bool:
    """The organizer approves everything that waits, as it is; False if nothing does."""
    waiting = [row for row in await reports.automations(here.pool, here.event_id) if row.awaits]
    for row in waiting:
        shown = await control.to_approve(here.pool, row.id)
        decision = Decide(step=shown.step, content_hash=shown.content_hash, by="the organizer")
        await control.approve(here.client, here.pool, row.id, decision)
    return bool(waiting)


STORY = (
    Scene("0 hours", "The organizer publishes the event.", publish),
    Scene("1 day at 10:00", "The organizer reads the ten proposals and approves them.", approve),
    Scene("2 days at 12:00", "Six people register.", registers(6)),
    Scene("7 days at 09:30", "Lanternwatch is back from holiday and accepts.", decides("Lanternwatch", "accepted")),
    Scene("8 days at 11:00", "Lanternwatch signs, and owes five things.", decides("Lanternwatch", "signed")),
    Scene("9 days at 12:00", "Six more people register.", registers(6)),
    Scene("9 days at 15:00", "Lanternwatch hands in its contract.", deliverable("Lanternwatch", "Signed contract", "submitted")),
    Scene("9 days at 15:30", "... and its workshop abstract.", deliverable("Lanternwatch", "Workshop abstract", "submitted")),
    Scene("10 days at 09:00", "The organizer approves the contract.", deliverable("Lanternwatch", "Signed contract", "approved")),
    Scene("10 days at 09:05", "... and the abstract.", deliverable("Lanternwatch", "Workshop abstract", "approved")),
    Scene("10 days at 16:00", "Lanternwatch hands in its logo.", deliverable("Lanternwatch", "Company logo", "submitted")),
    Scene("11 days at 10:00", "The organizer sends the logo back.",
          deliverable("Lanternwatch", "Company logo", "rejected", "It is 80 pixels wide; we need a vector file.")),
    Scene("12 days at 11:00", "An attendee cancels.", registration("oscar.bauer@tidewaterhealth.test", "cancelled")),
    Scene("12 days at 17:00", "Lanternwatch hands in its logo again.", deliverable("Lanternwatch", "Company logo", "submitted")),
    Scene("13 days at 09:00", "The organizer approves the logo.", deliverable("Lanternwatch", "Company logo", "approved")),
    Scene("14 days at 11:00", "The attendee registers again after all.", registration("oscar.bauer@tidewaterhealth.test", "confirmed")),
    Scene("16 days at 12:00", "Six more people register.", registers(6)),
    Scene("17 days at 15:00", "After a meeting Stratus Yard signs too.", decides("Stratus Yard", "signed")),
    Scene("18 days at 11:00", "Stratus Yard hands in everything at once.", deliverable("Stratus Yard", None, "submitted")),
    Scene("19 days at 10:00", "The organizer approves it.", deliverable("Stratus Yard", None, "approved")),
    Scene("23 days at 12:00", "Six more people register.", registers(6)),
    Scene("event_date - 19 days at 14:00", "Lanternwatch pays, two days late.", deliverable("Lanternwatch", "Payment", "submitted")),
    Scene("event_date - 15 days at 10:00", "The hall has burst a pipe: the event moves by a day.",
          lambda here: application.move_event(here.pool, here.event_id, timedelta(days=1))),
    Scene("event_date - 14 days at 12:00", "Eight more people register.", registers(8)),
    Scene("event_date - 12 days at 09:00", "Lanternwatch hands in its booth materials.",
          deliverable("Lanternwatch", "Booth materials", "submitted")),
    Scene("event_date - 2 days at 15:00", "Five people register two days before.", registers(5)),
    Scene("event_date - 30 minutes", "The doors open; one in eight does not come.",
          lambda here: application.check_in(here.pool, here.event_id, 8)),
    Scene("event_date + 2 hours", "Two people register at the door.", registers(2)),
    Scene("event_end - 1 hour", "Lanternwatch has met 24 people.", lambda here: application.meet(here.pool, here.event_id, "Lanternwatch", 24)),
    Scene("event_end - 1 hour", "Stratus Yard has met 9.", lambda here: application.meet(here.pool, here.event_id, "Stratus Yard", 9)),
)  # fmt: skip


def people(begun: datetime) -> list[dict[str, Any]]:
    """What those who are written to do, and how many seconds after which message."""
    back = begun + timedelta(days=6)
    return [
        # sponsors
        {"who": "joao@stratusyard.test", "what": "open", "after": 5 * HOUR, "once": True},
        {"who": "joao@stratusyard.test", "what": "reply", "after": 2 * DAY, "once": True,
         "text": "This sounds like us. Could we talk about a booth and the workshop?"},
        {"who": "noah@orchardbank.test", "what": "reply", "after": DAY + HOUR, "once": True,
         "text": "Thank you for thinking of us, but we are not interested this year."},
        {"who": "oscar@lanternwatch.test", "what": "out_of_office", "after": 60, "once": True,
         "text": f"I am out of the office and will be back on {back.day} {back:%B}."},
        {"who": "rui@hammerlight.test", "what": "reply", "after": 60 * HOUR, "once": True, "sender": "marta@hammerlight.test",
         "text": "Rui passed this on to me. What does the silver package include?"},
        {"who": "miguel@brightkilncloud.test", "what": "open", "after": DAY},
        # contacts
        {"who": "*@harbourlabs.test", "what": "open", "after": 3 * HOUR},
        {"who": "*@northlight.test", "what": "open", "after": 2 * HOUR},
        {"who": "*@northlight.test", "what": "click", "after": 2 * HOUR + 60},
        {"who": "*@kestrelsystems.test", "what": "open", "after": DAY},
        {"who": "*@ravelinfoods.test", "what": "click", "after": 5 * HOUR, "to": "Stay in touch with *"},
        {"who": "sofia.bauer@example.com", "what": "bounce"},
        {"who": "bruno.neumann@bluebarn.test", "what": "complain", "after": 4 * HOUR, "once": True},
        {"who": "ethan.richter@papertrail.test", "what": "unsubscribe", "after": DAY, "once": True},
        {"who": "+491713920010", "what": "stop", "after": 10 * 60, "once": True},
        {"who": "+491713920014", "what": "open", "after": 60},
    ]  # fmt: skip


SPONSORS: Mapping[str, str] = {
    "Stratus Yard": "signed",
    "Lanternwatch": "signed",
    "Hammerlight": "responded",
    "Orchard Bank": "declined",
    "Brightkiln Cloud": "active",
    "Gitfen": "active",
}
"""What must have become of these proposals."""

TOLD = ("held", "hot", "declined", "accepted", "overdue", "review")
"""What the organizer is to be told, by the first word of each notification's key; anything else is a problem."""
