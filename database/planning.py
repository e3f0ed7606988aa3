"""What `eventos plan` reads: who there is, who would be written to, and what the rules wait for. Nothing is changed here."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from database import followup, journal
from database.audiences import TWICE, UNUSABLE, USABLE, chosen
from database.connection import Connection, Pool
from database.suppressions import STRONGEST_FIRST, UNSUBSCRIBED
from models.automation import Action, Progress, Step, WorkflowType
from models.outlook import Reach


@asynccontextmanager
async def snapshot(pool: Pool) -> AsyncIterator[Connection]:
    """One view of the database as it is now, in which nothing can be changed; what others change meanwhile is not seen."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("SELECT 1")  # PostgreSQL takes the view at the first statement
        yield connection


class Organizer(NamedTuple):
    """The organizer's settings that sending depends on."""

    email: str
    sender_email: str | None
    postal_address: str
    whatsapp_content: dict[str, str]
    overlap: str
    approval: dict[str, str]
    """Whether somebody reads what a kind writes before it goes out, where the organizer has said so."""


async def organizer(connection: Connection, organizer_id: UUID) -> Organizer:
    """One organizer's settings."""
    row = await connection.fetchrow(
        """
        SELECT email, sender_email, postal_address, whatsapp_content, overlap,
               (SELECT coalesce(jsonb_object_agg(s.workflow_type, s.approval), '{}') FROM approval_settings s
                WHERE s.organizer_id = coalesce(o.rehearsal_of, o.id))
        FROM organizers o WHERE o.id = $1
        """,
        organizer_id,
    )
    assert row is not None
    return Organizer(*row.values())


class Running(NamedTuple):
    """An automation that has not ended, or one of many of a kind that began in the same hour and stand alike."""

    id: UUID
    event_id: UUID
    workflow_type: WorkflowType
    name: str
    status: str
    subject_id: UUID
    definition: dict[str, Any]
    rules: int
    last_error: str | None
    approval: str
    members: int
    absent: bool
    """Its person was not at the event."""
    covered: dict[str, str]
    """The topics on which another automation that has begun writes to its person, and the step by which it does."""


async def running(connection: Connection | Pool, event_id: UUID, many: Collection[str]) -> list[Running]:
    """The automations of an event that have not ended, oldest first; those of the kinds `many` by hour and standing.

    The earliest of an hour stands for all that began in it and have the same timeline and the same steps behind them, and to
    whose persons the same is sent by others; who was at the event and who was not are looked at apart.
    """
    rows = await connection.fetch(
        f"""
        WITH own AS (
            SELECT a.*, CASE WHEN a.workflow_type <> ALL($2::text[]) THEN a.id END AS alone,
                   (SELECT string_agg(concat_ws(' ', l.step_id, l.round, l.status, l.error_message IS NULL), ',' ORDER BY l.step_id, l.round)
                    FROM workflow_execution_logs l WHERE l.workflow_id = a.id) AS journal,
                   a.workflow_type = 'attendee_nurture' AND EXISTS (
                       SELECT 1 FROM registrations r WHERE r.id = a.subject_id AND {followup.absent("r.event_id", "r.contact_id")})
                   AS absent,
                   CASE WHEN a.workflow_type = 'attendee_nurture' AND EXISTS (
                       SELECT 1 FROM automation_workflows w WHERE w.subject_id = a.event_id AND w.workflow_type = 'post_event_followup')
                   THEN (SELECT jsonb_object_agg(topic, by) FILTER (WHERE by IS NOT NULL)
                         FROM registrations r JOIN contacts c ON c.id = r.contact_id
                         CROSS JOIN unnest(ARRAY['thank_you', 'recordings', 'next_event']) topic
                         CROSS JOIN LATERAL eventos_covered(jsonb_populate_record(NULL::messages, jsonb_build_object(
                             'event_id', a.event_id, 'organizer_id', a.organizer_id, 'automation_id', a.id, 'topic', topic,
                             'channel', 'email', 'person_id', c.id, 'address', lower(btrim(c.email))))) AS by
                         WHERE r.id = a.subject_id) END AS covered
            FROM automation_workflows a WHERE a.event_id = $1 AND a.status IN ('pending', 'active', 'paused')
        ), ranked AS (
            SELECT own.*, count(*) OVER alike AS members, row_number() OVER (alike ORDER BY started_at, id) AS place
            FROM own
            WINDOW alike AS (PARTITION BY workflow_type, alone, status, rules, md5(definition::text), journal,
                             absent, covered, date_trunc('hour', started_at))
        )
        SELECT id, event_id, workflow_type, name, status, subject_id, definition, rules, last_error, approval, members, absent,
               coalesce(covered, '{{}}')
        FROM ranked WHERE place = 1 ORDER BY created_at, id
        """,
        event_id,
        list(many),
    )
    return [Running(*row.values()) for row in rows]


async def progress(connection: Connection | Pool, ids: Collection[UUID]) -> dict[UUID, dict[str, Progress]]:
    """What has become of each step of automations that has begun: its latest round.

    A step that has prepared its messages when a pause comes has not begun: none is queued, and it is decided at the resume.
    """
    rows = await connection.fetch(
        f"""
        SELECT DISTINCT ON (workflow_id, step_id) workflow_id, {journal.COLUMNS} FROM workflow_execution_logs l
        WHERE workflow_id = ANY($1) AND due_at IS NOT NULL
          AND NOT (status = 'running' AND open = 0 AND error_message IS NULL AND NOT coalesce(result, '{{}}') ? 'queued'
                   AND action_type ~ 'email|whatsapp|social'
                   AND EXISTS (SELECT 1 FROM automation_workflows a WHERE a.id = l.workflow_id AND a.status = 'paused'))
        ORDER BY workflow_id, step_id, round DESC
        """,
        list(ids),
    )
    found: dict[UUID, dict[str, Progress]] = {id_: {} for id_ in ids}
    for row in rows:
        found[row["workflow_id"]][row["step_id"]] = journal.ended_of(row).progress
    return found


async def facts(connection: Connection | Pool, ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """What automations have been told, as far as the database knows it too."""
    rows = await connection.fetch(
        """
        SELECT a.id, fact FROM automation_workflows a
        LEFT JOIN sponsor_deliverables d ON d.id = a.subject_id LEFT JOIN proposals p ON p.sequence_id = a.id
        CROSS JOIN LATERAL (VALUES
            ('deliverable_submitted', d.status IN ('submitted', 'approved')),
            ('proposal_opened', p.opened_at IS NOT NULL),
            ('sponsor_accepted', p.status IN ('accepted', 'signed'))
        ) AS known(fact, holds)
        WHERE a.id = ANY($1) AND holds
        """,
        list(ids),
    )
    found: dict[UUID, set[str]] = {id_: set() for id_ in ids}
    for row in rows:
        found[row["id"]].add(row["fact"])
    return found


async def whole(connection: Connection, event_id: UUID) -> bool:
    """Whether an event has everything that its creation waits for."""
    found: bool = await connection.fetchval("SELECT eventos_is_whole(e) FROM events e WHERE id = $1", event_id)
    return found


async def begun(connection: Connection, event_id: UUID) -> dict[tuple[str, UUID], str]:
    """The status of every automation of an event, by kind and subject; of several generations the latest."""
    rows = await connection.fetch(
        "SELECT workflow_type, subject_id, status FROM automation_workflows WHERE event_id = $1 ORDER BY generation",
        event_id,
    )
    return {(row["workflow_type"], row["subject_id"]): row["status"] for row in rows}


class Owed(NamedTuple):
    """A deliverable that is still owed."""

    id: UUID
    name: str
    status: str
    deadline: datetime


async def owed(connection: Connection, event_id: UUID) -> list[Owed]:
    """What sponsors still owe an event, soonest first."""
    rows = await connection.fetch(
        """
        SELECT id, name, status, eventos_deadline(id) FROM sponsor_deliverables
        WHERE event_id = $1 AND status NOT IN ('submitted', 'approved') ORDER BY due_date, name, id
        """,
        event_id,
    )
    return [Owed(*row.values()) for row in rows]


class RuleRow(NamedTuple):
    """An enabled rule that concerns an event."""

    id: UUID
    name: str
    kind: str
    occurrence: str
    match: str
    moment: str | None
    workflow_type: str
    parameters: dict[str, Any]
    since: datetime


async def rules(connection: Connection, event_id: UUID) -> list[RuleRow]:
    """The enabled rules of everybody and of the event's organizer, oldest first."""
    rows = await connection.fetch(
        """
        SELECT r.id, r.name, r.kind, r.occurrence, r.match, r.moment, r.workflow_type, r.parameters,
               -- a rehearsal lives in another time than the rule was written in
               CASE WHEN e.rehearsal_of IS NULL THEN r.created_at ELSE '-infinity' END
        FROM events e LEFT JOIN organizers o ON o.id = e.organizer_id
        JOIN automation_rules r ON r.organizer_id IS NULL OR r.organizer_id = coalesce(o.rehearsal_of, o.id)
        WHERE e.id = $1 AND r.enabled ORDER BY r.created_at, r.name
        """,
        event_id,
    )
    return [RuleRow(*row.values()) for row in rows]


async def pending(connection: Connection, event_id: UUID) -> set[tuple[str, str]]:
    """Kind and subject of what has happened to an event and is not taken in yet."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT kind, subject FROM occurrences
        WHERE event_id = $1 AND automation_id IS NULL AND processed_at IS NULL AND held_at IS NULL
        """,
        event_id,
    )
    return {(row["kind"], row["subject"]) for row in rows}


class Subject(NamedTuple):
    """Whose audiences are counted."""

    event_id: UUID
    organizer_id: UUID
    subject_id: UUID
    workflow_type: WorkflowType
    automation_id: UUID | None = None


async def reach(connection: Connection, about: Subject, step: Step, action: Action) -> Reach:
    """Whom an action would write to now, by the very query that will queue its messages, and whom the gates would stop."""
    channel = action.verb
    rows = await connection.fetch(
        f"""
        WITH scope AS (
            SELECT $1::uuid AS event_id, $2::uuid AS organizer_id, $3::uuid AS subject_id, $4::jsonb AS segments,
                   $5::text AS template
        ), {chosen(action, about.workflow_type)}, judged AS (
            SELECT CASE WHEN s.reason IS NOT NULL AND NOT ({step.priority} = 1 AND s.reason = '{UNSUBSCRIBED}')
                            THEN 'suppressed: ' || s.reason
                        WHEN '{channel}' = 'email' AND {step.priority} > 1 AND NOT c.email_consent THEN 'no consent to email'
                        WHEN covered.by IS NOT NULL THEN 'covered by ' || covered.by
                        WHEN '{channel}' = 'whatsapp' AND NOT coalesce(c.whatsapp_opt_in, x.whatsapp_opt_in, FALSE)
                            THEN 'no opt-in to WhatsApp'
                   END AS why
            FROM chosen p
            LEFT JOIN contacts c ON c.id = p.person_id
            LEFT JOIN sponsors x ON x.id = p.person_id
            LEFT JOIN (
                SELECT DISTINCT ON (address) address, reason FROM suppressions WHERE organizer_id = $2 AND channel = '{channel}'
                ORDER BY address, {STRONGEST_FIRST}
            ) s ON s.address = p.address
            LEFT JOIN LATERAL (
                SELECT eventos_covered(jsonb_populate_record(NULL::messages, jsonb_build_object(
                    'event_id', $1, 'organizer_id', $2, 'automation_id', $6::uuid, 'topic', $7::text, 'channel', '{channel}',
                    'person_id', p.person_id, 'address', p.address))) AS by
                WHERE $7 IS NOT NULL
            ) covered ON TRUE
        )
        SELECT (SELECT count(*) FROM people) AS people, NULL AS why, count(*) AS count FROM judged WHERE why IS NULL
        UNION ALL SELECT NULL, why, count(*) FROM judged WHERE why IS NOT NULL GROUP BY why
        UNION ALL SELECT NULL, 'no address', (SELECT count(*) FROM people) - (SELECT count(*) FROM addressed)
        UNION ALL SELECT NULL, '{UNUSABLE[channel]}', count(*) FROM addressed WHERE address !~ '{USABLE[channel]}'
        UNION ALL SELECT NULL, '{TWICE}', (SELECT count(*) FROM addressed WHERE address ~ '{USABLE[channel]}')
                                          - (SELECT count(*) FROM chosen)
        """,
        *(about.event_id, about.organizer_id, about.subject_id, action.segments),
        action.template or (None if action.segments else step.id),
        about.automation_id,
        step.topic,
    )
    [(people, reached)] = [(row["people"], row["count"]) for row in rows if row["people"] is not None]
    return Reach(
        channel=channel,
        template=action.template,
        audience=action.audience,
        people=people,
        reached=reached,
        without={row["why"]: row["count"] for row in rows if row["people"] is None and row["count"]},
    )
