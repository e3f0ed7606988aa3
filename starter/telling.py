"""Telling automations what happened: each hears what concerns it, in the words that it listens to."""

from uuid import UUID

from temporalio.client import Client

from database import automations, decisions, sequences
from database.connection import Pool
from database.occurrences import Occurrence
from models import conditions
from models.definition import from_definition
from models.player import News
from starter import sponsor_news
from starter.client import tell
from starter.kinds import KINDS, NEWS, Kind


class Telling:
    """Tells one automation of an occurrence. Telling it twice changes nothing."""

    def __init__(self, pool: Pool, client: Client) -> None:
        self._pool = pool
        self._client = client

    async def tell(self, occurrence: Occurrence, automation_id: UUID) -> str | None:
        """Tell an automation; what came of it. None if it has ended, and what happened begins another."""
        found = await automations.addressee(self._pool, automation_id)
        if found is None:
            return await self._end_deleted(occurrence)
        workflow_type, workflow_id = found.workflow_type, found.workflow_id
        if workflow_type == "sponsor_outreach" and occurrence.kind in (*sponsor_news.MESSAGES, *sponsor_news.FACTS):
            return await self._tell_sequence(occurrence, workflow_id)
        if occurrence.kind not in NEWS and not await self._hears(workflow_type, occurrence.kind, automation_id):
            return f"no {workflow_type} listens to {occurrence.kind}"
        if occurrence.kind == "content_changed":
            await decisions.ask_again(self._pool, automation_id)
        if await self._heard(occurrence, workflow_id, news_of(occurrence)):
            return "told"
        lost = await automations.lose(self._pool, automation_id)
        if found.status != "cancelled" and any(kind.begins_anew(occurrence.kind) for kind in _kinds(workflow_type)):
            return None
        return "its workflow was ended from outside" if lost else "its automation does not run"

    async def _end_deleted(self, occurrence: Occurrence) -> str:
        """Have the workflow of an automation end whose row went with its event: it would wait on for months, or for ever."""
        if occurrence.kind != "event_deleted":
            return "its automation is gone"
        news = News(kind="cancelled", at=occurrence.occurred_at)
        heard = await self._heard(occurrence, occurrence.data["workflow"], news)
        return "told" if heard else "its automation does not run"

    async def _hears(self, workflow_type: str, fact: str, automation_id: UUID) -> bool:
        """Whether an automation listens to a fact: a custom one to those that its conditions name."""
        if workflow_type == "custom":
            steps = from_definition(await automations.definition(self._pool, automation_id))
            return fact in conditions.facts(step.condition for step in steps)
        return any(kind.hears(fact) for kind in _kinds(workflow_type))

    async def _tell_sequence(self, occurrence: Occurrence, workflow_id: str) -> str | None:
        """Tell a sponsor sequence what its messages came to; for one that has ended it is done all the same.

        What became of an earlier generation's messages is news for the one that follows the proposal up now.
        """
        assert occurrence.automation_id is not None
        present = await sequences.present(self._pool, occurrence.automation_id)
        if present not in (None, occurrence.automation_id):
            return await self.tell(occurrence._replace(automation_id=present), present)
        news = await sponsor_news.translate(self._pool, occurrence)
        if isinstance(news, str):
            return news
        if await self._heard(occurrence, workflow_id, news):
            return f"told: {news.kind}"
        return await sponsor_news.after_its_end(self._pool, occurrence)

    async def _heard(self, occurrence: Occurrence, workflow_id: str, news: News) -> bool:
        once = f"occurrence-{occurrence.id}"
        return await tell(self._client, workflow_id, news, rehearsal=occurrence.rehearsal, once=once)


def news_of(occurrence: Occurrence) -> News:
    """An occurrence as it is told."""
    return News(kind=occurrence.kind, at=occurrence.occurred_at, data=occurrence.data)


def _kinds(workflow_type: str) -> list[Kind]:
    return [kind for name, kind in KINDS.items() if name == workflow_type]
