"""The rooms of the house: who may import whom, who reads the environment, where SQL lives, how long a file may be."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

LEVELS = (
    {"cli", "commands", "dev", "worker", "api"},
    {"starter", "activities"},
    {"workflows", "database", "providers", "templates"},
    {"models", "settings", "logs"},
)
"""From top to bottom: a room imports its own level and those below."""
LEVEL = {room: at for at, rooms in enumerate(LEVELS) for room in rooms}
ALONE = "sandbox"
OURS = {*LEVEL, ALONE, "tests"}

ACTIVITIES_MAY = {"starter.client"}
WORKFLOWS_MAY = {"temporalio.workflow", "temporalio.common", "temporalio.exceptions"}

STATEMENT = re.compile(
    r"^\s*(?:SELECT\b|INSERT\s+INTO\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b|WITH\s+\w+\s+AS\b|LISTEN\b|NOTIFY\b|TRUNCATE\b|COPY\b"
    r"|(?:CREATE|ALTER|DROP)\s+(?:TABLE|INDEX|DATABASE|SCHEMA|FUNCTION|TRIGGER|VIEW)\b)"
)
DRAWERS = {"utils", "util", "helpers", "helper", "common", "base", "core", "manager", "service"}
LONGEST = 400


def files() -> list[Path]:
    """Every Python file of ours but the tests."""
    found = list(ROOT.glob("*.py"))
    for room in sorted(OURS - {"tests"}):
        found += (ROOT / room).rglob("*.py")
    return sorted(found)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """The line and the full name of everything that a file imports, wherever in it."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{where(path, node.lineno)}: a relative import; write the whole name"
            module = node.module or ""
            # `from temporalio import workflow` imports temporalio.workflow; `from models.ids import X` imports models.ids.
            whole = module in {"temporalio", "starter", *OURS}
            yield from ((node.lineno, f"{module}.{alias.name}" if whole else module) for alias in node.names)


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every literal text of a file that is no docstring; of an f-string its first literal part."""
    docs = {
        id(first.value)
        for node in ast.walk(tree)
        for body in [getattr(node, "body", [])]
        if isinstance(body, list)
        for first in body
        if isinstance(first, ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def test_every_module_at_the_top_has_a_place_among_the_rooms() -> None:
    top = {path.stem for path in ROOT.glob("*.py")} | {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert top <= OURS


def test_imports_point_down_only() -> None:
    wrong = [
        f"{where(path, line)}: {room_of(path)} imports {name}"
        for path in files()
        if (room := room_of(path)) in LEVEL
        for line, name in imported(path)
        if LEVEL.get(name.split(".")[0], len(LEVELS)) < LEVEL[room]
    ]
    assert wrong == []


def test_only_the_command_line_and_tests_use_the_local_stack() -> None:
    wrong = [
        where(path, line)
        for path in files()
        if room_of(path) not in {"cli", "commands", "dev"}
        for line, name in imported(path)
        if name.split(".")[0] in {"dev", "commands", "cli"}
    ]
    assert wrong == []


def test_workflows_import_models_and_three_modules_of_the_sdk_and_nothing_else() -> None:
    wrong = [
        f"{where(path, line)}: {name}"
        for path in files()
        if room_of(path) == "workflows"
        for line, name in imported(path)
        if name.split(".")[0] not in {"workflows", "models", *sys.stdlib_module_names} and name not in WORKFLOWS_MAY
    ]
    assert wrong == []


def test_workflows_keep_their_annotations_as_objects() -> None:
    wrong = [path.name for path in files() if room_of(path) == "workflows" and "__future__" in path.read_text("utf-8")]
    assert wrong == []


def test_activities_never_import_workflows_and_of_the_starter_only_its_client() -> None:
    wrong = [
        f"{where(path, line)}: {name}"
        for path in files()
        if room_of(path) == "activities"
        for line, name in imported(path)
        if name.split(".")[0] == "workflows"
        or (name.split(".")[0] == "starter" and not name.startswith("starter.client"))
    ]
    assert wrong == []


def test_the_sandbox_imports_nothing_of_ours_and_nothing_of_ours_imports_it() -> None:
    wrong = [
        f"{where(path, line)}: {name}"
        for path in files()
        for line, name in imported(path)
        if (theirs := name.split(".")[0]) in OURS and (theirs == ALONE) != (room_of(path) == ALONE)
    ]
    assert wrong == []


def test_nobody_but_settings_and_the_local_stack_reads_the_environment() -> None:
    wrong = [
        where(path, node.lineno)
        for path in files()
        if room_of(path) not in {"settings", "dev"}
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"})
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {"environ", "getenv"} & {a.name for a in node.names}
        )
    ]
    assert wrong == []


def test_sql_lives_in_the_database_room_only() -> None:
    wrong = [
        f"{where(path, line)}: {text.strip()[:60]!r}"
        for path in files()
        if room_of(path) != "database"
        for line, text in strings(tree_of(path))
        if STATEMENT.match(text)
    ]
    assert wrong == []


def test_one_place_alone_writes_notifications() -> None:
    """So that each is told once, and a new column of the table is one edit."""
    writing = {path.name for path in files() for _, text in strings(tree_of(path)) if "INTO notifications" in text}
    assert writing == {"notifications.py"}


@pytest.mark.parametrize(
    "text",
    ["SELECT 1", "\n    UPDATE events SET status = $1", "INSERT INTO events (id)", 'CREATE DATABASE "x"', "LISTEN x"],
)
def test_a_statement_is_known_by_its_first_words(text: str) -> None:
    assert STATEMENT.match(text)


@pytest.mark.parametrize("text", ["Update the event and set a date", "select", "with a date", "COPYRIGHT", "Listen"])
def test_words_for_people_are_not_taken_for_statements(text: str) -> None:
    assert not STATEMENT.match(text)


def test_no_file_is_a_drawer() -> None:
    assert [str(path.relative_to(ROOT)) for path in files() if path.stem in DRAWERS] == []


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    everything = [*files(), *(ROOT / "tests").rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in everything}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}
