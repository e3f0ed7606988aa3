"""An event is cancelled or taken back: its automations end, and of a cancellation everybody hears who is coming, in one transaction."""

from typing import NamedTuple
from uuid import UUID

from database import control, notices
from database.connection import Connection
from database.control import Scope

WHY = {"cancelled": "the event was cancelled", "draft": "the event was unpublished"}
ENDINGS = tuple(WHY.values())
"""What becomes of an event and takes its automations with it: no person named them."""


class Ended(NamedTuple):
    """What ended with an event."""

    automations: int
    told: int
    """How many attendees get a notice."""


async def end(
    connection: Connection, event_id: UUID, status: str = "cancelled", automation_id: UUID | None = None
) -> Ended | None:
    """Cancel the automations of an event of this status, or one of them; None, and nothing is changed, if it has another by now.

    The event stays as it is until the transaction ends: whoever publishes it again comes after, and finds them cancelled.
    """
    scope = Scope(event_id=event_id, automation_id=automation_id)
    # Who begins a sponsor's sequence holds its outreach before the event, so the automations come first here too.
    await control.hold(connection, scope)
    if not await connection.fetchval(
        "SELECT TRUE FROM events WHERE id = $1 AND status = $2 FOR SHARE", event_id, status
    ):
        return None
    told = await notices.event_cancelled(connection, event_id, automation_id)
    return Ended(await control.cancel(connection, scope, WHY[status]), told)
