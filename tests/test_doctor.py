"""`eventos doctor`: every part is asked, and what is wrong comes with what to do."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from commands.doctor import NEEDS, examine
from dev.child import free_port
from dev.stack import environment
from settings import PURPOSES, Settings

ROOT = Path(__file__).parent.parent


@pytest.fixture
def local(database, temporal_server, sandbox):
    return environment(database_url=database, temporal_address=temporal_server, sandbox_url=sandbox)


async def doctor(env, *arguments):
    command = [sys.executable, "cli.py", "doctor", *arguments]
    clean = {name: value for name, value in os.environ.items() if name not in PURPOSES} | env
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=clean, stdout=-1, stderr=-1)
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def test_on_the_local_stack_every_part_answers(local):
    status, said = await doctor(local, "--json")
    report = json.loads(said)
    assert [check for check in report["checks"] if not check["ok"]] == []
    assert [check["part"] for check in report["checks"]] == list(NEEDS)
    assert (status, report["ok"]) == (0, True)


async def test_every_variable_with_a_purpose_belongs_to_a_part():
    assert {name for names in NEEDS.values() for name in names} == set(PURPOSES)


async def test_nothing_set_names_every_variable_and_what_it_is_for_and_fails():
    status, said = await doctor({"COLUMNS": "300", "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}"})
    assert status == 1
    for name in set(PURPOSES) - {"TEMPORAL_ADDRESS"}:
        assert f"set {name}: {PURPOSES[name]}" in said


async def test_a_database_without_migrations_is_told_to_migrate(local, empty_database):
    findings = await examine(Settings.from_environment(local | {"DATABASE_URL": empty_database}))
    said = {finding.part: finding.says for finding in findings if not finding.ok}
    assert list(said) == ["database"]
    assert "run `eventos migrate`" in said["database"]


async def test_a_namespace_that_is_not_there_is_named(local):
    findings = await examine(Settings.from_environment(local | {"TEMPORAL_NAMESPACE": "elsewhere"}))
    said = {finding.part: finding.says for finding in findings if not finding.ok}
    assert list(said) == ["temporal"]
    assert "elsewhere" in said["temporal"]


async def test_without_a_sandbox_the_rest_is_enough(local):
    status, said = await doctor(local | {"SANDBOX_URL": ""}, "--json")
    assert status == 0
    assert [check["part"] for check in json.loads(said)["checks"] if not check["ok"]] == ["sandbox"]


async def test_a_public_address_that_is_none_is_refused(local):
    findings = await examine(Settings.from_environment(local | {"PUBLIC_URL": "events.example.com"}))
    assert [finding.part for finding in findings if not finding.ok] == ["public address"]
