"""The sandbox's people of a rehearsal: what they do from now on, when they react next, and having them react."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import httpx2

ACCOUNTS = ("rehearsal-resend", "ACrehearsal")
"""The accounts that rehearsals send by."""

REACT_SECONDS = 120.0
"""How long everything due at one instant may take to be delivered."""


class PeopleUnheard(Exception):
    """What people did at some instant could not be delivered to the API."""


class People:
    """Asked while everything is at rest; they know no time but what they are told."""

    def __init__(self, sandbox_url: str) -> None:
        self._http = httpx2.AsyncClient(base_url=f"{sandbox_url.rstrip('/')}/_sandbox", timeout=REACT_SECONDS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def follow(self, scripts: Sequence[Mapping[str, Any]]) -> None:
        """Say what people do from now on: who, what, how many seconds after which message."""
        answer = await self._http.post("/scripts", json=list(scripts))
        answer.raise_for_status()

    async def next_instant(self, now: datetime) -> datetime | None:
        """When somebody does something next. What was accepted since the last question counts as accepted at `now`."""
        answer = await self._http.get("/reactions", params={"account": ACCOUNTS, "now": now.isoformat()})
        at = answer.raise_for_status().json()["next"]
        return None if at is None else max(datetime.fromisoformat(at), now)

    async def react(self, now: datetime) -> None:
        """Have everything happen that is due; all of it has been taken by the API when this returns."""
        answer = await self._http.post("/react", json={"account": ACCOUNTS, "now": now.isoformat()})
        if not answer.is_success:
            raise PeopleUnheard(
                f"A rehearsal's webhooks were not taken ({answer.text}); check that the API runs at PUBLIC_URL."
            )
