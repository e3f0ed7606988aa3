"""What a tracker does about a deliverable beside sending: its status, and the organizer's desk."""

from collections.abc import Mapping

from activities.acts import Deed
from activities.failures import final
from database import deliverable_tracking
from database.connection import Pool
from models.player import Act

GONE = "The deliverable of this tracker is gone; cancel the tracker."


class Deliverables:
    """The deeds of deliverable tracking."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @property
    def deeds(self) -> Mapping[tuple[str, str], Deed]:
        """What it can do, by verb and target."""
        return {
            ("update", "overdue"): self.mark_overdue,
            ("update", "pending_again"): self.await_again,
            ("update", "review_request"): self.ask_for_review,
        }

    async def mark_overdue(self, about: Act) -> str:
        """What was not handed in by its due date is overdue; returns its status then."""
        return _there(await deliverable_tracking.mark_overdue(self._pool, about.automation_id))

    async def await_again(self, about: Act) -> str:
        """What was rejected or taken back is pending again, or overdue by now; returns its status then."""
        return _there(await deliverable_tracking.await_again(self._pool, about.automation_id))

    async def ask_for_review(self, about: Act) -> str:
        """Put what was handed in on the organizer's desk, where it needs an approval."""
        needed = await deliverable_tracking.ask_for_review(self._pool, about.automation_id)
        if needed is None:
            raise final(GONE)
        return "the organizer is asked" if needed else "needs no approval"


def _there(status: str | None) -> str:
    if status is None:
        raise final(GONE)
    return status
