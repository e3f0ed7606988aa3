"""What a delivery changes: the message it speaks of, who may be written to, and the facts that automations listen to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from database.connection import Connection
from database.tallies import Change, tally
from models.webhooks import Answer, Provider

CHANNEL = {"resend": "email", "twilio": "whatsapp"}

Column = Literal["delivered_at", "opened_at", "clicked_at", "bounced_at", "complained_at", "replied_at", "scanned_at"]

FACTS: dict[Column, str] = {
    "opened_at": "message_opened",
    "clicked_at": "message_clicked",
    "bounced_at": "message_bounced",
    "complained_at": "message_complained",
}
"""What automations are told, once per message, when a column is first filled."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The message that a delivery speaks of, locked until the transaction ends."""

    id: UUID
    rehearsal: bool
    organizer_id: UUID
    event_id: UUID
    automation_id: UUID
    log_id: UUID
    step: str
    round: int
    person_id: UUID | None
    channel: str
    address: str
    status: str
    counted: bool
    batch_id: UUID | None
    sent_at: datetime | None
    delivered_at: datetime | None
    bounced_at: datetime | None
    clock_now: datetime | None
    """Its rehearsal's clock; None for a real one."""

    def instant(self, said: datetime | None, received_at: datetime) -> datetime:
        """When something happened to it, by the clock that it lives by."""
        return self.clock_now or said or received_at


# Real deliveries speak of real messages and a rehearsal's of rehearsals', whatever ids they name.
_SPOKEN = """
SELECT m.id, m.rehearsal, m.organizer_id, m.event_id, m.automation_id, m.log_id, m.step, m.round, m.person_id, m.channel,
       m.address, m.status, m.counted, m.batch_id, m.sent_at, m.delivered_at, m.bounced_at, e.clock_now
FROM messages m JOIN events e ON e.id = m.event_id
WHERE m.channel = $1 AND m.rehearsal = $2 AND
"""


async def find(
    connection: Connection, provider: Provider, message_id: UUID | None, provider_id: str | None, *, rehearsal: bool
) -> Spoken | None:
    """The message of our id, else the one of the provider's."""
    row = await connection.fetchrow(
        f"{_SPOKEN} m.id = $3 FOR NO KEY UPDATE OF m", CHANNEL[provider], rehearsal, message_id
    ) or await connection.fetchrow(
        f"{_SPOKEN} m.provider_id = $3 LIMIT 1 FOR NO KEY UPDATE OF m", CHANNEL[provider], rehearsal, provider_id
    )
    return Spoken(**dict(row)) if row else None


async def find_answered(
    connection: Connection, provider: Provider, token: UUID | None, answer: Answer, *, rehearsal: bool
) -> Spoken | None:
    """The message that somebody answers: by the address it was sent to, the ids it names, or, on WhatsApp, the number's latest."""
    ways: list[tuple[str, Any]] = [("m.id = $3", token), ("m.rfc_id = ANY($3::text[])", list(answer.answers))]
    if provider == "twilio":
        ways = [("m.provider_id = ANY($3::text[])", list(answer.answers)), ("m.address = $3", answer.sender)]
    for way, value in ways:
        row = await connection.fetchrow(
            f"{_SPOKEN} {way} AND m.sent_at IS NOT NULL ORDER BY m.sent_at DESC LIMIT 1 FOR NO KEY UPDATE OF m",
            *(CHANNEL[provider], rehearsal, value),
        )
        if row:
            return Spoken(**dict(row))
    return None


async def record(
    connection: Connection,
    message: Spoken,
    columns: Sequence[Column],
    at: datetime,
    why: str | None,
    rfc_id: str | None,
) -> list[Column]:
    """Note when something became of a message; returns what was not known of it before.

    The earliest instant is kept, so that deliveries may come twice and in any order.
    """
    row = await connection.fetchrow(
        f"""
        UPDATE messages m
        SET {"".join(f"{column} = least(m.{column}, $2), " for column in columns)}
            reason = coalesce(m.reason, $3), rfc_id = coalesce(m.rfc_id, $4)
        FROM (SELECT * FROM messages WHERE id = $1) old
        WHERE m.id = old.id AND $2::timestamptz IS NOT NULL
        RETURNING {", ".join(f"old.{column}" for column in (*columns, "id"))}
        """,
        *(message.id, at, why, rfc_id),
    )
    assert row is not None
    return [column for column in columns if row[column] is None]


async def settle(
    connection: Connection, message: Spoken, status: Literal["sent", "failed"], provider_id: str | None, at: datetime
) -> None:
    """What the ledger did not know of a message is known now, whatever it was about to do with it."""
    missing = await connection.fetchval(
        """
        UPDATE messages
        SET status = $2, provider_id = coalesce(provider_id, $3), reason = CASE WHEN $2 = 'sent' THEN NULL ELSE reason END,
            sent_at = CASE WHEN $2 = 'sent' THEN $4::timestamptz END
        WHERE id = $1 RETURNING missing
        """,
        *(message.id, status, provider_id, at),
    )
    change = Change(message.log_id, message.status, status, message.counted, missing=missing or {})
    await tally(connection, [change], message.channel)


async def tell(connection: Connection, message: Spoken, kind: str, at: datetime, **data: str | bool | None) -> None:
    """A fact for the message's automation. It names ids only: who it is and what was said stays in the tables."""
    about = {
        "message": str(message.id),
        "step": message.step,
        "round": message.round,
        "person": str(message.person_id) if message.person_id else None,
    }
    await connection.execute(
        """
        INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, data, occurred_at)
        VALUES ($1, $2, $3, $4, 'message/' || $5::uuid, $6, $7)
        """,
        *(kind, message.rehearsal, message.event_id, message.automation_id, message.id, about | data, at),
    )


async def keep_reply(
    connection: Connection,
    delivery_id: UUID,
    message: Spoken,
    answer: Answer,
    at: datetime,
    *,
    automatic: bool,
    away_until: date | None,
) -> None:
    """Keep what was answered, once."""
    await connection.execute(
        """
        INSERT INTO replies (id, message_id, sender, subject, body, automatic, away_until, replied_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING
        """,
        *(delivery_id, message.id, answer.sender, answer.subject, answer.text, automatic, away_until, at),
    )
