"""Proposals: made of matches, written, followed up by a sequence each, and what becomes of them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import asyncpg

from database import approvals, automations, journal
from database.connection import Connection, Pool
from database.tallies import Change, tally
from models.automation import RULES, Step
from models.definition import to_definition
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


async def begin_sequences(pool: Pool, outreach_id: UUID, timeline: Sequence[Step]) -> int:
    """Make the row of a sequence for each proposal that is written, and the occurrence that starts it; how many there are."""
    async with pool.acquire() as connection, connection.transaction():
        await journal.lock(connection, outreach_id)
        await _be_quiet(connection)
        outreach = await connection.fetchrow(
            "SELECT created_at, approval FROM automation_workflows WHERE id = $1", outreach_id
        )
        assert outreach is not None
        rows = await connection.fetch(
            """
            SELECT p.id, p.event_id, p.slots, s.name, p.approved_hash IS NOT DISTINCT FROM p.content_hash AS approved
            FROM proposals p JOIN sponsors s ON s.id = p.sponsor_id
            WHERE p.outreach_id = $1 AND p.status = 'written' ORDER BY p.rank FOR UPDATE OF p
            """,
            outreach_id,
        )
        for *row, approved in (row.values() for row in rows):
            sequence = await _begin(connection, *row, timeline=timeline, outreach=outreach)
            if approved:
                await approvals.approve_written(connection, sequence, "proposal_email")
        count: int = await connection.fetchval(
            "SELECT count(*) FROM proposals WHERE outreach_id = $1 AND sequence_id IS NOT NULL", outreach_id
        )
    return count


async def _begin(
    connection: Connection,
    proposal_id: UUID,
    event_id: UUID,
    slots: dict[str, Any],
    sponsor: str,
    *,
    timeline: Sequence[Step],
    outreach: asyncpg.Record,
) -> UUID:
    begun = await automations.begin(
        connection,
        workflow_type="sponsor_outreach",
        event_id=event_id,
        subject_id=proposal_id,
        name=f"Sponsor Follow-up: {sponsor}",
        definition=to_definition(timeline),
        steps=timeline,
        rules=RULES,
        since=outreach["created_at"],
        approval=outreach["approval"],
    )
    # The proposal goes out as a campaign's mail does: its words are a row that can be read, approved and revised.
    await connection.execute(
        """
        WITH campaign AS (
            INSERT INTO marketing_campaigns (event_id, automation_id, name, content, channels, status)
            SELECT event_id, id, name, jsonb_build_object('proposal_email', $2::jsonb), '{email}', 'scheduled'
            FROM automation_workflows WHERE id = $1
            ON CONFLICT (automation_id) DO UPDATE SET content = marketing_campaigns.content || excluded.content
            RETURNING id
        ), mail AS (
            INSERT INTO email_templates (campaign_id, name, subject, slots)
            SELECT id, 'proposal_email', $2 ->> 'subject', $2 FROM campaign ON CONFLICT DO NOTHING
        ), taken AS (
            UPDATE proposals SET sequence_id = $1, status = 'active', updated_at = now() WHERE id = $3
        )
        INSERT INTO occurrences (kind, rehearsal, event_id, subject, data, occurred_at)
        SELECT 'sequence_created', rehearsal, event_id, 'proposal/' || $3::uuid, jsonb_build_object('proposal', $3::uuid),
               eventos_now(event_id)
        FROM automation_workflows WHERE id = $1
        """,
        *(begun.id, slots, proposal_id),
    )
    return begun.id


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
        await _be_quiet(connection)
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
    """Make a sponsorship of a proposal, with what its tier owes, once; how many deliverables it has.

    None of them is due in the past: who signs late has three days, and the event's day at the most.
    """
    async with pool.acquire() as connection, connection.transaction():
        await _be_quiet(connection)
        row = await connection.fetchrow(
            "SELECT id, event_id, tier_id, sponsorship_id FROM proposals WHERE sequence_id = $1 FOR UPDATE", sequence_id
        )
        if row is None:
            raise LookupError(f"Automation {sequence_id} follows up no proposal.")
        if row["sponsorship_id"] is None:
            await _sign(connection, row["id"])
        await withdraw(connection, sequence_id, "the sponsor has signed")
        count: int = await connection.fetchval(
            """
            SELECT count(*) FROM sponsor_deliverables d JOIN proposals p ON p.sponsorship_id = d.sponsorship_id WHERE p.id = $1
            """,
            row["id"],
        )
    return count


async def _sign(connection: Connection, proposal_id: UUID) -> None:
    sponsorship_id = await connection.fetchval(
        """
        WITH made AS (
            INSERT INTO sponsorships (event_id, sponsor_id, tier, amount)
            SELECT p.event_id, p.sponsor_id, coalesce(t.name, ''), t.price
            FROM proposals p LEFT JOIN sponsor_tiers t ON t.id = p.tier_id WHERE p.id = $1
            RETURNING id, sponsor_id
        ), won AS (
            UPDATE sponsors s SET status = 'accepted' FROM made WHERE s.id = made.sponsor_id
        )
        UPDATE proposals p SET sponsorship_id = made.id, status = 'signed', updated_at = now() FROM made WHERE p.id = $1
        RETURNING made.id
        """,
        proposal_id,
    )
    await connection.execute(
        """
        INSERT INTO sponsor_deliverables (sponsorship_id, event_id, name, description, deliverable_type, due_date, requires_approval)
        SELECT $2, e.id, d.name, nullif(d.description, ''), d.deliverable_type,
               least(day.event, greatest(day.event - d.days_before, day.today + 3)), d.requires_approval
        FROM proposals p JOIN events e ON e.id = p.event_id JOIN tier_deliverables d ON d.tier_id = p.tier_id
        CROSS JOIN LATERAL (
            SELECT (e.starts_at AT TIME ZONE coalesce(e.timezone, 'UTC'))::date AS event,
                   (eventos_now(e.id) AT TIME ZONE coalesce(e.timezone, 'UTC'))::date AS today
        ) day
        WHERE p.id = $1 ORDER BY d.days_before DESC, d.name
        """,
        *(proposal_id, sponsorship_id),
    )


async def _be_quiet(connection: Connection) -> None:
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
