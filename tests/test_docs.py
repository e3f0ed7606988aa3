"""The documentation says what is there: every command, every setting, and no link leads nowhere."""

import json
import re
from inspect import getmembers

import pytest

from cli import app
from dev.sandbox import ROOT
from models.details import EventDetails
from settings import Settings
from starter.kinds import KINDS
from templates import INCLUDES
from worker import WORKFLOWS
from workflows.automation import Automation

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page):
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_command_is_in_the_reference():
    said = (ROOT / "docs/reference/cli.md").read_text("utf-8")
    names = [command.name for command in app.registered_commands]
    assert [name for name in names if f"`eventos {name}" not in said] == []


def test_every_setting_is_in_the_reference():
    said = (ROOT / "docs/reference/environment.md").read_text("utf-8")
    names = [{"task_queue": "temporal_task_queue"}.get(field, field).upper() for field in Settings.model_fields]
    assert [name for name in names if f"`{name}`" not in said] == []


def test_every_include_and_every_detail_of_an_event_is_in_the_reference():
    said = (ROOT / "docs/reference/includes.md").read_text("utf-8")
    for name, kind in INCLUDES.items():
        assert f"| `{name}` | {kind.source} | {'each reader' if kind.personal else 'all'} |" in said
    for name, detail in EventDetails.model_fields.items():
        [row] = [
            line
            for line in said.splitlines()
            if line.startswith(f"| `{name}` |") and f"| {detail.description} |" in line
        ]
        assert row


def test_the_published_schema_of_an_events_details_is_the_one_that_is_read():
    published = json.loads((ROOT / "docs/reference/event-details.schema.json").read_text("utf-8"))
    assert published == EventDetails.model_json_schema(), "write EventDetails.model_json_schema() into it"


def test_every_fact_that_a_workflow_hears_by_name_is_on_the_page_of_the_temporal_cli():
    said = (ROOT / "docs/how-to/temporal-cli.md").read_text("utf-8")
    shared = set(signals(Automation))
    rows = {cls.__name__: set(signals(cls)) - shared for cls in WORKFLOWS if issubclass(cls, Automation)}
    table = {
        name: set(re.findall(r"`(\w+)`", row))
        for name, row in re.findall(r"^\| (\w+Workflow) \| (.+) \|$", said, re.MULTILINE)
    }
    assert table == {name: facts for name, facts in rows.items() if facts}


def signals(cls):
    """The names of the signals that a workflow class hears."""
    found = [getattr(member, "__temporal_signal_definition", None) for _, member in getmembers(cls)]
    return [signal.name for signal in found if signal and signal.name]  # one without hears any name


@pytest.mark.parametrize("kind", KINDS)
def test_every_timeline_in_the_reference_is_the_one_that_runs(kind):
    said = (ROOT / "docs/reference/timelines.md").read_text("utf-8")
    table = said.split(f"## {kind}\n")[1].split("\n## ")[0]
    for step in KINDS[kind].timeline:
        [row] = [line for line in table.splitlines() if line.startswith(f"| `{step.id}` |")]
        _, _, moment, _, _, late, until, _ = (cell.strip().replace("`", "") for cell in row.split("|"))
        assert (moment, late, until) == (step.moment, step.late.value, step.until or "")
