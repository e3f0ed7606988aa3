"""The door through which a running timeline is changed: here the names are known that it may use."""

from collections.abc import Collection, Mapping

from temporalio import activity

from activities.outbox import final
from database import revisions
from database.audiences import AUDIENCES, SUBJECTS
from database.connection import Pool
from models.changes import Revise, Revised
from models.problems import Known
from templates import INCLUDES, email_templates, whatsapp_templates


def known_here(targets: Mapping[str, Collection[str]], workflow_type: str) -> Known:
    """The names that a timeline of a kind may use; `targets` are what each verb can do."""
    return Known(
        templates={"email": email_templates(), "whatsapp": tuple(whatsapp_templates())},
        audiences=AUDIENCES,
        includes=(*INCLUDES, "details"),
        targets=targets,
        has_subject=workflow_type in SUBJECTS,
    )


class Revisions:
    """Changes timelines. `targets` are what each verb that sends nothing can do."""

    def __init__(self, pool: Pool, targets: Mapping[str, Collection[str]]) -> None:
        self._pool = pool
        self._targets = targets

    @activity.defn
    async def revise(self, about: Revise) -> Revised:
        """Change a timeline, or name everything that stands against it. The same request is made once."""
        return await final(revisions.revise(self._pool, about, known_here(self._targets, about.workflow_type)))
