"""Where the `temporal` program is, or how it gets here: each way is tried in turn, with one clear line about each."""

import asyncio
import errno
import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import platformdirs
from temporalio.testing import WorkflowEnvironment

VERSION = "v1.5.1"
PACKAGE = f"github.com/temporalio/cli/cmd/temporal@{VERSION}"
OLDEST_SERVER = (1, 29)
"""Of the server inside: what `go install` builds does not know its own version, but it knows this one."""
OVERRIDE = "EVENTOS_TEMPORAL_CLI"
STALLED_SECONDS = 5.0
"""How long a download may not grow."""
BUILD_SECONDS = 1800.0

Tell = Callable[[str], None]


def silent(_line: str) -> None:
    """Hears what is tried, and keeps it to itself."""


class TemporalNotFound(Exception):
    """No way led to a usable `temporal` program."""

    def __init__(self, tried: list[str]) -> None:
        lines = "\n".join(f"  {line}" for line in tried)
        super().__init__(
            f"No usable `temporal` program (server {_dotted(OLDEST_SERVER)} or newer):\n{lines}\n"
            f"Install the Temporal CLI {VERSION} on PATH or set {OVERRIDE} to it; Go 1.25 or newer would do as well."
        )


class _NotThisWay(Exception):
    """This way leads nowhere; the message says why."""


def cache() -> Path:
    """Where programs that were fetched once are kept."""
    return platformdirs.user_cache_path("eventos") / "bin"


async def find(tell: Tell = silent, *, directory: Path | None = None) -> Path:
    """The path of a usable program; `tell` hears what is tried and what came of it.

    Processes that look at the same time wait for the one that fetches.
    """
    directory = directory or cache()
    if override := os.environ.get(OVERRIDE):
        # Who names a program means that one, so there is no second choice.
        try:
            return await _usable(Path(override))
        except _NotThisWay as error:
            raise TemporalNotFound([f"{OVERRIDE}: {error}"]) from None
    tried: list[str] = []
    for way, look in (("PATH", _on_path), ("cache", lambda: _usable(directory / "temporal"))):
        try:
            return await look()
        except _NotThisWay as error:
            tried.append(f"{way}: {error}")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        async with _alone(directory, tell):
            return await _fetch(directory, tried, tell)
    except OSError as error:
        tried.append(f"{directory}: {_what_to_do(error)}")
        raise TemporalNotFound(tried) from error


async def _fetch(directory: Path, tried: list[str], tell: Tell) -> Path:
    target = directory / "temporal"
    try:  # somebody else may have fetched it while we waited
        return await _usable(target)
    except _NotThisWay:
        pass
    for way, bring in (("download by the SDK", _download), ("go install", _build)):
        tell(f"Temporal program: {way} ...")
        try:
            with tempfile.TemporaryDirectory(dir=directory) as scratch:
                made = await _usable(await bring(Path(scratch), tell))
                made.replace(target)
            tell(f"Temporal program: {way} succeeded, kept in {directory}")
            return target
        except _NotThisWay as error:
            tried.append(f"{way}: {error}")
            tell(f"Temporal program: {way} failed: {error}")
    raise TemporalNotFound(tried)


async def _on_path() -> Path:
    found = shutil.which("temporal")
    if found is None:
        raise _NotThisWay("no `temporal` there")
    return await _usable(Path(found))


async def _usable(path: Path) -> Path:
    if not path.is_file():
        raise _NotThisWay(f"{path} is not there")
    try:
        process = await asyncio.create_subprocess_exec(
            str(path), "--version", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        said = (await asyncio.wait_for(process.communicate(), 20))[0].decode(errors="replace").strip()
    except (OSError, TimeoutError) as error:
        raise _NotThisWay(f"{path} cannot be run: {error or 'no answer'}") from None
    match = re.search(r"Server (\d+)\.(\d+)", said)
    if match is None or (int(match[1]), int(match[2])) < OLDEST_SERVER:
        raise _NotThisWay(
            f"{path} is too old or something else ({said.splitlines()[0] if said else 'it says nothing'})"
        )
    return path


async def _download(scratch: Path, _tell: Tell) -> Path:
    """The SDK downloads the program when it starts a server for tests; we keep the program and stop the server."""
    starting = asyncio.create_task(
        WorkflowEnvironment.start_local(dev_server_download_version=VERSION, download_dest_dir=str(scratch))
    )
    try:
        grown, size = time.monotonic(), 0
        while not starting.done():
            await asyncio.wait([starting], timeout=0.2)
            now = sum(file.stat().st_size for file in scratch.iterdir())
            if now != size:
                grown, size = time.monotonic(), now
            elif time.monotonic() - grown > STALLED_SECONDS:
                raise _NotThisWay(f"nothing came for {STALLED_SECONDS:.0f} seconds")
        await (await starting).shutdown()
    except RuntimeError as error:
        raise _NotThisWay(str(error)) from None
    finally:
        starting.cancel()
    return max(scratch.iterdir(), key=lambda file: file.stat().st_size)


async def _build(scratch: Path, tell: Tell) -> Path:
    go = shutil.which("go")
    if go is None:
        raise _NotThisWay("no `go` on PATH")
    tell(f"Temporal program: building {PACKAGE}; this takes about five minutes, once")
    begun = time.monotonic()
    log = scratch / "build.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            go,
            "install",
            PACKAGE,
            env=os.environ | {"GOBIN": str(scratch), "GOFLAGS": "", "CGO_ENABLED": "0"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while process.returncode is None:
                await asyncio.wait([asyncio.ensure_future(process.wait())], timeout=30)
                seconds = time.monotonic() - begun
                if seconds > BUILD_SECONDS:
                    raise _NotThisWay(f"not done after {BUILD_SECONDS / 60:.0f} minutes")
                if process.returncode is None:
                    tell(f"Temporal program: still building, {seconds:.0f} s")
        finally:
            if process.returncode is None:
                os.killpg(process.pid, 15)
                await process.wait()
    if process.returncode:
        lines = log.read_text(errors="replace").strip().splitlines()
        last = lines[-1] if lines else f"status {process.returncode}"
        raise _NotThisWay(f"{last}{'; make room on the disk' if 'no space left' in last else ''}")
    return scratch / "temporal"


@asynccontextmanager
async def _alone(directory: Path, tell: Tell) -> AsyncIterator[None]:
    with (directory / ".lock").open("w") as lock:
        waiting = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    tell("Temporal program: another process is fetching it; waiting")
                waiting = True
                await asyncio.sleep(1)
        yield


def _what_to_do(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the disk is full; make room (the program takes 250 MB, building it 3 GB) and start again"
    return f"{error.strerror or error}; give this user a writable cache directory (XDG_CACHE_HOME)"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


if __name__ == "__main__":
    try:
        print(asyncio.run(find(print)))
    except TemporalNotFound as error:
        raise SystemExit(str(error)) from None
