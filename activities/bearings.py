"""Where an automation stands: its anchors and instants, what it waits for, and its end."""

from contextlib import suppress

from temporalio import activity
from temporalio.exceptions import ApplicationError

from database import approvals, automations, dates, standstill, subjects
from database.connection import Pool
from models import conditions, moments
from models.automation import Anchors
from models.player import Asked, Bearings, Finish, Move, Rest


class BearingsActivities:
    """Reads and keeps the automation's row. Moments are resolved here, so that a running workflow holds instants only."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def look(self, asked: Asked) -> Bearings:
        """The automation's anchors, the instants of its steps, and its present state. The first look begins it."""
        standing = await automations.look(self._pool, asked.automation_id)
        if standing is None:
            gone = f"There is no automation {asked.automation_id}; its event was deleted."
            raise ApplicationError(gone, type="UnknownAutomation", non_retryable=True)
        anchors = automations.anchors(standing)
        try:
            instants = moments.resolve_all(asked.steps, anchors, asked.ended)
            problem = _missing(asked, anchors, standing.zone)
        except moments.UnknownZone as error:
            instants, problem = moments.Instants(due={}, until={}), str(error)
        waits = standing.status != "cancelled" and standing.problem == problem
        if standing.problem is not None and not waits:
            async with self._pool.acquire() as connection, connection.transaction():
                await standstill.take_back(connection, standing.event_id, standing.problem)
        now = max(standing.now, asked.now) if asked.now is not None else standing.now
        awaited, approved = await approvals.attend(self._pool, asked.automation_id, now)
        named = conditions.columns(step.condition for step in asked.steps)
        subject = (await subjects.read(self._pool, [asked.automation_id], named))[asked.automation_id]
        return Bearings(
            anchors=anchors,
            instants=instants,
            now=standing.now,
            status=standing.status,
            problem=problem,
            awaited=awaited,
            approved=approved,
            subject=subject,
            moves=await self._moves(asked, anchors) if problem is None else (),
        )

    async def _moves(self, asked: Asked, anchors: Anchors) -> tuple[Move, ...]:
        """What the player has missed of the event's dates; those in a zone that nobody knows brought no instants."""
        since = asked.date_revision
        if since is None or since >= anchors.date_revision:
            return ()
        found = []
        for at, then in await dates.moves(self._pool, asked.event_id, since, anchors):
            with suppress(moments.UnknownZone):
                instants = moments.resolve_all(asked.steps, then, asked.ended)
                found.append(Move(at=at, instants=instants))
        return tuple(found)

    @activity.defn
    async def rest(self, rest: Rest) -> None:
        """Keep what the automation waits for."""
        await automations.rest(
            self._pool, rest.automation_id, rest.until, step=rest.step, next_at=rest.next_at, problem=rest.problem
        )

    @activity.defn
    async def finish(self, finish: Finish) -> None:
        """Close the automation's row."""
        await automations.finish(self._pool, finish.automation_id, finish.status)


def _missing(asked: Asked, anchors: Anchors, zone: str | None) -> str | None:
    """What the event lacks for this timeline, and what to do. A missing date must never look like a delay of nothing."""
    if not zone:
        return "the event has no time zone: set events.timezone to an IANA name such as 'Europe/Berlin', and it goes on"
    for step in asked.steps:
        for text in (step.moment, step.until):
            if text is None or (text == step.until and any(text == other.id for other in asked.steps)):
                continue
            try:
                moments.resolve(moments.parse(text), anchors, asked.ended)
            except moments.MissingAnchor as error:
                return str(error)
    return None
