"""Histories of released versions lead the workflow code of today to the same commands."""

import re
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from tests.workflows.house import replay

RECORDED = sorted((Path(__file__).parent.parent / "histories").glob("*.json"))


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
async def test_a_recorded_history_is_replayed_by_the_code_of_today(file: Path) -> None:
    await replay([WorkflowHistory.from_json(file.stem, file.read_text(encoding="utf-8"))])


def test_there_is_a_history_of_every_kind_of_automation() -> None:
    assert {re.sub(r"_v\d+$", "", file.stem) for file in RECORDED} == {"event_launch"}
