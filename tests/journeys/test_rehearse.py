"""`eventos rehearse` as an organizer's operator uses it: beside a running system, before anything is published."""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from database.connection import connect_pool
from dev.sandbox import ROOT
from dev.stack import Stack
from tests.workflows.house import House, settings_for


async def eventos(environment: dict[str, str], *arguments: str) -> tuple[int | None, str]:
    """Run a command of the command line; its exit status, and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *arguments),
        cwd=ROOT,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


@pytest.mark.timeout(180)
async def test_an_event_is_rehearsed_to_its_end_and_nothing_of_it_is_touched() -> None:
    async with Stack(console=Console(file=StringIO())) as stack:
        pool = await connect_pool(stack.env["DATABASE_URL"])
        try:
            settings = settings_for(stack.env["DATABASE_URL"], "", stack.env["SANDBOX_URL"], "eventos")
            house = House(pool, None, settings, "eventos")  # type: ignore[arg-type]  # only its rows are made
            event = await house.event(contacts=3, starts_at=datetime.now(UTC) + timedelta(days=30))

            status, said = await eventos(stack.env, "rehearse", "River Conf")
            assert status == 1
            assert "needs event.venue" in said

            page = "https://river.example"
            await house.set_event(
                event, venue="Harbour Hall", city="Berlin", address="2 Harbour Road", url=page, register_url=page
            )
            await pool.execute("UPDATE organizers SET postal_address = '1 River Street, Berlin'")
            status, said = await eventos(stack.env, "rehearse", "River Conf")
            assert status == 0, said
            assert "send_announcement" in said
            assert "3 sent" in said
            assert "0 twice, 0 lost, 0 unknown" in said

            assert await pool.fetchval("SELECT status FROM events WHERE id = $1", event) == "draft"
            assert await pool.fetchval("SELECT count(*) FROM automation_workflows WHERE NOT rehearsal") == 0
            assert await pool.fetchval("SELECT count(*) FROM messages WHERE NOT rehearsal") == 0

            await house.set_event(event, starts_at=None)
            status, said = await eventos(stack.env, "rehearse", "River Conf")
            assert status == 1
            assert "it has no start" in said
        finally:
            await pool.close()
