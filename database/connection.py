"""The way into PostgreSQL: one set of connection settings, jsonb as Python values, and one error that says what to do."""

import time
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import asyncpg
import orjson
from pydantic import BaseModel

if TYPE_CHECKING:
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:  # asyncpg's classes are generic in its stubs only
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 60.0
"""Longer than the longest statement that is meant to be: queueing for 100,000 people takes up to ten seconds."""

SERVER_SETTINGS = {
    "application_name": "eventos",
    "timezone": "UTC",
    # Compiling a plan costs more than the short statements here take.
    "jit": "off",
    # A client that hangs in the middle of a transaction must not hold its locks for ever.
    "idle_in_transaction_session_timeout": "120s",
}

MALFORMED = "a malformed address"
"""Stands for an address that cannot be read, and might show a password if it were repeated."""

UNREACHABLE = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.ConnectionFailureError,
    asyncpg.ConnectionRejectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.TooManyConnectionsError,
)
"""What asyncpg raises when no session comes about (TimeoutError is an OSError)."""


class DatabaseUnreachable(Exception):
    """No session with PostgreSQL came about."""

    def __init__(self, url: str, reason: str) -> None:
        self.address = address(url)
        super().__init__(
            f"PostgreSQL at {self.address} cannot be used: {reason}.\n"
            "Check that the server runs and that DATABASE_URL names it; `eventos dev` starts a local one."
        )


def address(url: str) -> str:
    """Where `url` points, as host:port/database: never the user or the password."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
        if parts.scheme in {"postgresql", "postgres"} and host:
            return f"{host}:{parts.port or 5432}{parts.path}"
    except ValueError:
        pass
    return MALFORMED


async def connect_pool(url: str, *, min_size: int = 1, max_size: int = 10) -> Pool:
    """A pool of ready connections; DatabaseUnreachable if the first ones do not come about."""
    _readable(url)
    try:
        return await asyncpg.create_pool(
            url,
            min_size=min_size,
            max_size=max_size,
            init=_prepare,
            reset=_leave_as_it_is,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings=SERVER_SETTINGS,
        )
    except UNREACHABLE as error:
        raise DatabaseUnreachable(url, _reason(error)) from error


async def connect(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    """One connection with the pool's settings, for LISTEN, migrations and tools."""
    _readable(url)
    try:
        connection = await asyncpg.connect(
            url, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS, server_settings=SERVER_SETTINGS
        )
    except UNREACHABLE as error:
        raise DatabaseUnreachable(url, _reason(error)) from error
    await _prepare(connection)
    return connection


async def create_database(server: str, name: str) -> None:
    """Create the database `name` on the server that the URL `server` leads to, unless it is there."""
    connection = await connect(server)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    except asyncpg.DuplicateDatabaseError:
        pass
    finally:
        await connection.close()


async def round_trip(connection: Connection) -> float:
    """How many seconds the shortest question takes."""
    begun = time.perf_counter()
    await connection.fetchval("SELECT 1")
    return time.perf_counter() - begun


async def _prepare(connection: Connection) -> None:
    # Binary jsonb is one version byte and the text; JSON is then read and written without a copy as str.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value, default=_plain),
        decoder=lambda data: orjson.loads(memoryview(data)[1:]),
    )


async def _leave_as_it_is(_connection: Connection) -> None:
    # Sessions here hold nothing that outlives a transaction, so RESET ALL at every release would be a round trip for nothing.
    pass


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError


def _readable(url: str) -> None:
    if address(url) == MALFORMED:
        raise DatabaseUnreachable(url, "write it like postgresql://user:password@host:port/name")


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"it did not answer within {CONNECT_SECONDS:.0f} seconds"
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return reason.rstrip(".") or type(error).__name__
