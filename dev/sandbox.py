"""The stand-in providers as a process of their own."""

import asyncio
import re
import sys
import time
from pathlib import Path

from dev.child import Child, PartFailed, deadline, free_port

PORT = 8025
START_SECONDS = 20.0
READY = re.compile(r"sandbox listening on (http://\S+)")
ROOT = Path(__file__).parent.parent


class Sandbox:
    """The running stand-ins and their address."""

    def __init__(self, child: Child, url: str) -> None:
        self.child = child
        self.url = url

    @classmethod
    async def start(cls, *, log: Path, port: int = PORT) -> "Sandbox":
        """Start them and wait until they say where they listen."""
        port = free_port(port)
        child = Child("sandbox", [sys.executable, "-m", "sandbox", "--port", str(port)], log=log, directory=ROOT)
        end = deadline(START_SECONDS)
        try:
            while time.monotonic() < end:
                if found := READY.search(child.said()):
                    return cls(child, found[1])
                if child.status is not None:
                    raise child.failure()
                await asyncio.sleep(0.05)
            raise PartFailed(
                "sandbox", f"did not say where it listens within {START_SECONDS:.0f} seconds", said=child.said()
            )
        except BaseException:
            child.stop()
            raise
