"""A small world to send messages in: one organizer, one event, contacts, one automation with its words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from database.connection import Connection, Pool
from models.automation import Action, Step
from models.definition import to_definition
from models.messages import Enqueue

STARTS = timedelta(days=60)
EMAIL = Step(
    id="send_announcement",
    name="Send announcement",
    moment="0 hours",
    actions=(Action(verb="email", template="announcement_email", audience="all_contacts"),),
)
WHATSAPP = Step(
    id="send_whatsapp_broadcast",
    name="Send WhatsApp broadcast",
    moment="2 hours",
    actions=(Action(verb="whatsapp", template="whatsapp_broadcast", audience="vip_contacts"),),
)
SOCIAL = Step(
    id="post_social_media",
    name="Post to social media",
    moment="1 hour",
    actions=(Action(verb="social", targets=("linkedin", "twitter", "facebook")),),
)
EMAIL_WORDS = {
    "subject": "{event_name} is coming",
    "preheader": "Two days with the people who build it.",
    "headline": "See you in {event_city}",
    "paragraphs": [
        "Hello {first_name}, we would love to see you.",
        "Talks, workshops and long coffee breaks await you.",
    ],
    "cta_label": "Reserve your seat",
    "highlights": ["Forty speakers", "Hands-on workshops"],
}
WHATSAPP_WORDS = {"opening": "{event_name} is coming.", "message": "We kept a seat for you."}
POST_WORDS = dict.fromkeys(
    ("linkedin", "twitter", "facebook", "linkedin_push", "twitter_push"), "Join us at {event_name} in {event_city}."
)
DETAILS = {"directions": "Tram 4 to the river.", "check_in": "Bring your ticket.", "parking": "Garage below the hall."}


@dataclass
class World:
    """The ids of what was made."""

    pool: Pool
    organizer: UUID
    event: UUID
    automation: UUID
    campaign: UUID
    started: datetime
    contacts: list[UUID] = field(default_factory=list)

    async def contact(self, email: str | None, phone: str | None = None, **columns: Any) -> UUID:
        """One more contact of the organizer."""
        values = {"first_name": "Ada", "vip": phone is not None, "whatsapp_opt_in": phone is not None} | columns
        names = ["id", "organizer_id", "email", "phone", *values]
        id_ = uuid4()
        await self.pool.execute(
            f"INSERT INTO contacts ({', '.join(names)}) VALUES ({', '.join(f'${n}' for n in range(1, len(names) + 1))})",
            *(id_, self.organizer, email, phone, *values.values()),
        )
        self.contacts.append(id_)
        return id_

    async def people(self, count: int, domain: str = "people.example") -> None:
        """Many more contacts, person-1 to person-n."""
        await self.pool.execute(
            """
            INSERT INTO contacts (organizer_id, email, first_name, company)
            SELECT $1, 'person-' || n || '@' || $3::text, 'Person ' || n, 'Company ' || n % 100 FROM generate_series(1, $2) n
            """,
            self.organizer,
            count,
            domain,
        )

    async def begin(self, kind: str, subject: UUID, steps: Sequence[Step], status: str = "active") -> UUID:
        """One more automation of the event, as its row would be."""
        id_ = uuid4()
        await self.pool.execute(
            """
            INSERT INTO automation_workflows (id, event_id, organizer_id, subject_id, name, workflow_type, definition, status,
                rules, temporal_workflow_id, started_at)
            VALUES ($1, $2, $3, $4, $5, $5, $6, $7, 1, $8, now())
            """,
            *(id_, self.event, self.organizer, subject, kind, to_definition(steps), status, str(id_)),
        )
        return id_

    def request(self, step: Step = EMAIL, **changes: Any) -> Enqueue:
        """What a player would ask for this step."""
        now = changes.pop("now", None) or datetime.now(UTC)
        fields: dict[str, Any] = {"round": 0, "due": now, "now": now, "date_revision": 0, "tell": True} | changes
        return Enqueue(automation_id=self.automation, event_id=self.event, step=step, **fields)

    async def messages(self, *statuses: str) -> list[dict[str, Any]]:
        """The messages in the ledger, by address."""
        rows = await self.pool.fetch(
            "SELECT * FROM messages WHERE event_id = $1 AND template <> 'notification' "
            "AND (cardinality($2::text[]) = 0 OR status = ANY($2)) ORDER BY address",
            self.event,
            list(statuses),
        )
        return [dict(row) for row in rows]

    async def counts(self) -> dict[str, int]:
        """How many messages of steps there are of each status; notices to the organizer are none."""
        rows = await self.pool.fetch(
            "SELECT status, count(*) FROM messages WHERE event_id = $1 AND template <> 'notification' GROUP BY 1",
            self.event,
        )
        return {row["status"]: row["count"] for row in rows}

    async def journal(self, step: Step = EMAIL) -> dict[str, Any]:
        """The latest row of a step."""
        row = await self.pool.fetchrow(
            "SELECT * FROM workflow_execution_logs WHERE workflow_id = $1 AND step_id = $2 ORDER BY round DESC LIMIT 1",
            self.automation,
            step.id,
        )
        assert row is not None, f"{step.id} is not in the journal"
        return dict(row)

    async def row(self) -> dict[str, Any]:
        """The automation's row."""
        row = await self.pool.fetchrow("SELECT * FROM automation_workflows WHERE id = $1", self.automation)
        assert row is not None
        return dict(row)

    async def settled(self) -> list[dict[str, Any]]:
        """What the player was told of settled steps."""
        rows = await self.pool.fetch(
            "SELECT * FROM occurrences WHERE automation_id = $1 AND kind = 'step_settled'", self.automation
        )
        return [dict(row) for row in rows]

    async def set_event(self, **columns: Any) -> None:
        """Change the event's row."""
        await self._set("events", self.event, columns)

    async def set_organizer(self, **columns: Any) -> None:
        """Change the organizer's row."""
        await self._set("organizers", self.organizer, columns)

    async def set_automation(self, **columns: Any) -> None:
        """Change the automation's row."""
        await self._set("automation_workflows", self.automation, columns)

    async def _set(self, table: str, id_: UUID, columns: dict[str, Any]) -> None:
        changes = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, start=2))
        await self.pool.execute(f"UPDATE {table} SET {changes} WHERE id = $1", id_, *columns.values())


async def make_world(pool: Pool, *, clock: datetime | None = None) -> World:
    """A published event with a running launch; with `clock` it is a rehearsal that lives at that instant."""
    organizer, event, automation, campaign = uuid4(), uuid4(), uuid4(), uuid4()
    started = clock or datetime.now(UTC)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            """
            INSERT INTO organizers (id, name, email, postal_address, whatsapp_content)
            VALUES ($1, 'River Conferences', 'hello@river.example', '1 River Street, Berlin', $2)
            """,
            organizer,
            {"whatsapp_broadcast": f"HX{0:032x}", "final_reminder": f"HX{1:032x}"},
        )
        await _event(connection, event, organizer, started, clock)
        await connection.execute(
            """
            INSERT INTO automation_workflows (id, event_id, organizer_id, subject_id, name, workflow_type, definition, status,
                steps_total, rules, temporal_workflow_id, started_at, rehearsal)
            VALUES ($1, $2, $3, $2, 'Event Launch: River Conf', 'event_launch', $7, 'active', 3, 1, $4, $5, $6)
            """,
            *(automation, event, organizer, f"event_launch/{event}/1", started, clock is not None),
            to_definition((EMAIL, SOCIAL, WHATSAPP)),
        )
        await connection.execute(
            "INSERT INTO marketing_campaigns (id, event_id, automation_id, name, status) VALUES ($1, $2, $3, 'Launch', 'scheduled')",
            *(campaign, event, automation),
        )
        await connection.execute(
            """
            INSERT INTO email_templates (campaign_id, name, subject, slots, content_hash)
            SELECT $1, name, 'Hello', $2, 'hash' FROM unnest($3::text[]) AS name
            """,
            *(campaign, EMAIL_WORDS, ["announcement_email", "reminder_email", "last_chance_email", "final_reminder"]),
        )
        await connection.execute(
            """
            INSERT INTO whatsapp_campaigns (campaign_id, name, slots, content_hash)
            SELECT $1, name, $2, 'hash' FROM unnest($3::text[]) AS name
            """,
            *(campaign, WHATSAPP_WORDS, ["whatsapp_broadcast", "final_reminder"]),
        )
        await connection.execute(
            """
            INSERT INTO social_posts (campaign_id, step, platform, variant, slots, content_hash)
            SELECT $1, 'post_social_media', name, name, $2, 'hash' FROM unnest($3::text[]) AS name
            """,
            *(campaign, POST_WORDS, ["linkedin", "twitter", "facebook"]),
        )
    return World(pool, organizer, event, automation, campaign, started)


async def _event(
    connection: Connection, event: UUID, organizer: UUID, started: datetime, clock: datetime | None
) -> None:
    await connection.execute(
        """
        INSERT INTO events (id, organizer_id, name, tagline, status, starts_at, ends_at, timezone, venue, city, address, url,
            register_url, price, details, clock_now)
        VALUES ($1, $2, 'River Conf', 'Two days by the river', 'published', $3, $4, 'Europe/Berlin', 'Harbour Hall', 'Berlin',
            '2 Harbour Road, Berlin', 'https://river.example', 'https://river.example/register', 'EUR 290', $5, $6)
        """,
        *(event, organizer, started + STARTS, started + STARTS + timedelta(days=1, hours=8), DETAILS, clock),
    )
    if clock is not None:
        # A rehearsal is told from a real event by what it was copied from; here it stands for its own original.
        await connection.execute("UPDATE events SET rehearsal_of = id WHERE id = $1", event)
