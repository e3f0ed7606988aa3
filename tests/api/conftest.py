"""An API that runs, over a world with messages that were sent."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from database.connection import Pool
from database.outbox import enqueue
from providers.resend import Resend
from starter.webhooks import Webhooks
from tests.serving import Api, serving
from tests.world import WHATSAPP, World, make_world


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


@pytest.fixture
async def api(pool: Pool, sandbox: str) -> AsyncIterator[Api]:
    async with serving(pool, sandbox) as api:
        yield api


@pytest.fixture
async def webhooks(pool: Pool, sandbox: str) -> AsyncIterator[Webhooks]:
    live, rehearsal = Resend(f"{sandbox}/resend", "re_tests"), Resend(f"{sandbox}/resend", "rehearsal-resend")
    yield Webhooks(pool, live, rehearsal)
    await live.aclose()
    await rehearsal.aclose()


@pytest.fixture
async def message(world: World) -> dict[str, Any]:
    """A mail to Ada that the provider accepted at noon."""
    return await sent_mail(world, "ada@people.example")


async def sent_mail(world: World, *addresses: str) -> dict[str, Any]:
    """Mails that the provider accepted at noon; the first of them."""
    for address in addresses:
        await world.contact(address)
    await enqueue(world.pool, world.request())
    await world.pool.execute(
        """
        UPDATE messages SET status = 'sent', provider_id = 're-' || id, sent_at = '2026-11-22 12:00+00'
        WHERE event_id = $1 AND status = 'queued'
        """,
        world.event,
    )
    return (await world.messages())[0]


async def ledger(pool: Pool, message_id: UUID) -> dict[str, Any]:
    row = await pool.fetchrow("SELECT * FROM messages WHERE id = $1", message_id)
    assert row is not None
    return dict(row)


async def facts(pool: Pool, message_id: UUID) -> list[str]:
    """What the message's automation was told, in order."""
    rows = await pool.fetch(
        """
        SELECT kind FROM occurrences WHERE subject = 'message/' || $1::uuid AND automation_id IS NOT NULL ORDER BY id
        """,
        message_id,
    )
    return [row["kind"] for row in rows]


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NUMBER = "+14155550199"


def at(seconds: int) -> str:
    return (NOON + timedelta(seconds=seconds)).isoformat()


def tags(message: dict[str, Any]) -> dict[str, str]:
    return {"message_id": str(message["id"])}


def inbound(text: str, **fields: str) -> dict[str, str]:
    sid = f"SM{uuid4().hex}"
    return {
        "MessageSid": sid,
        "SmsStatus": "received",
        "From": f"whatsapp:{NUMBER}",
        "To": "whatsapp:+1",
        "Body": text,
    } | fields


@pytest.fixture
async def whatsapp(world: World) -> dict[str, Any]:
    """A WhatsApp message that Twilio accepted."""
    await world.contact(None, NUMBER)
    await enqueue(world.pool, world.request(WHATSAPP))
    await world.pool.execute("UPDATE messages SET status = 'sent', provider_id = 'SM-out', sent_at = $1", NOON)
    (message,) = await world.messages()
    return message


async def suppressed(pool: Pool) -> dict[tuple[str, str], str]:
    """Why, by channel and address; several reasons in the order in which they came."""
    found: dict[tuple[str, str], str] = {}
    for row in await pool.fetch("SELECT * FROM suppressions ORDER BY created_at"):
        where = (row["channel"], row["address"])
        found[where] = f"{found[where]}, {row['reason']}" if where in found else row["reason"]
    return found
