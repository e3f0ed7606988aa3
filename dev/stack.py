"""All parts of the local stack: started in parallel, watched while they run, stopped in order."""

import asyncio
import fcntl
import os
import shlex
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from rich.console import Console
from temporalio.client import Client

from database.connection import address, connect, create_database
from database.migrate import migrate
from dev.api import PORT as API_PORT
from dev.api import Api, connect_people
from dev.board import Board, Line
from dev.child import PartFailed, free_port
from dev.postgres import Postgres
from dev.sandbox import ROOT, Sandbox
from dev.temporal import Temporal
from dev.worker import Worker

T = TypeVar("T")

KEPT = ROOT / ".eventos"
"""Where `eventos dev` keeps its data between runs."""
TASK_QUEUE = "eventos"


def environment(
    *, database_url: str, temporal_address: str, sandbox_url: str, public_url: str = f"http://127.0.0.1:{API_PORT}"
) -> dict[str, str]:
    """What a program needs to live on the local stack: every provider is the sandbox, and no key is a real one."""
    return {
        "DATABASE_URL": database_url,
        "DATABASE_LISTEN_URL": database_url,
        "TEMPORAL_ADDRESS": temporal_address,
        "TEMPORAL_NAMESPACE": "default",
        "TEMPORAL_TASK_QUEUE": TASK_QUEUE,
        "PUBLIC_URL": public_url,
        "INBOUND_DOMAIN": "in.sandbox.example",
        "SANDBOX_URL": sandbox_url,
        "RESEND_API_URL": f"{sandbox_url}/resend",
        "RESEND_API_KEY": "re_local",
        "RESEND_WEBHOOK_SECRET": "whsec_bG9jYWwtc2FuZGJveC1zZWNyZXQ=",
        "TWILIO_API_URL": f"{sandbox_url}/twilio",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 31 + "1",
        "TWILIO_AUTH_TOKEN": "local",
        "TWILIO_WHATSAPP_FROM": "whatsapp:+14155550100",
        "OPENAI_BASE_URL": f"{sandbox_url}/openai/v1",
        "OPENAI_API_KEY": "sk-local",
        "OPENAI_MODEL": "gpt-5.6-luna",
        "LINKEDIN_API_URL": f"{sandbox_url}/linkedin",
        "LINKEDIN_TOKEN": "local",
        "LINKEDIN_AUTHOR": "urn:li:organization:1001",
        "X_API_URL": f"{sandbox_url}/x",
        "X_TOKEN": "local",
        "FACEBOOK_API_URL": f"{sandbox_url}/facebook",
        "FACEBOOK_TOKEN": "local",
        "FACEBOOK_PAGE_ID": "1001",
        "WEATHER_API_URL": f"{sandbox_url}/weather",
    }


class Stack:
    """The parts, running for as long as the context lasts.

    With `keep` its data outlives it there, unless the next one is `fresh`; without, it is gone at the end. PostgreSQL is
    DATABASE_URL's where that is set.
    A worker that crashes is started again; the end of any other part is raised by `wait`.
    """

    def __init__(
        self, *, keep: Path | None = None, fresh: bool = False, worker: bool = True, console: Console | None = None
    ) -> None:
        self._keep = keep
        self._fresh = fresh
        self._with_worker = worker
        self._console = console or Console(stderr=True)
        self._held = ExitStack()
        self._watch: asyncio.Task[None] | None = None
        self._postgres: Postgres | None = None
        self._temporal: Temporal | None = None
        self._sandbox: Sandbox | None = None
        self._api: Api | None = None
        self.worker: Worker | None = None
        self.env: dict[str, str] = {}
        """What a program needs to live on this stack."""

    @property
    def processes(self) -> dict[str, int]:
        """The process id of every part that was started here, in the order in which they stop."""
        return {part.child.name: part.child.pid for part in self._parts()}

    @property
    def temporal_ui(self) -> str:
        """The address of the Temporal Web UI."""
        return self._temporal.ui or "" if self._temporal else ""

    @property
    def logs(self) -> Path:
        """The directory with one log per part."""
        return self._data / "logs"

    @property
    def env_file(self) -> Path:
        """A file for `source`, with which a shell's commands speak to this stack."""
        return self._data / "env"

    async def wait(self) -> None:
        """Until a part ends that should not have; raises PartFailed."""
        if self._watch is not None:
            await asyncio.shield(self._watch)

    async def during(self, doing: Coroutine[Any, Any, T]) -> T:
        """Do something that needs every part; when one ends that should not have, it is given up and PartFailed raised."""
        work, ended = asyncio.ensure_future(doing), asyncio.ensure_future(self.wait())
        try:
            await asyncio.wait((work, ended), return_when=asyncio.FIRST_COMPLETED)
            if ended.done() and not work.done():
                ended.result()
            return await work
        finally:
            for task in (work, ended):
                task.cancel()
            await asyncio.gather(work, ended, return_exceptions=True)

    async def __aenter__(self) -> Self:
        try:
            self._claim()
            with Board(self._console) as board:
                await self._start(board)
            self._watch = asyncio.create_task(self._supervise())
        except BaseException:
            self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError, PartFailed):
                await self._watch
        self._stop()

    async def _start(self, board: Board) -> None:
        database_url, temporal_address, sandbox_url = await _side_by_side(
            board,
            {"PostgreSQL": self._start_database, "Temporal": self._start_temporal, "sandbox": self._start_sandbox},
        )
        port = free_port(API_PORT)
        self.env = environment(
            database_url=database_url,
            temporal_address=temporal_address,
            sandbox_url=sandbox_url,
            public_url=f"http://127.0.0.1:{port}",
        )
        self.env_file.touch(mode=0o600)
        self.env_file.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in self.env.items()))
        programs: dict[str, Callable[[Line], Awaitable[str]]] = {"api": partial(self._start_api, port)}
        if self._with_worker:
            programs["worker"] = self._start_worker
        await _side_by_side(board, programs)

    async def _start_api(self, port: int, line: Line) -> str:
        self._api = await Api.start(os.environ | self.env, log=self.logs / "api.log", port=port)
        await connect_people(self.env)
        line.done(f"ready at {self._api.url}")
        return self._api.url

    async def _start_worker(self, line: Line) -> str:
        self.worker = Worker(os.environ | self.env, TASK_QUEUE, self.logs / "worker.log")
        await self.worker.ready(await Client.connect(self.env["TEMPORAL_ADDRESS"]))
        line.done(f"ready, process {self.worker.child.pid}")
        return TASK_QUEUE

    async def _start_database(self, line: Line) -> str:
        if not (url := os.environ.get("DATABASE_URL", "")):
            self._postgres = await Postgres.start(
                self._data / "postgres", log=self.logs / "postgres.log", keep=self._keep is not None
            )
            url = self._postgres.url("eventos")
            await create_database(self._postgres.url(), "eventos")
        line.say("migrating")
        connection = await connect(url)
        try:
            applied = await migrate(connection)
        finally:
            await connection.close()
        line.done(f"ready at {address(url)}, {len(applied)} migrations applied")
        return url

    async def _start_temporal(self, line: Line) -> str:
        database = self._data / "temporal.sqlite" if self._keep else None
        self._temporal = await Temporal.start(log=self.logs / "temporal.log", database=database, tell=line.say)
        line.done(f"ready at {self._temporal.address}, Web UI {self._temporal.ui}")
        return self._temporal.address

    async def _start_sandbox(self, line: Line) -> str:
        self._sandbox = await Sandbox.start(log=self.logs / "sandbox.log")
        line.done(f"ready at {self._sandbox.url}")
        return self._sandbox.url

    async def _supervise(self) -> None:
        while True:
            for part in self._parts():
                if part.child.status is None:
                    continue
                failure = part.child.failure()
                if not isinstance(part, Worker):
                    raise failure
                part.begin_again()
                self._console.print(f"{str(failure).splitlines()[0]}; started again", style="yellow", highlight=False)
            await asyncio.sleep(0.1)

    def _parts(self) -> list[Worker | Api | Sandbox | Temporal | Postgres]:
        # Who uses comes before who is used.
        parts = (self.worker, self._api, self._sandbox, self._temporal, self._postgres)
        return [part for part in parts if part is not None]

    def _claim(self) -> None:
        if self._keep is None:
            directory = Path(tempfile.mkdtemp(prefix="eventos-"))
            # PostgreSQL, run as another user when we are root, has to pass through.
            directory.chmod(0o711)
            self._held.callback(shutil.rmtree, directory, ignore_errors=True)
            self._held.callback(Postgres.forget, directory / "postgres")
        else:
            directory = self._keep.absolute()
            directory.mkdir(parents=True, exist_ok=True)
            lock = self._held.enter_context((directory / ".lock").open("w"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                reason = f"another one uses {directory}; stop it, or name another directory with --data"
                raise PartFailed("local stack", reason) from None
        if self._fresh:
            Postgres.forget(directory / "postgres")
            for file in directory.glob("temporal.sqlite*"):
                file.unlink()
        (directory / "logs").mkdir(exist_ok=True)
        self._data = directory

    def _stop(self) -> None:
        for part in self._parts():
            part.child.stop()
        self._held.close()


async def _side_by_side(board: Board, parts: Mapping[str, Callable[[Line], Awaitable[str]]]) -> list[str]:
    """Start parts at the same time; when one cannot, the others are given up."""
    tasks = [asyncio.create_task(_shown(begin, board.line(part))) for part, begin in parts.items()]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _shown(begin: Callable[[Line], Awaitable[str]], line: Line) -> str:
    try:
        return await begin(line)
    except BaseException:
        line.failed()
        raise
