"""An organizer with a conference to try everything on, and contacts by the hundred thousand for measuring."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from database import seed_sponsors
from database import seed_words as words
from database.connection import Connection

NAMESPACE = UUID("6d1c5d6e-6f0b-5a39-9d0e-2f6a3c1b7e40")
"""Ids are made of names, so that the same seed is the same rows."""
WEEKS_AHEAD = 6
CONTACTS = 400
VIP = 60
VIP_WITHOUT_OPT_IN = 4
WITHOUT_CONSENT = 20
SUPPRESSED = 12
REGISTERED = 80

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Seeded:
    """What is there now, and how many rows of each table came new."""

    organizer_id: UUID
    event_id: UUID
    added: dict[str, int]


def seed_id(name: str) -> UUID:
    """The id of a seeded row: `organizer`, `event`, `contact/17`, ..."""
    return uuid5(NAMESPACE, name)


async def seed(connection: Connection, today: date | None = None) -> Seeded:
    """Add what is missing of the seed in one transaction. What is there stays as it is, also a date that has passed."""
    organizer, event = seed_id("organizer"), seed_id("event")
    opening = _thursday((today or datetime.now(UTC).date()) + timedelta(weeks=WEEKS_AHEAD))
    contacts = _contacts(organizer)
    tiers = {name: seed_id(f"tier/{name}") for name in seed_sponsors.TIERS}
    tables: dict[str, Rows] = {
        "organizers": [words.ORGANIZER | {"id": organizer, "whatsapp_content": words.WHATSAPP_CONTENT}],
        "events": [_event(organizer, event, opening), _next_event(organizer, opening)],
        "contacts": contacts,
        "suppressions": _suppressions(organizer, contacts),
        "registrations": _registrations(event, contacts),
        "speakers": [
            speaker._asdict() | {"id": seed_id(f"speaker/{at}"), "event_id": event}
            for at, speaker in enumerate(words.SPEAKERS)
        ],
        "sessions": _sessions(event, opening),
        "sponsors": _sponsors(organizer),
        "sponsor_tiers": seed_sponsors.tiers(event, tiers),
        "tier_deliverables": seed_sponsors.owed(tiers),
    }
    async with connection.transaction():
        added = {table: await _add(connection, table, rows) for table, rows in tables.items()}
        # It is there to be spoken of: nothing of its own begins.
        await connection.execute(
            "DELETE FROM occurrences WHERE event_id = $1 AND processed_at IS NULL", seed_id("next event")
        )
    return Seeded(organizer, event, added)


async def seed_contacts(connection: Connection, organizer_id: UUID, count: int) -> int:
    """Add `count` plain contacts who may be written to, for measuring; those there already are not added again."""
    status: str = await connection.execute(
        """
        INSERT INTO contacts (id, organizer_id, email, first_name, last_name, timezone)
        SELECT md5($1::uuid || '/' || n)::uuid, $1::uuid, 'person' || n || '@example.com', 'Person', n::text, 'Europe/Lisbon'
        FROM generate_series(1, $2::integer) AS n
        ON CONFLICT DO NOTHING
        """,
        organizer_id,
        count,
    )
    return int(status.rpartition(" ")[2])


def _thursday(day: date) -> date:
    return day + timedelta(days=(3 - day.weekday()) % 7)


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), ZoneInfo("Europe/Lisbon")).astimezone(UTC)


def _event(organizer: UUID, event: UUID, opening: date) -> Mapping[str, Any]:
    return words.EVENT | {
        "id": event,
        "organizer_id": organizer,
        "status": "draft",
        "starts_at": _at(opening, 9),
        "ends_at": _at(opening + timedelta(days=1), 18),
        "timezone": "Europe/Lisbon",
        "details": words.EVENT_DETAILS,
    }


def _next_event(organizer: UUID, opening: date) -> Mapping[str, Any]:
    id_, day = seed_id("next event"), opening + timedelta(weeks=20)
    return {
        **_event(organizer, id_, opening),
        **words.NEXT_EVENT,
        "status": "published",
        "starts_at": _at(day, 9),
        "ends_at": _at(day, 18),
        "details": words.NEXT_DETAILS,
        "sponsor_categories": [],
    }


def _contacts(organizer: UUID) -> list[dict[str, Any]]:
    chance = random.Random(2026)  # noqa: S311 - the same people every time, nothing secret
    zones = [zone for zone, share in words.ZONES for _ in range(share)]
    chance.shuffle(zones)
    names = [(first, last) for first in words.FIRST_NAMES for last in words.LAST_NAMES]
    rows = []
    for at, (first, last) in enumerate(chance.sample(names, CONTACTS)):
        company = words.COMPANIES[at % len(words.COMPANIES)]
        domain = "".join(letter for letter in company.lower() if letter.isalpha())
        vip = at < VIP
        rows.append(
            {
                "id": seed_id(f"contact/{at}"),
                "organizer_id": organizer,
                "email": f"{_plain(first)}.{_plain(last)}@{domain}.test"
                if at % 3
                else f"{_plain(first)}.{_plain(last)}@example.com",
                "phone": _phone(at) if vip else None,
                "first_name": first,
                "last_name": last,
                "company": company,
                "timezone": zones[at],
                "vip": vip,
                # Spread over everybody, VIPs among them.
                "email_consent": at % (CONTACTS // WITHOUT_CONSENT) != 7,
                "whatsapp_opt_in": vip and at >= VIP_WITHOUT_OPT_IN,
                "interests": chance.sample(words.INTERESTS, 2),
            }
        )
    return rows


def _phone(at: int) -> str:
    # Blocks that the German and the Swedish regulator keep for films; both pass for real mobile numbers.
    return f"+4917139200{at:02d}" if at < VIP // 2 else f"+467017406{at:02d}"


def _plain(name: str) -> str:
    return name.lower().translate(str.maketrans("ãáâçéêíóôõú", "aaaceeiooou"))


def _suppressions(organizer: UUID, contacts: list[dict[str, Any]]) -> Rows:
    for at in range(SUPPRESSED):
        contact = contacts[at * (CONTACTS // SUPPRESSED) + 3]
        reason = "hard bounce" if at % 3 else "complaint"
        yield {"organizer_id": organizer, "channel": "email", "address": contact["email"], "reason": reason}
    yield {"organizer_id": organizer, "channel": "whatsapp", "address": contacts[VIP - 1]["phone"], "reason": "STOP"}


def _registrations(event: UUID, contacts: list[dict[str, Any]]) -> Rows:
    for at in range(REGISTERED):
        contact = contacts[at * (CONTACTS // REGISTERED)]
        yield {
            "id": seed_id(f"registration/{at}"),
            "event_id": event,
            "contact_id": contact["id"],
            "ticket_type": "VIP" if contact["vip"] else "General",
            "ticket_code": f"BCL-{seed_id(f'ticket/{at}').hex[:8].upper()}",
        }


def _sessions(event: UUID, opening: date) -> Rows:
    for at, session in enumerate(words.SESSIONS):
        starts_at = _at(opening + timedelta(days=session.day), session.hour, session.minute)
        speaker = None if session.speaker is None else words.SPEAKERS[session.speaker]
        yield {
            "id": seed_id(f"session/{at}"),
            "event_id": event,
            "speaker_id": None if speaker is None else seed_id(f"speaker/{session.speaker}"),
            "title": session.title,
            "abstract": session.abstract,
            "room": session.room,
            "kind": _kind(session),
            "slides_url": "" if speaker is None else f"https://buildcraft.example.com/slides/{at}",
            "recording_url": "" if speaker is None else f"https://buildcraft.example.com/recordings/{at}",
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(minutes=session.minutes),
            "topics": () if speaker is None else speaker.topics,
        }


def _kind(session: words.Session) -> str:
    if session.speaker is None:
        return "networking"
    return "workshop" if session.title.startswith("Workshop") else "talk"


def _sponsors(organizer: UUID) -> Rows:
    for at, (name, category) in enumerate(words.SPONSORS):
        domain = "".join(letter for letter in name.lower() if letter.isalpha())
        first, last = words.FIRST_NAMES[at * 2 + 1], words.LAST_NAMES[at * 2 + 1]
        yield seed_sponsors.known(name) | {
            "id": seed_id(f"sponsor/{at}"),
            "organizer_id": organizer,
            "name": name,
            "category": category,
            "website": f"https://{domain}.test",
            "contact_name": f"{first} {last}",
            "contact_email": f"{_plain(first)}@{domain}.test",
        }


async def _add(connection: Connection, table: str, rows: Rows) -> int:
    given = list(rows)
    columns = list(given[0])
    places = ", ".join(f"${at}" for at in range(1, len(columns) + 1))
    before = await connection.fetchval(f"SELECT count(*) FROM {table}")
    await connection.executemany(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places}) ON CONFLICT DO NOTHING",
        [tuple(row[column] for column in columns) for row in given],
    )
    after: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
    return after - int(before)
