"""Invitations: each person's calendar is handed an event under numbers that only ever grow."""

from uuid import UUID

from database.connection import Pool


async def next_sequence(pool: Pool, event_id: UUID, person_id: UUID) -> int:
    """The SEQUENCE of the next invitation, above all that were given out before. It is given out once; a gap does no harm."""
    sequence: int = await pool.fetchval(
        """
        INSERT INTO invitations (event_id, person_id) VALUES ($1, $2)
        ON CONFLICT (event_id, person_id) DO UPDATE SET sequence = invitations.sequence + 1 RETURNING sequence
        """,
        *(event_id, person_id),
    )
    return sequence
