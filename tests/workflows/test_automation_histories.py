"""Histories that are kept lead the workflow code of today to the same commands, so what began yesterday can go on."""

import re
from datetime import timedelta
from difflib import unified_diff
from pathlib import Path

import pytest
from temporalio.worker import UnsandboxedWorkflowRunner

import worker as hosting
from models.player import Asked
from tests.histories.commands import Replayed, commands
from tests.histories.lives import LIVES
from tests.histories.record import NEXT, name_of, read, recorded, text_of
from workflows import calls
from workflows.automation import Automation

RECORDED = recorded()
WHAT_TO_DO = """
Automations that are under way would not go on as they began.
  - Not meant: undo the edit, or put what is new behind `workflow.patched` or a new number of plan().
  - Meant, and the history is of the next version: `python -m tests.histories.record` lives it again.
  - Only words of summaries changed, not commands: `python -m tests.histories.record --texts`.
CONTRIBUTING.md, "Workflow code lives for months", says more.
"""


def difference(name: str, kept: str, found: Replayed) -> str:
    """What is commanded otherwise than it was, for people to read; empty if nothing is."""
    lines = unified_diff(kept.splitlines(), list(found.lines), "as recorded", "today", lineterm="")
    diff = "\n".join(lines)
    refused = f"\nTemporal refuses to go on: {found.refused}" if found.refused else ""
    return f"{name}\n{diff}{refused}\n{WHAT_TO_DO}" if diff or refused else ""


@pytest.mark.parametrize("file", RECORDED, ids=name_of)
async def test_todays_code_answers_a_recorded_history_with_the_same_commands(file: Path) -> None:
    wrong = difference(name_of(file), text_of(file).read_text(encoding="utf-8"), await commands(read(file)))
    assert not wrong, wrong


def test_every_class_that_the_worker_hosts_has_a_history() -> None:
    begun = {text_of(file).read_text(encoding="utf-8").split()[1] for file in RECORDED}
    missing = {cls.__name__ for cls in hosting.WORKFLOWS} - begun
    assert not missing, (
        f"{', '.join(sorted(missing))} has no history: write a life of it in tests/histories/lives.py, "
        "then run `python -m tests.histories.record`"
    )


def test_every_history_of_the_next_version_comes_of_a_life_and_has_its_text() -> None:
    assert {name_of(file) for file in RECORDED if file.parent == NEXT} == {
        name for life in LIVES for name in life.histories
    }
    assert {text_of(file) for file in RECORDED} == {file for kept in RECORDED for file in kept.parent.glob("*.txt")}


@pytest.mark.parametrize("file", RECORDED, ids=name_of)
def test_a_kept_history_names_no_person_and_no_machine(file: Path) -> None:
    # Contacts, sponsors and their people as the stages and the seed name them, and whatever looks like an address.
    personal = [b"Somebody", b"Ada", b"Millrace", b"Brightkiln", b"Stratus", b"Acme", b"+49", b"Too small"]
    personal += [b"Nobody%d" % digit for digit in range(10)]  # without a number it is a word of ours
    history = read(file)
    whole = b"\n".join(event.SerializeToString() for event in history.events)
    assert [word for word in personal if word in whole] == []
    assert re.findall(rb"[\w.+-]{2,}@[\w.-]{2,}", whole) == []


# -- what turns red -------------------------------------------------------------------------------------------------


async def after(edit: str, monkeypatch: pytest.MonkeyPatch) -> Replayed:
    """What a launch in real time is commanded after an edit of the workflow code."""
    look, news_since = calls.look, Automation._news_since

    async def look_twice(asked: Asked) -> object:
        await look(asked)
        return await look(asked)

    async def wait_half(self: Automation, heard: int, timeout: timedelta | None) -> None:
        await news_since(self, heard, timeout / 2 if timeout else None)

    match edit:
        case "an activity has another name":
            monkeypatch.setitem(calls.ACTS, "generate", "write_words")
        case "an activity is asked once more":
            monkeypatch.setattr(calls, "look", look_twice)
        case "a timer runs for another time":
            monkeypatch.setattr(Automation, "_news_since", wait_half)
    # Temporal's sandbox would import the code anew, without the edit.
    return await commands(read(NEXT / "event_launch_by_real_timers.json"), UnsandboxedWorkflowRunner())


@pytest.mark.parametrize(
    ("edit", "temporal_minds", "shown"),
    [
        ("none", False, []),
        (
            "an activity has another name",
            True,
            [
                "-  activity generate_content: generate email_templates",
                "+  activity write_words: generate email_templates",
            ],
        ),
        ("an activity is asked once more", True, ["+  local activity look: resolve moments (2 times)"]),
        ("a timer runs for another time", False, ["-  timer of", "+  timer of"]),
    ],
)
async def test_an_edit_that_breaks_what_is_under_way_is_shown_also_where_temporal_would_not_mind(
    edit: str, temporal_minds: bool, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await after(edit, monkeypatch)
    kept = text_of(NEXT / "event_launch_by_real_timers.json").read_text(encoding="utf-8")
    diff = difference("launch", kept, found)
    assert bool(diff) == (edit != "none")
    assert (found.refused is not None) == temporal_minds
    assert [line for line in shown if line not in diff] == []
