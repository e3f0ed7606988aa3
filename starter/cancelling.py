"""An event is cancelled or taken back: its automations end, and of a cancellation everybody hears who is coming."""

from uuid import UUID

from database import control, events, notices, occurrences
from database.connection import Pool
from database.control import Scope
from database.events import Event
from database.occurrences import Occurrence
from database.registrations import NotConfirmed
from models import conditions
from starter.kinds import KINDS
from starter.rows import row_of

CANCELLED = "the event was cancelled"
UNPUBLISHED = "the event was unpublished"
ENDINGS = (CANCELLED, UNPUBLISHED)
"""What becomes of an event and takes its automations with it: no person named them."""


async def cancel_all(pool: Pool, event: Event, why: str) -> str:
    """Cancel every automation of an event, and tell its attendees if it was cancelled, in one transaction; says what came of it."""
    async with pool.acquire() as connection, connection.transaction():
        mailed = await notices.event_cancelled(connection, event.id) if event.status == "cancelled" else 0
        count = await control.cancel(connection, Scope(event_id=event.id), why)
    return f"{count} automations cancelled: {why}" + (f"; {mailed} attendees get a notice" if mailed else "")


async def registered_before(pool: Pool, event_id: UUID, occurrence: Occurrence) -> str | None:
    """Tell of the cancellation somebody whose registration is taken in only now, though it was there before; None if it was not.

    Their automation would have begun, had the event stayed on; so it begins, and ends in the same breath.
    """
    event = await events.get(pool, event_id)
    if (
        event is None
        or event.status != "cancelled"
        or not await occurrences.cancelled_since(pool, event_id, occurrence.id)
    ):
        return None
    if event.ends_at is not None and event.ends_at <= event.now:
        return None
    rules = await occurrences.rules_for(pool, occurrence.kind, event.id)
    if not any(_engages(rule, occurrence) for rule in rules):
        return None
    async with pool.acquire() as connection, connection.transaction():
        registration = UUID(occurrence.data["registration"])
        kind = KINDS["attendee_nurture"]
        try:
            row = await row_of(connection, "attendee_nurture", kind, event, registration, occurrence.created_at)
        except NotConfirmed:
            return None
        mailed = await notices.event_cancelled(connection, event.id, row.id)
        await control.cancel(connection, Scope(automation_id=row.id), CANCELLED)
    return f"{CANCELLED} since{'; the attendee gets a notice' if mailed else ''}"


def _engages(rule: occurrences.Rule, occurrence: Occurrence) -> bool:
    """Whether a rule would have begun the engagement while the event was published; one that cannot be read would not."""
    try:
        asked = conditions.parse(rule.match) if rule.match else None
    except conditions.ConditionError:
        return False
    said = {name: str(value) for name, value in occurrence.data.items()} | {"event_status": "published"}
    return rule.workflow_type == "attendee_nurture" and (asked is None or asked.holds((), said))
