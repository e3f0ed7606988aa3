"""The sandbox, and a server that answers what a test tells it to: both real HTTP."""

import asyncio
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson
import pytest


class Sandbox:
    """The running sandbox, and its control endpoints."""

    def __init__(self, url: str, control: httpx2.AsyncClient) -> None:
        self.url = url
        self._control = control

    async def reset(self) -> None:
        (await self._control.post("/reset")).raise_for_status()

    async def fault(self, provider: str, **wish: Any) -> None:
        (await self._control.post("/faults", json={"provider": provider, **wish})).raise_for_status()

    async def limit(self, provider: str, per_second: int | None) -> None:
        wish = {"provider": provider, "per_second": per_second}
        (await self._control.post("/limits", json=wish)).raise_for_status()

    async def asked(self, provider: str, count: int) -> None:
        """Wait until so many requests have come in."""
        async with asyncio.timeout(60):
            while await self.requests(provider) < count:
                await asyncio.sleep(0.01)

    async def accepted(self, provider: str, account: str | None = None) -> list[dict[str, Any]]:
        query = {"provider": provider} | ({"account": account} if account else {})
        rows: list[dict[str, Any]] = (await self._control.get("/messages", params=query)).json()["messages"]
        return rows

    async def requests(self, provider: str) -> int:
        counts = (await self._control.get("/counts")).json()
        return int(counts["providers"][provider]["requests"])


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Loopback:
    """Answers each request with the next thing it was told; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.url = ""
        self._answers: deque[tuple[bytes, float]] = deque()

    def answer(
        self, status: int, body: Any = b"", headers: Mapping[str, str] | None = None, *, drip: float = 0
    ) -> None:
        """Queue an answer: `body` is bytes as they are, or anything else as JSON; `drip` is seconds per byte."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        kind = "text/html" if isinstance(body, bytes) else "application/json"
        lines = {"content-type": kind, "content-length": str(len(content)), **(headers or {})}
        head = f"HTTP/1.1 {status} Said\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._answers.append((f"{head}\r\n".encode() + content, drip))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                first, *lines = head.strip().split("\r\n")
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
                method, path, _ = first.split(" ")
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.asked.append(Asked(method, path, headers, body))
                answer, drip = self._answers.popleft()
                for piece in [answer] if not drip else [answer[i : i + 1] for i in range(len(answer))]:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(drip)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-m", "sandbox", "--port", "0"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().rsplit(" ", 1)[-1].strip()
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.fixture(scope="session")
async def running(sandbox_url: str) -> AsyncIterator[Sandbox]:
    async with httpx2.AsyncClient(base_url=f"{sandbox_url}/_sandbox") as control:
        yield Sandbox(sandbox_url, control)


@pytest.fixture
async def sandbox(running: Sandbox) -> Sandbox:
    """The sandbox as if just started, without limits."""
    await running.reset()
    await running.limit("all", None)
    return running


@pytest.fixture
async def loopback() -> AsyncIterator[Loopback]:
    told = Loopback()
    server = await asyncio.start_server(told.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    told.url = f"http://127.0.0.1:{port}"
    yield told
    server.close()
