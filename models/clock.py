"""Business time: the clock an automation lives by, real or stepped."""

from dataclasses import dataclass
from datetime import datetime


@dataclass
class BusinessClock:
    """What time it is for one automation.

    A real automation lives by the clock it is shown. A rehearsal's time is told to it, and the greater of what it knew
    and what it is told counts, so that news which arrives late cannot turn time back.
    """

    stepped: datetime | None = None

    @property
    def is_stepped(self) -> bool:
        """Whether a conductor moves this clock."""
        return self.stepped is not None

    def now(self, real: datetime) -> datetime:
        """The business instant, given the real one."""
        return self.stepped if self.stepped is not None else real

    def tell(self, instant: datetime | None) -> None:
        """Step forward to `instant`; an earlier one, or one told to a real clock, changes nothing."""
        if self.stepped is not None and instant is not None and instant > self.stepped:
            self.stepped = instant
