"""Looking over an event: the watch's door to the database."""

from temporalio import activity

from database import watch
from database.connection import Pool
from models.watch import Watched, WatchInput


class Watch:
    """Writes down what an event's rules have waited for."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def look_over(self, about: WatchInput) -> Watched:
        """Write down everything that has come due for an event; says when to look again."""
        return await watch.look(self._pool, about.event_id)
