"""Notices: an event is moved or cancelled, and everybody who is coming hears of it, in one statement for all of them."""

from uuid import UUID

from database.audiences import ADDRESS, USABLE
from database.connection import Connection, Pool
from database.outbox import INTO, TAKE_OVER

OF_CANCELLATION = """(
    m.step = 'event_cancelled' AND m.template = 'event_cancelled' AND m.priority = 1 AND m.round = a.generation
    AND a.workflow_type = 'attendee_nurture' AND e.status = 'cancelled'
)"""
"""The one message that goes out of a cancelled automation: it says that its event is cancelled, as long as it is.

No step of a timeline is that message: the rounds of steps begin at 0 and are counted by moves, this one is the generation.
"""

# $1 the event, $2 the step, $3 its name. `told` are those who are written to; each gets a journal row and a message, which goes
# alone because it carries the invitation.
_WRITE = f"""
    , addressed AS MATERIALIZED (
        SELECT told.*, gen_random_uuid() AS log_id, {ADDRESS["email"]} AS address,
               'attendee_nurture/' || subject_id || '/' || $2::text || '/' || round || '/' || person_id || '/email' AS key
        FROM told WHERE {ADDRESS["email"]} ~ '{USABLE["email"]}'
    ), new AS MATERIALIZED (
        SELECT * FROM addressed a WHERE NOT EXISTS (
            SELECT 1 FROM messages m WHERE m.key = a.key AND m.status NOT IN ('failed', 'skipped', 'cancelled'))
    ), logged AS (
        INSERT INTO workflow_execution_logs
            (id, workflow_id, slot, round, step_id, step_name, action_type, status, started_at, due_at, open, result)
        SELECT log_id, automation_id, $2, round, $2, $3, 'email', 'running', clock_timestamp(), at, 1,
               '{{"queued": 1, "sent": 0, "failed": 0, "unknown": 0, "skipped": {{}}}}'
        FROM new ORDER BY automation_id
        ON CONFLICT ON CONSTRAINT decided_once DO NOTHING
        RETURNING id
    )
    {INTO}
    SELECT n.key, n.rehearsal, n.organizer_id, n.event_id, n.automation_id, n.log_id, $2, n.round, n.person_id, 'email', n.address,
           $2, NULL, 1, 1, NULL, n.at, n.ends_at, n.date_revision, NULL, TRUE
    FROM logged JOIN new n ON n.log_id = logged.id ORDER BY n.person_id
    {TAKE_OVER}
"""

_ATTENDEES = """
    FROM events e JOIN organizers o ON o.id = e.organizer_id
    JOIN automation_workflows a ON a.event_id = e.id AND a.workflow_type = 'attendee_nurture'
         AND a.status IN ('pending', 'active', 'paused')
    JOIN registrations r ON r.id = a.subject_id AND r.status = 'confirmed'
    JOIN contacts c ON c.id = r.contact_id
"""


async def event_moved(pool: Pool, event_id: UUID) -> int:
    """Queue the notice of an event's newest dates for every attendee who was told of others; returns how many.

    Once per revision of the dates. Who begins after the move, or has not heard anything yet, hears of the new date at once.
    """
    status: str = await pool.execute(
        f"""
        WITH told AS (
            SELECT a.id AS automation_id, e.id AS event_id, e.organizer_id, a.rehearsal, a.subject_id, e.date_revision AS round,
                   e.date_revision, e.ends_at, c.id AS person_id, c.email, coalesce(e.clock_now, now()) AS at
            {_ATTENDEES}
            CROSS JOIN LATERAL (
                SELECT max(m.date_revision) AS revision
                FROM automation_workflows x JOIN workflow_execution_logs l ON l.workflow_id = x.id
                JOIN messages m ON m.log_id = l.id AND m.status IN ('sending', 'sent', 'unknown') AND m.person_id = c.id
                WHERE x.workflow_type = 'attendee_nurture' AND x.subject_id = r.id
            ) last
            JOIN event_dates was ON was.event_id = e.id AND was.date_revision = last.revision
            WHERE e.id = $1 AND e.status = 'published' AND o.event_moved_notice AND e.ends_at > coalesce(e.clock_now, now())
              AND (was.starts_at, was.ends_at) IS DISTINCT FROM (e.starts_at, e.ends_at)
        )
        {_WRITE}
        """,
        *(event_id, "event_moved", "Event moved"),
    )
    return int(status.rpartition(" ")[2])


async def event_cancelled(connection: Connection, event_id: UUID, automation_id: UUID | None = None) -> int:
    """Queue the notice of an event's cancellation for every attendee who is accompanied, or for one; returns how many.

    In one transaction with the cancellation of their automations, before it: whose automation is over hears nothing, and so
    nobody hears it twice.
    """
    status: str = await connection.execute(
        f"""
        WITH told AS (
            SELECT a.id AS automation_id, e.id AS event_id, e.organizer_id, a.rehearsal, a.subject_id, a.generation AS round,
                   NULL::integer AS date_revision, e.ends_at, c.id AS person_id, c.email, coalesce(e.clock_now, now()) AS at
            {_ATTENDEES}
            WHERE e.id = $1 AND e.status = 'cancelled' AND o.event_cancelled_notice
              AND (e.ends_at IS NULL OR e.ends_at > coalesce(e.clock_now, now()))
              AND ($4::uuid IS NULL OR a.id = $4)
            ORDER BY a.id FOR NO KEY UPDATE OF a
        )
        {_WRITE}
        """,
        *(event_id, "event_cancelled", "Event cancelled", automation_id),
    )
    return int(status.rpartition(" ")[2])
