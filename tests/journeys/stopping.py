"""Stopping automations at chosen points, and the real worker as a process of its own that may be killed there.

The points are places in the database at which PostgreSQL makes a chosen automation wait for a lock.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from database.connection import Connection, connect
from dev.sandbox import ROOT
from tests.workflows.house import House

LOCK = 7311
"""The advisory lock that whoever reaches a point waits for."""

POINTS = f"""
CREATE TABLE waiting_points (automation_id UUID, step_id TEXT, point TEXT);

CREATE FUNCTION wait_at_point() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM waiting_points w WHERE w.automation_id = NEW.workflow_id
               AND w.step_id = NEW.step_id AND w.point = TG_ARGV[0]) THEN
        PERFORM pg_advisory_xact_lock({LOCK});
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION wait_when_answered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM waiting_points w JOIN workflow_execution_logs l ON l.workflow_id = w.automation_id
               AND l.step_id = w.step_id WHERE w.automation_id = NEW.id AND w.point = 'answered') THEN
        PERFORM pg_advisory_xact_lock({LOCK});
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER asked BEFORE INSERT ON workflow_execution_logs FOR EACH ROW EXECUTE FUNCTION wait_at_point('asked');
CREATE TRIGGER written AFTER INSERT ON workflow_execution_logs FOR EACH ROW EXECUTE FUNCTION wait_at_point('written');
CREATE CONSTRAINT TRIGGER committing AFTER INSERT ON workflow_execution_logs DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait_at_point('committing');
CREATE TRIGGER ending BEFORE UPDATE ON workflow_execution_logs FOR EACH ROW EXECUTE FUNCTION wait_at_point('ending');
CREATE TRIGGER answered BEFORE UPDATE OF rest_until ON automation_workflows FOR EACH ROW
    WHEN (NEW.rest_until IS NOT NULL) EXECUTE FUNCTION wait_when_answered();
"""


class Hosting:
    """The real worker as a process, which may be killed and begun again."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env

    async def begin(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.journeys.worker_process"),
            cwd=ROOT,
            env=os.environ | self._env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        assert await asyncio.wait_for(self.process.stdout.readline(), 60) == b"at work\n"

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


class Stopped:
    """Automations that wait at their points, and what is done meanwhile."""

    def __init__(self, keeper: Connection, house: House, living: asyncio.Task[None]) -> None:
        self._keeper, self._house, self._living = keeper, house, living
        self._tasks: list[asyncio.Task[Any]] = []

    async def meanwhile(self, *doing: Coroutine[Any, Any, Any]) -> None:
        """Do all this. It returns when each is done, or waits in the database for what is stopped and is done after it."""
        self._tasks += [asyncio.create_task(one) for one in doing]

        async def done() -> bool:
            return sum(not task.done() for task in self._tasks) <= await self.blocked()

        await self._house.until(done)

    async def blocked(self) -> int:
        """How many wait in the database for somebody else's transaction to end."""
        count: int = await self._keeper.fetchval(
            """
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
              AND wait_event IN ('transactionid', 'tuple')
            """
        )
        return count

    async def finished(self) -> None:
        await asyncio.gather(*self._tasks)

    def give_up(self) -> None:
        self._living.cancel()

    async def lived(self) -> None:
        """Wait until those who were let go have lived on."""
        await asyncio.wait_for(self._living, 170)


@asynccontextmanager
async def stopped_at(
    house: House, points: Mapping[UUID, tuple[str, str]], live: Coroutine[Any, Any, None]
) -> AsyncIterator[Stopped]:
    """Let them live. For the body every automation waits at its point; then it is let go and lives on."""
    keeper: Connection = await connect(house.settings.database_url)
    await keeper.execute(POINTS)
    await keeper.executemany(
        "INSERT INTO waiting_points VALUES ($1, $2, $3)", [(id_, *where) for id_, where in points.items()]
    )
    await keeper.execute(f"SELECT pg_advisory_lock({LOCK})")

    async def waiting() -> bool:
        count: int = await keeper.fetchval(
            """
            SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = $1
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """,
            LOCK,
        )
        return count >= len(points)

    stopped = Stopped(keeper, house, asyncio.create_task(live))  # not before there are points to stop at
    try:
        await house.until(waiting, 30)
        yield stopped
        await keeper.execute("DELETE FROM waiting_points")
    except BaseException:
        stopped.give_up()
        raise
    finally:
        await keeper.close()
    await stopped.finished()
