"""What steps tell people beside an audience's mail: the organizer on the dashboard and by mail, the sponsor by mail."""

from collections.abc import Mapping

from activities.acts import Deed
from activities.failures import final
from database import automations, notifications
from database.connection import Pool
from models.automation import Action, Step
from models.definition import from_definition
from models.phrases import either, nearest
from models.player import Act
from templates import letters_to

TOLD_NOBODY = (
    "Automation {id} is about no sponsor with a usable email address, so there is nobody to tell. Put the address right "
    "(sponsors.contact_email) and retry the step, or skip it."
)


class Notices:
    """Tells organizer and sponsor what a step has for them. Each is told once per step and round, and at once."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @property
    def deeds(self) -> Mapping[tuple[str, str], Deed]:
        """What it can do, by verb and target."""
        return {("notify", "organizer"): self.tell_organizer, ("notify", "sponsor"): self.tell_sponsor}

    async def tell_organizer(self, about: Act) -> str:
        """Put it on the organizer's dashboard and mail it: with the step's own letter, if it has one for organizers."""
        step, action = await self._asked(about)
        letter = action.template if action.template in letters_to("organizer") else notifications.NOTICE
        async with self._pool.acquire() as connection, connection.transaction():
            await notifications.tell_of_step(connection, about.automation_id, step, letter)
        return "the organizer is told"

    async def tell_sponsor(self, about: Act) -> str:
        """Mail the step's letter to the sponsor that the automation is about."""
        step, action = await self._asked(about)
        known = letters_to("sponsor")
        if action.template not in known:
            named = action.template or ""
            raise final(
                f"There is no letter '{named}' to sponsors{nearest(named, known)}; step {step.id} may use {either(known)}."
            )
        async with self._pool.acquire() as connection, connection.transaction():
            told = await notifications.tell_sponsor(connection, about.automation_id, step, action.template)
        if not told:
            raise final(TOLD_NOBODY.format(id=about.automation_id))
        return "the sponsor is told"

    async def _asked(self, about: Act) -> tuple[Step, Action]:
        """The step as its timeline has it now, and the first of its actions that tells this target."""
        for step in from_definition(await automations.definition(self._pool, about.automation_id)):
            for action in step.actions:
                if step.id == about.step and action.verb == "notify" and about.target in action.targets:
                    return step, action
        raise final(
            f"The timeline of automation {about.automation_id} has no step {about.step} that tells the {about.target}."
        )
