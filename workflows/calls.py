"""What workflows ask of the world. Here alone stand the names of activities, their time-outs and retries.

A journey's touch is one timer and one local activity: short database work is local, and falls back to a timer of the
server when the database is away for longer than two seconds. What may take long (an audience of 100,000, a model's answer)
is a regular activity.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from models.approval import Decided
from models.automation import Frozen
from models.changes import Revise, Revised
from models.messages import Enqueue, Enqueued
from models.player import Act, Asked, Bearings, Begin, Begun, DispatchInput, End, Ended, Finish, Free, Freed, Rest
from models.watch import Watched, WatchInput

T = TypeVar("T")

PATIENT = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
"""For what fails only while something is away: again until it is back. An activity ends its own failures for good."""

NOTICED = timedelta(seconds=10)
"""A killed worker is noticed after that, however long a model may think or an audience may be."""

PUMP = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=1.5, maximum_interval=timedelta(seconds=5)
)

ACTS = {"generate": "generate_content", "update": "update_records", "notify": "notify", "call": "call"}
"""The activity behind each verb that sends no message."""


async def _local(name: str, about: Frozen, answer: type[T] | None, summary: str) -> T:
    result: T = await workflow.execute_local_activity(
        name,
        about,
        result_type=answer,
        start_to_close_timeout=timedelta(seconds=30),
        local_retry_threshold=timedelta(seconds=2),
        retry_policy=PATIENT,
        summary=summary,
    )
    return result


async def look(asked: Asked) -> Bearings:
    """Anchors, instants and present state; asked at the start, and when dates or anchors may have moved."""
    return await _local("look", asked, Bearings, "resolve moments")


async def enqueue(request: Enqueue, summary: str) -> Enqueued:
    """Decide a round of a step and queue its messages. An audience may be large; a single subject is not."""
    if request.skip is not None or not any(action.audience for action in request.step.actions):
        return await _local("enqueue", request, Enqueued, summary)
    answer: Enqueued = await workflow.execute_activity(
        "enqueue",
        request,
        result_type=Enqueued,
        start_to_close_timeout=timedelta(seconds=90),
        heartbeat_timeout=NOTICED,
        retry_policy=PATIENT,
        summary=summary,
    )
    return answer


async def begin_step(begin: Begin, summary: str) -> Begun:
    """Decide a round of a step that does more than send."""
    return await _local("begin_step", begin, Begun, summary)


async def end_step(end: End, summary: str) -> Ended:
    """Journal how such a step ended, or that it is held."""
    return await _local("end_step", end, Ended, summary)


async def free_step(free: Free) -> Freed:
    """Let go of a held step."""
    return await _local("free_step", free, Freed, f"free {free.step}")


async def decide(decided: Decided) -> str:
    """Take in what a person decided about generated content; says what came of it."""
    return await _local("decide", decided, str, f"{decided.verb} {decided.decision.step}")


async def revise(about: Revise) -> Revised:
    """Change the timeline, or learn everything that stands against it."""
    return await _local("revise", about, Revised, "change the timeline")


async def act(verb: str, about: Act) -> str:
    """Do one target of a step; returns what came of it, in plain words."""
    if verb not in ACTS:
        raise ApplicationError(f"no activity carries out {verb!r} steps; known are {', '.join(ACTS)}")
    result: str = await workflow.execute_activity(
        ACTS[verb],
        about,
        result_type=str,
        start_to_close_timeout=timedelta(seconds=120),
        heartbeat_timeout=NOTICED,
        retry_policy=PATIENT,
        summary=f"{verb} {about.target}",
    )
    return result


async def rest(rest: Rest, summary: str) -> None:
    """Keep on the automation's row what it waits for."""
    await _local("rest", rest, None, summary)


async def finish(finish: Finish) -> None:
    """Close the automation's row."""
    await _local("finish", finish, None, finish.status)


async def look_over(about: WatchInput) -> Watched:
    """Write down what has come due for an event by its rules."""
    return await _local("look_over", about, Watched, "look over the event")


async def dispatch(about: DispatchInput) -> None:
    """Send what is due on one channel, for a while."""
    await _pump("dispatch", [about], f"send {about.channel}")


async def intake() -> None:
    """Turn occurrences into starts and signals, for a while."""
    await _pump("intake", [], "read occurrences")


async def _pump(name: str, args: Sequence[Frozen], summary: str) -> None:
    await workflow.execute_activity(
        name,
        args=args,
        start_to_close_timeout=timedelta(minutes=10),
        heartbeat_timeout=timedelta(seconds=6),
        retry_policy=PUMP,
        summary=summary,
    )
