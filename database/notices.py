"""Notices: an event is moved, cancelled or takes place after all, and everybody who is coming hears of it, in one statement for all."""

from uuid import UUID

from database.audiences import ADDRESS, USABLE
from database.connection import Connection, Pool
from database.queueing import INTO, TAKE_OVER

OF_CANCELLATION = """(
    m.step = 'event_cancelled' AND m.template = 'event_cancelled' AND m.priority = 1 AND m.round = a.generation
    AND a.workflow_type = 'attendee_nurture' AND e.status = 'cancelled'
)"""
"""The one message that goes out of a cancelled automation: it says that its event is cancelled, as long as it is.

No step of a timeline is that message: the rounds of steps begin at 0 and are counted by moves, this one is the generation.
"""

# $1 the event, $2 the step, $3 its name, $4 the automation if only its attendee is meant. `told` are those who are written to; each
# gets a journal row and a message, which goes alone because it carries the invitation.
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
            (id, workflow_id, slot, round, step_id, step_name, action_type, status, started_at, due_at, open, result, counts_from)
        SELECT log_id, automation_id, $2, round, $2, $3, 'email', 'running', clock_timestamp(), at, 1,
               '{{"queued": 1, "sent": 0, "failed": 0, "unknown": 0, "skipped": {{}}}}',
               -- that it takes place is right by any dates
               CASE WHEN $2 = 'event_takes_place' THEN '{{"due": null, "until": null}}'::jsonb END
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
         AND a.status IN ('pending', 'active', 'paused') AND ($4::uuid IS NULL OR a.id = $4)
    JOIN registrations r ON r.id = a.subject_id AND r.status = 'confirmed'
    JOIN contacts c ON c.id = r.contact_id
"""

# What was sent, or may have been, to an attendee on behalf of their registration, by whichever of its automations.
_TOLD = """
    SELECT max(m.date_revision) AS date_revision, bool_or(m.step = 'event_cancelled') AS cancelled
    FROM automation_workflows x JOIN workflow_execution_logs l ON l.workflow_id = x.id
    JOIN messages m ON m.log_id = l.id AND m.status IN ('sending', 'sent', 'unknown') AND m.person_id = c.id
    WHERE x.workflow_type = 'attendee_nurture' AND x.subject_id = r.id
"""

# Whether their last word is that the event is cancelled: nothing else leaves a cancelled automation after its notice.
_LAST_WORD = f"LEFT JOIN LATERAL ({_TOLD} GROUP BY x.generation ORDER BY x.generation DESC LIMIT 1) last_word ON TRUE"


async def event_moved(connection: Connection | Pool, event_id: UUID, automation_id: UUID | None = None) -> int:
    """Queue the notice of an event's newest dates for every attendee who was told of others, or for one; returns how many.

    Once per revision of the dates. Whoever is about to hear that the event takes place after all hears the date with it.
    """
    return await _write(
        connection,
        f"""
        SELECT a.id AS automation_id, e.id AS event_id, e.organizer_id, a.rehearsal, a.subject_id, e.date_revision AS round,
               e.date_revision, e.ends_at, c.id AS person_id, c.email, coalesce(e.clock_now, now()) AS at
        {_ATTENDEES}
        CROSS JOIN LATERAL ({_TOLD}) told
        JOIN event_dates was ON was.event_id = e.id AND was.date_revision = told.date_revision
        WHERE e.id = $1 AND e.status = 'published' AND o.event_moved_notice AND e.ends_at > coalesce(e.clock_now, now())
          AND (was.starts_at, was.ends_at) IS DISTINCT FROM (e.starts_at, e.ends_at)
          AND NOT EXISTS (
              SELECT 1 FROM workflow_execution_logs l JOIN messages m ON m.log_id = l.id
              WHERE l.workflow_id = a.id AND l.slot = 'event_takes_place' AND m.status = 'queued')
        """,
        *(event_id, "event_moved", "Event moved", automation_id),
    )


async def event_takes_place(connection: Connection, event_id: UUID, automation_id: UUID) -> int:
    """Queue the notice that an event takes place after all, for an attendee whose last word is that it does not; 1 or 0."""
    return await _write(
        connection,
        f"""
        SELECT a.id AS automation_id, e.id AS event_id, e.organizer_id, a.rehearsal, a.subject_id, a.generation AS round,
               e.date_revision, e.ends_at, c.id AS person_id, c.email, coalesce(e.clock_now, now()) AS at
        {_ATTENDEES}
        {_LAST_WORD}
        WHERE e.id = $1 AND e.status = 'published' AND o.event_cancelled_notice AND last_word.cancelled
          AND (e.ends_at IS NULL OR e.ends_at > coalesce(e.clock_now, now()))
        """,
        *(event_id, "event_takes_place", "Event takes place", automation_id),
    )


async def event_cancelled(connection: Connection, event_id: UUID, automation_id: UUID | None = None) -> int:
    """Queue the notice of an event's cancellation for every attendee who is accompanied, or for one; returns how many.

    In one transaction with the cancellation of their automations, before it: whose automation is over hears nothing, and so
    nobody hears it twice; nor does somebody whose last word it is already.
    """
    return await _write(
        connection,
        f"""
        SELECT a.id AS automation_id, e.id AS event_id, e.organizer_id, a.rehearsal, a.subject_id, a.generation AS round,
               NULL::integer AS date_revision, e.ends_at, c.id AS person_id, c.email, coalesce(e.clock_now, now()) AS at
        {_ATTENDEES}
        {_LAST_WORD}
        WHERE e.id = $1 AND e.status = 'cancelled' AND o.event_cancelled_notice AND last_word.cancelled IS NOT TRUE
          AND (e.ends_at IS NULL OR e.ends_at > coalesce(e.clock_now, now()))
        ORDER BY a.id FOR NO KEY UPDATE OF a
        """,
        *(event_id, "event_cancelled", "Event cancelled", automation_id),
    )


async def _write(connection: Connection | Pool, told: str, *arguments: object) -> int:
    status: str = await connection.execute(f"WITH told AS ({told}) {_WRITE}", *arguments)
    return int(status.rpartition(" ")[2])
