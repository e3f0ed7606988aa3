"""A stage for approval: a rehearsal of a small launch whose words somebody has to approve."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from database import claims
from database.approvals import Waiting
from models.approval import Decide
from models.changes import Change
from starter import control, rehearsal
from starter.conductor import conduct
from tests.workflows.house import House, Row
from workflows.event_launch import RECORDS
from workflows.timeline import email, generate, step, timeline, update

DAY, HOUR = timedelta(days=1), timedelta(hours=1)

LAUNCH = timeline(
    step("write", "0 hours", generate("email_templates"), late="run"),
    step("lay_out", "0 hours after write", update(RECORDS[1]), late="run"),
    step("announce", "0 hours after lay_out", email("announcement_email", to="all_contacts"), until="event_date"),
    step("remind", "7 days", email("reminder_email", to="all_contacts"), late="skip", until="last_call"),
    step(
        "last_call",
        "event_date - 3 days",
        email("last_chance_email", to="all_contacts"),
        late="latest",
        until="event_date",
    ),
)


@dataclass
class Launch:
    """A rehearsal of a small launch, whose time the test moves on."""

    house: House
    event: UUID
    start: datetime
    id: str = ""

    @property
    def pool(self) -> Any:
        return self.house.pool

    async def live(self, span: timedelta | None = None) -> None:
        async for _ in conduct(self.pool, self.house.client, self.event, None if span is None else self.start + span):
            pass

    async def row(self) -> Row:
        return await self.house.row(self.id)

    async def sent(self) -> dict[str, timedelta]:
        """What went out to the contacts, and how long after the start."""
        rows = await self.pool.fetch(
            "SELECT DISTINCT template, sent_at FROM messages WHERE status = 'sent' AND template <> 'notification' ORDER BY sent_at"
        )
        return {row["template"]: row["sent_at"] - self.start for row in rows}

    async def told(self) -> list[tuple[str, timedelta]]:
        """What the organizer was mailed, and when."""
        rows = await self.pool.fetch(
            """
            SELECT coalesce(n.title, 'settled') AS title, m.sent_at
            FROM messages m LEFT JOIN notifications n ON n.id = m.content_id
            WHERE m.template = 'notification' AND m.status = 'sent' ORDER BY m.sent_at
            """
        )
        return [(row["title"], row["sent_at"] - self.start) for row in rows]

    async def waiting(self) -> Waiting:
        return await control.to_approve(self.pool, (await self.row())["id"])

    async def approve(self, content_hash: str | None = None, **changes: Any) -> str:
        waiting = await self.waiting()
        decision = Decide(step=waiting.step, content_hash=content_hash or waiting.content_hash, by="Olga")
        id_ = (await self.row())["id"]
        return await control.approve(self.house.client, self.pool, id_, decision.model_copy(update=changes))

    async def reject(self, note: str) -> str:
        waiting = await self.waiting()
        decision = Decide(step=waiting.step, content_hash=waiting.content_hash, by="Olga", note=note)
        return await control.reject(self.house.client, self.pool, (await self.row())["id"], decision)

    async def modify(self, **steps: Any) -> None:
        """Somebody changes the timeline."""
        id_ = (await self.row())["id"]
        await control.modify(self.house.client, self.pool, id_, Change(steps=steps, by="Olga"))

    async def revise(self, template: str, **words: Any) -> None:
        """Some program changes the words of a mail."""
        await self.pool.execute("UPDATE email_templates SET slots = slots || $2 WHERE name = $1", template, words)
        await self.house.quiet()

    async def claim(self) -> list[str]:
        """Look at the queue as the dispatcher does; the templates that may go."""
        claimed = await claims.claim(self.pool, "email", rehearsal=True, limit=100)
        return [message.template for batch in claimed.batches for message in batch.messages]

    async def approvals(self) -> list[tuple[str, str]]:
        rows = await self.pool.fetch("SELECT step, status FROM approvals ORDER BY asked_at, decided_at NULLS LAST")
        return [(row["step"], row["status"]) for row in rows]


async def begin(house: House, approval: str | None = "required") -> Launch:
    """Begin it for a copy of an event in thirty days, under the organizer's setting."""
    event = await house.event()
    await house.set_event(event, venue="River Hall", city="Berlin", url="https://river.example")
    await house.set_event(event, register_url="https://river.example/register")
    await house.pool.execute("UPDATE organizers SET postal_address = 'Quay 1, 10115 Berlin'")
    if approval is not None:
        await house.pool.execute(
            "INSERT INTO approval_settings SELECT organizer_id, 'custom', $2 FROM events WHERE id = $1", event, approval
        )
    start = datetime.now(UTC).replace(microsecond=0)
    launch = Launch(house, await rehearsal.copy(house.pool, event, start), start)
    launch.id = await house.begin(launch.event, LAUNCH)
    return launch
