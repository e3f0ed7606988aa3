"""A market for sponsors: an event that looks for them, its organizer, and an outreach that has begun."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from database import proposals, sequences, sponsors
from database.connection import Pool
from models.matching import best
from workflows.sponsor_outreach import SEQUENCE

SLOTS = {"subject": "An idea", "opening": "O", "why_you": "W", "offer": "F", "next_step": "N"}
NOW = datetime.now(UTC)


@dataclass
class Market:
    """The ids of what was made, and ways to make more."""

    pool: Pool
    organizer: UUID = field(default_factory=uuid4)
    event: UUID = field(default_factory=uuid4)
    outreach: UUID = field(default_factory=uuid4)

    async def sponsor(self, name: str, **columns: Any) -> UUID:
        id_ = uuid4()
        domain = name.lower().replace(" ", "")
        values = {"category": "cloud", "contact_name": "Ada Nowak", "contact_email": f"ada@{domain}.example"} | columns
        await insert(self.pool, "sponsors", id=id_, organizer_id=self.organizer, name=name, **values)
        return id_

    async def automation(self, subject: UUID, **columns: Any) -> UUID:
        id_ = uuid4()
        values = {"id": id_, "event_id": self.event, "name": "Sponsor Outreach", "workflow_type": "sponsor_outreach"}
        values |= {"definition": {"steps": []}, "subject_id": subject, "rules": 1}
        await insert(self.pool, "automation_workflows", **values, temporal_workflow_id=f"x/{id_}", **columns)
        return id_

    async def matched(self) -> list[dict[str, Any]]:
        """Find matches as the step does, and read what was kept."""
        found = best(await sponsors.sought(self.pool, self.event), await sponsors.candidates(self.pool, self.event))
        await proposals.keep_matches(self.pool, self.outreach, self.event, found)
        return [dict(row) for row in await self.pool.fetch("SELECT * FROM proposals ORDER BY rank")]

    async def followed(self) -> list[dict[str, Any]]:
        """Matches, written and with a sequence each."""
        for row in await self.matched():
            await proposals.keep_words(self.pool, row["id"], SLOTS, {"output_tokens": 9})
        await sequences.begin(self.pool, self.outreach, SEQUENCE)
        return [dict(row) for row in await self.pool.fetch("SELECT * FROM proposals ORDER BY rank")]

    async def occurrences(self, like: str = "sponsor_%") -> list[dict[str, Any]]:
        rows = await self.pool.fetch("SELECT * FROM occurrences WHERE kind LIKE $1 ORDER BY id", like)
        return [dict(row) for row in rows]


async def insert(pool: Pool, table: str, **values: Any) -> None:
    places = ", ".join(f"${at}" for at in range(1, len(values) + 1))
    await pool.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", *values.values())


async def make_market(pool: Pool) -> Market:
    """An event in sixty days, without sponsors yet."""
    market = Market(pool)
    await insert(
        pool,
        "organizers",
        id=market.organizer,
        name="River Conferences",
        email="hello@river.example",
        postal_address="Quay 1, 10115 Berlin",
    )
    await insert(
        pool,
        "events",
        id=market.event,
        organizer_id=market.organizer,
        name="River Conf",
        venue="River Hall",
        city="Berlin",
        starts_at=NOW + timedelta(days=60),
        ends_at=NOW + timedelta(days=61),
        timezone="Europe/Berlin",
        sponsor_categories=["cloud", "hiring"],
    )
    market.outreach = await market.automation(market.event)
    return market
