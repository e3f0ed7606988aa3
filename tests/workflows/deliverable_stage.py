"""A stage for deliverable tracking: one sponsor's contract in a rehearsal, and what the sponsor hands in."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from starter.conductor import conduct
from tests.workflows.house import House, Row

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2027, 3, 1, 12, tzinfo=BERLIN)
DUE = date(2027, 3, 20)

Sent = tuple[str, str, datetime]
"""A template, to whom it went, and when."""


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2027, month, day, hour, minute, tzinfo=BERLIN)


REMINDED = [
    ("deliverable_reminder", "sponsor", at(6, 9)),
    ("deliverable_reminder", "sponsor", at(13, 9)),
    ("deliverable_reminder", "sponsor", at(17, 9)),
    ("deliverable_urgent", "sponsor", at(19, 9)),
    ("deliverable_urgent", "sponsor's phone", at(19, 9)),
]
ALARMED = [
    ("deliverable_overdue", "sponsor", at(20, 23, 59)),
    ("deliverable_overdue_alert", "organizer", at(20, 23, 59)),
]


def thanked(when: datetime) -> Sent:
    return ("deliverable_thank_you", "sponsor", when)


def reviewed(when: datetime) -> Sent:
    return ("deliverable_review", "organizer", when)


@dataclass
class Office:
    """One sponsor's contract on a stepped clock, and what is scripted to happen to it."""

    house: House
    event: UUID
    sponsorship: UUID

    async def owes(self, **columns: Any) -> UUID:
        """One more deliverable; its tracker begins by itself."""
        values = {"name": "Logo", "deliverable_type": "logo", "due_date": DUE} | columns
        names = ["sponsorship_id", "event_id", *values]
        id_: UUID = await self.house.pool.fetchval(
            f"INSERT INTO sponsor_deliverables ({', '.join(names)}) "
            f"VALUES ({', '.join(f'${n}' for n in range(1, len(names) + 1))}) RETURNING id",
            *(self.sponsorship, self.event, *values.values()),
        )
        return id_

    async def set(self, deliverable: UUID, **columns: Any) -> None:
        changes = ", ".join(f"{name} = ${n}" for n, name in enumerate(columns, start=2))
        await self.house.pool.execute(
            f"UPDATE sponsor_deliverables SET {changes} WHERE id = $1", deliverable, *columns.values()
        )

    async def live(self, until: datetime | None = None) -> None:
        """Let time go by, to an instant or until only news could change anything."""
        async with asyncio.timeout(60):
            async for _ in conduct(self.house.pool, self.house.client, self.event, until):
                pass

    async def deliverable(self, id_: UUID) -> Row:
        row = await self.house.pool.fetchrow("SELECT * FROM sponsor_deliverables WHERE id = $1", id_)
        assert row is not None
        return dict(row)

    async def sent(self) -> list[Sent]:
        """What was sent."""
        rows = await self.house.pool.fetch(
            "SELECT template, channel, address, sent_at FROM messages WHERE status = 'sent' ORDER BY sent_at, template, channel"
        )
        who = {"ada@acme.example": "sponsor", "+4917139200001": "sponsor's phone", "hello@river.example": "organizer"}
        return [(row["template"], who[row["address"]], row["sent_at"].astimezone(BERLIN)) for row in rows]


def tracker(deliverable: UUID, generation: int = 1) -> str:
    return f"deliverable_tracking/{deliverable}/{generation}"


async def open_office(working: House) -> Office:
    """An event on a stepped clock whose one sponsor owes nothing yet."""
    event = await working.event(contacts=0, starts_at=START + timedelta(days=60))
    await working.set_event(event, clock_now=START, rehearsal_of=event)
    sponsor, sponsorship = uuid4(), uuid4()
    await working.pool.execute(
        """
        INSERT INTO sponsors (id, organizer_id, name, contact_name, contact_email, contact_phone, whatsapp_opt_in)
        SELECT $1, organizer_id, 'Acme', 'Ada', 'ada@acme.example', '+4917139200001', TRUE FROM events WHERE id = $2
        """,
        *(sponsor, event),
    )
    await working.pool.execute(
        "INSERT INTO sponsorships (id, event_id, sponsor_id, tier) VALUES ($1, $2, $3, 'Gold')",
        *(sponsorship, event, sponsor),
    )
    return Office(working, event, sponsorship)
