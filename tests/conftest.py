"""Real parts for every test: PostgreSQL cloned per test, the sandbox, the Temporal server. Each starts once, when first asked for."""

import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import httpx2
import hypothesis
import pytest
from hypothesis import HealthCheck
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from database.connection import Pool, connect, connect_pool
from database.migrate import migrate
from dev.postgres import Postgres
from dev.sandbox import Sandbox
from dev.temporal import Temporal
from starter import control
from tests.workflows.house import House, open_house


def pytest_configure() -> None:
    """Properties are no races; and an end by SIGTERM is one by Ctrl-C, so that what the fixtures started is stopped."""
    hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    hypothesis.settings.load_profile("patient")
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first, so that at the end no processor waits for another."""
    items.sort(key=lambda item: item.path.parent.name != "journeys")


MEMORY = Path("/dev/shm")
OURS = "eventos-tests-"
ROOM = 2 * 1024**3
"""Bytes that must be free there: each test's database is a copy of ten megabytes, gone after the test."""


def _in_memory() -> Path | None:
    """A file system in memory, where there is a large one: a database is copied eight times as fast there."""
    there = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    return MEMORY if there and shutil.disk_usage(MEMORY).free > ROOM else None


def _ended(pid: str) -> bool:
    """Whether a session that left its directory was killed."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (ValueError, PermissionError):
        return False
    return False


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """A directory for the session's servers; unlike pytest's own it can be entered by the user PostgreSQL runs as."""
    directory = Path(tempfile.mkdtemp(prefix=f"{OURS}{os.getpid()}-", dir=_in_memory()))
    directory.chmod(0o711)
    for other in directory.parent.glob(f"{OURS}[0-9]*-*"):
        if _ended(other.name.removeprefix(OURS).partition("-")[0]):
            shutil.rmtree(other, ignore_errors=True)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
async def postgres(place: Path) -> AsyncIterator[str]:
    """The URL of a real server where databases may be created: DATABASE_URL's, else one of our own."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    server = await Postgres.start(place / "postgres", log=place / "postgres.log", port=0)
    yield server.url()
    server.child.stop()
    Postgres.forget(place / "postgres")


@pytest.fixture(scope="session")
async def template(postgres: str) -> AsyncIterator[str]:
    """The name of a migrated database that nobody is connected to."""
    name = f"eventos_template_{uuid4().hex}"
    admin = await asyncpg.connect(postgres)
    await admin.execute(f"CREATE DATABASE {name}")
    connection = await connect(_named(postgres, name))
    await migrate(connection)
    await connection.close()
    yield name
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def empty_database(postgres: str) -> AsyncIterator[str]:
    """The URL of a database with nothing in it."""
    async for url in _created(postgres, "template0"):
        yield url


@pytest.fixture
async def database(postgres: str, template: str) -> AsyncIterator[str]:
    """The URL of a migrated database of this test's own."""
    async for url in _created(postgres, template):
        yield url


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """A pool on this test's own database."""
    pool = await connect_pool(database, min_size=1, max_size=10)
    yield pool
    pool.terminate()


@pytest.fixture(scope="session")
async def sandbox_server(place: Path) -> AsyncIterator[str]:
    """The address of the stand-in providers."""
    server = await Sandbox.start(log=place / "sandbox.log", port=0)
    yield server.url
    server.child.stop()


@pytest.fixture
async def sandbox(sandbox_server: str) -> str:
    """The address of the stand-in providers, which have heard nothing yet."""
    async with httpx2.AsyncClient() as http:
        (await http.post(f"{sandbox_server}/_sandbox/reset")).raise_for_status()
    return sandbox_server


@pytest.fixture(scope="session")
async def temporal_server(place: Path) -> AsyncIterator[str]:
    """The address of a real Temporal server that keeps everything in memory."""
    server = await Temporal.start(log=place / "temporal.log", port=0, ui_port=None)
    yield server.address
    server.child.stop()


@pytest.fixture(scope="session")
async def temporal(temporal_server: str) -> Client:
    """A client of the Temporal server."""
    return await Client.connect(temporal_server, data_converter=pydantic_data_converter)


@pytest.fixture
def task_queue() -> str:
    """A task queue that only this test's workers hear."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
async def house(
    pool: Pool,
    temporal: Client,
    database: str,
    temporal_server: str,
    sandbox: str,
    task_queue: str,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[House]:
    """A house for automations whose worker is not yet at work; every history is replayed at the end."""
    monkeypatch.setattr(control, "ANSWER_SECONDS", 60.0)  # an answer that comes late is no failure of what is asked
    async with open_house(pool, temporal, database, temporal_server, sandbox, task_queue) as house:
        yield house


@pytest.fixture
async def working(house: House) -> AsyncIterator[House]:
    """A house whose worker is at work."""
    async with house.at_work():
        yield house


async def _created(postgres: str, template: str) -> AsyncIterator[str]:
    name = f"eventos_{uuid4().hex}"
    admin = await asyncpg.connect(postgres)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield _named(postgres, name)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


def _named(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
