"""A fact that arrives while a step is being decided, at every possible point, also with the worker killed there.

The points are places in the database at which PostgreSQL makes a chosen automation wait, so that what runs is the real worker
in a process of its own. On the third day a sequence sends a gentle reminder, or a follow-up if the proposal was opened; here
the opening arrives while that is being decided. Whatever was written first holds, and never do both go out.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from database.connection import Connection, connect
from dev.sandbox import ROOT
from dev.stack import environment
from tests.workflows.house import House
from tests.workflows.sponsor_stage import Outreach, begin

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

REMINDED, FOLLOWED_UP = "gentle_reminder", "follow_up"
AT = {
    # where the sequence waits: of which step, at which point, and what goes out if the worker is killed there
    "Stratus Yard": ("send_gentle_reminder", "asked", FOLLOWED_UP),
    "Millrace": ("send_gentle_reminder", "written", FOLLOWED_UP),
    "Brightkiln": ("send_gentle_reminder", "committing", REMINDED),
    "Quayside": ("send_gentle_reminder", "answered", REMINDED),
    "Larkspur": ("check_opened", "written", FOLLOWED_UP),
    "Foxglove": ("check_opened", "ending", FOLLOWED_UP),
}
"""Until the decision is committed nothing is decided; from then on it is, though nobody was told."""


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


@pytest.fixture
async def hosting(house: House, database: str, temporal_server: str, sandbox: str) -> AsyncIterator[Hosting]:
    env = environment(database_url=database, temporal_address=temporal_server, sandbox_url=sandbox)
    hosting = Hosting(env | {"TEMPORAL_TASK_QUEUE": house.queue})
    await hosting.begin()
    async with house.at_work(worker=False):
        yield hosting
        await hosting.kill()


@pytest.fixture
async def outreach(house: House, hosting: Hosting) -> Outreach:  # noqa: ARG001 - it hosts them
    """Six sequences that wait for their third day."""
    begun = await begin(house, sponsors=tuple(AT))
    await begun.live(2)
    return begun


@asynccontextmanager
async def stopped_at(outreach: Outreach, points: dict[UUID, tuple[str, str]]) -> AsyncIterator[None]:
    """For the body every automation waits at its point; then it is let go."""
    keeper: Connection = await connect(outreach.house.settings.database_url)
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

    try:
        await outreach.house.until(waiting, 30)
        yield
        await keeper.execute("DELETE FROM waiting_points")
    finally:
        await keeper.close()


async def decided(outreach: Outreach, sponsor: str) -> list[asyncpg.Record]:
    """What the journal says of the place that the two branches share."""
    rows: list[asyncpg.Record] = await outreach.pool.fetch(
        "SELECT step_id, status FROM workflow_execution_logs WHERE workflow_id = $1 AND slot = 'third_day'",
        (await outreach.sequence(sponsor))["id"],
    )
    return rows


@pytest.mark.timeout(180)
@pytest.mark.parametrize("killed", [False, True], ids=["the worker goes on", "the worker is killed there"])
async def test_an_opening_that_arrives_while_the_third_day_is_decided_never_yields_both_branches(
    outreach: Outreach, hosting: Hosting, killed: bool
) -> None:
    """One of the two mails goes out, once, on the third day; the other does not; and the seventh day comes as always."""
    sequences = {sponsor: await outreach.sequence(sponsor) for sponsor in AT}
    living = asyncio.create_task(outreach.live(8))
    points = {row["id"]: AT[sponsor][:2] for sponsor, row in sequences.items()}
    async with stopped_at(outreach, points):
        for row in sequences.values():
            await outreach.house.handle(row["temporal_workflow_id"]).signal("proposal_opened")
        if killed:
            await hosting.kill()
    if killed:
        await hosting.begin()
    await asyncio.wait_for(living, 90)

    for sponsor, (_, point, after_kill) in AT.items():
        sent = await outreach.sent(sponsor)
        third_day = [template for template in (REMINDED, FOLLOWED_UP) if template in sent]
        journal = await decided(outreach, sponsor)
        assert len(third_day) == 1, (sponsor, point, sent)
        assert sent[third_day[0]] == 3, (sponsor, point, sent)
        assert [row["status"] for row in journal] == ["success"], (sponsor, point, journal)
        assert list(sent) == ["proposal_email", third_day[0], "value_reinforcement"], (sponsor, point, sent)
        if killed:
            assert third_day == [after_kill], (sponsor, point, sent)
    twice = await outreach.pool.fetch("SELECT automation_id, template FROM messages GROUP BY 1, 2 HAVING count(*) > 1")
    assert twice == []
