"""Suppressions: addresses to which an organizer sends nothing any more on a channel, and why.

Each reason that stands against an address is a row, so none forgets another, in whatever order they come. An unsubscription lets
priority 1 pass and is therefore the weakest: where anything else stands against the address, that is what counts.
"""

from typing import NamedTuple
from uuid import UUID

from database.connection import Connection, Pool
from database.deliveries import Spoken

UNSUBSCRIBED = "unsubscribed"
STOP = "STOP"

STRONGEST_FIRST = f"reason = '{UNSUBSCRIBED}', created_at"
"""The order of the rows of `suppressions` in which the first is the one that counts."""


async def suppress(connection: Connection, message: Spoken, reason: str) -> bool:
    """Send nothing any more to where this message went, for this reason; False if that was so before."""
    status: str = await connection.execute(
        "INSERT INTO suppressions (organizer_id, channel, address, reason) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        *(message.organizer_id, message.channel, message.address, reason),
    )
    return status != "INSERT 0 0"


# A number answers one sender that organizers share, so its word counts for all who wrote to it; a rehearsal is alone.
_WROTE = """
    SELECT DISTINCT organizer_id FROM messages
    WHERE channel = $1 AND address = $2 AND rehearsal = $3 AND sent_at IS NOT NULL AND (NOT rehearsal OR organizer_id = $4)
"""


async def stop(connection: Connection, message: Spoken) -> None:
    """The person has said STOP to the number that this message came from."""
    await connection.execute(
        f"""
        INSERT INTO suppressions (organizer_id, channel, address, reason)
        SELECT organizer_id, $1, $2, '{STOP}' FROM ({_WROTE}) wrote ON CONFLICT DO NOTHING
        """,
        *(message.channel, message.address, message.rehearsal, message.organizer_id),
    )


async def start(connection: Connection, message: Spoken) -> bool:
    """The person takes a STOP back; what else stands against the address stays. False if there was none."""
    status: str = await connection.execute(
        f"""
        DELETE FROM suppressions
        WHERE channel = $1 AND address = $2 AND reason = '{STOP}' AND organizer_id IN ({_WROTE})
        """,
        *(message.channel, message.address, message.rehearsal, message.organizer_id),
    )
    return status != "DELETE 0"


class Subscription(NamedTuple):
    """What a person who follows an unsubscribe link is shown."""

    organizer: str
    channel: str
    address: str
    unsubscribed: bool


async def subscription(pool: Pool, message_id: UUID) -> Subscription | None:
    """Whom a message's link is about; None if no person was sent such a message."""
    row = await pool.fetchrow(
        f"""
        SELECT o.name, m.channel, m.address, s.reason IS NOT NULL AS unsubscribed
        FROM messages m JOIN organizers o ON o.id = m.organizer_id
        LEFT JOIN suppressions s ON s.organizer_id = m.organizer_id AND s.channel = m.channel AND s.address = m.address
             AND s.reason = '{UNSUBSCRIBED}'
        WHERE m.id = $1 AND m.channel IN ('email', 'whatsapp')
        """,
        message_id,
    )
    return Subscription(*row.values()) if row else None


async def unsubscribe(pool: Pool, message_id: UUID) -> bool:
    """Suppress the message's address for its organizer and note that it happened; False if it had before.

    What else stands against the address stays. A rehearsal's organizer is a shadow, so nothing of the real one changes.
    """
    done: bool | None = await pool.fetchval(
        f"""
        WITH message AS (
            SELECT m.* FROM messages m JOIN organizers o ON o.id = m.organizer_id
            WHERE m.id = $1 AND m.channel IN ('email', 'whatsapp') AND m.rehearsal = (o.rehearsal_of IS NOT NULL)
        ), suppressed AS (
            INSERT INTO suppressions (organizer_id, channel, address, reason)
            SELECT organizer_id, channel, address, '{UNSUBSCRIBED}' FROM message
            ON CONFLICT DO NOTHING RETURNING TRUE
        )
        INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, data, occurred_at)
        SELECT 'unsubscribed', m.rehearsal, m.event_id, m.automation_id, 'message/' || m.id,
               jsonb_build_object('message', m.id, 'step', m.step, 'round', m.round, 'person', m.person_id),
               eventos_now(m.event_id)
        FROM message m, suppressed
        RETURNING TRUE
        """,
        message_id,
    )
    return bool(done)
