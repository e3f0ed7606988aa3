"""Custom automations: a timeline that somebody wrote as data, played like the others."""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue

from models import conditions
from models.player import AutomationInput, News
from workflows.automation import Automation


@workflow.defn
class CustomWorkflow(Automation):
    """Plays the timeline that it was begun with, and hears every fact that its conditions name."""

    @workflow.init
    def __init__(self, about: AutomationInput) -> None:
        super().__init__(about)

    @workflow.run
    async def run(self, about: AutomationInput) -> None:  # noqa: ARG002 - taken in by __init__
        """Play the timeline from the automation's start."""
        await self.play()

    @workflow.signal(dynamic=True)
    def fact(self, name: str, said: Sequence[RawValue]) -> None:
        """A fact, by whatever name the conditions of the timeline give it."""
        if name not in conditions.facts(step.condition for step in self.about.steps):
            workflow.logger.warning("signal_dropped: no condition of the timeline names %s", name)
            return
        news = workflow.payload_converter().from_payload(said[0].payload, News) if said else None
        self.hear_fact(name, news)
