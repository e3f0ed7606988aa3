"""A desk with one sponsor's contract on it: deliverables, and trackers without their workflows."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from database.connection import Pool

NOW = datetime(2027, 3, 10, 11, tzinfo=UTC)
DUE = date(2027, 3, 31)


@dataclass
class Desk:
    """One sponsor of one event that lives at `NOW`, in Lisbon."""

    pool: Pool
    event: UUID
    sponsorship: UUID

    async def owes(self, **columns: Any) -> UUID:
        """One more deliverable."""
        values = {"name": "Logo", "deliverable_type": "logo", "due_date": DUE} | columns
        names = ["sponsorship_id", "event_id", *values]
        id_: UUID = await self.pool.fetchval(
            f"INSERT INTO sponsor_deliverables ({', '.join(names)}) "
            f"VALUES ({', '.join(f'${at}' for at in range(1, len(names) + 1))}) RETURNING id",
            *(self.sponsorship, self.event, *values.values()),
        )
        return id_

    async def set(self, deliverable: UUID, **columns: Any) -> None:
        changes = ", ".join(f"{name} = ${at}" for at, name in enumerate(columns, start=2))
        await self.pool.execute(
            f"UPDATE sponsor_deliverables SET {changes} WHERE id = $1", deliverable, *columns.values()
        )

    async def row(self, deliverable: UUID) -> dict[str, Any]:
        row = await self.pool.fetchrow("SELECT * FROM sponsor_deliverables WHERE id = $1", deliverable)
        assert row is not None
        return dict(row)

    async def tracker(self, deliverable: UUID, status: str = "active", generation: int = 1) -> UUID:
        """A tracker's row, without its workflow."""
        id_: UUID = await self.pool.fetchval(
            """
            INSERT INTO automation_workflows (event_id, organizer_id, subject_id, name, workflow_type, definition, status, rules,
                temporal_workflow_id, generation, started_at)
            SELECT e.id, e.organizer_id, $2, 'Deliverable: Logo', 'deliverable_tracking',
                   '{"steps": [{"id": "reminder_3_days", "urgency": "high"}]}', $3, 1, $2::uuid || '/' || $4::int, $4, e.clock_now
            FROM events e WHERE e.id = $1 RETURNING id
            """,
            *(self.event, deliverable, status, generation),
        )
        return id_

    async def message(
        self, tracker: UUID, template: str = "deliverable_reminder", channel: str = "email", log: UUID | None = None
    ) -> tuple[UUID, UUID]:
        """A queued message of a tracker and its journal row."""
        log = log or await self.pool.fetchval(
            """
            INSERT INTO workflow_execution_logs (workflow_id, slot, round, step_id, step_name, action_type, status)
            VALUES ($1, $2, 0, 'reminder_3_days', 'Reminder', 'email', 'running') RETURNING id
            """,
            *(tracker, f"slot-{uuid4()}"),
        )
        id_: UUID = await self.pool.fetchval(
            """
            INSERT INTO messages (key, rehearsal, organizer_id, event_id, automation_id, log_id, step, channel, person_id,
                address, template, release_at)
            SELECT $1, TRUE, a.organizer_id, a.event_id, a.id, $3, 'reminder_3_days', $4, p.sponsor_id,
                   CASE $4 WHEN 'whatsapp' THEN '+4915112345678' ELSE 'ada@acme.example' END, $5, $6
            FROM automation_workflows a JOIN sponsor_deliverables d ON d.id = a.subject_id
            JOIN sponsorships p ON p.id = d.sponsorship_id WHERE a.id = $2 RETURNING id
            """,
            *(str(uuid4()), tracker, log, channel, template, NOW),
        )
        assert log is not None
        return id_, log

    async def heard(self, deliverable: UUID) -> list[tuple[str, UUID | None]]:
        """The occurrences of a deliverable, and the automation that each is for."""
        rows = await self.pool.fetch(
            "SELECT kind, automation_id FROM occurrences WHERE subject = $1 ORDER BY id", f"deliverable/{deliverable}"
        )
        return [(row["kind"], row["automation_id"]) for row in rows]


async def make_desk(pool: Pool) -> Desk:
    """The sponsor `Acme`, in the organizer's portal, on the morning of `NOW`."""
    organizer, event, sponsor, sponsorship = (uuid4() for _ in range(4))
    await pool.execute(
        "INSERT INTO organizers (id, name, email) VALUES ($1, 'River Conferences', 'hello@river.example')", organizer
    )
    await pool.execute(
        """
        INSERT INTO events (id, organizer_id, name, status, timezone, clock_now, details, starts_at, ends_at)
        VALUES ($1, $2, 'River Conf', 'published', 'Europe/Lisbon', $3, $4, $5, $5)
        """,
        *(event, organizer, NOW, {"sponsor_portal_link": "https://river.example/sponsors"}, NOW + timedelta(days=60)),
    )
    # What was copied tells a rehearsal from a real event; here it stands for its own original.
    await pool.execute("UPDATE events SET rehearsal_of = id WHERE id = $1", event)
    await pool.execute(
        """
        INSERT INTO sponsors (id, organizer_id, name, category, contact_name, contact_email, contact_phone, whatsapp_opt_in)
        VALUES ($1, $2, 'Acme', 'Cloud', 'Ada', 'ada@acme.example', '+4917139200001', TRUE)
        """,
        *(sponsor, organizer),
    )
    await pool.execute(
        "INSERT INTO sponsorships (id, event_id, sponsor_id, tier) VALUES ($1, $2, $3, 'Gold')",
        *(sponsorship, event, sponsor),
    )
    return Desk(pool, event, sponsorship)
