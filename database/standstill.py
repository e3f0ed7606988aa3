"""What keeps automations of an event from going on: told once per event and matter, and taken back when nothing waits for it."""

from hashlib import sha256
from uuid import UUID, uuid4

from asyncpg import Record

from database import notifications
from database.connection import Connection


async def tell(connection: Connection, automation_id: UUID, problem: str) -> None:
    """Tell the organizer what an automation waits for, by one mail however many of its event wait for the same."""
    event = await connection.fetchrow(
        "SELECT e.id, e.name FROM automation_workflows a JOIN events e ON e.id = a.event_id WHERE a.id = $1",
        automation_id,
    )
    if event is None:
        return
    matter = await _lock(connection, event["id"], problem)
    if not await _told(connection, event["id"], matter):
        await notifications.tell_by_mail(
            connection,
            automation_id=automation_id,
            key=f"{matter}{uuid4()}",  # what comes again is told again
            title=f"Automations of {event['name']} cannot go on",
            body=problem,
        )


async def take_back(connection: Connection, event_id: UUID, problem: str) -> None:
    """Take a matter back, and its mail if that has not left, unless another automation of the event waits for it."""
    matter = await _lock(connection, event_id, problem)
    waits = await connection.fetchval(
        """
        SELECT EXISTS (SELECT 1 FROM automation_workflows
                       WHERE event_id = $1 AND problem = $2 AND status IN ('pending', 'active', 'paused'))
        """,
        *(event_id, problem),
    )
    for told in [] if waits else await _told(connection, event_id, matter):
        await notifications.withdraw(connection, told["automation_id"], told["key"])


async def _lock(connection: Connection, event_id: UUID, problem: str) -> str:
    """Let nobody else tell or take back this matter until the transaction ends; what its keys begin with."""
    matter = f"problem/{event_id}/{sha256(problem.encode()).hexdigest()[:32]}/"
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", matter)
    return matter


async def _told(connection: Connection, event_id: UUID, matter: str) -> list[Record]:
    return await connection.fetch(
        "SELECT automation_id, key FROM notifications WHERE event_id = $1 AND starts_with(key, $2)", event_id, matter
    )
