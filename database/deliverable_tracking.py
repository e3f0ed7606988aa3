"""Deliverables as their trackers see them: who is written to, what the words speak of, and what a tracker changes."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple
from uuid import UUID

from database import notifications
from database.connection import Pool

SPONSOR = """
    SELECT s.id AS person_id, s.contact_email AS email, s.contact_phone AS phone
    FROM scope JOIN sponsor_deliverables d ON d.id = scope.subject_id
    JOIN sponsorships p ON p.id = d.sponsorship_id JOIN sponsors s ON s.id = p.sponsor_id
"""
"""The subject's own address: the sponsor's contact."""

CHASING = ("deliverable_reminder", "deliverable_urgent", "deliverable_overdue", "deliverable_overdue_alert")
"""The messages that ask for what is owed, or complain of it."""

TEMPLATES = (
    *CHASING,
    "deliverable_review",
    "deliverable_rejected",
    "deliverable_thank_you",
)
"""The messages of a tracker: all speak of its deliverable."""

# Read when a message is queued: the tracker itself may not have heard of the hand-in yet.
STILL_TRUE = f"""
    NOT (scope.template IN {CHASING} AND EXISTS (
        SELECT 1 FROM sponsor_deliverables h WHERE h.id = scope.subject_id AND h.status IN ('submitted', 'approved')))
"""

HANDED_IN = f"""(
    m.template IN {CHASING} AND EXISTS (
        SELECT 1 FROM sponsor_deliverables h WHERE h.id = a.subject_id AND h.status IN ('submitted', 'approved'))
)"""
"""Asked again when a message is claimed: what was decided while the hand-in was being written has not seen it."""

SUBJECT = f"{SPONSOR} WHERE {STILL_TRUE}"
"""Whom a tracker writes to unless a step says otherwise: who has handed in is not chased."""

AUDIENCES = {
    "sponsor": SPONSOR,
    "sponsor_not_yet_thanked": f"""
        {SPONSOR}
        WHERE NOT EXISTS (
            SELECT 1 FROM automation_workflows a
            JOIN workflow_execution_logs l ON l.workflow_id = a.id JOIN messages m ON m.log_id = l.id
            WHERE a.workflow_type = 'deliverable_tracking' AND a.subject_id = d.id AND m.template = 'deliverable_thank_you'
              AND m.status NOT IN ('failed', 'skipped', 'cancelled')
              AND m.created_at >= coalesce(d.submitted_at, '-infinity'))
    """,
    "sponsor_of_rejected": f"{SPONSOR} WHERE d.status = 'rejected'",
    "the_organizer": f"""
        SELECT o.id AS person_id, o.email, NULL::text AS phone FROM scope JOIN organizers o ON o.id = scope.organizer_id
        WHERE {STILL_TRUE}
    """,
    "organizer_who_approves": """
        SELECT o.id AS person_id, o.email, NULL::text AS phone
        FROM scope JOIN sponsor_deliverables d ON d.id = scope.subject_id AND d.requires_approval
        JOIN organizers o ON o.id = scope.organizer_id
    """,
}
"""Audiences of a deliverable. Their names are what the journal says when nobody is in them."""


def copies(shadow: Callable[[str], str]) -> list[str]:
    """The statements that copy an event's sponsors and what they owe into a rehearsal; reminders are counted anew."""
    return [
        f"""
        INSERT INTO sponsor_deliverables (id, sponsorship_id, event_id, name, description, deliverable_type, due_date,
            submitted_date, status, file_url, file_type, file_size_bytes, requires_approval, rejection_reason, metadata)
        SELECT {shadow("d.id")}, {shadow("d.sponsorship_id")}, {shadow("d.event_id")}, d.name, d.description,
               d.deliverable_type, d.due_date, d.submitted_date, d.status, d.file_url, d.file_type, d.file_size_bytes,
               d.requires_approval, d.rejection_reason, d.metadata
        FROM sponsor_deliverables d WHERE d.event_id = $2
        """,
    ]


class Facts(NamedTuple):
    """What a tracker's message may speak of beside event and reader."""

    deliverable: dict[str, Any]
    """The keys are those of `DeliverableFacts`."""
    sponsor: dict[str, Any]
    """The keys are those of `SponsorFacts`."""
    review_url: str
    why: str
    """Why the reader gets the message."""


async def facts(pool: Pool, message_ids: Collection[UUID]) -> dict[UUID, Facts]:
    """The facts of each message of a tracker, as they are now; days are counted in the event's zone.

    How urgent a message sounds is said by its step. Messages of other automations have no entry.
    """
    rows = await pool.fetch(
        """
        SELECT m.id,
               jsonb_build_object(
                   'name', d.name, 'type', d.deliverable_type, 'rejection_reason', coalesce(d.rejection_reason, ''),
                   'upload_url', coalesce(d.metadata ->> 'upload_url', e.details ->> 'sponsor_portal_link', ''),
                   'urgency', coalesce(step.said ->> 'urgency', 'medium')) AS deliverable,
               d.due_date,
               d.due_date - (eventos_now(e.id) AT TIME ZONE eventos_zone(e.timezone))::date AS days_remaining,
               jsonb_build_object(
                   'name', s.name, 'category', s.category, 'tier', p.tier,
                   'contact_name', CASE WHEN m.person_id = s.id THEN s.contact_name ELSE '' END) AS sponsor,
               coalesce(d.metadata ->> 'review_url', d.file_url, '') AS review_url,
               CASE WHEN m.person_id = s.id THEN s.name || ' sponsors ' ELSE 'you organize ' END || e.name AS why
        FROM messages m
        JOIN automation_workflows a ON a.id = m.automation_id
        JOIN sponsor_deliverables d ON d.id = a.subject_id
        JOIN sponsorships p ON p.id = d.sponsorship_id
        JOIN sponsors s ON s.id = p.sponsor_id
        JOIN events e ON e.id = d.event_id
        LEFT JOIN LATERAL jsonb_array_elements(a.definition -> 'steps') AS step(said) ON step.said ->> 'id' = m.step
        WHERE m.id = ANY($1)
        """,
        list(message_ids),
    )
    return {
        row["id"]: Facts(
            row["deliverable"] | {"due_date": row["due_date"], "days_remaining": row["days_remaining"]},
            row["sponsor"],
            row["review_url"],
            row["why"],
        )
        for row in rows
    }


_OVERDUE = """
    SELECT c.organizer_id, c.event_id, c.automation_id, 'overdue/' || c.id || '/' || c.due_date, c.name || ' is overdue',
           s.name || ' has not handed it in. A call may help more than another mail.'
    FROM checked c JOIN sponsorships p ON p.id = c.sponsorship_id JOIN sponsors s ON s.id = p.sponsor_id
    WHERE c.status = 'overdue'
"""


async def mark_overdue(pool: Pool, automation_id: UUID) -> str | None:
    """Say of what was not handed in that it is overdue; its status then. What is rejected is so until its sponsor was told why.

    None if the deliverable is gone.
    """
    owed = "CASE WHEN d.status IN ('submitted', 'approved', 'rejected') THEN d.status ELSE 'overdue' END"
    return await _change(pool, automation_id, owed, "d.submitted_date")


async def await_again(pool: Pool, automation_id: UUID) -> str | None:
    """What was rejected or taken back is pending again, or overdue if its date has passed; its status then. None if it is gone.

    The reason of a rejection stays, for the words that tell of it.
    """
    owed = """
        CASE WHEN d.status IN ('submitted', 'approved') THEN d.status
             WHEN eventos_deadline(d.id) <= eventos_now(d.event_id) THEN 'overdue'
             WHEN d.status = 'rejected' THEN 'pending' ELSE d.status END
    """
    return await _change(pool, automation_id, owed, "CASE WHEN d.status <> 'rejected' THEN d.submitted_date END")


async def _change(pool: Pool, automation_id: UUID, status: str, submitted_date: str) -> str | None:
    """Give a deliverable a status and the date of its hand-in; what is overdue by it is shown to the organizer, once per due date."""
    then: str | None = await pool.fetchval(
        f"""
        WITH checked AS (
            UPDATE sponsor_deliverables d SET status = {status}, submitted_date = {submitted_date}
            FROM automation_workflows a WHERE a.id = $1 AND d.id = a.subject_id
            RETURNING d.id, d.name, d.status, d.due_date, d.sponsorship_id, a.id AS automation_id, a.event_id, a.organizer_id
        ), told AS (
            {notifications.telling(_OVERDUE)}
        )
        SELECT status FROM checked
        """,
        automation_id,
    )
    return then


_TO_REVIEW = """
    SELECT organizer_id, event_id, automation_id, 'review/' || id || '/' || coalesce(submitted_at::text, ''),
           name || ' waits for your approval', sponsor || ' has handed it in. Approve it, or send it back with a reason.'
    FROM handed_in WHERE requires_approval
"""


async def ask_for_review(pool: Pool, automation_id: UUID) -> bool | None:
    """Show the organizer what waits for an approval, once per hand-in; False if it needs none, None if it is gone."""
    row = await pool.fetchrow(
        f"""
        WITH handed_in AS (
            SELECT d.id, d.name, d.requires_approval, d.submitted_at, s.name AS sponsor, a.id AS automation_id, a.event_id,
                   a.organizer_id
            FROM automation_workflows a
            JOIN sponsor_deliverables d ON d.id = a.subject_id
            JOIN sponsorships p ON p.id = d.sponsorship_id JOIN sponsors s ON s.id = p.sponsor_id
            WHERE a.id = $1
        ), told AS (
            {notifications.telling(_TO_REVIEW)}
        )
        SELECT coalesce(requires_approval, FALSE) AS needed FROM handed_in
        """,
        automation_id,
    )
    return None if row is None else bool(row["needed"])
