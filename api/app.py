"""The web application: its routes, and what every one of them answers when the database is away."""

import asyncpg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from api import health, triggers, unsubscribe, webhooks
from api.limits import TooLarge
from database.connection import UNREACHABLE, Pool
from settings import Settings

AWAY = (
    *UNREACHABLE,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
)
"""What is raised while the database is away, or goes."""

log = structlog.get_logger()


def create_app(settings: Settings, pool: Pool) -> FastAPI:
    """The application, over a pool that outlives it."""
    app = FastAPI(title="EventOS Automations", docs_url=None, redoc_url=None)
    app.state.settings, app.state.pool = settings, pool
    app.state.health = health.Health(settings, pool)
    for routes in (webhooks.router, unsubscribe.router, triggers.router, health.router):
        app.include_router(routes)
    app.add_exception_handler(TooLarge, _too_large)
    for error in AWAY:
        app.add_exception_handler(error, _database_away)
    return app


async def _too_large(_: Request, problem: Exception) -> Response:
    return JSONResponse({"detail": str(problem)}, 413)


async def _database_away(request: Request, problem: Exception) -> Response:
    """Whoever asks shall ask again: providers deliver anew after a 503."""
    log.error("database_away", method=request.method, error=type(problem).__name__)
    return JSONResponse({"detail": "The database cannot be reached; ask again in a moment."}, 503, {"retry-after": "5"})
