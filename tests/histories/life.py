"""What a life is: a script of what happens to automations, and the names of the histories that come of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from tests.workflows.house import House

DAY = timedelta(days=1)

Script = Callable[[House], Awaitable[dict[str, str]]]
"""Lives in a house at work; which history is of which workflow."""


@dataclass(frozen=True)
class Life:
    """A script, and the names of the histories that come of it."""

    histories: tuple[str, ...]
    script: Script


LIVES: list[Life] = []


def life(*histories: str) -> Callable[[Script], Script]:
    """Keep the histories of these names from the script below."""

    def kept(script: Script) -> Script:
        LIVES.append(Life(histories, script))
        return script

    return kept
