"""Rate limits, injected faults, and the door through which every request to a stand-in provider passes."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response

FAULTS = ("rate_limit", "error", "timeout", "drop", "refusal", "truncate", "gateway")
TIMEOUT_SECONDS = 60.0

# How many requests in how many seconds, per account, where the vendor says so.
DEFAULT_LIMITS = {"resend": (10, 1.0), "twilio": (80, 1.0), "openai": (5000, 60.0), "x": (100, 900.0)}


class Refused(Exception):
    """The request was refused with the vendor's own error response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Reading(NamedTuple):
    """What a rate limit says to one request. `limit` is None where there is no limit."""

    allowed: bool
    limit: int | None
    remaining: int
    reset_seconds: float


UNLIMITED = Reading(allowed=True, limit=None, remaining=0, reset_seconds=0.0)


class Limits:
    """Fixed windows per provider and account; a window opens with its first request."""

    def __init__(self) -> None:
        self._limits: dict[str, tuple[int, float]] = dict(DEFAULT_LIMITS)
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    def set(self, provider: str, per_second: int | None) -> None:
        """Requests per second for every account of the provider; None is no limit. Windows begin anew."""
        self._limits.pop(provider, None)
        if per_second is not None:
            self._limits[provider] = (per_second, 1.0)
        self._windows = {key: window for key, window in self._windows.items() if key[0] != provider}

    def take(self, provider: str, account: str) -> Reading:
        """Count one request of the account, unless its window is full."""
        if provider not in self._limits:
            return UNLIMITED
        limit, seconds = self._limits[provider]
        now = time.monotonic()
        opened, used = self._windows.get((provider, account), (now, 0))
        if now - opened >= seconds:
            opened, used = now, 0
        allowed = used < limit
        used += allowed
        self._windows[provider, account] = (opened, used)
        return Reading(allowed, limit, limit - used, opened + seconds - now)


class Faults:
    """Which share of the requests goes wrong, and how; deterministic for a seed and an order of requests."""

    def __init__(self, providers: Iterable[str]) -> None:
        self._providers = tuple(providers)
        self._shares: dict[str, dict[str, float]] = {}
        self._random: dict[str, random.Random] = {}
        self._next: dict[str, deque[str]] = {}
        self._slow: dict[str, float] = {}
        self._lag: dict[str, float] = {}
        self._reads: set[str] = set()

    def set(self, wish: Mapping[str, Any]) -> None:
        """Replace the faults of a provider, or of `all`. Raises ValueError that names what is wrong with the wish."""
        provider = wish.get("provider")
        if provider != "all" and provider not in self._providers:
            raise ValueError(f"provider is {provider!r}; say one of {', '.join(self._providers)} or all")
        if unknown := set(wish) - {"provider", "seed", "reads", "next", "slow", "lag", *FAULTS}:
            raise ValueError(f"unknown fault {', '.join(sorted(unknown))}; say {', '.join(FAULTS)}, next, slow or lag")
        shares = {fault: float(wish.get(fault) or 0.0) for fault in FAULTS}
        if min(shares.values()) < 0 or sum(shares.values()) > 1:
            raise ValueError("shares are fractions of the requests: none below 0, and not more than 1 together")
        upcoming = list(wish.get("next") or [])
        if wrong := [fault for fault in upcoming if fault not in (*FAULTS, "none")]:
            raise ValueError(f"next names {wrong[0]!r}; say {', '.join(FAULTS)} or none")
        for name in self._providers if provider == "all" else (provider,):
            self._shares[name] = shares
            self._random[name] = random.Random(f"{wish.get('seed', 0)}/{name}")  # noqa: S311 - faults must repeat with their seed
            self._next[name] = deque(upcoming)
            self._slow[name] = float(wish.get("slow") or 0.0)
            self._lag[name] = float(wish.get("lag") or 0.0)
            (self._reads.add if wish.get("reads") else self._reads.discard)(name)

    def draw(self, provider: str, *, read: bool = False) -> str | None:
        """The fault that this request meets, if any."""
        if provider not in self._shares or (read and provider not in self._reads):
            return None
        if self._next[provider]:
            fault = self._next[provider].popleft()
            return None if fault == "none" else fault
        point = self._random[provider].random()
        for fault, share in self._shares[provider].items():
            if point < share:
                return fault
            point -= share
        return None

    def slow(self, provider: str) -> float:
        """Seconds between accepting a request and answering it."""
        return self._slow.get(provider, 0.0)

    def lag(self, provider: str) -> float:
        """Seconds between accepting a message and showing it in a list."""
        return self._lag.get(provider, 0.0)


@dataclass(frozen=True)
class Provider:
    """How one vendor words its refusals and its limits."""

    name: str
    throttled: Callable[[Reading], Response]
    broken: Callable[[], Response]
    limit_headers: Callable[[Reading], Mapping[str, str]] = lambda _: {}
    unreadable: Callable[[], Response] | None = None
    """The answer to a read with a key that begins with `sending`, which may do nothing else."""


async def serve(
    request: Request, provider: Provider, account: str, answer: Callable[[], Awaitable[Response]], *, read: bool = False
) -> Response:
    """Let the request through to `answer`, unless a fault or the account's limit stops it.

    `timeout` accepts nothing and says nothing; `drop` accepts, then closes the connection instead of answering; `gateway`
    accepts, and the vendor's edge answers 504 with a page of its own.
    """
    sandbox = request.app.state.sandbox
    sandbox.requests[provider.name] += not read
    await request.body()
    fault = request.state.fault = sandbox.faults.draw(provider.name, read=read)
    if fault == "timeout":
        return await _say_nothing(request)
    if fault == "error":
        return provider.broken()
    if read and provider.unreadable and account.startswith("sending"):
        return provider.unreadable()
    reading = sandbox.limits.take(provider.name, account)
    if fault == "rate_limit" or not reading.allowed:
        response = provider.throttled(reading)
    else:
        try:
            response = await answer()
        except Refused as refused:
            response = refused.response
        if fault == "drop":
            return await _hang_up(request)
        if fault == "gateway":
            return Response("<html><body>504 Gateway Time-out</body></html>", 504, media_type="text/html")
        if not read and (seconds := sandbox.faults.slow(provider.name)):
            await asyncio.sleep(seconds)
    response.headers.update(provider.limit_headers(reading))
    return response


async def _say_nothing(request: Request) -> Response:
    """Wait until the client leaves, at most a minute, and close the connection."""
    waiting: set[asyncio.Transport] = request.app.state.sandbox.waiting
    waiting.add(request.state.transport)
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        pass
    finally:
        waiting.discard(request.state.transport)
    return await _hang_up(request)


async def _hang_up(request: Request) -> Response:
    """Close the TCP connection; the response that Starlette must be given goes nowhere."""
    transport: asyncio.Transport = request.state.transport
    transport.close()
    while not await request.is_disconnected():
        await asyncio.sleep(0)
    return Response()


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


def bearer(request: Request) -> str | None:
    """The bearer token, or None where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
