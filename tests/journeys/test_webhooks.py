"""There and back: mails leave by the dispatcher, people react, and what they do comes home over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx2
import pytest

from activities.dispatch import Dispatch
from database.connection import Pool
from database.outbox import enqueue
from dev.api import connect_people
from models.messages import Enqueue
from models.replies import reply_address
from providers import accounts
from starter.people import People
from starter.webhooks import Webhooks
from tests.market import make_market
from tests.serving import SECRET, TOKEN, Api, serving, settings_for, take_in
from tests.world import WHATSAPP, World, make_world
from workflows.sponsor_outreach import SEQUENCE

START = datetime(2027, 1, 4, 9, tzinfo=UTC)


@dataclass
class System:
    """Dispatcher, API, intake and the people in the sandbox."""

    pool: Pool
    api: Api
    dispatch: Dispatch
    webhooks: Webhooks
    sandbox: httpx2.AsyncClient

    async def people(self, *scripts: dict[str, Any]) -> None:
        (await self.sandbox.post("/_sandbox/scripts", json=list(scripts))).raise_for_status()

    async def live_until(self, world: World, end: datetime) -> None:
        """Step a rehearsal's clock from one reaction to the next, as a conductor does."""
        async with People(str(self.sandbox.base_url)) as people:
            now = world.started
            while (ahead := await people.next_instant(now)) is not None and ahead <= end:
                now = ahead
                await world.set_event(clock_now=now)
                await people.react(now)
                await take_in(self.pool, self.webhooks)
        await world.set_event(clock_now=end)


@asynccontextmanager
async def system(pool: Pool, sandbox: str, database: str, inbound_domain: str = "") -> AsyncIterator[System]:
    async with serving(pool, sandbox) as api, httpx2.AsyncClient(base_url=sandbox) as http:
        settings = settings_for(sandbox, api.url)
        live, rehearsal = accounts.live(settings), accounts.rehearsal(settings)
        for one in (live, rehearsal):
            one.email.pace.per_second = one.whatsapp.pace.per_second = float("inf")
        await http.post("/_sandbox/limits", json={"provider": "all", "per_second": None})
        environment = {
            "PUBLIC_URL": api.url,
            "SANDBOX_URL": sandbox,
            "RESEND_API_KEY": "re_tests",
            "RESEND_WEBHOOK_SECRET": SECRET,
            "TWILIO_ACCOUNT_SID": "ACtests",
            "TWILIO_AUTH_TOKEN": TOKEN,
        }
        await connect_people(environment)
        dispatch = Dispatch(
            pool, live, rehearsal, public_url=api.url, listen_url=database, inbound_domain=inbound_domain
        )
        try:
            yield System(pool, api, dispatch, Webhooks(pool, live.email, rehearsal.email), http)
        finally:
            await live.aclose()
            await rehearsal.aclose()


async def by_name(world: World, round_: int) -> dict[str, dict[str, Any]]:
    return {row["address"].partition("@")[0]: row for row in await world.messages() if row["round"] == round_}


async def test_a_rehearsals_people_react_at_their_instants_and_those_who_left_get_no_next_mail(
    pool: Pool, sandbox: str, database: str
) -> None:
    world = await make_world(pool, clock=START)
    await world.set_organizer(rehearsal_of=world.organizer)
    names = ("ada", "bob", "dan", "eve", "gone", "max", "scan")
    for name in names:
        await world.contact(f"{name}@people.example")
    async with system(pool, sandbox, database) as here:
        await here.people(
            {"who": "ada@*", "what": "open", "after": 3600},
            {"who": "ada@*", "what": "click", "after": 3700},
            {"who": "bob@*", "what": "reply", "after": 4 * 86400, "text": "We would like the gold package."},
            {"who": "dan@*", "what": "out_of_office", "after": 60, "text": "I am back on 18 January."},
            {"who": "eve@*", "what": "complain", "after": 7200},
            {"who": "gone@*", "what": "bounce"},
            {"who": "max@*", "what": "unsubscribe", "after": 86400},
            {"who": "scan@*", "what": "open", "after": 2},
        )
        await enqueue(pool, world.request(now=START))
        await here.dispatch.pump("email", rehearsal=True).drain()
        await here.live_until(world, START + timedelta(days=7))

        first = await by_name(world, 0)
        assert {name: row["status"] for name, row in first.items()} == dict.fromkeys(names, "sent")
        assert {name for name, row in first.items() if row["delivered_at"] == START} == {*names} - {"gone"}
        assert (first["ada"]["opened_at"], first["ada"]["clicked_at"]) == (
            START + timedelta(hours=1),
            START + timedelta(seconds=3700),
        )
        assert first["bob"]["replied_at"] == START + timedelta(days=4)
        assert first["dan"]["replied_at"] is None
        assert first["eve"]["complained_at"] == START + timedelta(hours=2)
        assert first["gone"]["bounced_at"] == START
        assert (first["scan"]["opened_at"], first["scan"]["scanned_at"]) == (None, START + timedelta(seconds=2))
        replies = {row["message_id"]: row for row in await pool.fetch("SELECT * FROM replies")}
        assert replies[first["bob"]["id"]]["body"] == "We would like the gold package."
        away = replies[first["dan"]["id"]]
        assert (away["automatic"], away["away_until"]) == (True, date(2027, 1, 18))
        facts = await pool.fetch(
            "SELECT kind, occurred_at FROM occurrences WHERE kind LIKE 'message\\_%' ORDER BY occurred_at, kind"
        )
        assert [(row["kind"], row["occurred_at"] - START) for row in facts] == [
            ("message_bounced", timedelta()),
            ("message_auto_replied", timedelta(minutes=1)),
            ("message_opened", timedelta(hours=1)),
            ("message_clicked", timedelta(seconds=3700)),
            ("message_complained", timedelta(hours=2)),
            ("message_replied", timedelta(days=4)),
        ]

        await enqueue(pool, world.request(now=START + timedelta(days=7), round=1))
        await here.dispatch.pump("email", rehearsal=True).drain()
        second = await by_name(world, 1)
        assert len(second) == len(names)
        assert {name: row["reason"] for name, row in second.items() if row["status"] != "sent"} == {
            "eve": "suppressed: complaint",
            "gone": "suppressed: hard bounce",
            "max": "suppressed: unsubscribed",
        }


async def test_in_real_time_everybodys_reactions_find_their_messages(pool: Pool, sandbox: str, database: str) -> None:
    world = await make_world(pool)
    await world.people(60)
    await world.contact(None, "+14155550199")
    async with system(pool, sandbox, database) as here:
        await here.people(
            {"who": "person-1@*", "what": "bounce"},
            {"who": "person-2@*", "what": "unsubscribe"},
            {"who": "+1*", "what": "open", "after": 0.1},
            {"who": "+1*", "what": "stop", "after": 0.2},
        )
        await enqueue(pool, world.request())
        await enqueue(pool, world.request(WHATSAPP))
        await asyncio.gather(
            *(here.dispatch.pump(channel, rehearsal=False).drain() for channel in ("email", "whatsapp"))
        )

        async with asyncio.timeout(60):
            while await pool.fetchval(
                "SELECT count(*) FROM messages WHERE delivered_at IS NULL AND bounced_at IS NULL"
            ):
                await take_in(pool, here.webhooks)
                await asyncio.sleep(0.05)
            while await pool.fetchval("SELECT count(*) FROM suppressions") < 3:
                await take_in(pool, here.webhooks)
                await asyncio.sleep(0.05)
        rows = await world.messages()
        assert {row["status"] for row in rows} == {"sent"}
        assert [row["address"] for row in rows if row["bounced_at"]] == ["person-1@people.example"]
        assert sum(1 for row in rows if row["delivered_at"]) == 60
        suppressed = {row["address"]: row["reason"] for row in await pool.fetch("SELECT * FROM suppressions")}
        assert suppressed == {
            "person-1@people.example": "hard bounce",
            "person-2@people.example": "unsubscribed",
            "+14155550199": "STOP",
        }


@pytest.mark.parametrize(
    "inbound_domain", ["in.river.example", ""], ids=["by its reply address", "by the message it names"]
)
async def test_a_sponsors_answer_finds_its_sequence(
    pool: Pool, sandbox: str, database: str, inbound_domain: str
) -> None:
    market = await make_market(pool)
    await market.sponsor("Stratus Yard")
    (proposal,) = await market.followed()
    now, sequence = datetime.now(UTC), proposal["sequence_id"]
    step: dict[str, Any] = {"step": SEQUENCE[0], "round": 0, "due": now, "now": now, "date_revision": 0}
    await enqueue(pool, Enqueue(automation_id=sequence, event_id=market.event, **step))
    async with system(pool, sandbox, database, inbound_domain) as here:
        await here.people({"who": "ada@*", "what": "reply", "after": 0.3, "text": "Tell me more."})
        await here.dispatch.pump("email", rehearsal=False).drain()
        id_ = await pool.fetchval("SELECT id FROM messages WHERE automation_id = $1", sequence)
        (mail,) = (await here.sandbox.get("/_sandbox/messages")).json()["messages"]
        (shown,) = (await here.sandbox.get("/resend/emails", headers={"authorization": "Bearer re_tests"})).json()[
            "data"
        ]
        assert mail["message_id"] == str(id_)
        token = [reply_address(id_, inbound_domain)] if inbound_domain else []
        assert shown["reply_to"] == [*token, "hello@river.example"]
        async with asyncio.timeout(30):
            while not await pool.fetchval("SELECT count(*) FROM replies"):
                await take_in(pool, here.webhooks, patient=False)
                await asyncio.sleep(0.05)
    assert await pool.fetchval("SELECT message_id FROM replies") == id_
    told = await pool.fetchrow("SELECT automation_id FROM occurrences WHERE kind = 'message_replied'")
    assert told is not None
    assert told["automation_id"] == sequence
