"""A stage for attendees: one event on a stepped clock, who registers for it, and what happens to them and to it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from starter.conductor import conduct
from tests.workflows.detours import outage
from tests.workflows.house import House, Row

BERLIN = ZoneInfo("Europe/Berlin")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DATE = datetime(2027, 6, 9, 11, tzinfo=BERLIN)
END = DATE + 8 * HOUR

START = datetime(2027, 4, 10, 12, tzinfo=BERLIN)

EARLY = [
    ("registration_confirmation", START),
    ("welcome_preparation", START + 7 * DAY),
    ("speaker_highlights", START + 14 * DAY),
    ("detailed_schedule", DATE - 7 * DAY),
    ("logistics_reminder", DATE - 3 * DAY),
]


def ending(date: datetime = DATE) -> list[tuple[str, datetime]]:
    """The last mails before an event on that date, and those that follow it."""
    end = date + (END - DATE)
    return [
        ("final_details", date - DAY),
        ("day_of_welcome", date.replace(hour=7)),
        ("thank_you_survey", end + DAY),
        ("content_recap", end + 7 * DAY),
        ("community_next_event", end + 30 * DAY),
    ]


@dataclass
class Guests:
    """A published event on 9 June 2027 from 11:00 to 19:00 in Berlin, and nothing but attendee engagement."""

    house: House
    event: UUID

    async def register(self, name: str = "ada", **columns: Any) -> UUID:
        """Somebody registers; their automation begins by itself."""
        contact = await self.house.pool.fetchval(
            """
            INSERT INTO contacts (organizer_id, email, phone, first_name, last_name, whatsapp_opt_in)
            SELECT organizer_id, $2 || '@people.example', '+4917139200001', initcap($2), 'Lovelace', TRUE FROM events WHERE id = $1
            RETURNING id
            """,
            *(self.event, name),
        )
        values = {"event_id": self.event, "contact_id": contact} | columns
        id_: UUID = await self.house.pool.fetchval(
            f"INSERT INTO registrations ({', '.join(values)}) "
            f"VALUES ({', '.join(f'${n}' for n in range(1, len(values) + 1))}) RETURNING id",
            *values.values(),
        )
        return id_

    async def set(self, registration: UUID, **columns: Any) -> None:
        changes = ", ".join(f"{name} = ${n}" for n, name in enumerate(columns, start=2))
        await self.house.pool.execute(
            f"UPDATE registrations SET {changes} WHERE id = $1", registration, *columns.values()
        )

    async def move(self, by: timedelta) -> None:
        """The event is moved by so much from 9 June."""
        await self.house.set_event(self.event, starts_at=DATE + by, ends_at=END + by)

    async def live(self, until: datetime | None = None) -> None:
        """Let time go by, to an instant or until only news could change anything."""
        async with asyncio.timeout(90):
            async for _ in conduct(self.house.pool, self.house.client, self.event, until):
                pass

    async def away(self, until: datetime) -> None:
        """Nobody is at work until then; what comes due meanwhile is seen afterwards."""
        await outage(self.house, self.event, until)

    async def sent(self, registration: UUID | None = None) -> list[tuple[str, datetime]]:
        """What went out by mail, and when; of one registration or of all."""
        rows = await self.house.pool.fetch(
            """
            SELECT m.step, m.sent_at FROM messages m JOIN automation_workflows a ON a.id = m.automation_id
            WHERE m.status = 'sent' AND m.channel = 'email' AND a.event_id = $1 AND a.subject_id = coalesce($2, a.subject_id)
            ORDER BY m.sent_at, m.priority, m.step
            """,
            *(self.event, registration),
        )
        return [(row["step"], row["sent_at"].astimezone(BERLIN)) for row in rows]

    async def became(self, registration: UUID, generation: int = 1) -> dict[str, str]:
        """How each step stands, with the reason if there is one."""
        return await self.house.states(engagement(registration, generation))

    async def row(self, registration: UUID, generation: int = 1) -> Row:
        return await self.house.row(engagement(registration, generation))


def engagement(registration: UUID, generation: int = 1) -> str:
    return f"attendee_nurture/{registration}/{generation}"


async def welcome(house: House, start: datetime, status: str = "published") -> Guests:
    """The event as it stands at `start`."""
    await house.pool.execute("UPDATE automation_rules SET enabled = FALSE WHERE workflow_type <> 'attendee_nurture'")
    event = await house.event(contacts=0, starts_at=DATE, ends_at=END)
    await house.set_event(event, clock_now=start, rehearsal_of=event)
    if status != "draft":
        await house.set_event(event, status=status)
    return Guests(house, event)
