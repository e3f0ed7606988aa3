"""A rehearsal's scope: a shadow of an organizer with one event, and the clock that a conductor steps."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from database import deliverable_tracking, sponsors
from database.connection import Pool
from models.automation import FOREVER

# Ids in a rehearsal are derived from the originals', so that people and what belongs to them stay joined.
_SHADOW = "md5($1::uuid::text || '/' || {0}::text)::uuid"


async def copy_event(pool: Pool, event_id: UUID, rehearsal_id: UUID, clock_now: datetime) -> UUID:
    """Copy an event, its organizer and everybody concerned into a scope of their own; returns the shadow event's id.

    Nothing in the shadow points back at a real person's row: what a rehearsal sends, suppresses or counts stays in it.
    """

    def shadow(column: str) -> str:
        return _SHADOW.format(column)

    statements = [
        f"""
        INSERT INTO organizers (id, name, email, postal_address, timezone, quiet_from, quiet_until, cap_messages, cap_days,
                                sender_email, whatsapp_content, overlap, event_moved_notice, event_cancelled_notice, rehearsal_of)
        SELECT {shadow("o.id")}, o.name, o.email, o.postal_address, o.timezone, o.quiet_from, o.quiet_until,
               o.cap_messages, o.cap_days, o.sender_email, o.whatsapp_content, o.overlap,
               o.event_moved_notice, o.event_cancelled_notice, o.id
        FROM events e JOIN organizers o ON o.id = e.organizer_id WHERE e.id = $2
        """,
        f"""
        INSERT INTO events (id, organizer_id, name, tagline, description, status, starts_at, ends_at, timezone, venue, city,
                            address, url, register_url, price, capacity, audience, brand_color, sponsor_categories, details,
                            clock_now, rehearsal_of)
        SELECT {shadow("e.id")}, {shadow("e.organizer_id")}, e.name, e.tagline, e.description, 'draft', e.starts_at, e.ends_at,
               e.timezone, e.venue, e.city, e.address, e.url, e.register_url, e.price, e.capacity, e.audience, e.brand_color,
               e.sponsor_categories, e.details, $3, e.id
        FROM events e WHERE e.id = $2
        """,
        f"""
        INSERT INTO contacts (id, organizer_id, email, phone, first_name, last_name, company, timezone, vip, email_consent,
                              whatsapp_opt_in, interests)
        SELECT {shadow("c.id")}, {shadow("c.organizer_id")}, c.email, c.phone, c.first_name, c.last_name, c.company, c.timezone,
               c.vip, c.email_consent, c.whatsapp_opt_in, c.interests
        FROM contacts c JOIN events e ON e.organizer_id = c.organizer_id WHERE e.id = $2
        """,
        f"""
        INSERT INTO registrations (id, event_id, contact_id, status, ticket_type, ticket_code, registered_at, interests)
        SELECT {shadow("r.id")}, {shadow("r.event_id")}, {shadow("r.contact_id")}, r.status, r.ticket_type, r.ticket_code,
               r.registered_at, r.interests
        FROM registrations r WHERE r.event_id = $2
        """,
        f"""
        INSERT INTO speakers (id, event_id, contact_id, name, title, company, bio, topics)
        SELECT {shadow("s.id")}, {shadow("s.event_id")}, {shadow("s.contact_id")}, s.name, s.title, s.company, s.bio, s.topics
        FROM speakers s WHERE s.event_id = $2
        """,
        f"""
        INSERT INTO sessions (id, event_id, speaker_id, title, abstract, room, starts_at, ends_at, topics, track, kind,
                              slides_url, recording_url)
        SELECT {shadow("s.id")}, {shadow("s.event_id")}, {shadow("s.speaker_id")}, s.title, s.abstract, s.room, s.starts_at,
               s.ends_at, s.topics, s.track, s.kind, s.slides_url, s.recording_url
        FROM sessions s WHERE s.event_id = $2
        """,
        f"""
        INSERT INTO session_speakers (session_id, speaker_id)
        SELECT {shadow("x.session_id")}, {shadow("x.speaker_id")}
        FROM session_speakers x JOIN sessions s ON s.id = x.session_id WHERE s.event_id = $2
        """,
        f"""
        INSERT INTO session_attendance (session_id, registration_id, attended_at)
        SELECT {shadow("a.session_id")}, {shadow("a.registration_id")}, a.attended_at
        FROM session_attendance a JOIN sessions s ON s.id = a.session_id WHERE s.event_id = $2
        """,
        f"""
        INSERT INTO suppressions (organizer_id, channel, address, reason, created_at)
        SELECT {shadow("s.organizer_id")}, s.channel, s.address, s.reason, s.created_at
        FROM suppressions s JOIN events e ON e.organizer_id = s.organizer_id WHERE e.id = $2
        """,
        *sponsors.shadows(shadow),
        *deliverable_tracking.copies(shadow),
    ]
    async with pool.acquire() as connection, connection.transaction():
        for statement in statements:
            arguments = (rehearsal_id, event_id, clock_now)
            await connection.execute(statement, *arguments[: 3 if "$3" in statement else 2])
        found: UUID | None = await connection.fetchval(
            f"SELECT id FROM events WHERE id = {shadow('$2::uuid')} AND rehearsal_of = $2", rehearsal_id, event_id
        )
        if found is None:
            raise LookupError(f"There is no event {event_id} with an organizer to rehearse.")
    return found


class Stillness(NamedTuple):
    """Whether a rehearsal is at rest, and to which instant its clock may step."""

    clock_now: datetime
    busy: int
    occurrences: int
    messages: int
    next_rest: datetime | None
    next_release: datetime | None

    @property
    def at_rest(self) -> bool:
        """Nothing is busy, unread or due."""
        return not (self.busy or self.occurrences or self.messages)

    @property
    def next_instant(self) -> datetime | None:
        """The least instant that anything waits for; None when only news could change anything."""
        return min((at for at in (self.next_rest, self.next_release) if at is not None), default=None)


async def stillness(pool: Pool, event_id: UUID) -> Stillness:
    """Look at a rehearsal as a whole, in one snapshot."""
    row = await pool.fetchrow(
        """
        SELECT e.clock_now,
               (SELECT count(*) FROM automation_workflows a WHERE a.event_id = e.id AND a.rest_until IS NULL
                AND a.status IN ('pending', 'active', 'paused'))
               + (SELECT count(*) FROM event_watches w WHERE w.event_id = e.id AND w.rest_until IS NULL),
               -- what a rehearsal's webhook is about is not known before it is taken in
               (SELECT count(*) FROM occurrences o WHERE o.processed_at IS NULL AND o.held_at IS NULL
                AND (o.event_id = e.id OR (o.rehearsal AND o.event_id IS NULL AND o.not_before <= now()))),
               (SELECT count(*) FROM messages m WHERE m.event_id = e.id
                AND (m.status = 'sending' OR (m.status = 'queued' AND m.release_at <= e.clock_now))),
               least((SELECT min(a.rest_until) FROM automation_workflows a WHERE a.event_id = e.id AND a.rest_until > e.clock_now
                      AND a.rest_until < $2 AND a.status IN ('active', 'paused')),
                     (SELECT w.rest_until FROM event_watches w WHERE w.event_id = e.id AND w.rest_until > e.clock_now
                      AND w.rest_until < $2)),
               (SELECT min(m.release_at) FROM messages m WHERE m.event_id = e.id AND m.status = 'queued'
                AND m.release_at > e.clock_now AND m.release_at < $2)
        FROM events e WHERE e.id = $1 AND e.rehearsal_of IS NOT NULL
        """,
        event_id,
        FOREVER,
    )
    if row is None:
        raise LookupError(f"There is no rehearsal {event_id}.")
    return Stillness(*row.values())


async def due_automations(pool: Pool, event_id: UUID) -> list[tuple[UUID, str]]:
    """The automations whose rest has come to an end on the rehearsal's clock, and the event's watch, under the event's id."""
    rows = await pool.fetch(
        """
        SELECT a.id, a.temporal_workflow_id FROM automation_workflows a JOIN events e ON e.id = a.event_id
        WHERE e.id = $1 AND a.rest_until <= e.clock_now AND a.status IN ('active', 'paused')
        UNION ALL
        SELECT w.event_id, w.temporal_workflow_id FROM event_watches w JOIN events e ON e.id = w.event_id
        WHERE e.id = $1 AND w.rest_until <= e.clock_now
        ORDER BY 1
        """,
        event_id,
    )
    return [(row["id"], row["temporal_workflow_id"]) for row in rows]


async def step_clock(pool: Pool, event_id: UUID, to: datetime) -> None:
    """Move a rehearsal's clock forward, never back. Messages that have become due wake their pump."""
    await pool.execute("UPDATE events SET clock_now = greatest(clock_now, $2) WHERE id = $1", event_id, to)
    await pool.execute("SELECT pg_notify('eventos_messages', '')")
