"""An event is cancelled or taken back: its automations end, and of a cancellation everybody hears who is coming."""

from uuid import UUID

from database import cancellations, events, occurrences
from database.cancellations import WHY
from database.connection import Pool
from database.occurrences import Occurrence
from database.registrations import NotConfirmed
from models import conditions
from starter.kinds import KINDS
from starter.rows import row_of


async def cancel_all(pool: Pool, event_id: UUID, status: str) -> str | None:
    """Cancel every automation of an event that was cancelled or unpublished; None if it has another status by now."""
    async with pool.acquire() as connection, connection.transaction():
        ended = await cancellations.end(connection, event_id, status)
    if ended is None:
        return None
    count, told = ended
    return f"{count} automations cancelled: {WHY[status]}" + (f"; {told} attendees get a notice" if told else "")


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
        ended = await cancellations.end(connection, event.id, automation_id=row.id)
    if ended is None:  # published again, so it begins when that is taken in
        return None
    return f"{WHY['cancelled']} since{'; the attendee gets a notice' if ended.told else ''}"


def _engages(rule: occurrences.Rule, occurrence: Occurrence) -> bool:
    """Whether a rule would have begun the engagement while the event was published; one that cannot be read would not."""
    try:
        asked = conditions.parse(rule.match) if rule.match else None
    except conditions.ConditionError:
        return False
    said = {name: str(value) for name, value in occurrence.data.items()} | {"event_status": "published"}
    return rule.workflow_type == "attendee_nurture" and (asked is None or asked.holds((), said))
