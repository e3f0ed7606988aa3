"""The subject of an automation as conditions see it: the columns of its row, as text."""

from collections.abc import Collection
from uuid import UUID

from database.connection import Connection, Pool

_ROWS = """
    SELECT a.id, to_jsonb(s) AS columns FROM automation_workflows a JOIN registrations s ON s.id = a.subject_id
    WHERE a.id = ANY($1) AND a.workflow_type = 'attendee_nurture'
    UNION ALL
    SELECT a.id, to_jsonb(s) FROM automation_workflows a JOIN sponsor_deliverables s ON s.id = a.subject_id
    WHERE a.id = ANY($1) AND a.workflow_type = 'deliverable_tracking'
    UNION ALL
    SELECT a.id, to_jsonb(s) FROM automation_workflows a JOIN proposals s ON s.id = a.subject_id
    WHERE a.id = ANY($1) AND a.workflow_type = 'sponsor_outreach' AND a.subject_id <> a.event_id
    UNION ALL
    SELECT a.id, to_jsonb(s) FROM automation_workflows a JOIN events s ON s.id = a.event_id
    WHERE a.id = ANY($1) AND a.workflow_type NOT IN ('attendee_nurture', 'deliverable_tracking')
      AND (a.workflow_type <> 'sponsor_outreach' OR a.subject_id = a.event_id)
"""
"""A registration, a deliverable, a proposal; every other automation is about its event."""


async def read(pool: Pool | Connection, ids: Collection[UUID], named: Collection[str]) -> dict[UUID, dict[str, str]]:
    """These columns of the subject of each automation; one that is empty has no entry."""
    found: dict[UUID, dict[str, str]] = {id_: {} for id_ in ids}
    if not named or not ids:
        return found
    rows = await pool.fetch(
        f"""
        SELECT subject.id, key, value FROM ({_ROWS}) subject, jsonb_each_text(subject.columns)
        WHERE key = ANY($2) AND value IS NOT NULL
        """,
        list(ids),
        list(named),
    )
    for row in rows:
        found[row["id"]][row["key"]] = row["value"]
    return found


async def columns(pool: Pool | Connection, automation_id: UUID) -> list[str]:
    """The columns that the conditions of an automation may name."""
    rows = await pool.fetch(
        f"SELECT jsonb_object_keys(subject.columns) AS name FROM ({_ROWS}) subject", [automation_id]
    )
    return sorted(row["name"] for row in rows)
