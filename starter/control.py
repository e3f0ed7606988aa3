"""What people ask of running automations: list, pause, resume, cancel, retry, skip, modify, approve, reject."""

from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Literal, NoReturn, TypeVar
from uuid import UUID

from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from database import approvals, automations, control, events
from database.approvals import Waiting
from database.connection import Pool
from database.control import Scope
from database.events import Event
from models.approval import Decide
from models.automation import Frozen
from models.changes import Change, Revised
from models.moments import UnknownZone, zone_named
from models.player import Policy, StepOrder
from starter.client import NotReady, is_not_ready

T = TypeVar("T")

ANSWER_SECONDS = 5
"""How long a caller waits for a player's answer."""


class ControlError(Exception):
    """What was asked cannot be done; the message says why and what can."""


async def find_event(pool: Pool, reference: str) -> Event:
    """The one event a person means, by id or name."""
    found = await events.find(pool, reference)
    if not found:
        raise ControlError(f"There is no event {reference!r}. `eventos seed` makes one to try.")
    if len(found) > 1:
        names = "\n".join(f"  {event.id}  {event.name}" for event in found)
        raise ControlError(f"{reference!r} fits {len(found)} events; name one by its id:\n{names}")
    return found[0]


def unpublishable(event: Event, at: datetime) -> list[str]:
    """Everything that keeps an event from being launched at an instant, and what to do about it."""
    problems = []
    if event.organizer_id is None:
        problems.append("it has no organizer: set events.organizer_id")
    if event.starts_at is None:
        problems.append("it has no start: set events.starts_at")
    elif event.starts_at <= at:
        past = "which is past" if at <= event.now else f"which is past on {at:%Y-%m-%d %H:%M} UTC"
        problems.append(
            f"it began on {event.starts_at:%Y-%m-%d %H:%M} UTC, {past}: set events.starts_at to a later date"
        )
    if event.ends_at is None:
        problems.append("it has no end: set events.ends_at")
    elif event.starts_at is not None and event.ends_at < event.starts_at:
        problems.append("it ends before it starts: correct events.ends_at")
    if not event.timezone:
        problems.append("it has no time zone: set events.timezone to an IANA name such as 'Europe/Lisbon'")
    else:
        try:
            zone_named(event.timezone)
        except UnknownZone as error:
            problems.append(str(error))
    return problems


def publishable(event: Event) -> None:
    """Refuse an event that could not be launched now, naming everything that is missing at once."""
    if problems := unpublishable(event, event.now):
        raise ControlError(f"{event.name} cannot be published:\n" + "\n".join(f"  - {problem}" for problem in problems))


async def publish(pool: Pool, event: Event) -> bool:
    """Publish an event, or refuse with everything that is missing; False if it was published already.

    The database's trigger does the rest.
    """
    publishable(event)
    return await events.publish(pool, event.id)


async def pause(pool: Pool, scope: Scope) -> int:
    """Pause a scope at once: its steps and its messages. Nothing is lost."""
    return await control.pause(pool, scope) or await nothing(pool, scope, "active", "paused")


async def resume(pool: Pool, scope: Scope, policy: Policy) -> list[UUID]:
    """Resume a scope, and say which automations; `policy` says what happens to steps that fell due meanwhile."""
    return await control.resume(pool, scope, policy) or await nothing(pool, scope, "paused", "resumed")


async def cancel(pool: Pool, scope: Scope) -> int:
    """Cancel a scope for good: no further step, no further message."""
    count = await control.cancel(pool, scope, "the automation was cancelled")
    return count or await nothing(pool, scope, "running", "cancelled")


async def nothing(pool: Pool, scope: Scope, wanted: str, done: str) -> NoReturn:
    """Refuse, and say why nothing was done: how what was meant stands, and since when."""
    states = await control.states(pool, scope)
    stand = [_stands(count, status, since) for status, (count, since) in states.items()]
    if scope.automation_id is not None:
        found = await automations.addressee(pool, scope.automation_id)
        if found is None:
            raise ControlError(await unknown(pool, str(scope.automation_id)))
        since = f", since {found.paused_at:%Y-%m-%d %H:%M} UTC" if found.status == "paused" and found.paused_at else ""
        already = " already" if found.status == done else ""
        raise ControlError(f"{found.name} is {found.status}{already}{since}, so nothing was {done}.")
    said = f": {', '.join(stand)}" if stand else ""
    raise ControlError(f"Nothing there is {wanted}, so nothing was {done}{said}.")


def _stands(count: int, status: str, since: datetime | None) -> str:
    first = f" (since {since:%Y-%m-%d %H:%M} UTC)" if since else ""
    return f"{count:,} {'is' if count == 1 else 'are'} {status}{first}"


async def order(
    client: Client,
    pool: Pool,
    automation_id: UUID,
    verb: Literal["retry", "skip"],
    step: StepOrder,
    *,
    once: str | None = None,
) -> str:
    """`retry` or `skip` a held step; the player's own answer. What is asked again under the same `once` is done once."""
    return await _update(
        client, pool, automation_id, verb, step, str, once, f"`eventos show` tells how {step.step} stands."
    )


async def modify(
    client: Client, pool: Pool, automation_id: UUID, change: Change, *, once: str | None = None
) -> Revised:
    """Change steps that have not begun; a ControlError names every problem, and then nothing was changed.

    What is asked again under the same `once` is done once.
    """
    look = "`eventos show --revisions` tells whether it was made."
    return await _update(client, pool, automation_id, "modify", change, Revised, once, look)


async def approve(client: Client, pool: Pool, automation_id: UUID, decision: Decide) -> str:
    """Approve exactly the content that was shown, all of it or one piece; the player's own answer."""
    return await _decide(client, pool, automation_id, "approve", decision)


async def reject(client: Client, pool: Pool, automation_id: UUID, decision: Decide) -> str:
    """Refuse what was shown: nobody is written to, or, of several proposals, that sponsor is left out."""
    return await _decide(client, pool, automation_id, "reject", decision)


async def to_approve(pool: Pool, automation_id: UUID, step: str | None = None) -> Waiting:
    """What an automation waits for a person to decide, as it is at this moment."""
    waiting = await approvals.waiting(pool, automation_id)
    if waiting is None:
        if await automations.addressee(pool, automation_id) is None:
            raise ControlError(await unknown(pool, str(automation_id)))
        raise ControlError(f"Nothing of automation {automation_id} waits for approval. `eventos list` shows what does.")
    if step is not None and step != waiting.step:
        raise ControlError(f"Not {step} but {waiting.step} waits for approval.")
    return waiting


async def _decide(
    client: Client, pool: Pool, automation_id: UUID, verb: Literal["approve", "reject"], decision: Decide
) -> str:
    waiting = await to_approve(pool, automation_id)
    # The same decision about the same question is taken once, however often it is asked for.
    once = f"{verb}/{waiting.approval_id}/{decision.step}/{decision.content_hash}"
    look = f"`eventos show` tells how {decision.step} stands."
    return await _update(client, pool, automation_id, verb, decision, str, once, look)


async def _update(
    client: Client,
    pool: Pool,
    automation_id: UUID,
    verb: str,
    about: Frozen,
    answer: type[T],
    once: str | None,
    look: str,
) -> T:
    """Ask a player; its answer within five seconds, or a ControlError that says what is known and how to look."""
    found = await automations.addressee(pool, automation_id)
    if found is None:
        raise ControlError(await unknown(pool, str(automation_id)))
    handle = client.get_workflow_handle(found.workflow_id)
    try:
        said: T = await handle.execute_update(
            verb, about, id=once, rpc_timeout=timedelta(seconds=ANSWER_SECONDS), result_type=answer
        )
        return said
    except WorkflowUpdateFailedError as error:
        raise ControlError(str(error.cause)) from error
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        raise ControlError(
            f"No answer within {ANSWER_SECONDS} seconds, so the outcome is unknown. Is a worker running? {look}"
        ) from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise ControlError(f"That automation is {found.status}, so nothing of it can be changed.") from error
        if is_not_ready(error):
            raise ControlError(str(NotReady(found.workflow_id))) from error
        raise


async def unknown(pool: Pool, said: str, what: str = "no automation") -> str:
    """What to say of an automation that is not there: the one that it may be meant to be."""
    close = get_close_matches(said, await automations.ids(pool, said), n=1, cutoff=0.3)
    return f"There is {what} {said}{f' (did you mean {close[0]}?)' if close else ''}. `eventos list --all` shows those there are."
