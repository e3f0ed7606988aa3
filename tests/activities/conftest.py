"""The outbox's world: a launch with contacts, a dispatcher, and the sandbox's account of what it accepted."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from activities.dispatch import Dispatch, Pump
from activities.mailing import Mailing
from database import claims, recovery
from database.batches import Batch
from database.connection import Pool
from models.messages import Channel
from providers.accounts import Accounts, live, rehearsal
from settings import Settings
from tests.world import World, make_world


@dataclass
class Providers:
    """What the sandbox did, and what it shall do."""

    url: str
    http: httpx2.AsyncClient

    async def faults(self, provider: str = "resend", **wish: Any) -> None:
        """Let requests go wrong."""
        answer = await self.http.post(f"{self.url}/_sandbox/faults", json={"provider": provider, **wish})
        assert answer.is_success, answer.text

    async def accepted(self, provider: str | None = None) -> list[dict[str, Any]]:
        """Every message that was accepted."""
        query = {"provider": provider} if provider else {}
        messages: list[dict[str, Any]] = (await self.http.get(f"{self.url}/_sandbox/messages", params=query)).json()[
            "messages"
        ]
        return messages

    async def accepted_ids(self, provider: str = "resend") -> Counter[str]:
        """How often each of our message ids was accepted."""
        return Counter(message["message_id"] for message in await self.accepted(provider))

    async def requests(self, provider: str = "resend") -> int:
        """How many requests came."""
        counts = (await self.http.get(f"{self.url}/_sandbox/counts")).json()
        number: int = counts["providers"][provider]["requests"]
        return number


@pytest.fixture
async def providers(sandbox: str) -> AsyncIterator[Providers]:
    async with httpx2.AsyncClient() as http:
        await http.post(f"{sandbox}/_sandbox/limits", json={"provider": "all", "per_second": None})
        yield Providers(sandbox, http)


@pytest.fixture
def settings(sandbox: str, database: str) -> Settings:
    return Settings(
        database_url=database,
        public_url="http://127.0.0.1:8000",
        sandbox_url=sandbox,
        resend_api_url=f"{sandbox}/resend",
        resend_api_key=SecretStr("live-resend"),
        twilio_api_url=f"{sandbox}/twilio",
        twilio_account_sid="AC" + "1" * 32,
        twilio_auth_token=SecretStr("live-twilio"),
        twilio_whatsapp_from="whatsapp:+15005550006",
        linkedin_api_url=f"{sandbox}/linkedin",
        linkedin_token=SecretStr("live-linkedin"),
        linkedin_author="urn:li:organization:7",
        x_api_url=f"{sandbox}/x",
        x_token=SecretStr("live-x"),
        facebook_api_url=f"{sandbox}/facebook",
        facebook_token=SecretStr("live-facebook"),
        facebook_page_id="7",
    )


@pytest.fixture
async def accounts(settings: Settings) -> AsyncIterator[Accounts]:
    accounts = unhurried(live(settings))
    yield accounts
    await accounts.aclose()


@pytest.fixture
async def sandbox_accounts(settings: Settings) -> AsyncIterator[Accounts]:
    accounts = unhurried(rehearsal(settings))
    yield accounts
    await accounts.aclose()


@pytest.fixture
async def dispatch(
    pool: Pool, settings: Settings, accounts: Accounts, sandbox_accounts: Accounts, providers: Providers
) -> Dispatch:
    """A dispatcher whose providers know no limit."""
    assert providers.url
    return Dispatch(pool, accounts, sandbox_accounts, public_url=settings.public_url, listen_url=settings.database_url)


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


def unhurried(accounts: Accounts) -> Accounts:
    """Accounts that know no limit of their own."""
    for channel in ("email", "whatsapp", "linkedin", "twitter", "facebook"):
        accounts.sender(channel).pace.per_second = float("inf")
    return accounts


async def end_leases(pool: Pool) -> None:
    """Time passes: every lease ends, and every wait for a provider."""
    await pool.execute("UPDATE batches SET lease_until = now() - interval '1 second' WHERE lease_until < 'infinity'")
    await pool.execute("UPDATE messages SET not_before = NULL")


async def to_the_end(pool: Pool, dispatch: Dispatch, channel: Channel = "email", *, live_only: bool = True) -> Pump:
    """Recover and drain with time passing, until nothing of the channel is queued for now or under way."""
    pump = dispatch.pump(channel, rehearsal=not live_only)
    open_ = 0
    for _ in range(20):
        await end_leases(pool)
        await pump.recover()
        await recovery.sweep(pool, channel, rehearsal=not live_only)
        await pump.drain()
        open_ = await pool.fetchval(
            """
            SELECT count(*) FROM messages WHERE channel = $1 AND (status = 'sending' OR (status = 'queued' AND release_at <= now()))
            """,
            channel,
        )
        if not open_:
            return pump
        await asyncio.sleep(0)
    raise AssertionError(f"{open_} messages are still under way")


async def claimed(pool: Pool, limit: int = 100) -> Batch:
    (batch,) = (await claims.claim(pool, "email", rehearsal=False, limit=limit)).batches
    return batch


async def die_after(line: str, mailing: Mailing, batch: Batch) -> None:
    """Carry a batch up to a line, and not a step further."""
    if line == "claimed":
        return
    async for passed in mailing.carry(batch):
        if passed == line:
            return
    raise AssertionError(f"the protocol has no line '{line}'")


def sent_once(world_messages: list[dict[str, object]], accepted: dict[str, int]) -> None:
    """The ledger and the provider agree, message by message."""
    assert {str(m["id"]) for m in world_messages if m["status"] == "sent"} == set(accepted)
    assert set(accepted.values()) <= {1}
