"""Starts the sandbox: `python -m sandbox --port 8025`."""

import argparse
import asyncio
import signal
import socket
import sys

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.app import create_app

GRACE_SECONDS = 1


class _Connection(H11Protocol):
    """Lets a request reach its TCP transport (`request.state.transport`), so that a fault can close it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


class _Server(uvicorn.Server):
    """Says where it listens once it does, and lets go of the requests that a fault keeps waiting when it ends."""

    def __init__(self, config: uvicorn.Config, app: Starlette, url: str) -> None:
        super().__init__(config)
        self._sandbox, self._url = app.state.sandbox, url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"sandbox listening on {self._url}", flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._sandbox.reset()
        await super().shutdown(sockets)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="sandbox", description="Local stand-ins for the providers.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8025, help="0 takes a free port")
    options = parser.parse_args()
    # The server hands its signal on to these once it has shut down.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    listener = socket.create_server((options.host, options.port), backlog=512)
    app = create_app()
    config = uvicorn.Config(
        app, http=_Connection, log_level="error", access_log=False, timeout_graceful_shutdown=GRACE_SECONDS
    )
    _Server(config, app, f"http://{options.host}:{listener.getsockname()[1]}").run(sockets=[listener])


if __name__ == "__main__":
    main()
