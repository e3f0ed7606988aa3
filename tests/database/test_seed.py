"""The seed: the same rows every time, realistic, and nobody real in it."""

import re
from datetime import date, timedelta

import phonenumbers
import pytest

from database.connection import connect
from database.includes import ahead
from database.seed import WEEKS_AHEAD, seed, seed_contacts
from dev.sandbox import ROOT
from models.details import read_details

TODAY = date(2026, 3, 2)


@pytest.fixture
async def connection(database):
    connection = await connect(database)
    yield connection
    await connection.close()


async def everything(connection):
    tables = ("organizers", "events", "contacts", "registrations", "suppressions", "speakers", "sessions", "sponsors")
    return {table: await connection.fetch(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables}


async def test_seeding_twice_changes_nothing_even_weeks_later(connection):
    first = await seed(connection, TODAY)
    before = await everything(connection)
    second = await seed(connection, TODAY + timedelta(weeks=3))
    assert set(second.added.values()) == {0}
    assert (second.organizer_id, second.event_id) == (first.organizer_id, first.event_id)
    assert await everything(connection) == before


async def test_the_people_are_as_many_as_promised(connection):
    seeded = await seed(connection, TODAY)
    assert seeded.added == {
        "organizers": 1, "events": 2, "contacts": 400, "suppressions": 13, "registrations": 80, "speakers": 10, "sessions": 13, "sponsors": 15,
        "sponsor_tiers": 3, "tier_deliverables": 12,
    }  # fmt: skip
    row = await connection.fetchrow(
        """
        SELECT count(*) FILTER (WHERE vip) AS vip, count(*) FILTER (WHERE vip AND phone IS NOT NULL) AS reachable,
               count(*) FILTER (WHERE whatsapp_opt_in) AS opted_in, count(*) FILTER (WHERE NOT email_consent) AS without_consent,
               count(DISTINCT timezone) AS zones, count(DISTINCT email) AS emails, count(DISTINCT phone) AS phones
        FROM contacts
        """
    )
    assert dict(row) == {
        "vip": 60, "reachable": 60, "opted_in": 56, "without_consent": 20, "zones": 6, "emails": 400, "phones": 60,
    }  # fmt: skip


async def test_the_conference_lasts_two_working_days_and_begins_at_nine_in_lisbon(connection):
    seeded = await seed(connection, TODAY)
    row = await connection.fetchrow(
        "SELECT status, starts_at AT TIME ZONE timezone AS starts, ends_at AT TIME ZONE timezone AS ends FROM events WHERE id = $1",
        seeded.event_id,
    )
    assert row["status"] == "draft"
    assert (row["starts"].hour, row["ends"].hour) == (9, 18)
    assert row["ends"].date() - row["starts"].date() == timedelta(days=1)
    assert row["starts"].strftime("%A") == "Thursday"
    assert timedelta(weeks=WEEKS_AHEAD) <= row["starts"].date() - TODAY < timedelta(weeks=WEEKS_AHEAD + 1)


async def test_every_session_lies_within_the_conference(connection):
    await seed(connection, TODAY)
    outside = await connection.fetchval(
        "SELECT count(*) FROM sessions s JOIN events e ON e.id = s.event_id WHERE s.starts_at < e.starts_at OR s.starts_at > e.ends_at"
    )
    assert outside == 0


async def test_no_address_can_belong_to_anybody(connection):
    await seed(connection, TODAY)
    addresses = await connection.fetch(
        "SELECT email FROM contacts UNION SELECT contact_email FROM sponsors UNION SELECT email FROM organizers UNION SELECT sender_email FROM organizers"
    )
    assert [row[0] for row in addresses if not re.search(r"@([\w-]+\.)*(example\.com|test)>?$", row[0])] == []


async def test_every_phone_is_valid_and_from_a_block_kept_for_films(connection):
    await seed(connection, TODAY)
    phones = [row[0] for row in await connection.fetch("SELECT phone FROM contacts WHERE phone IS NOT NULL")]
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(phone)) for phone in phones)
    assert [phone for phone in phones if not re.fullmatch(r"\+4917139200\d\d|\+467017406\d\d", phone)] == []


async def test_every_ticket_has_a_code_of_its_own_and_every_template_a_content_sid(connection):
    await seed(connection, TODAY)
    assert (
        await connection.fetchval("SELECT count(DISTINCT ticket_code) FROM registrations WHERE ticket_code <> ''") == 80
    )
    content = await connection.fetchval("SELECT whatsapp_content FROM organizers")
    assert set(content) == {path.stem for path in (ROOT / "templates/whatsapp").glob("*.toml")}
    assert all(re.fullmatch(r"HX[0-9a-f]{32}", sid) for sid in content.values())


async def test_seeding_twice_announces_the_event_and_its_registrations_once(connection):
    for _ in range(2):
        await seed(connection, TODAY)
    confirmed = await connection.fetchval("SELECT count(*) FROM registrations WHERE status = 'confirmed'")
    told = await connection.fetch("SELECT kind, count(*) FROM occurrences GROUP BY kind ORDER BY kind")
    assert {row["kind"]: row["count"] for row in told} == {"event_created": 1, "registration_confirmed": confirmed}


async def test_contacts_for_measuring_come_once(connection):
    seeded = await seed(connection, TODAY)
    assert await seed_contacts(connection, seeded.organizer_id, 5000) == 5000
    assert await seed_contacts(connection, seeded.organizer_id, 6000) == 1000


async def test_all_that_the_events_say_of_themselves_is_as_the_schema_wants_it(connection):
    await seed(connection, TODAY)
    for row in await connection.fetch("SELECT details FROM events"):
        _, problems = read_details(row["details"])
        assert problems == {}


async def test_the_event_after_next_is_only_spoken_of(connection):
    seeded = await seed(connection)
    (later,) = (await ahead(connection, [seeded.event_id]))[seeded.event_id]
    assert later.name == "Harbour Systems Day"
    assert await connection.fetchval("SELECT count(*) FROM occurrences WHERE event_id <> $1", seeded.event_id) == 0
