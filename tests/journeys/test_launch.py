"""The launch as a person sees it: `eventos demo`, whole, in a process of its own."""

import asyncio
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dev.sandbox import ROOT

LISBON = ZoneInfo("Europe/Lisbon")

STEPS = [
    "generate_marketing_content",
    "create_campaign_records",
    "send_announcement",
    "post_social_media",
    "send_whatsapp_broadcast",
    "week_1_reminder",
    "week_2_social",
    "last_chance_email",
    "final_reminder",
]


async def demo(report: Path, *options: str) -> tuple[int, str, dict[str, Any]]:
    """Run the demo; its exit status, what it printed, and its report."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "demo", "--report", str(report), *options),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), json.loads(report.read_text()) if report.exists() else {}


def assert_every_step_at_its_moment(launch: dict[str, Any]) -> None:
    """The nine steps of the specification, each due when its phrase says."""
    due = {step["name"]: datetime.fromisoformat(step["due_at"]) for step in launch["steps"]}
    assert list(due) == STEPS
    start = due["generate_marketing_content"]
    event_date = due["final_reminder"].astimezone(LISBON) + timedelta(days=1)
    assert (event_date.hour, event_date.minute) == (9, 0)
    assert due["create_campaign_records"] == start
    assert due["send_announcement"] == start
    assert due["post_social_media"] == start + timedelta(hours=1)
    # The posts wait for their platforms' good slots, so the broadcast counts from the last of them.
    assert due["send_whatsapp_broadcast"] >= start + timedelta(hours=3)
    assert due["week_1_reminder"].astimezone(LISBON) == start.astimezone(LISBON) + timedelta(days=7)
    assert due["week_2_social"].astimezone(LISBON) == start.astimezone(LISBON) + timedelta(days=14)
    assert due["last_chance_email"].astimezone(LISBON) == event_date - timedelta(days=3)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="undisturbed"),
        pytest.param(("--faults", "0.1"), id="a tenth of all provider answers is faulty"),
        pytest.param(("--kills", "5"), id="the worker is killed five times"),
    ],
)
async def test_a_launch_runs_whole_and_sends_nothing_twice_and_loses_nothing(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    status, said, report = await demo(tmp_path / "report.json", *options)

    assert status == 0, said
    [launch] = [automation for automation in report["automations"] if automation["type"] == "event_launch"]
    assert launch["status"] == "completed", said
    assert launch["steps_completed"] == launch["steps_total"] == 9
    assert_every_step_at_its_moment(launch)
    assert {step["status"] for step in launch["steps"]} == {"success"}, said
    for step in launch["steps"]:
        assert step["queued"] == step["sent"] + step["failed"] + step["unknown"] + sum(step["skipped"].values()), step
    assert report["messages"]["duplicates"] == 0, said
    assert report["messages"]["lost"] == 0, said
    assert report["messages"]["accepted"] > 800
    if not options:
        assert report["messages"]["unknown"] == 0, said
