"""The local stack: found, started where there is room, watched, and gone afterwards."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import ExitStack, suppress
from io import StringIO
from pathlib import Path

import asyncpg
import pytest
import yaml
from rich.console import Console
from temporalio.client import Client

from database.connection import connect
from dev import temporal as temporal_part
from dev.child import Child, PartFailed, free_port
from dev.postgres import Postgres
from dev.stack import Stack
from dev.temporal import COMPOSE, Temporal, command, missing_search_attributes, search_attributes
from dev.temporal_binary import OVERRIDE, TemporalNotFound, cache, find
from dev.worker import CRASHES, Worker
from settings import Settings

ROOT = Path(__file__).parent.parent
NEW = "#!/bin/sh\necho 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)'\n"
OLD = "#!/bin/sh\necho 'temporal version 0.9.0 (Server 1.20.0, UI 2.10.0)'\n"
FIXED_PORTS = (5433, 7233, 8233, 8025)


@pytest.fixture
def quiet():
    return Console(file=StringIO())


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """No `temporal` anywhere: not named, not on PATH, not cached, not to be downloaded; and no `go`."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv(OVERRIDE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path


def program(path: Path, text: str = NEW) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (
        (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z")
        if sys.platform == "linux"
        else True
    )


async def gone(pid: int, seconds: float = 10) -> bool:
    for _ in range(int(seconds / 0.05)):
        if not running(pid):
            return True
        await asyncio.sleep(0.05)
    return False


async def test_the_named_program_comes_before_all_others(alone, monkeypatch):
    monkeypatch.setenv(OVERRIDE, str(program(alone / "mine")))
    program(alone / "bin" / "temporal")
    assert await find(directory=alone / "cache") == alone / "mine"


async def test_a_named_program_that_does_not_work_is_an_error_and_not_a_hint(alone, monkeypatch):
    monkeypatch.setenv(OVERRIDE, str(alone / "missing"))
    program(alone / "bin" / "temporal")
    with pytest.raises(TemporalNotFound, match=f"{OVERRIDE}: .*missing is not there"):
        await find(directory=alone / "cache")


async def test_the_program_on_the_path_comes_before_the_cached_one(alone):
    program(alone / "cache" / "temporal")
    on_path = program(alone / "bin" / "temporal")
    assert await find(directory=alone / "cache") == on_path


async def test_a_program_with_too_old_a_server_is_passed_over(alone):
    program(alone / "bin" / "temporal", OLD)
    cached = program(alone / "cache" / "temporal")
    assert await find(directory=alone / "cache") == cached


async def test_a_cache_that_cannot_be_made_says_what_to_do(alone):
    (alone / "file").write_text("")
    with pytest.raises(TemporalNotFound, match="writable cache directory"):
        await find(directory=alone / "file" / "bin")


async def test_what_was_built_is_kept_and_the_next_search_is_silent(alone):
    go = '#!/bin/sh\n/bin/cat > "$GOBIN/temporal" <<"END"\n' + NEW + 'END\n/bin/chmod 755 "$GOBIN/temporal"\n'
    program(alone / "bin" / "go", go)
    lines: list[str] = []
    found = await find(lines.append, directory=alone / "cache")
    assert found == alone / "cache" / "temporal"
    assert [line for line in lines if "download by the SDK failed" in line]
    lines.clear()
    assert await find(lines.append, directory=alone / "cache") == found
    assert lines == []


async def test_when_no_way_leads_there_every_attempt_is_told(alone):
    with pytest.raises(TemporalNotFound) as caught:
        await find(directory=alone / "cache")
    said = str(caught.value)
    for way in (
        "PATH: no `temporal` there",
        "cache:",
        "download by the SDK: ",
        "go install: no `go` on PATH",
        OVERRIDE,
    ):
        assert way in said


async def test_a_full_disk_while_building_says_to_make_room(alone):
    program(alone / "bin" / "go", "#!/bin/sh\necho 'write: no space left on device' >&2\nexit 1\n")
    with pytest.raises(TemporalNotFound, match="no space left on device; make room on the disk"):
        await find(directory=alone / "cache")


def test_the_command_is_the_compose_files_with_our_address_ports_and_file():
    arguments = command(port=1, ui_port=2, database=Path("/data/x"))
    assert arguments[:2] == ["server", "start-dev"]
    assert 'history.timerProcessorMaxTimeShift="10ms"' in arguments
    for name, value in {"--ip": "127.0.0.1", "--port": "1", "--ui-port": "2", "--db-filename": "/data/x"}.items():
        assert arguments.count(name) == 1
        assert arguments[arguments.index(name) + 1] == value
    assert "--db-filename" not in command(port=1, ui_port=None, database=None)


def test_the_compose_file_offers_the_development_server_to_this_machine_only():
    temporal = yaml.safe_load(COMPOSE.read_text())["services"]["temporal"]
    assert all(port.startswith("127.0.0.1:") for port in temporal["ports"])


async def test_the_server_has_the_search_attributes(temporal):
    assert search_attributes() == {
        "EventId": "Keyword",
        "AutomationType": "Keyword",
        "AutomationStatus": "Keyword",
        "Rehearsal": "Bool",
    }
    assert await missing_search_attributes(temporal) == {}


def test_a_port_that_is_taken_is_replaced_by_a_free_one():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) not in (port, 0)
    assert free_port(port) == port


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there are no claims")
async def test_of_two_stacks_that_start_at_the_same_moment_each_gets_a_port_of_its_own():
    port = free_port()
    choose = f"from dev.child import free_port; print(free_port({port}), flush=True); input()"
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", choose), cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert other.stdout is not None
    assert int(await other.stdout.readline()) == port
    assert free_port(port) not in (port, 0)
    await other.communicate(b"\n")
    assert free_port(port) == port


async def test_the_stack_starts_beside_programs_that_hold_its_ports_and_leaves_nothing(quiet, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with ExitStack() as held:
        ours = []
        for port in FIXED_PORTS:  # a stack beside this one may hold some of them
            with suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
                ours.append(port)
        async with Stack(worker=False, console=quiet) as stack:
            settings = Settings.from_environment(stack.env)
            assert settings.missing() == {}
            for url in (settings.database_url, settings.temporal_address, settings.sandbox_url, stack.temporal_ui):
                assert (
                    int(url.partition("//")[2].partition("/")[0].rpartition(":")[2] or url.rpartition(":")[2])
                    not in ours
                )
            connection = await connect(settings.database_url)
            assert await connection.fetchval("SELECT count(*) FROM automation_rules") > 0
            await connection.close()
            await Client.connect(settings.temporal_address)
            parts = list(stack.processes.values())
            directory = stack._data
    assert [pid for pid in parts if running(pid)] == []
    assert not directory.exists()
    for part in ("PostgreSQL", "Temporal", "sandbox"):
        assert f"{part:<12} ready at" in quiet.file.getvalue()


async def test_what_is_kept_is_there_again_and_a_second_stack_on_it_is_refused(quiet, place, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    keep = place / "kept"
    async with Stack(keep=keep, worker=False, console=quiet) as stack:
        await write(stack.env["DATABASE_URL"])
        with pytest.raises(PartFailed, match="another one uses"):
            async with Stack(keep=keep, worker=False, console=quiet):
                pass
    async with Stack(keep=keep, worker=False, console=quiet) as stack:
        assert await written(stack.env["DATABASE_URL"]) == 1
    async with Stack(keep=keep, fresh=True, worker=False, console=quiet) as stack:
        assert await written(stack.env["DATABASE_URL"]) == 0


async def write(url):
    connection = await connect(url)
    await connection.execute("INSERT INTO organizers (name, email) VALUES ('Guild', 'a@example.com')")
    await connection.close()


async def written(url):
    connection = await connect(url)
    count = await connection.fetchval("SELECT count(*) FROM organizers")
    await connection.close()
    return count


async def test_a_part_that_ends_on_its_own_is_named_with_its_last_words(quiet):
    async with Stack(worker=False, console=quiet) as stack:
        os.kill(stack.processes["sandbox"], signal.SIGKILL)
        with pytest.raises(PartFailed, match="sandbox: ended by SIGKILL on its own"):
            await asyncio.wait_for(stack.wait(), 10)


async def test_what_needs_every_part_is_given_up_when_one_ends(quiet):
    async with Stack(worker=False, console=quiet) as stack:
        assert await stack.during(asyncio.sleep(0, "done")) == "done"
        os.kill(stack.processes["sandbox"], signal.SIGKILL)
        with pytest.raises(PartFailed, match="sandbox: ended by SIGKILL on its own"):
            await asyncio.wait_for(stack.during(asyncio.Event().wait()), 10)


async def test_when_one_part_cannot_start_the_others_are_stopped(quiet, monkeypatch, tmp_path):
    monkeypatch.setenv(OVERRIDE, str(tmp_path / "missing"))
    stack = Stack(worker=False, console=quiet)
    with pytest.raises(TemporalNotFound):
        async with stack:
            pass
    assert not stack._data.exists()
    assert [pid for pid in stack.processes.values() if running(pid)] == []


async def test_a_database_given_by_its_url_is_used_and_left_running(quiet, empty_database, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", empty_database)
    async with Stack(worker=False, console=quiet) as stack:
        assert stack.env["DATABASE_URL"] == empty_database
    connection = await asyncpg.connect(empty_database)
    assert await connection.fetchval("SELECT count(*) FROM eventos_migrations") > 0
    await connection.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promise is Linux's")
@pytest.mark.parametrize("blow", [signal.SIGTERM, signal.SIGKILL])
async def test_no_process_is_left_however_the_stacks_owner_ends(blow, place):
    script = (
        "import asyncio, sys; from rich.console import Console; from commands.running import run; from dev.stack import Stack\n"
        "async def main():\n"
        "    async with Stack(worker=False, console=Console(file=sys.stderr)) as stack:\n"
        "        print(*(p.child.pid for p in (stack._postgres, stack._temporal, stack._sandbox)), flush=True)\n"
        "        await stack.wait()\n"
        "run(main())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {"TMPDIR": str(place)}
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, cwd=ROOT, env=environment, stdout=-1, stderr=asyncio.subprocess.DEVNULL
    )
    assert owner.stdout is not None
    parts = [int(pid) for pid in (await owner.stdout.readline()).split()]
    assert len(parts) == 3
    owner.send_signal(blow)
    await owner.wait()
    assert [await gone(pid) for pid in parts] == [True, True, True]


async def test_a_child_that_will_not_end_is_made_to(tmp_path):
    script = "trap '' TERM; echo deaf; while :; do sleep 0.1; done"
    child = Child("stubborn", ["/bin/sh", "-c", script], log=tmp_path / "log")
    while "deaf" not in child.said():
        await asyncio.sleep(0.01)
    child.stop(grace=0.3)
    assert child.status == -signal.SIGKILL


async def test_a_temporal_server_whose_port_is_taken_as_it_starts_is_started_on_another(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as quicker:
        taken = quicker.getsockname()[1]
        ports = iter((taken, free_port()))
        monkeypatch.setattr(temporal_part, "free_port", lambda _: next(ports))
        said: list[str] = []
        server = await Temporal.start(log=tmp_path / "log", port=0, ui_port=None, tell=said.append)
    server.child.stop()
    assert server.address != f"127.0.0.1:{taken}"
    assert said[-1] == "ended while it started; starting again"


async def test_a_worker_that_crashes_at_once_is_not_started_for_ever(tmp_path, temporal):
    worker = Worker({"PATH": ""}, "nothing", tmp_path / "log")
    with pytest.raises(PartFailed, match="worker: ended with status 1 on its own"):
        await worker.ready(temporal)
    for _ in range(CRASHES - 1):
        worker.begin_again()
        await worker.child.ended()
    with pytest.raises(PartFailed):
        worker.begin_again()


async def test_a_worker_that_is_killed_is_started_again(quiet):
    async with Stack(console=quiet) as stack:
        first = stack.processes["worker"]
        os.kill(first, signal.SIGKILL)
        while stack.processes["worker"] == first:
            await asyncio.sleep(0.05)
        again = stack.processes["worker"]
    assert not running(again)
    assert "worker: ended by SIGKILL on its own; started again" in quiet.file.getvalue()


def test_programs_are_cached_for_the_user():
    assert cache().name == "bin"
    assert cache().parent.name == "eventos"


async def test_a_cluster_that_cannot_be_made_is_said_with_the_reason(place):
    (place / "broken").mkdir()
    (place / "broken" / "something").write_text("in the way")
    with pytest.raises(PartFailed, match="no cluster could be made"):
        await Postgres.start(place / "broken", log=place / "broken.log", port=0)
