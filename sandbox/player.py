"""Delivers what people do: by itself as real time goes by, and for a stepped clock when it is told to."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import httpx2

from sandbox.people import People, Reaction
from sandbox.webhooks import call_for

ABREAST = 32
"""Messages whose reactions are delivered side by side; those to one message keep their order."""

TRIES = 8
"""Attempts at one webhook, each after twice the wait; Resend goes on for a day."""

FIRST_WAIT = 0.1
TIMEOUT = 15.0


class Player:
    """Delivers reactions, and plays those of real time."""

    def __init__(self) -> None:
        self._http: httpx2.AsyncClient | None = None
        self._running: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self.delivered = 0
        """Webhooks that were taken with a 2xx."""

    def wake(self, people: People) -> None:
        """Something may be due earlier than it was."""
        self._woken.set()
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run(people))

    def stop(self) -> None:
        """Play nothing more."""
        if self._running is not None:
            self._running.cancel()
        self._running = None
        self.delivered = 0

    async def play(self, people: People, due: Iterable[Reaction]) -> list[str]:
        """Deliver what is due; what was not taken goes back to the agenda. Returns why, nothing if all were taken."""
        by_message: defaultdict[str, list[Reaction]] = defaultdict(list)
        for reaction in due:
            by_message[reaction.message.id].append(reaction)
        room = asyncio.Semaphore(ABREAST)

        async def one_after_another(reactions: list[Reaction]) -> str | None:
            async with room:
                for place, reaction in enumerate(reactions):
                    if problem := await self._deliver(people, reaction):
                        for undone in reactions[place:]:
                            people.put_back(replace(undone, tries=undone.tries + 1))
                        return problem
            return None

        said = await asyncio.gather(*(one_after_another(reactions) for reactions in by_message.values()))
        return [problem for problem in said if problem]

    async def _deliver(self, people: People, reaction: Reaction) -> str | None:
        """Make the request until it is taken; why it was not, if it was not."""
        call = call_for(people, reaction)
        if call is None:
            return None
        self._http = self._http or httpx2.AsyncClient(timeout=TIMEOUT)
        problem = ""
        for attempt in range(TRIES):
            try:
                answer = await self._http.post(call.url, content=call.body, headers=call.headers)
            except httpx2.HTTPError as error:
                problem = f"{reaction.what} could not be delivered: {error or type(error).__name__}"
            else:
                if answer.is_success:
                    self.delivered += 1
                    return None
                problem = f"{reaction.what} was answered {answer.status_code}: {answer.text[:200]}"
                if answer.status_code in (400, 401, 404, 413):
                    return problem
            await asyncio.sleep(FIRST_WAIT * 2**attempt)
        return problem

    async def _run(self, people: People) -> None:
        while (at := people.next_real()) is not None:
            self._woken.clear()
            wait = (at - datetime.now(UTC)).total_seconds()
            if wait > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), wait)
                continue
            due = [one for one in people.due_real(datetime.now(UTC)) if one.tries == 0]
            await self.play(people, due)
