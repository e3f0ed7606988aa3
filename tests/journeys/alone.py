"""One automation lived alone: a rehearsal of a small event, the real dispatcher, and what the sandbox received at which instant."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx2

from database.rehearsals import copy_event
from database.seed import seed, seed_id
from database.seed_words import WHATSAPP_CONTENT
from models.messages import Channel
from models.player import DispatchInput
from starter.conductor import conduct
from tests.market import insert
from tests.workflows.house import House
from workflows.pumps import DispatchWorkflow

START = datetime(2027, 1, 4, 10, tzinfo=UTC)
"""A Monday; in Lisbon it is ten o'clock too."""
EVENT_DATE = datetime(2027, 2, 18, 9, tzinfo=UTC)
EVENT_END = datetime(2027, 2, 19, 18, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

CHANNELS: dict[str, Channel] = {
    "resend": "email",
    "twilio": "whatsapp",
    "linkedin": "linkedin",
    "x": "twitter",
    "facebook": "facebook",
}
URGENT = "background:#fde8e4;color:#a4240c"
"""How an urgent mail is marked: its first line stands in a red pill."""

PHONES = {
    "vip": "+4917139200001",
    "vip.guest": "+4917139200002",
    "vip.silent": "+4917139200003",
    "guest": "+4917139200004",
    "phone": "+4917139200005",
    "acme": "+4917139200006",
}
NAMES = {f"whatsapp:{phone}": name for name, phone in PHONES.items()}
APPROVED = {sid: template for template, sid in WHATSAPP_CONTENT.items()}
"""What a WhatsApp message was made of, by the ContentSid of its approved template."""


class Received(NamedTuple):
    """What one step sent at one instant on one channel with one template, and to whom."""

    at: datetime
    step: str
    channel: str
    template: str
    to: frozenset[str]


@dataclass
class Message:
    """One message as the sandbox received it."""

    at: datetime
    step: str
    channel: Channel
    template: str
    to: str
    subject: str
    text: str
    html: str
    files: Sequence[Mapping[str, Any]]

    @property
    def urgent(self) -> bool:
        """Whether the mail is marked as urgent."""
        return URGENT in self.html

    def shows(self, text: str) -> bool:
        """Whether the mail has this text or link, in its HTML and in its plain text; breaks of lines do not matter."""
        bare = re.sub(r"<[^>]+>", " ", self.html)
        return _plain(text) in _plain(self.text) and any(_plain(text) in _plain(body) for body in (bare, self.html))


@dataclass
class Alone:
    """A rehearsal in which one kind of automation begins and no other. `messages` is what the sandbox has received."""

    house: House
    event: UUID
    http: httpx2.AsyncClient
    messages: list[Message] = field(default_factory=list)
    _read: int = -1

    async def live(self, until: datetime | None = None) -> None:
        """Let time go by; after each instant the sandbox is asked what is new."""
        async for instant in conduct(self.house.pool, self.house.client, self.event, until):
            await self._receive(instant)

    async def sponsorship(self) -> UUID:
        """The one sponsor that has signed: Stratus Yard, whose contact goes by `acme` here."""
        sponsor: UUID = await self.house.pool.fetchval(
            """
            UPDATE sponsors s SET contact_email = 'acme@sponsor.example', contact_phone = $2, whatsapp_opt_in = TRUE
            FROM events e WHERE e.id = $1 AND s.organizer_id = e.organizer_id AND s.name = 'Stratus Yard' RETURNING s.id
            """,
            *(self.event, PHONES["acme"]),
        )
        id_ = uuid4()
        values = {"event_id": self.event, "sponsor_id": sponsor, "tier": "Gold", "amount": 9000}
        await insert(self.house.pool, "sponsorships", id=id_, **values)
        return id_

    async def _receive(self, at: datetime) -> None:
        fields = "id,provider,message_id,to,subject,tags,template,attachments,position,content"
        answer = await self.http.get("/_sandbox/messages", params={"after": self._read, "fields": fields})
        for one in answer.json()["messages"]:
            self._read = one["position"]
            if one["provider"] in CHANNELS:
                self.messages.append(await self._message(at, one))

    async def _message(self, at: datetime, one: Mapping[str, Any]) -> Message:
        """What a provider took, with its step: a mail is tagged with it, of the others the ledger knows by their id."""
        channel, content, tags = CHANNELS[one["provider"]], one["content"], one["tags"] or {}
        known = await self.house.pool.fetchrow(
            "SELECT step, template, channel FROM messages WHERE provider_id = $1 AND event_id = $2",
            one["id"],
            self.event,
        )
        assert known is not None, f"the ledger knows nothing of {one['id']}"
        assert known["channel"] == channel
        if channel == "email":
            assert (tags["step"], tags["template"]) == (known["step"], known["template"])
        to = one["to"][0] if isinstance(one["to"], list) else one["to"]
        words = next(content[name] for name in ("text", "ContentVariables", "message", "commentary") if name in content)
        return Message(
            at=at,
            step=known["step"],
            channel=channel,
            template=tags["template"] if channel == "email" else APPROVED.get(one["template"], ""),
            to=NAMES.get(to, to.partition("@")[0].lower()),
            subject=one["subject"],
            text=words,
            html=content.get("html", ""),
            files=one["attachments"],
        )

    @property
    def received(self) -> list[Received]:
        """What came, in order, people gathered."""
        found: dict[tuple[datetime, str, str, str], set[str]] = defaultdict(set)
        for one in self.messages:
            found[one.at, one.step, one.channel, one.template].add(one.to)
        assert sum(map(len, found.values())) == len(self.messages), "somebody got a message twice"
        return sorted(Received(*key, frozenset(to)) for key, to in found.items())

    def of(self, step: str, channel: str = "email") -> list[Message]:
        """What a step sent on a channel."""
        return [one for one in self.messages if (one.step, one.channel) == (step, channel)]

    async def automations(self) -> dict[str, str]:
        """The names of the automations and how they stand."""
        return {row["name"]: row["status"] for row in await self.house.automations(self.event)}

    async def steps(self, name: str) -> dict[str, str]:
        """The journal of an automation: its steps in order, and how each ended."""
        [row] = [row for row in await self.house.automations(self.event) if row["name"] == name]
        return await self.house.states(row["temporal_workflow_id"])

    async def urgencies(self, name: str) -> dict[str, str]:
        """Which steps of an automation are how urgent, as its row has them."""
        [row] = [row for row in await self.house.automations(self.event) if row["name"] == name]
        said = [(step["id"], one) for step in row["definition"]["steps"] for one in (step, *step.get("actions", ()))]
        return {id_: one["urgency"] for id_, one in said if isinstance(one, dict) and one.get("urgency")}

    def assert_includes(self, includes: Mapping[str, Mapping[str, str]]) -> None:
        """Every mail of each step shows each of its includes, in HTML and in plain text."""
        for step, texts in includes.items():
            mails = self.of(step)
            assert mails, f"{step} sent no mail"
            for mail in mails:
                absent = {include: text for include, text in texts.items() if not mail.shows(text)}
                assert not absent, f"{step} to {mail.to} lacks {absent}"

    def assert_urgent(self, *steps: str) -> None:
        """The mails of these steps are marked as urgent, and no others; all have a subject."""
        mails = [one for one in self.messages if one.channel == "email"]
        assert {one.step for one in mails if one.urgent} == set(steps)
        assert {one.step for one in mails if not one.urgent}.isdisjoint(steps)
        assert all(one.subject.strip() for one in mails)


def row(at: datetime, step: str, channel: str, template: str, *to: str) -> Received:
    """A row of a table of what must be received."""
    return Received(at, step, channel, template, frozenset(to))


def _plain(text: str) -> str:
    return " ".join(unescape(text).split())


@asynccontextmanager
async def alone(house: House, sandbox: str, kind: str, **parameters: Any) -> AsyncIterator[Alone]:
    """A rehearsal of a small event at START, not yet published, in which only `kind` begins; real pumps carry its mail."""
    pool, house.post_as = house.pool, None
    await pool.execute("UPDATE automation_rules SET enabled = FALSE")
    async with pool.acquire() as connection:
        seeded = await seed(connection, date(2027, 1, 4))
    await _people(house, seeded.organizer_id, seeded.event_id)
    pumps = [
        await house.client.start_workflow(
            DispatchWorkflow.run,
            DispatchInput(channel=channel, rehearsal=True),
            id=f"dispatch/{house.queue}/{channel}",
            task_queue=house.queue,
        )
        for channel in CHANNELS.values()
    ]
    try:
        async with house.at_work(), httpx2.AsyncClient(base_url=sandbox) as http:
            await house.quiet()
            await pool.execute(
                "UPDATE automation_rules SET enabled = TRUE, parameters = parameters || $2 WHERE workflow_type = $1",
                *(kind, parameters),
            )
            yield Alone(house, await copy_event(pool, seeded.event_id, uuid4(), START), http)
    finally:
        for pump in pumps:
            await pump.terminate()


async def _people(house: House, organizer: UUID, event: UUID) -> None:
    """A handful instead of the seed's crowd: with and without registration, VIP or not, with phone or not."""
    pool = house.pool
    for table in ("registrations", "suppressions", "contacts"):
        await pool.execute(f"DELETE FROM {table}")
    for name, vip, opt_in, consent, ticket in (
        ("vip", True, True, True, None),
        ("vip.guest", True, True, True, "VIP"),
        ("vip.silent", True, False, True, None),
        ("vip.unreachable", True, True, True, None),
        ("guest", False, True, True, "General"),
        ("quiet.guest", False, False, True, "General"),
        ("phone", False, True, True, None),
        ("reader", False, False, True, None),
        ("unwilling", False, False, False, None),
        ("speaker", False, False, True, None),
    ):
        id_ = seed_id(f"contact/{name}")
        values: dict[str, Any] = {
            "vip": vip,
            "whatsapp_opt_in": opt_in,
            "email_consent": consent,
            "phone": PHONES.get(name),
        }
        values |= {"email": f"{name}@people.example", "first_name": name.title(), "interests": ["reliability"]}
        await insert(pool, "contacts", id=id_, organizer_id=organizer, timezone="Europe/Lisbon", **values)
        if ticket:
            code = f"BCL-{name.upper()}"
            values = {"id": seed_id(f"registration/{name}"), "ticket_type": ticket, "ticket_code": code}
            await insert(pool, "registrations", event_id=event, contact_id=id_, **values)
    await pool.execute(
        "UPDATE speakers SET contact_id = $2 WHERE id = $1", seed_id("speaker/0"), seed_id("contact/speaker")
    )
    await pool.execute("DELETE FROM occurrences")
