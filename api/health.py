"""How the system stands, for those that watch it: alive, ready, and figures without a name in them."""

import asyncio
import time
from collections.abc import Iterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from temporalio.client import Client

from database import figures
from database.connection import Pool, round_trip
from database.figures import Figures
from settings import Settings
from starter.client import TemporalUnreachable, connect

SECONDS = 2.0
"""How long a part may take to say that it is there."""

FRESH = 15.0
"""Seconds for which the figures are not counted again, however many ask."""

router = APIRouter(include_in_schema=False)
_process = CollectorRegistry()
COUNTED = Counter(
    "eventos_webhooks", "Deliveries of providers, and whether they were stored, repeated or refused.", ["provider", "answer"],
    registry=_process,
)  # fmt: skip


class Health:
    """Asks database and Temporal."""

    def __init__(self, settings: Settings, pool: Pool) -> None:
        self._settings = settings
        self._pool = pool
        self._temporal: Client | None = None
        self._counting = asyncio.Lock()
        self._figures: tuple[float, Figures] | None = None

    async def parts(self) -> dict[str, str]:
        """What is wrong with each part that has to be there; `ok` if nothing is."""
        asked = {"database": self._ask_database(), "temporal": self._ask_temporal()}
        said = await asyncio.gather(*asked.values(), return_exceptions=True)
        return {
            name: "ok" if problem is None else str(problem).splitlines()[0] if str(problem) else type(problem).__name__
            for name, problem in zip(asked, said, strict=True)
        }

    async def figures(self) -> Figures:
        """The figures, at most a few seconds old."""
        async with self._counting:
            if self._figures is None or time.monotonic() - self._figures[0] > FRESH:
                self._figures = (time.monotonic(), await figures.count(self._pool))
            return self._figures[1]

    async def _ask_database(self) -> None:
        async with asyncio.timeout(SECONDS):
            async with self._pool.acquire() as connection:
                await round_trip(connection)

    async def _ask_temporal(self) -> None:
        async with asyncio.timeout(SECONDS):
            self._temporal = self._temporal or await connect(self._settings)
            if not await self._temporal.service_client.check_health():
                raise TemporalUnreachable(self._settings.temporal_address, "it does not serve")


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Whether database and Temporal can be reached; 503 if one cannot."""
    health: Health = request.app.state.health
    parts = await health.parts()
    return JSONResponse(parts, 200 if set(parts.values()) == {"ok"} else 503)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Figures as Prometheus reads them."""
    health: Health = request.app.state.health
    registry = CollectorRegistry()
    registry.register(_Counted(await health.figures()))
    return Response(generate_latest(_process) + generate_latest(registry), media_type="text/plain; version=0.0.4")


class _Counted:
    """The figures as Prometheus' library wants them."""

    def __init__(self, counted: Figures) -> None:
        self._counted = counted

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family per figure."""
        messages = GaugeMetricFamily("eventos_messages", "Messages of real events.", labels=["channel", "status"])
        for (channel, status), count in self._counted.messages.items():
            messages.add_metric([channel, status], count)
        yield messages
        for name, help_, value in (
            ("eventos_occurrences_open", "Occurrences that are not taken in yet.", self._counted.occurrences_open),
            (
                "eventos_occurrences_held",
                "Occurrences that failed for good and wait for a person.",
                self._counted.occurrences_held,
            ),
            (
                "eventos_webhooks_held",
                "Deliveries that could not be taken in for a day.",
                self._counted.deliveries_held,
            ),
            (
                "eventos_oldest_occurrence_seconds",
                "Age of the oldest occurrence that is due.",
                self._counted.oldest_occurrence,
            ),
            (
                "eventos_oldest_message_seconds",
                "For how long the oldest queued message has been due.",
                self._counted.oldest_message,
            ),
        ):
            yield GaugeMetricFamily(name, help_, value=value)
