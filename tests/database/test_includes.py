"""What includes are made of, read for many at once, and copied whole into a rehearsal."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from database import includes
from database.connection import Connection, Pool, connect
from database.seed import seed
from starter import rehearsal

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
async def seeded(database: str) -> UUID:
    """The seeded event; its first registered person was in its first session, and a second speaker spoke there."""
    connection: Connection = await connect(database)
    event = (await seed(connection)).event_id
    await connection.execute(
        """
        WITH first AS (SELECT id FROM sessions WHERE event_id = $1 ORDER BY starts_at LIMIT 1), was AS (
            INSERT INTO session_attendance (session_id, registration_id)
            SELECT first.id, (SELECT id FROM registrations WHERE event_id = $1 ORDER BY id LIMIT 1) FROM first
        )
        INSERT INTO session_speakers (session_id, speaker_id)
        SELECT first.id, (SELECT id FROM speakers WHERE event_id = $1 AND name = 'Kenji Watanabe') FROM first
        """,
        event,
    )
    await connection.execute("UPDATE registrations SET interests = '{ai}' WHERE event_id = $1", event)
    await connection.close()
    return event


def without_ids(programme: includes.Programme) -> dict[str, Any]:
    return {
        "sessions": [session._replace(id=UUID(int=0)) for session in programme.sessions],
        "speakers": programme.speakers,
        "counted": programme.counted,
    }


async def test_a_rehearsal_has_the_programme_the_attendance_and_the_interests_of_the_event(
    pool: Pool, seeded: UUID
) -> None:
    copy = await rehearsal.copy(pool, seeded, NOW)
    programmes = await includes.programmes(pool, [seeded, copy])
    assert without_ids(programmes[copy]) == without_ids(programmes[seeded])
    assert programmes[copy].sessions[0].speakers == ("Marta Quintela", "Kenji Watanabe")
    assert programmes[copy].sessions[0].id != programmes[seeded].sessions[0].id
    assert Counter(session.kind for session in programmes[copy].sessions) == {
        "talk": 10,
        "workshop": 2,
        "networking": 1,
    }
    row = await pool.fetchrow(
        """
        SELECT count(*) FILTER (WHERE interests = '{ai}') AS interested, count(a) AS attended
        FROM registrations r LEFT JOIN session_attendance a ON a.registration_id = r.id WHERE r.event_id = $1
        """,
        copy,
    )
    assert row is not None
    assert (row["interested"], row["attended"]) == (80, 1)


async def test_a_rehearsal_speaks_of_the_events_that_the_original_would_speak_of(pool: Pool, seeded: UUID) -> None:
    copy = await rehearsal.copy(pool, seeded, NOW)
    another = await rehearsal.copy(pool, seeded, NOW)
    await pool.execute("UPDATE events SET status = 'published' WHERE id = ANY($1)", [copy, another])
    found = await includes.ahead(pool, [seeded, copy])
    assert [one.name for one in found[copy]] == [one.name for one in found[seeded]] == ["Harbour Systems Day"]


async def test_an_event_that_is_cancelled_a_draft_or_begun_is_not_ahead(pool: Pool, seeded: UUID) -> None:
    for change in (
        "status = 'cancelled'",
        "status = 'draft'",
        "status = 'published', starts_at = now() - interval '1 day'",
    ):
        await pool.execute(f"UPDATE events SET {change} WHERE id <> $1", seeded)
        assert await includes.ahead(pool, [seeded]) == {}


async def test_people_without_interests_are_counted_by_registration_and_contact(pool: Pool, seeded: UUID) -> None:
    assert await includes.without_interests(pool, seeded) == (0, 80)
    await pool.execute("UPDATE registrations SET interests = '{}'")
    assert await includes.without_interests(pool, seeded) == (0, 80)
    await pool.execute("UPDATE contacts SET interests = '{}'")
    assert await includes.without_interests(pool, seeded) == (80, 80)
