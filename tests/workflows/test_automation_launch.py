"""The launch on a stepped clock: nine steps, every instant exact, and a row that is true whenever it rests."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from temporalio.client import Client

from database import rehearsals
from database.connection import connect, connect_pool
from database.seed import Seeded, seed
from models import moments
from models.automation import Anchors
from starter import rehearsal
from starter.conductor import conduct
from tests.conftest import _created as created
from tests.workflows.house import House, Row, open_house
from workflows.event_launch import TIMELINE

STEPS = [step.id for step in TIMELINE]
SEEDED = "(NOT rehearsal AND kind IN ('event_created', 'registration_confirmed'))"
"""What the seed itself makes happen."""


@dataclass
class Lived:
    """A rehearsal that was lived to its end, and what its row said at every rest."""

    house: House
    seeded: Seeded
    event: UUID
    workflow_id: str
    rests: list[tuple[datetime, Row]] = field(default_factory=list)


async def copied(house: House) -> tuple[Seeded, UUID]:
    """A rehearsal of the seeded event, in which nothing but the launch begins."""
    await house.pool.execute("UPDATE automation_rules SET enabled = workflow_type = 'event_launch'")
    connection = await connect(house.settings.database_url)
    seeded = await seed(connection)
    await connection.close()
    return seeded, await rehearsal.copy(house.pool, seeded.event_id, datetime.now(UTC).replace(microsecond=0))


async def live(house: House, event: UUID, until: datetime | None = None) -> AsyncIterator[datetime]:
    async with asyncio.timeout(60):
        async for now in conduct(house.pool, house.client, event, until):
            yield now


@pytest.fixture(scope="module")
async def lived(
    postgres: str, template: str, temporal: Client, temporal_server: str, sandbox_server: str
) -> AsyncIterator[Lived]:
    """One launch, lived once and looked at from all sides."""
    async with httpx2.AsyncClient() as http:
        (await http.post(f"{sandbox_server}/_sandbox/reset")).raise_for_status()
    async for database in created(postgres, template):
        pool = await connect_pool(database)
        async with open_house(pool, temporal, database, temporal_server, sandbox_server, "test-lived") as house:
            seeded, event = await copied(house)
            told = Lived(house, seeded, event, f"event_launch/{event}/1")
            async with house.at_work():
                await rehearsal.publish(pool, event)
                starts = await pool.fetchval("SELECT starts_at FROM events WHERE id = $1", event)
                async for now in live(house, event, starts):
                    told.rests.append((now, await house.row(told.workflow_id)))
            yield told
        pool.terminate()


async def test_the_nine_steps_come_in_order_each_due_exactly_as_its_phrase_resolves(lived: Lived) -> None:
    house = lived.house
    journal = await house.journal(lived.workflow_id)
    event = await house.pool.fetchrow("SELECT * FROM events WHERE id = $1", lived.event)
    assert event is not None
    row = await house.row(lived.workflow_id)
    anchors = Anchors(
        start=row["started_at"], zone=event["timezone"], event_date=event["starts_at"], event_end=event["ends_at"]
    )
    expected = moments.resolve_all(TIMELINE, anchors, {id_: known["ended_at"] for id_, known in journal.items()})

    assert list(journal) == STEPS
    assert {id_: known["due_at"] for id_, known in journal.items()} == expected.due
    assert {known["status"] for known in journal.values()} == {"success"}
    assert row["name"] == f"Event Launch: {event['name']}"
    assert row["rehearsal"] is True


async def test_the_row_is_true_whenever_everything_rests(lived: Lived) -> None:
    journal = await lived.house.journal(lived.workflow_id)
    assert len(lived.rests) >= 9
    for now, row in [(now, row) for now, row in lived.rests if row["status"] != "completed"]:
        ended = [id_ for id_, known in journal.items() if known["ended_at"] and known["ended_at"] <= now]
        begun = [id_ for id_, known in journal.items() if known["due_at"] <= now]
        waited = next((id_ for id_ in STEPS if id_ in begun and id_ not in ended), None)
        ahead = sorted((known["due_at"], id_) for id_, known in journal.items() if known["due_at"] > now)
        assert (row["status"], row["completed_at"], row["steps_total"]) == ("active", None, 9)
        assert row["started_at"] == lived.rests[0][0]
        assert row["steps_completed"] == len(ended), now
        assert row["rest_until"] > now
        if waited is not None:
            assert row["current_step"] == waited, now
        elif ahead:
            assert (row["current_step"], row["next_execution_at"]) == (ahead[0][1], ahead[0][0]), now
            assert row["rest_until"] == ahead[0][0]
        else:
            assert (row["current_step"], row["next_execution_at"]) == (None, None)
    end, row = lived.rests[-1]
    starts = await lived.house.pool.fetchval("SELECT starts_at FROM events WHERE id = $1", lived.event)
    assert (row["status"], row["steps_completed"], row["completed_at"], end) == ("completed", 9, starts, starts)
    assert (row["current_step"], row["next_execution_at"], row["last_error"]) == (None, None, None)
    assert (row["tasks_failed"], row["tasks_executed"]) == (0, row["tasks_successful"])


async def test_what_was_generated_is_laid_out_as_campaign_records(lived: Lived) -> None:
    pool = lived.house.pool
    campaign = await pool.fetchrow("SELECT * FROM marketing_campaigns WHERE event_id = $1", lived.event)
    assert campaign is not None
    assert set(campaign["content"]) == {"landing_page", "emails", "social_posts", "whatsapp_messages"}
    assert campaign["channels"] == ["email", "social", "whatsapp"]
    assert campaign["status"] == "completed"
    posts = await pool.fetch("SELECT step, platform, variant FROM social_posts ORDER BY step, platform")
    assert [tuple(post) for post in posts] == [
        ("post_social_media", "facebook", "facebook"),
        ("post_social_media", "linkedin", "linkedin"),
        ("post_social_media", "twitter", "twitter"),
        ("week_2_social", "linkedin", "linkedin_push"),
        ("week_2_social", "twitter", "twitter_push"),
    ]
    journal = await lived.house.journal(lived.workflow_id)
    assert journal["generate_marketing_content"]["result"]["landing_page_copy"] == str(campaign["id"])


async def test_a_rehearsal_is_marked_as_one_and_touches_no_real_row(lived: Lived) -> None:
    pool = lived.house.pool
    real = lived.seeded.event_id
    assert await pool.fetchval("SELECT status FROM events WHERE id = $1", real) == "draft"
    for table in ("automation_workflows", "messages", "occurrences", "marketing_campaigns"):
        seeded = f"AND NOT {SEEDED}" if table == "occurrences" else ""
        assert await pool.fetchval(f"SELECT count(*) FROM {table} WHERE event_id = $1 {seeded}", real) == 0, table
    assert await pool.fetchval("SELECT bool_and(rehearsal) FROM messages") is True
    assert await pool.fetchval(f"SELECT bool_and(rehearsal) FROM occurrences WHERE NOT {SEEDED}") is True
    people = await pool.fetchval(
        "SELECT count(*) FROM messages m JOIN contacts c ON c.id = m.person_id WHERE c.organizer_id = $1",
        lived.seeded.organizer_id,
    )
    assert people == 0


async def test_no_history_holds_anything_personal(lived: Lived) -> None:
    contacts = await lived.house.pool.fetch("SELECT email, phone, first_name || ' ' || last_name AS name FROM contacts")
    personal = {value.encode() for row in contacts for value in row.values() if value}
    assert len(personal) > 800
    histories = await lived.house.histories()
    recorded = b"\n".join(event.SerializeToString() for history in histories for event in history.events)
    assert [value for value in personal if value in recorded] == []
    described = await lived.house.handle(lived.workflow_id).describe()
    assert str(lived.event).encode() in described.raw_description.SerializeToString()


async def test_telling_the_same_instant_again_changes_nothing(working: House, monkeypatch: pytest.MonkeyPatch) -> None:
    _, event = await copied(working)
    await rehearsal.publish(working.pool, event)
    step_clock = rehearsals.step_clock
    crashes = 0

    async def step_and_crash(*args: Any) -> None:
        await step_clock(*args)
        raise ConnectionError("the conductor died after the clock was written")

    monkeypatch.setattr(rehearsals, "step_clock", step_and_crash)
    while await working.pool.fetchval("SELECT clock_now < starts_at FROM events WHERE id = $1", event):
        with pytest.raises(ConnectionError):
            async for _ in live(working, event):
                pass
        crashes += 1
    monkeypatch.undo()
    async for _ in live(working, event):
        pass
    journal = await working.journal(f"event_launch/{event}/1")
    assert list(journal) == STEPS
    assert crashes >= 9
    twice = await working.pool.fetchval(
        "SELECT count(*) FROM (SELECT 1 FROM messages GROUP BY key HAVING count(*) > 1) x"
    )
    assert twice == 0


async def test_two_rehearsals_at_once_do_not_disturb_each_other(working: House) -> None:
    seeded, first = await copied(working)
    second = await rehearsal.copy(
        working.pool, seeded.event_id, datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    )
    for event in (first, second):
        await rehearsal.publish(working.pool, event)

    async def to_the_end(event: UUID) -> list[datetime]:
        return [now async for now in live(working, event)]

    lives = await asyncio.gather(to_the_end(first), to_the_end(second))

    for event, instants in zip((first, second), lives, strict=True):
        journal = await working.journal(f"event_launch/{event}/1")
        assert list(journal) == STEPS
        assert instants == sorted(set(instants))
        assert journal["send_announcement"]["due_at"] == instants[0]
    counts = await working.pool.fetch("SELECT count(*) FROM messages GROUP BY event_id")
    assert len({row["count"] for row in counts}) == 1


async def test_a_rehearsal_can_be_lived_to_an_exact_instant_and_on_from_there(working: House) -> None:
    _, event = await copied(working)
    await rehearsal.publish(working.pool, event)
    begun = await working.pool.fetchval("SELECT clock_now FROM events WHERE id = $1", event)
    tenth = begun + timedelta(days=10)
    *_, last = [now async for now in live(working, event, tenth)]
    assert last == tenth
    assert "week_2_social" not in await working.journal(f"event_launch/{event}/1")

    moved = tenth + timedelta(days=30)
    await working.set_event(event, starts_at=moved, ends_at=moved + timedelta(days=1))
    async for _ in live(working, event):
        pass
    journal = await working.journal(f"event_launch/{event}/1")
    zone = moments.zone_named("Europe/Lisbon")
    day_before = (moved.astimezone(zone).replace(tzinfo=None) - timedelta(days=1)).replace(tzinfo=zone)
    assert journal["final_reminder"]["due_at"] == day_before.astimezone(UTC)
