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
