"""Alive, ready, figures; and a process that starts and stops cleanly."""

import asyncio
import os
import signal
import sys
from typing import Any

import httpx2
import pytest

from database.connection import Pool
from dev.child import free_port
from dev.sandbox import ROOT
from tests.serving import Api, serving


async def test_ready_means_database_and_temporal_answer(pool: Pool, temporal_server: str) -> None:
    async with serving(pool, temporal_address=temporal_server) as api:
        answer = await api.http.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"database": "ok", "temporal": "ok"})


async def test_what_does_not_answer_is_named_and_the_process_is_alive_all_the_same(pool: Pool) -> None:
    async with serving(pool, temporal_address=f"127.0.0.1:{free_port()}") as api:
        answer = await api.http.get("/readyz")
        assert (answer.status_code, answer.json()["database"]) == (503, "ok")
        assert answer.json()["temporal"] != "ok"
        assert (await api.http.get("/healthz")).json() == {"status": "ok"}


@pytest.mark.usefixtures("message")
async def test_the_figures_count_what_is_there_and_name_nobody(api: Api, pool: Pool) -> None:
    await pool.execute("UPDATE occurrences SET processed_at = now()")
    await pool.execute(
        """
        INSERT INTO occurrences (kind, subject, occurred_at, not_before, held_at)
        VALUES ('x', 'a', now(), now() - interval '1 minute', NULL), ('x', 'b', now(), now(), now())
        """
    )
    await api.resend("email.opened")
    await api.resend("email.opened", secret="whsec_b3RoZXI=")
    said = (await api.http.get("/metrics")).text
    lines = dict(line.rsplit(" ", 1) for line in said.splitlines() if not line.startswith("#"))
    assert lines['eventos_messages{channel="email",status="sent"}'] == "1.0"
    assert lines["eventos_occurrences_open"] == "2.0"
    assert lines["eventos_occurrences_held"] == "1.0"
    assert 60 <= float(lines["eventos_oldest_occurrence_seconds"]) < 600
    assert lines["eventos_oldest_message_seconds"] == "0.0"
    assert float(lines['eventos_webhooks_total{answer="stored",provider="resend"}']) >= 1
    assert float(lines['eventos_webhooks_total{answer="refused",provider="resend"}']) >= 1
    assert "ada@people.example" not in said


async def start(environment: dict[str, str], port: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "api", "--port", str(port)),
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | environment,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_the_process_serves_and_ends_cleanly_when_it_is_told_to(database: str) -> None:
    port = free_port()
    process = await start({"DATABASE_URL": database, "PUBLIC_URL": f"http://127.0.0.1:{port}"}, port)
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http, asyncio.timeout(60):
        while True:
            try:
                assert (await http.get("/healthz")).status_code == 200
                break
            except httpx2.HTTPError:
                await asyncio.sleep(0.05)
        process.send_signal(signal.SIGTERM)
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert b"api_stopped" in said


async def test_a_process_that_lacks_a_setting_names_it() -> None:
    process = await start({}, free_port())
    _, said = await process.communicate()
    assert process.returncode == 1
    assert b"DATABASE_URL" in said
    assert b"PUBLIC_URL" in said


async def test_the_command_makes_a_key_that_opens_the_api(api: Api, database: str, message: dict[str, Any]) -> None:
    command = [sys.executable, "-m", "cli", "api-key", "create", "river", "--role", "operator"]
    environment = os.environ | {"DATABASE_URL": database}
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=-1, stderr=-1)
    said, beside = await process.communicate()
    assert process.returncode == 0, beside.decode()
    headers = {"authorization": f"Bearer {said.decode().strip()}"}
    answer = await api.http.post(
        "/api/triggers/order_placed", json={"event": str(message["event_id"])}, headers=headers
    )
    assert answer.status_code == 202

    process = await asyncio.create_subprocess_exec(
        *command[:5], "nobody", cwd=ROOT, env=environment, stdout=-1, stderr=-1
    )
    said, beside = await process.communicate()
    assert (process.returncode, said, b"There is no organizer 'nobody'" in beside) == (1, b"", True)
