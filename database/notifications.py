"""Notifications: what an organizer is told, once per matter."""

from uuid import UUID

from database.connection import Connection, Pool


async def tell(
    connection: Pool | Connection, *, event_id: UUID, key: str, title: str, body: str, automation_id: UUID | None = None
) -> None:
    """Tell the event's organizer; a second telling under the same key changes nothing."""
    await connection.execute(
        """
        INSERT INTO notifications (organizer_id, event_id, automation_id, key, title, body)
        SELECT organizer_id, id, $2, $3, $4, $5 FROM events WHERE id = $1
        ON CONFLICT (key) DO NOTHING
        """,
        event_id,
        automation_id,
        key,
        title,
        body,
    )
