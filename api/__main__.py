"""Serves HTTP: `python -m api --port 8000`."""

import argparse
import asyncio
import gc
import os
import signal
import sys

import structlog
import uvicorn
import uvloop

import logs
from api.app import create_app
from database.connection import DatabaseUnreachable, connect_pool
from settings import MissingSettings, Settings

GRACE_SECONDS = 5
"""How long requests under way may take when it is told to stop."""

log = structlog.get_logger()


async def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; then answer what is under way."""
    settings.require("DATABASE_URL", "PUBLIC_URL")
    pool = await connect_pool(settings.database_url, min_size=2, max_size=10)
    try:
        config = uvicorn.Config(
            create_app(settings, pool),
            host=host,
            port=port,
            backlog=2048,
            log_config=None,
            access_log=False,
            # The address that Twilio signed is PUBLIC_URL's, whatever a proxy says.
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = uvicorn.Server(config)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, setattr, server, "should_exit", True)
        gc.freeze()  # what was imported stays: the collector need not walk through it while somebody waits for an answer
        log.info("api_started", host=host, port=port)
        await server._serve()  # noqa: SLF001 - `serve` would raise the signal again once it has ended
        if not server.started:
            raise SystemExit(1)
    finally:
        pool.terminate()
    log.info("api_stopped")


def main() -> None:
    """`python -m api`: exit status 0 after a clean stop, 1 if it could not start."""
    parser = argparse.ArgumentParser(prog="api", description="Webhooks, the unsubscribe page, triggers, health.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    settings = Settings.from_environment()
    logs.set_up(settings.log_level, settings.log_format)
    status = 0
    try:
        uvloop.run(serve(settings, options.host, options.port))
    except (MissingSettings, DatabaseUnreachable) as error:
        sys.stderr.write(f"{error}\n")
        status = 1
    except SystemExit:
        status = 1
    except Exception:
        log.exception("api_failed")
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # As the worker: Temporal's native threads may abort the interpreter's own shutdown; everything is closed by now.
    os._exit(status)


if __name__ == "__main__":
    main()
