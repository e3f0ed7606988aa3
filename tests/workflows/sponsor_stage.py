"""A stage for sponsor outreach: a rehearsal of an event that looks for sponsors, and what its sponsors do."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from starter import rehearsal
from starter.conductor import conduct
from tests.market import Market, insert, make_market
from tests.workflows.house import House, Row

DAY = timedelta(days=1)


class Outreach:
    """A rehearsal of an event whose proposals need no approval."""

    def __init__(self, house: House, event: UUID, start: datetime) -> None:
        self.house, self.pool, self.event, self.start = house, house.pool, event, start

    async def live(self, days: float | None = None) -> None:
        """Live to so many days after the start, or to the end."""
        until = None if days is None else self.start + days * DAY
        async for _ in conduct(self.pool, self.house.client, self.event, until):
            pass

    async def sequences(self) -> dict[str, Row]:
        """The rows of the latest sequences by the sponsor's name."""
        rows = await self.pool.fetch(
            "SELECT * FROM automation_workflows WHERE event_id = $1 AND name LIKE 'Sponsor Follow-up: %' ORDER BY name, generation",
            self.event,
        )
        return {row["name"].removeprefix("Sponsor Follow-up: "): dict(row) for row in rows}

    async def sequence(self, sponsor: str) -> Row:
        return (await self.sequences())[sponsor]

    async def sent(self, sponsor: str) -> dict[str, float]:
        """What went out to a sponsor, and on which day after the start."""
        rows = await self.pool.fetch(
            "SELECT template, sent_at FROM messages WHERE automation_id = $1 AND status = 'sent' ORDER BY sent_at, id",
            (await self.sequence(sponsor))["id"],
        )
        return {row["template"]: round((row["sent_at"] - self.start) / DAY, 3) for row in rows}

    async def letters(self, sponsor: str) -> list[tuple[str, float]]:
        """What went out to a sponsor by all its sequences, in order, and on which day after the start."""
        rows = await self.pool.fetch(
            """
            SELECT m.template, m.sent_at FROM messages m JOIN sponsors s ON s.id = m.person_id
            WHERE m.event_id = $1 AND s.name = $2 AND m.status = 'sent' ORDER BY m.sent_at, m.id
            """,
            *(self.event, sponsor),
        )
        return [(row["template"], round((row["sent_at"] - self.start) / DAY, 3)) for row in rows]

    async def is_now(self, status: str) -> None:
        """The organizer publishes the event, takes it back or cancels it; everybody has heard."""
        await self.house.set_event(self.event, status=status)
        await self.house.quiet()

    async def becomes_sponsor(self, sponsor: str, tier: str = "Gold", amount: int | None = 9000) -> None:
        """The organizer writes down a sponsorship that came about without the sequence."""
        await self.pool.execute(
            """
            INSERT INTO sponsorships (event_id, sponsor_id, tier, amount)
            SELECT event_id, sponsor_id, $2, $3 FROM proposals WHERE sequence_id = $1
            """,
            *((await self.sequence(sponsor))["id"], tier, amount),
        )

    async def became(self, sponsor: str) -> dict[str, str]:
        return await self.house.states((await self.sequence(sponsor))["temporal_workflow_id"])

    async def status(self, sponsor: str) -> tuple[str, str]:
        """The marks of a sponsor and of its proposal."""
        row = await self.pool.fetchrow(
            """
            SELECT s.status AS sponsor, p.status AS proposal FROM proposals p JOIN sponsors s ON s.id = p.sponsor_id
            WHERE p.event_id = $1 AND s.name = $2
            """,
            self.event,
            sponsor,
        )
        assert row is not None
        return row["sponsor"], row["proposal"]

    async def says(self, sponsor: str, status: str) -> None:
        """The EventOS application writes what a sponsor has decided."""
        await self.pool.execute(
            "UPDATE proposals SET status = $2 WHERE sequence_id = $1", (await self.sequence(sponsor))["id"], status
        )

    async def happens(self, sponsor: str, kind: str, **data: Any) -> None:
        """Something becomes of a message, as the webhooks tell it."""
        sequence = await self.sequence(sponsor)
        await insert(
            self.pool,
            "occurrences",
            kind=kind,
            rehearsal=True,
            event_id=self.event,
            automation_id=sequence["id"],
            subject=f"message/{sponsor}",
            data=data,
            occurred_at=await self.pool.fetchval("SELECT clock_now FROM events WHERE id = $1", self.event),
        )

    async def opens(self, sponsor: str, step: str = "send_proposal") -> None:
        await self.happens(sponsor, "message_opened", step=step, round=0)

    async def replies(self, sponsor: str, sender: str, body: str = "Tell me more.", letter: UUID | None = None) -> None:
        """Somebody answers a letter, the last one unless told which."""
        message = letter or await self.pool.fetchval(
            "SELECT id FROM messages WHERE automation_id = $1 ORDER BY sent_at DESC LIMIT 1",
            (await self.sequence(sponsor))["id"],
        )
        delivery = await self.pool.fetchval(
            """
            INSERT INTO webhook_deliveries (provider, rehearsal, delivery_key, body)
            VALUES ('resend', TRUE, gen_random_uuid()::text, '{}') RETURNING id
            """
        )
        values = {"id": delivery, "message_id": message, "sender": sender, "body": body, "automatic": False}
        await insert(self.pool, "replies", **values, replied_at=datetime.now(UTC))
        await self.happens(sponsor, "message_replied", reply=str(delivery))


SPONSORS = ("Stratus Yard", "Millrace", "Brightkiln")


async def begin(
    house: House, approval: str = "auto", sponsors: Sequence[str] = SPONSORS, starts_in: timedelta = 60 * DAY
) -> Outreach:
    """Begin the outreach of a rehearsal to these sponsors, which fit, and one that does not."""
    await house.pool.execute("UPDATE automation_rules SET enabled = FALSE")
    market: Market = await make_market(house.pool)
    await house.pool.execute("DELETE FROM automation_workflows")
    for name in sponsors:
        await market.sponsor(name)
    await market.sponsor("Ravelin Foods", category="catering")
    await house.quiet()
    await house.pool.execute(
        "UPDATE automation_rules SET enabled = TRUE, parameters = $1 WHERE workflow_type = 'sponsor_outreach'",
        {"approval": approval},
    )
    start = datetime.now(UTC).replace(microsecond=0)
    await house.set_event(market.event, starts_at=start + starts_in, ends_at=start + starts_in + DAY)
    return Outreach(house, await rehearsal.copy(house.pool, market.event, start), start)
