"""The two pumps: dispatch (one per channel) and intake. Temporal keeps each of them running, once."""

from temporalio import workflow

from models.player import DispatchInput
from workflows import calls

ROUNDS = 100
"""Activities a pump runs before it continues as new, so that its history stays short."""


@workflow.defn
class DispatchWorkflow:
    """Sends the messages of one channel for as long as the system lives."""

    @workflow.run
    async def run(self, about: DispatchInput) -> None:
        """Send, and continue as new."""
        for _ in range(ROUNDS):
            await calls.dispatch(about)
        workflow.continue_as_new(about)


@workflow.defn
class IntakeWorkflow:
    """Turns occurrences into starts and signals for as long as the system lives."""

    @workflow.run
    async def run(self) -> None:
        """Read, and continue as new."""
        for _ in range(ROUNDS):
            await calls.intake()
        workflow.continue_as_new()
