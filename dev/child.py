"""A process started here that ends with us, however we end."""

import asyncio
import atexit
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

STOP_SECONDS = 20.0
"""Twice what a worker takes at most to finish or hand back what is in flight; the others need less."""
PR_SET_PDEATHSIG = 1
# Loaded before any fork: in the child of a threaded process nothing may be looked up.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class PartFailed(Exception):
    """A part of the local stack did not start, or ended on its own."""

    def __init__(self, part: str, reason: str, *, said: str = "") -> None:
        self.part = part
        super().__init__(f"{part}: {reason}" + (f"\nIts last words:\n{said}" if said else ""))


class Child:
    """One running program of the stack.

    It has its own session, so that Ctrl-C reaches us alone and we stop the parts in order; on Linux the kernel sends it
    `end` when we die without stopping it.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        directory: Path | None = None,
        end: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self.end = end
        us = os.getpid()

        def tie() -> None:
            if _libc is not None:
                _libc.prctl(PR_SET_PDEATHSIG, end)
                if os.getppid() != us:
                    os._exit(1)

        with log.open("ab") as output:
            self._begin = output.tell()
            self._process = subprocess.Popen(  # noqa: S603 - the commands are ours
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                user=user,
                group=None if user is None else _group(user),
                extra_groups=None if user is None else [],
                cwd=directory,
                start_new_session=True,
                preexec_fn=tie,  # noqa: PLW1509 - one system call, its library loaded above
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    def said(self, lines: int = 12) -> str:
        """The end of what it wrote."""
        with self.log.open("rb") as file:
            file.seek(self._begin)
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])

    def failure(self) -> PartFailed:
        """The error that says that, and how, it ended on its own."""
        status = self.status
        how = (
            "ended"
            if status is None
            else f"ended by {signal.Signals(-status).name}"
            if status < 0
            else f"ended with status {status}"
        )
        return PartFailed(self.name, f"{how} on its own", said=self.said())

    async def ended(self) -> int:
        """Wait for its end; the exit status."""
        while (status := self.status) is None:
            await asyncio.sleep(0.05)
        return status

    def stop(self, grace: float = STOP_SECONDS) -> None:
        """Ask it to end, and make it end when `grace` seconds have not been enough. It is gone when this returns."""
        if self.status is None:
            self._process.send_signal(self.end)
            try:
                self._process.wait(grace)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        # What it started itself shares its session.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait()


_claims: dict[int, socket.socket] = {}


def free_port(preferred: int = 0, host: str = "127.0.0.1") -> int:
    """`preferred` if nobody has it, else one that the system gives."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            # A port that is merely in TIME_WAIT is free for servers, which all set this.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            if port == 0 or _claim(port):
                return int(probe.getsockname()[1])
    raise PartFailed("ports", f"no free port on {host}: close some programs and start again")


def _claim(port: int) -> bool:
    """Whether a port that is free is ours: another stack that starts at this very moment finds it free as well.

    A claim is a name that Linux gives to one process, for as long as it lives.
    """
    if port in _claims or sys.platform != "linux":
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0eventos-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims[port] = claim
    atexit.register(claim.close)
    return True


def deadline(seconds: float) -> float:
    """The instant on the monotonic clock after which waiting is over."""
    return time.monotonic() + seconds


def _group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid
