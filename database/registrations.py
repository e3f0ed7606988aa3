"""Registrations as their automations see them: who is written to, and whether there is anybody to write to."""

from typing import NamedTuple
from uuid import UUID

from database.connection import Connection, Pool

ATTENDEE = """
    SELECT c.id AS person_id, c.email, c.phone
    FROM scope JOIN registrations r ON r.id = scope.subject_id AND r.status = 'confirmed'
    JOIN contacts c ON c.id = r.contact_id
"""
"""The subject's own address: the attendee's, as long as the registration is confirmed."""


class NotConfirmed(LookupError):
    """There is nobody to accompany; the message says why."""


class Registration(NamedTuple):
    """Who comes to which event."""

    id: UUID
    event_id: UUID
    status: str


async def lock(connection: Connection, registration_id: UUID) -> None:
    """Hold a confirmed registration until the transaction ends: whoever cancels it waits, and finds its automation."""
    status = await connection.fetchval("SELECT status FROM registrations WHERE id = $1 FOR UPDATE", registration_id)
    if status is None:
        raise NotConfirmed("the registration is gone")
    if status != "confirmed":
        raise NotConfirmed(f"the registration is {status}")


async def get(pool: Pool, registration_id: UUID) -> Registration | None:
    """One registration by its id."""
    row = await pool.fetchrow("SELECT id, event_id, status FROM registrations WHERE id = $1", registration_id)
    return None if row is None else Registration(*row.values())


async def register(pool: Pool, event_id: UUID, email: str) -> tuple[UUID, bool]:
    """Register somebody by address, making the contact if the organizer has none; the registration, and whether it is new.

    One that was cancelled is confirmed again. The database's triggers do the rest.
    """
    async with pool.acquire() as connection, connection.transaction():
        organizer = await connection.fetchval(
            "SELECT organizer_id FROM events WHERE id = $1 FOR NO KEY UPDATE", event_id
        )
        contact = await connection.fetchval(
            "SELECT id FROM contacts WHERE organizer_id = $1 AND lower(btrim(email)) = lower($2) ORDER BY id LIMIT 1",
            *(organizer, email),
        ) or await connection.fetchval(
            "INSERT INTO contacts (organizer_id, email) VALUES ($1, $2) RETURNING id", organizer, email
        )
        known = await connection.fetchrow(
            "SELECT id, status FROM registrations WHERE event_id = $1 AND contact_id = $2 FOR UPDATE", event_id, contact
        )
        if known is not None and known["status"] == "confirmed":
            return known["id"], False
        id_: UUID = await connection.fetchval(
            """
            INSERT INTO registrations (event_id, contact_id, ticket_code, registered_at)
            VALUES ($1, $2, upper(left(md5(gen_random_uuid()::text), 8)), eventos_now($1))
            ON CONFLICT (event_id, contact_id) DO UPDATE SET status = 'confirmed', registered_at = excluded.registered_at
            RETURNING id
            """,
            *(event_id, contact),
        )
        return id_, True


async def accompany(pool: Pool, registration: Registration) -> bool:
    """Ask that a registration be accompanied, as if it had been confirmed now; False if it is, or was to the end."""
    async with pool.acquire() as connection, connection.transaction():
        await lock(connection, registration.id)
        status: str = await connection.execute(
            """
            INSERT INTO occurrences (kind, rehearsal, event_id, subject, lane, data, occurred_at)
            SELECT 'registration_confirmed', e.rehearsal_of IS NOT NULL, e.id, $2, 1,
                   jsonb_build_object('registration', $3::uuid, 'status', 'confirmed'), eventos_now(e.id)
            FROM events e WHERE e.id = $1
              AND NOT EXISTS (SELECT 1 FROM automation_workflows a WHERE a.workflow_type = 'attendee_nurture'
                              AND a.subject_id = $3 AND a.status <> 'cancelled')
              AND NOT EXISTS (SELECT 1 FROM occurrences o WHERE o.subject = $2 AND o.kind = 'registration_confirmed'
                              AND o.processed_at IS NULL AND o.held_at IS NULL)
            """,
            *(registration.event_id, f"registration/{registration.id}", registration.id),
        )
        return status == "INSERT 0 1"
