"""What includes are made of: programmes, speakers, the events that come next, and what is each reader's own."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from database.connection import Pool


class Session(NamedTuple):
    """One session of a programme."""

    id: UUID
    title: str
    room: str
    track: str
    kind: str
    starts_at: datetime
    ends_at: datetime
    topics: tuple[str, ...]
    speakers: tuple[str, ...]
    slides_url: str
    recording_url: str


class Speaker(NamedTuple):
    """Somebody who speaks, and in which session first."""

    name: str
    title: str
    company: str
    topics: tuple[str, ...]
    session: str


class Programme(NamedTuple):
    """What happens at an event, by start."""

    sessions: tuple[Session, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    counted: bool = False
    """Whether anybody kept note of who was in which session."""


class Ahead(NamedTuple):
    """A published event of the same organizer that is still to come."""

    name: str
    tagline: str
    starts_at: datetime
    ends_at: datetime | None
    timezone: str
    city: str
    url: str
    register_url: str
    details: Any


class Reader(NamedTuple):
    """What is a reader's own."""

    name: str = ""
    ticket_type: str = ""
    ticket_code: str = ""
    registered: bool = False
    interests: tuple[str, ...] = ()
    attended: frozenset[UUID] = frozenset()


async def programmes(pool: Pool, events: Collection[UUID]) -> dict[UUID, Programme]:
    """The programme of each event."""
    sessions, speakers = defaultdict(list), defaultdict(list)
    rows = await pool.fetch(
        """
        SELECT s.event_id, s.id, s.title, s.room, s.track, s.kind, s.starts_at, s.ends_at, s.topics,
               ARRAY(SELECT p.name FROM speakers p WHERE p.id = s.speaker_id)
               || ARRAY(SELECT p.name FROM session_speakers x JOIN speakers p ON p.id = x.speaker_id
                        WHERE x.session_id = s.id AND p.id IS DISTINCT FROM s.speaker_id ORDER BY p.name),
               s.slides_url, s.recording_url
        FROM sessions s WHERE s.event_id = ANY($1) ORDER BY s.starts_at, s.room, s.title, s.id
        """,
        list(events),
    )
    for event_id, id_, title, room, track, kind, starts_at, ends_at, topics, names, slides, recording in rows:
        session = Session(
            *(id_, title, room, track, kind, starts_at, ends_at, tuple(topics), tuple(names), slides, recording)
        )
        sessions[event_id].append(session)
    rows = await pool.fetch(
        """
        SELECT p.event_id, p.name, p.title, p.company, p.topics, coalesce(first.title, '')
        FROM speakers p LEFT JOIN LATERAL (
            SELECT s.title FROM sessions s WHERE s.event_id = p.event_id AND (s.speaker_id = p.id OR EXISTS (
                SELECT 1 FROM session_speakers x WHERE x.session_id = s.id AND x.speaker_id = p.id))
            ORDER BY s.starts_at LIMIT 1
        ) first ON TRUE
        WHERE p.event_id = ANY($1) ORDER BY p.name, p.id
        """,
        list(events),
    )
    for event_id, name, title, company, topics, session_title in rows:
        speakers[event_id].append(Speaker(name, title, company, tuple(topics), session_title))
    counted = await pool.fetch(
        """
        SELECT DISTINCT s.event_id FROM sessions s JOIN session_attendance a ON a.session_id = s.id WHERE s.event_id = ANY($1)
        """,
        list(events),
    )
    kept = {row["event_id"] for row in counted}
    return {id_: Programme(tuple(sessions[id_]), tuple(speakers[id_]), id_ in kept) for id_ in events}


async def ahead(pool: Pool, events: Collection[UUID]) -> dict[UUID, tuple[Ahead, ...]]:
    """The organizer's published events that begin after each of these and after its now, the next one first."""
    found = defaultdict(list)
    rows = await pool.fetch(
        """
        SELECT e.id, n.name, n.tagline, n.starts_at, n.ends_at, coalesce(n.timezone, 'UTC'), n.city, n.url, n.register_url,
               n.details
        FROM events e LEFT JOIN events original ON original.id = e.rehearsal_of
        CROSS JOIN LATERAL (
            -- a rehearsal's shadow has no other events: those of the original's organizer are spoken of
            SELECT * FROM events n
            WHERE n.organizer_id = coalesce(original.organizer_id, e.organizer_id) AND n.rehearsal_of IS NULL
              AND n.id <> coalesce(original.id, e.id) AND n.status = 'published'
              AND n.starts_at > greatest(e.ends_at, coalesce(e.clock_now, now()))
            ORDER BY n.starts_at, n.id LIMIT 5
        ) n
        WHERE e.id = ANY($1) ORDER BY n.starts_at
        """,
        list(events),
    )
    for event_id, *row in rows:
        found[event_id].append(Ahead(*row))
    return {event_id: tuple(events_) for event_id, events_ in found.items()}


async def readers(pool: Pool, messages: Collection[UUID]) -> Mapping[UUID, Reader]:
    """What is the own of whom each message is to, all in one query."""
    rows = await pool.fetch(
        """
        SELECT m.id, concat_ws(' ', nullif(c.first_name, ''), nullif(c.last_name, '')), coalesce(r.ticket_type, ''),
               coalesce(r.ticket_code, ''), r.id IS NOT NULL, coalesce(r.interests, '{}') || coalesce(c.interests, '{}'),
               ARRAY(SELECT a.session_id FROM session_attendance a WHERE a.registration_id = r.id)
        FROM messages m
        LEFT JOIN contacts c ON c.id = m.person_id
        LEFT JOIN registrations r ON r.event_id = m.event_id AND r.contact_id = m.person_id AND r.status = 'confirmed'
        WHERE m.id = ANY($1)
        """,
        list(messages),
    )
    return {
        id_: Reader(name, type_, code, registered, tuple(dict.fromkeys(interests)), frozenset(attended))
        for id_, name, type_, code, registered, interests, attended in rows
    }


async def without_interests(pool: Pool, event_id: UUID) -> tuple[int, int]:
    """How many of an event's registered people have named no interests, and how many there are."""
    row = await pool.fetchrow(
        """
        SELECT count(*) FILTER (WHERE cardinality(r.interests) = 0 AND cardinality(c.interests) = 0), count(*)
        FROM registrations r JOIN contacts c ON c.id = r.contact_id WHERE r.event_id = $1 AND r.status = 'confirmed'
        """,
        event_id,
    )
    assert row is not None
    return row[0], row[1]
