"""The two workflows that are compared: one that only sleeps and queues, and one that is played."""

from datetime import timedelta

from temporalio import workflow

from models.messages import Enqueue, Enqueued
from models.player import AutomationInput
from workflows.automation import Automation

APART = 3
"""Seconds between the touches of a journey."""


@workflow.defn
class Bare:
    """Sleeps and queues, sleeps and queues."""

    @workflow.run
    async def run(self, touches: list[Enqueue]) -> None:
        """One timer and one local activity for each."""
        for touch in touches:
            await workflow.sleep(APART)
            await workflow.execute_local_activity(
                "enqueue", touch, result_type=Enqueued, start_to_close_timeout=timedelta(seconds=30)
            )


@workflow.defn
class Journey(Automation):
    """A timeline of one person, as the player plays it."""

    @workflow.init
    def __init__(self, about: AutomationInput) -> None:
        super().__init__(about)

    @workflow.run
    async def run(self, about: AutomationInput) -> None:  # noqa: ARG002 - taken in by __init__
        """Play it."""
        await self.play()
