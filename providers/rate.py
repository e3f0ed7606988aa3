"""How fast a provider's account may be asked: a token bucket, corrected by what the provider says about its limits."""

import asyncio
import math
import re
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MARGIN = 0.025
"""Seconds by which a window is taken to be longer than it is: requests do not all travel equally fast."""

SLACK = 0.1
"""Seconds that may be made up for after a delay of our own, within the limit."""

COARSE = 1.0
"""Seconds to which a reset is rounded up in the headers: one this near says nothing that the pace does not know."""

NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?)")


class Pace:
    """A token bucket in real time: `per_second` on average, at most `burst` at once, first come first served.

    `window` is the number of seconds over which the provider counts the limit that it names in its headers. However the
    provider lays its windows, none of that length sees more requests than the limit.
    """

    def __init__(self, per_second: float, burst: int = 1, *, window: float = 1.0) -> None:
        self.per_second = per_second
        self._burst = burst
        self._window = window
        self._turn = asyncio.Lock()
        # The bucket as one number: when it will be full again. Each token taken moves it on by one interval.
        self._full_at = 0.0
        # When the last tokens were taken, as many as one window may see.
        self._taken: deque[float] = deque(maxlen=self._limit)
        self._paused_until = 0.0

    async def take(self, n: int = 1) -> None:
        """Wait until the next request may go. Of `n` above the burst, all go at once and those behind wait longer."""
        async with self._turn:
            while (seconds := self.wait()) > 0:
                # A pause or a correction may come meanwhile, so no sleep is long.
                await asyncio.sleep(min(seconds, 1.0))
            now = time.monotonic()
            self._full_at = (self._full_at if self._full_at > now else now + SLACK) + n * self._interval
            self._taken.extend([now] * n)

    def wait(self) -> float:
        """Seconds until the next request may go; 0 means now."""
        if math.isinf(self.per_second):
            ready_at = 0.0
        else:
            ready_at = self._full_at - (self._burst - 1) * self._interval - SLACK
            if len(self._taken) == self._taken.maxlen:
                ready_at = max(ready_at, self._taken[0] + self._window + MARGIN)
        return max(0.0, max(ready_at, self._paused_until) - time.monotonic())

    def pause(self, seconds: float) -> None:
        """Let nothing go for so long; a shorter pause does not end a longer one."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def correct(self, limit: float | None, remaining: float | None, reset: float | None) -> None:
        """Adopt what the provider says: so many requests per window, so many left, and seconds until there are more."""
        if limit and limit / self._window != self.per_second:
            self.per_second = limit / self._window
            self._taken = deque(self._taken, self._limit)
        if remaining == 0 and reset is not None and reset > COARSE:
            self.pause(reset)

    def heard(self, headers: Mapping[str, str]) -> None:
        """Correct the pace by the headers of a response: `ratelimit-*` (Resend) or `x-rate-limit-*` (X)."""
        limit, remaining, reset = (
            _number(headers.get(f"ratelimit-{name}")) for name in ("limit", "remaining", "reset")
        )
        if limit is None:
            limit, remaining = (_number(headers.get(f"x-rate-limit-{name}")) for name in ("limit", "remaining"))
            reset = _until(_number(headers.get("x-rate-limit-reset")))
        self.correct(limit, remaining, reset)

    @property
    def _interval(self) -> float:
        return 1 / self.per_second

    @property
    def _limit(self) -> int:
        return 0 if math.isinf(self.per_second) else max(self._burst, round(self.per_second * self._window))


def retry_after(headers: Mapping[str, str], *, limited: bool = False) -> timedelta | None:
    """How long the provider asks to wait, if it does.

    The reset of a rate limit counts only where the limit was the reason (`limited`): every response carries it.
    """
    if (millis := _number(headers.get("retry-after-ms"))) is not None:
        return timedelta(milliseconds=millis)
    if text := headers.get("retry-after"):
        seconds = _number(text)
        if seconds is None:
            seconds = _until_date(text)
        if seconds is not None:
            return timedelta(seconds=seconds)
    if not limited:
        return None
    seconds = _number(headers.get("ratelimit-reset"))
    if seconds is None:
        seconds = _until(_number(headers.get("x-rate-limit-reset")))
    return None if seconds is None else timedelta(seconds=seconds)


def _number(text: str | None) -> float | None:
    found = NUMBER.match(text or "")
    return float(found.group(1)) if found else None


def _until(timestamp: float | None) -> float | None:
    return None if timestamp is None else max(0.0, timestamp - time.time())


def _until_date(text: str) -> float | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
