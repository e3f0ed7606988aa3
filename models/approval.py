"""Approval: what a step waits for, what a person decides about it, and when the person is reminded."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from models.automation import Frozen

Approval = Literal["auto", "required"]
"""Whether generated words go out by themselves, or only once a person has read them."""

DEFAULTS: dict[str, Approval] = {"sponsor_outreach": "required"}
"""What a kind of automation is begun with where nobody says otherwise; the rest is `auto`."""

FIRST_REMINDER = timedelta(hours=24)
BEFORE_OVERDUE = timedelta(hours=1)


class Awaited(Frozen):
    """The decision that an automation waits for."""

    step: str
    """The first step that sends what is to be approved."""
    status: Literal["pending", "rejected"]
    asked_at: AwareDatetime
    remind_at: AwareDatetime | None = None
    """When the approver is to be reminded next; None if not again."""


class Decide(Frozen):
    """A person's word about exactly what was shown."""

    step: str
    content_hash: str
    """Of everything that waits, or of one piece of it."""
    by: str = ""
    note: str = ""


class Decided(Frozen):
    """A person's word, for the database."""

    automation_id: UUID
    event_id: UUID
    verb: Literal["approve", "reject"]
    decision: Decide


def next_reminder(asked_at: datetime, overdue_at: datetime | None, last: datetime | None) -> datetime | None:
    """The next reminder of an approval: a day after it was asked for, and before the step it stands before is overdue."""
    instants = [asked_at + FIRST_REMINDER, *([overdue_at - BEFORE_OVERDUE] if overdue_at is not None else [])]
    since = asked_at if last is None else max(asked_at, last)
    return min((at for at in instants if at > since), default=None)
