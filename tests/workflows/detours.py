"""What comes between in a rehearsal: an outage, a change of the timeline, a change that is refused."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from database import rehearsals
from models.changes import Change, Revised
from starter import control
from starter.control import ControlError
from tests.workflows.house import House


async def outage(house: House, event: UUID, until: datetime) -> None:
    """Nobody is at work until then: time goes by, and no automation is told."""
    await rehearsals.step_clock(house.pool, event, until)


async def modify(house: House, workflow_id: str, steps: Any, once: str | None = None, **more: Any) -> Revised:
    """Ada changes a running timeline."""
    automation = (await house.row(workflow_id))["id"]
    change = Change(steps=steps, by="Ada", reason="the venue asked", **more)
    return await control.modify(house.client, house.pool, automation, change, once=once)


async def refusal(house: House, workflow_id: str, steps: Any) -> str:
    """Why a change is refused, once it is seen that nothing was changed by it."""
    before = await house.row(workflow_id)
    with pytest.raises(ControlError) as refused:
        await modify(house, workflow_id, steps)
    after = await house.row(workflow_id)
    assert (after["definition"], after["revision"]) == (before["definition"], before["revision"])
    return str(refused.value)
