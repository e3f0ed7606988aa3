"""Scenes: what people outside do to a rehearsal's event, each at an instant of its own."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from temporalio.client import Client

from database import events
from database.connection import Pool
from models import moments
from models.automation import Anchors


class Stage(NamedTuple):
    """Where a scene is played."""

    pool: Pool
    client: Client
    event_id: UUID


@dataclass(frozen=True)
class Scene:
    """What is done, and when; `start` is the instant at which the story begins."""

    moment: str
    says: str
    """What happens, in a sentence."""
    act: Callable[[Stage], Awaitable[object]]


class NothingDone(Exception):
    """A scene that found nobody and nothing to do it to."""


class Scenes:
    """A story, played scene by scene. A moment that counts from the event follows its date until it is played."""

    def __init__(
        self, stage: Stage, story: Sequence[Scene], begun: datetime, tell: Callable[[datetime, str], None]
    ) -> None:
        self._stage = stage
        self._left = list(story)
        self._begun = begun
        self._tell = tell

    async def next_instant(self, now: datetime) -> datetime | None:
        """When the next scene is played."""
        return max(now, min((await self._instants()).values())) if self._left else None

    async def react(self, now: datetime) -> None:
        """Play what has come due, in the order of the moments."""
        instants = await self._instants()
        for place in sorted((place for place, at in instants.items() if at <= now), key=lambda place: instants[place]):
            scene = self._left[place]
            self._tell(now, scene.says)
            if await scene.act(self._stage) in (0, False):
                raise NothingDone(f"{scene.moment}: {scene.says} There was nothing to do it to.")
        self._left = [scene for place, scene in enumerate(self._left) if instants[place] > now]

    async def _instants(self) -> dict[int, datetime]:
        event = await events.get(self._stage.pool, self._stage.event_id)
        if event is None:
            raise LookupError(f"There is no event {self._stage.event_id}.")
        anchors = Anchors(
            start=self._begun, zone=event.timezone or "UTC", event_date=event.starts_at, event_end=event.ends_at
        )
        found = {}
        for place, scene in enumerate(self._left):
            at = moments.resolve(moments.parse(scene.moment), anchors, {})
            assert at is not None, f"{scene.moment} counts from a step"
            found[place] = at
        return found
