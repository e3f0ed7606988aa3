"""What the EventOS application writes when people use it: a story is told with these, as if they had."""

from datetime import timedelta
from uuid import UUID

from database.connection import Pool


async def register(pool: Pool, event_id: UUID, count: int) -> int:
    """Register the next contacts who have not registered yet, by address; how many."""
    status: str = await pool.execute(
        """
        INSERT INTO registrations (event_id, contact_id, ticket_type, ticket_code, registered_at)
        SELECT e.id, c.id, CASE WHEN c.vip THEN 'VIP' ELSE 'General' END, upper(left(md5(c.id::text), 8)), eventos_now(e.id)
        FROM events e JOIN contacts c ON c.organizer_id = e.organizer_id
        WHERE e.id = $1 AND c.email IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM registrations r WHERE r.event_id = e.id AND r.contact_id = c.id)
        ORDER BY c.email LIMIT $2
        """,
        event_id,
        count,
    )
    return int(status.rpartition(" ")[2])


async def set_registration(pool: Pool, event_id: UUID, email: str, status: str) -> int:
    """Cancel somebody's registration, or confirm it again; how many there are."""
    said: str = await pool.execute(
        """
        UPDATE registrations r SET status = $3, registered_at = eventos_now(r.event_id)
        FROM contacts c WHERE r.event_id = $1 AND c.id = r.contact_id AND c.email = $2
        """,
        *(event_id, email, status),
    )
    return int(said.rpartition(" ")[2])


async def check_in(pool: Pool, event_id: UUID, absent: int) -> int:
    """Check in everybody who is registered but one in `absent`; how many came."""
    status: str = await pool.execute(
        """
        UPDATE registrations r SET checked_in_at = eventos_now(r.event_id)
        FROM (SELECT r.id, row_number() OVER (ORDER BY c.email) AS place
              FROM registrations r JOIN contacts c ON c.id = r.contact_id
              WHERE r.event_id = $1 AND r.status = 'confirmed') listed
        WHERE r.id = listed.id AND listed.place % $2 > 0
        """,
        *(event_id, absent),
    )
    return int(status.rpartition(" ")[2])


async def move_event(pool: Pool, event_id: UUID, by: timedelta) -> None:
    """Move an event with its programme."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "UPDATE events SET starts_at = starts_at + $2, ends_at = ends_at + $2 WHERE id = $1", event_id, by
        )
        await connection.execute(
            "UPDATE sessions SET starts_at = starts_at + $2, ends_at = ends_at + $2 WHERE event_id = $1", event_id, by
        )


async def decide(pool: Pool, event_id: UUID, sponsor: str, status: str) -> int:
    """Write down what a sponsor has decided about its proposal; how many proposals it has."""
    said: str = await pool.execute(
        """
        UPDATE proposals p SET status = $3 FROM sponsors s
        WHERE p.event_id = $1 AND s.id = p.sponsor_id AND s.name = $2
        """,
        *(event_id, sponsor, status),
    )
    return int(said.rpartition(" ")[2])


async def set_deliverables(
    pool: Pool, event_id: UUID, sponsor: str, name: str | None, status: str, why: str | None = None
) -> int:
    """Hand in, approve or reject what a sponsor owes by that name, or all that is open; how many."""
    said: str = await pool.execute(
        """
        UPDATE sponsor_deliverables d SET status = $4, rejection_reason = $5
        FROM sponsorships h JOIN sponsors s ON s.id = h.sponsor_id
        WHERE d.event_id = $1 AND h.id = d.sponsorship_id AND s.name = $2 AND d.status <> $4
          AND CASE WHEN $3::text IS NULL THEN d.status <> 'approved' ELSE d.name = $3 END
          AND ($4 <> 'approved' OR d.requires_approval)
        """,
        *(event_id, sponsor, name, status, why),
    )
    return int(said.rpartition(" ")[2])


async def meet(pool: Pool, event_id: UUID, sponsor: str, count: int) -> int:
    """Note whom a sponsor's staff spoke with among those present; how many."""
    status: str = await pool.execute(
        """
        INSERT INTO sponsor_leads (sponsorship_id, contact_id, captured_at)
        SELECT h.id, c.id, eventos_now($1)
        FROM sponsorships h JOIN sponsors s ON s.id = h.sponsor_id
        JOIN registrations r ON r.event_id = h.event_id AND r.checked_in_at IS NOT NULL
        JOIN contacts c ON c.id = r.contact_id
        WHERE h.event_id = $1 AND s.name = $2 ORDER BY c.email LIMIT $3
        """,
        *(event_id, sponsor, count),
    )
    return int(status.rpartition(" ")[2])
