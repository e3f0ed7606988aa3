"""Sequences: one follows up each proposal, and another generation of it goes on where the event took the last one with it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from database import approvals, automations, journal
from database.connection import Connection, Pool
from database.proposals import be_quiet
from models.approval import Approval
from models.automation import RULES, Step
from models.definition import to_definition


async def begin(pool: Pool, outreach_id: UUID, timeline: Sequence[Step]) -> int:
    """Make the row of a sequence for each proposal that is written, and the occurrence that starts it; how many there are."""
    async with pool.acquire() as connection, connection.transaction():
        await journal.lock(connection, outreach_id)
        await be_quiet(connection)
        outreach = await connection.fetchrow(
            "SELECT created_at, approval FROM automation_workflows WHERE id = $1", outreach_id
        )
        assert outreach is not None
        rows = await connection.fetch(
            """
            SELECT p.id, p.event_id, p.slots, s.name, p.approved_hash IS NOT DISTINCT FROM p.content_hash AS approved
            FROM proposals p JOIN sponsors s ON s.id = p.sponsor_id
            WHERE p.outreach_id = $1 AND p.status = 'written' AND NOT EXISTS (
                SELECT 1 FROM sponsorships h WHERE h.event_id = p.event_id AND h.sponsor_id = p.sponsor_id)
            ORDER BY p.rank FOR UPDATE OF p
            """,
            outreach_id,
        )
        for row in rows:
            await _begin(connection, row, timeline, outreach["created_at"], outreach["approval"])
        count: int = await connection.fetchval(
            "SELECT count(*) FROM proposals WHERE outreach_id = $1 AND sequence_id IS NOT NULL", outreach_id
        )
    return count


# Of an event that has not begun ($1), what was cancelled for one of these reasons ($2) and is to go on: open proposals' sequences,
_LOST = """
    FROM proposals p JOIN sponsors s ON s.id = p.sponsor_id
    JOIN automation_workflows a ON a.id = p.sequence_id AND a.status = 'cancelled' AND a.cancelled_because = ANY($2)
    JOIN events e ON e.id = p.event_id AND e.starts_at > eventos_now(e.id)
    LEFT JOIN marketing_campaigns c ON c.automation_id = a.id
    LEFT JOIN email_templates t ON t.campaign_id = c.id AND t.name = 'proposal_email'
    WHERE p.event_id = $1 AND p.status = 'active' AND NOT EXISTS (
        SELECT 1 FROM sponsorships h WHERE h.event_id = p.event_id AND h.sponsor_id = p.sponsor_id)
"""
# and the outreach.
_LOST_OUTREACH = """
    FROM events e CROSS JOIN LATERAL (
        SELECT a.status, a.cancelled_because FROM automation_workflows a
        WHERE a.workflow_type = 'sponsor_outreach' AND a.subject_id = e.id ORDER BY a.generation DESC LIMIT 1
    ) last
    WHERE e.id = $1 AND eventos_is_whole(e) AND e.starts_at > eventos_now(e.id)
      AND last.status = 'cancelled' AND last.cancelled_because = ANY($2)
"""


class Lost(NamedTuple):
    """What `take_up` would begin again."""

    outreach: bool
    sequences: int


async def lost(connection: Connection, event_id: UUID, lost_to: Collection[str]) -> Lost:
    """What a publication of an event would take up of its outreach to sponsors."""
    row = await connection.fetchrow(
        f"SELECT EXISTS (SELECT 1 {_LOST_OUTREACH}), (SELECT count(*) {_LOST})", event_id, list(lost_to)
    )
    assert row is not None
    return Lost(*row.values())


async def take_up(
    pool: Pool, event_id: UUID, lost_to: Collection[str], since: datetime, timeline: Sequence[Step]
) -> int:
    """Go on with the outreach to sponsors that was `lost_to` what became of their event; how many sequences begin anew.

    A proposal that is still open gets another generation of its sequence, which repeats nothing that was sent. An outreach that had
    not completed is begun again by its rule. What a person cancelled stays cancelled, and so does everything once the event has begun.
    """
    async with pool.acquire() as connection, connection.transaction():
        await be_quiet(connection)
        rows = await connection.fetch(
            f"""
            SELECT p.id, p.event_id, coalesce(t.slots, p.slots) AS slots, s.name, a.approval,
                   t.approved_hash IS NOT DISTINCT FROM t.content_hash AS approved
            {_LOST}
            ORDER BY p.rank, p.id FOR UPDATE OF p
            """,
            *(event_id, list(lost_to)),
        )
        for row in rows:
            await _begin(connection, row, timeline, since, row["approval"])
        await connection.execute(
            f"""
            INSERT INTO occurrences (kind, rehearsal, event_id, subject, data, occurred_at)
            SELECT 'event_created', e.rehearsal_of IS NOT NULL, e.id, 'event/' || e.id, jsonb_build_object('status', e.status),
                   eventos_now(e.id)
            {_LOST_OUTREACH}
            """,
            *(event_id, list(lost_to)),
        )
    return len(rows)


async def _begin(
    connection: Connection, proposal: asyncpg.Record, timeline: Sequence[Step], since: datetime, approval: Approval
) -> None:
    """Begin the sequence of a proposal with the words it is to send; what was opened before is known to it."""
    begun = await automations.begin(
        connection,
        workflow_type="sponsor_outreach",
        event_id=proposal["event_id"],
        subject_id=proposal["id"],
        name=f"Sponsor Follow-up: {proposal['name']}",
        definition=to_definition(timeline),
        steps=timeline,
        rules=RULES,
        since=since,
        approval=approval,
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
            UPDATE proposals SET sequence_id = $1, status = 'active', updated_at = now() WHERE id = $3 RETURNING opened_at
        )
        INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, data, occurred_at)
        SELECT news.kind, a.rehearsal, a.event_id, news.told, 'proposal/' || $3::uuid, news.data, news.at
        FROM automation_workflows a CROSS JOIN taken CROSS JOIN LATERAL (VALUES
            (1, 'sequence_created', NULL, jsonb_build_object('proposal', $3::uuid), eventos_now(a.event_id)),
            (2, 'message_opened', a.id, jsonb_build_object('step', 'send_proposal'), taken.opened_at)
        ) AS news(place, kind, told, data, at)
        WHERE a.id = $1 AND news.at IS NOT NULL ORDER BY news.place
        """,
        *(begun.id, proposal["slots"], proposal["id"]),
    )
    if proposal["approved"]:
        await approvals.approve_written(connection, begun.id, "proposal_email")


async def present(pool: Pool, sequence_id: UUID) -> UUID | None:
    """The sequence that now follows up what this one did: a later generation, where there is one."""
    present: UUID | None = await pool.fetchval(
        "SELECT p.sequence_id FROM automation_workflows a JOIN proposals p ON p.id = a.subject_id WHERE a.id = $1",
        sequence_id,
    )
    return present
