"""What steps do beside sending: one activity per verb, and behind it one function per target."""

from collections.abc import Awaitable, Callable, Mapping

from temporalio import activity

from activities.alive import alive
from activities.failures import final
from models.player import Act

Deed = Callable[[Act], Awaitable[str]]
"""Does one target of one verb, and says in plain words what came of it. Doing it twice does no harm."""


class Acts:
    """Finds the deed for a verb and a target. Whoever adds a deed adds it to one of the registries."""

    def __init__(self, *registries: Mapping[tuple[str, str], Deed]) -> None:
        self._deeds = {key: deed for registry in registries for key, deed in registry.items()}

    @property
    def targets(self) -> dict[str, list[str]]:
        """What each verb can do."""
        return {verb: sorted(target for own, target in self._deeds if own == verb) for verb, _ in self._deeds}

    @activity.defn
    async def generate_content(self, about: Act) -> str:
        """Let a model write something, and keep it."""
        return await self._do("generate", about)

    @activity.defn
    async def update_records(self, about: Act) -> str:
        """Bring records up to date."""
        return await self._do("update", about)

    @activity.defn
    async def notify(self, about: Act) -> str:
        """Tell somebody."""
        return await self._do("notify", about)

    @activity.defn
    async def call(self, about: Act) -> str:
        """Call something else of ours."""
        return await self._do("call", about)

    async def _do(self, verb: str, about: Act) -> str:
        deed = self._deeds.get((verb, about.target))
        if deed is None:
            known = ", ".join(sorted(target for known, target in self._deeds if known == verb))
            raise final(f"Nothing can {verb} {about.target!r}; known are {known or 'none'}.")
        async with alive():
            return await deed(about)
