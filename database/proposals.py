"""Proposals: made of matches, written, and what becomes of them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from database import journal
from database.connection import Connection, Pool
from database.sponsors import TIERS
from database.tallies import Change, tally
from models.matching import Match

Mark = Literal["warm", "hot", "declined", "accepted"]

STATUS: Mapping[Mark, str] = {"hot": "responded", "declined": "declined", "accepted": "accepted"}
"""What a mark makes of a proposal; one that is warm is as active as before."""

OVERRULES: Mapping[Mark, Collection[str]] = {
    "warm": ("new", "declined"),
    "hot": ("new", "warm", "declined"),
    "declined": ("new", "warm", "hot", "accepted"),
    "accepted": ("new", "warm", "hot", "declined"),
}
"""The marks that a later one takes the place of: somebody who has answered is never merely warm again."""


class Proposal(NamedTuple):
    """One proposal, with what is known of its sponsor and what it offers."""

    id: UUID
    event_id: UUID
    sponsor_id: UUID
    sponsor: str
    contact_name: str
    contact_email: str
    category: str
    industry: str
    rank: int
    score: int
    score_parts: list[dict[str, Any]]
    rationale: str | None
    tier: str
    benefits: list[str]
    slots: dict[str, Any] | None
    status: str
    meeting_url: str


_PROPOSAL = """
    SELECT p.id, p.event_id, p.sponsor_id, s.name AS sponsor, s.contact_name, s.contact_email, s.category, s.industry, p.rank,
           p.score, p.score_parts, p.rationale, coalesce(t.name, '') AS tier, coalesce(t.benefits, '{}') AS benefits, p.slots,
           p.status, coalesce(e.details ->> 'meeting_link', '') AS meeting_url
    FROM proposals p JOIN sponsors s ON s.id = p.sponsor_id JOIN events e ON e.id = p.event_id
    LEFT JOIN sponsor_tiers t ON t.id = p.tier_id
"""


async def ranked(pool: Pool, outreach_id: UUID, rank: int) -> Proposal | None:
    """The proposal to an outreach's match of that rank; None if it found fewer."""
    row = await pool.fetchrow(f"{_PROPOSAL} WHERE p.outreach_id = $1 AND p.rank = $2", outreach_id, rank)
    return None if row is None else Proposal(*row.values())


async def followed_by(pool: Pool | Connection, sequence_id: UUID) -> Proposal | None:
    """The proposal that a sequence follows up."""
    row = await pool.fetchrow(f"{_PROPOSAL} WHERE p.sequence_id = $1", sequence_id)
    return None if row is None else Proposal(*row.values())


async def followed(pool: Pool, sequence_ids: Collection[UUID]) -> dict[UUID, Proposal]:
    """The proposals that these sequences follow up; other automations have no entry."""
    rows = await pool.fetch(
        f"SELECT x.sequence_id AS sequence, y.* FROM proposals x JOIN ({_PROPOSAL}) y ON y.id = x.id WHERE x.sequence_id = ANY($1)",
        list(sequence_ids),
    )
    return {row["sequence"]: Proposal(*list(row.values())[1:]) for row in rows}


async def keep_matches(pool: Pool, outreach_id: UUID, event_id: UUID, matches: Sequence[Match]) -> int:
    """Keep what an outreach found, once; how many. What an earlier one found is forgotten, unless somebody was written to."""
    async with pool.acquire() as connection, connection.transaction():
        await journal.lock(connection, outreach_id)
        known: int = await connection.fetchval("SELECT count(*) FROM proposals WHERE outreach_id = $1", outreach_id)
        if known:
            return known
        await connection.execute(
            "DELETE FROM proposals WHERE event_id = $1 AND status IN ('matched', 'written')", event_id
        )
        await connection.executemany(
            """
            INSERT INTO proposals (event_id, sponsor_id, outreach_id, rank, score, score_parts, tier_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            -- its sequence was cancelled: the same proposal is made anew, and what it has sent is not sent again
            ON CONFLICT (event_id, sponsor_id) DO UPDATE
            SET outreach_id = excluded.outreach_id, sequence_id = NULL, rank = excluded.rank, score = excluded.score,
                score_parts = excluded.score_parts, tier_id = excluded.tier_id, rationale = NULL, slots = NULL,
                status = 'matched', updated_at = now()
            """,
            [
                (
                    event_id,
                    one.sponsor_id,
                    outreach_id,
                    rank,
                    one.score,
                    one.model_dump(mode="json")["parts"],
                    one.tier_id,
                )
                for rank, one in enumerate(matches, start=1)
            ],
        )
    return len(matches)


async def keep_rationale(pool: Pool, proposal_id: UUID, rationale: str, usage: Mapping[str, Any]) -> None:
    """Keep why a sponsor was proposed, in the model's words, and what these have cost."""
    await pool.execute(
        """
        UPDATE proposals SET rationale = $2, usage = usage || jsonb_build_object('rationale', $3::jsonb), updated_at = now()
        WHERE id = $1
        """,
        *(proposal_id, rationale, dict(usage)),
    )


async def keep_words(pool: Pool, proposal_id: UUID, slots: Mapping[str, Any], usage: Mapping[str, Any]) -> None:
    """Keep the words of a proposal that nobody has been sent yet."""
    await pool.execute(
        """
        UPDATE proposals
        SET slots = $2, usage = usage || jsonb_build_object('proposal', $3::jsonb), status = 'written', updated_at = now()
        WHERE id = $1 AND status IN ('matched', 'written')
        """,
        *(proposal_id, dict(slots), dict(usage)),
    )


async def opened(pool: Pool, sequence_id: UUID, at: datetime) -> None:
    """Note when a proposal was first opened."""
    await pool.execute(
        "UPDATE proposals SET opened_at = least(opened_at, $2), updated_at = now() WHERE sequence_id = $1",
        sequence_id,
        at,
    )


async def mark(pool: Pool, sequence_id: UUID, mark: Mark) -> str:
    """Mark the sponsor of a sequence, and its proposal; whoever has answered gets no more of what lies in the queue."""
    async with pool.acquire() as connection, connection.transaction():
        await be_quiet(connection)
        status = STATUS.get(mark)
        sponsor: UUID | None = await connection.fetchval(
            """
            UPDATE proposals SET status = CASE WHEN status = 'signed' THEN status ELSE coalesce($2, status) END, updated_at = now()
            WHERE sequence_id = $1 RETURNING sponsor_id
            """,
            *(sequence_id, status),
        )
        if sponsor is None:
            raise LookupError(f"Automation {sequence_id} follows up no proposal.")
        await connection.execute(
            "UPDATE sponsors SET status = $2 WHERE id = $1 AND status = ANY($3)", sponsor, mark, list(OVERRULES[mark])
        )
        if status is not None:
            await withdraw(connection, sequence_id, f"the sponsor has {status}")
    return mark


async def withdraw(connection: Connection, sequence_id: UUID, why: str) -> int:
    """Cancel what a sequence still has in the queue; how many messages."""
    moved = await connection.fetch(
        """
        UPDATE messages SET status = 'cancelled', reason = $2 WHERE automation_id = $1 AND status = 'queued'
        RETURNING log_id, channel, counted
        """,
        *(sequence_id, why),
    )
    counts = Counter((row["channel"], row["log_id"], row["counted"]) for row in moved)
    for (channel, log_id, counted), n in counts.items():
        await tally(connection, [Change(log_id, "queued", "cancelled", counted, why, n)], channel)
    return len(moved)


async def sign(pool: Pool, sequence_id: UUID) -> int:
    """Make a sponsorship of a proposal, with what its tier owes, once; how many deliverables it has. One that is there is adopted.

    None of them is due in the past: who signs late has three days, and the event's day at the most.
    """
    async with pool.acquire() as connection, connection.transaction():
        await be_quiet(connection)
        row = await connection.fetchrow(
            "SELECT id, event_id, sponsorship_id FROM proposals WHERE sequence_id = $1 FOR UPDATE", sequence_id
        )
        if row is None:
            raise LookupError(f"Automation {sequence_id} follows up no proposal.")
        if row["sponsorship_id"] is None:
            await _sign(connection, row["id"], row["event_id"])
        await withdraw(connection, sequence_id, "the sponsor has signed")
        count: int = await connection.fetchval(
            """
            SELECT count(*) FROM sponsor_deliverables d JOIN proposals p ON p.sponsorship_id = d.sponsorship_id WHERE p.id = $1
            """,
            row["id"],
        )
    return count


async def _sign(connection: Connection, proposal_id: UUID, event_id: UUID) -> None:
    """Adopt the sponsorship that somebody made of it elsewhere, or make it; add what its tier owes and it has not."""
    sponsorship_id = await connection.fetchval(
        """
        WITH there AS (
            SELECT h.id, h.sponsor_id FROM proposals p
            JOIN sponsorships h ON h.event_id = p.event_id AND h.sponsor_id = p.sponsor_id
            WHERE p.id = $1 ORDER BY h.created_at, h.id LIMIT 1
        ), made AS (
            INSERT INTO sponsorships (event_id, sponsor_id, tier, amount)
            SELECT p.event_id, p.sponsor_id, coalesce(t.name, ''), t.price
            FROM proposals p LEFT JOIN sponsor_tiers t ON t.id = p.tier_id WHERE p.id = $1 AND NOT EXISTS (SELECT 1 FROM there)
            RETURNING id, sponsor_id
        ), signed AS (
            SELECT * FROM there UNION ALL SELECT * FROM made
        ), won AS (
            UPDATE sponsors s SET status = 'accepted' FROM signed WHERE s.id = signed.sponsor_id
        )
        UPDATE proposals p SET sponsorship_id = signed.id, status = 'signed', updated_at = now() FROM signed WHERE p.id = $1
        RETURNING signed.id
        """,
        proposal_id,
    )
    # An adopted sponsorship owes what its own tier owes; the proposal's is only offered.
    await connection.execute(
        f"""
        WITH offered AS ({TIERS}), owed AS (
            SELECT t.id FROM proposals p JOIN sponsorships h ON h.id = $3
            JOIN sponsor_tiers t ON t.id = p.tier_id OR t.id IN (SELECT id FROM offered)
            WHERE p.id = $2 AND CASE WHEN h.tier = '' THEN t.id = p.tier_id ELSE lower(t.name) = lower(btrim(h.tier)) END
            ORDER BY t.id = p.tier_id DESC LIMIT 1
        )
        INSERT INTO sponsor_deliverables (sponsorship_id, event_id, name, description, deliverable_type, due_date, requires_approval)
        SELECT $3, e.id, d.name, nullif(d.description, ''), d.deliverable_type,
               least(day.event, greatest(day.event - d.days_before, day.today + 3)), d.requires_approval
        FROM owed JOIN tier_deliverables d ON d.tier_id = owed.id JOIN events e ON e.id = $1
        CROSS JOIN LATERAL (
            SELECT (e.starts_at AT TIME ZONE coalesce(e.timezone, 'UTC'))::date AS event,
                   (eventos_now(e.id) AT TIME ZONE coalesce(e.timezone, 'UTC'))::date AS today
        ) day
        WHERE NOT EXISTS (SELECT 1 FROM sponsor_deliverables has
                          WHERE has.sponsorship_id = $3 AND lower(btrim(has.name)) = lower(d.name))
        ORDER BY d.days_before DESC, d.name
        """,
        *(event_id, proposal_id, sponsorship_id),
    )


async def be_quiet(connection: Connection) -> None:
    """What is written in this transaction is no news for the sequence that writes it."""
    await connection.execute("SELECT set_config('eventos.by_sequence', 'on', TRUE)")


class Answer(NamedTuple):
    """An answer to a message of a sequence, and the address that was written to."""

    sender: str
    body: str
    written_to: str


async def answer(pool: Pool, reply_id: UUID) -> Answer | None:
    """An answer by its id."""
    row = await pool.fetchrow(
        "SELECT r.sender, r.body, m.address FROM replies r JOIN messages m ON m.id = r.message_id WHERE r.id = $1",
        reply_id,
    )
    return None if row is None else Answer(*row.values())
