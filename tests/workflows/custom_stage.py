"""A stage for custom automations: a rehearsal, and a timeline with a branch and a step that is late from the beginning."""

from typing import Any
from uuid import UUID

import worker as hosting
from activities.revising import known_here
from database import events, external
from models.problems import Known
from providers import accounts
from starter import custom
from tests.workflows.house import House


def seats(fact: str) -> dict[str, Any]:
    """A post at once, and on the third day another or a mail, by whether a fact was heard; a save-the-date that is too late."""
    return {
        "version": 1,
        "steps": [
            {"id": "hello", "type": "social", "platforms": ["linkedin"]},
            {"id": "save_the_date", "type": "social", "platforms": ["twitter"], "delay": "event_date - 300 days", "late": "skip"},
            {"id": "ask", "type": "condition", "delay": "3 days", "condition": fact, "if_true": "last_seats", "if_false": "push"},
            {"id": "last_seats", "type": "email", "template": "follow_up", "audience": "contacts_not_registered"},
            {"id": "push", "type": "social", "platforms": ["linkedin", "twitter"]},
        ],
    }  # fmt: skip


def known(house: House) -> Known:
    """The names that a custom timeline may use."""
    return known_here(hosting.deeds(house.pool, accounts.live(house.settings), None).targets, "custom")


async def create(house: House, event_id: UUID, definition: object, name: str, **more: Any) -> custom.Created:
    """Hand in a timeline, as `eventos create` does."""
    event = await events.get(house.pool, event_id)
    assert event is not None
    return await custom.create(house.client, house.pool, house.queue, event, definition, name, known(house), **more)


async def report(house: House, event: UUID, fact: str) -> None:
    """Report a fact, as `/api/triggers/{name}` does."""
    await external.report(house.pool, fact, event, f"event/{event}", {})
