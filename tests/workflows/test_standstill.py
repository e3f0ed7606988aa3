"""An event that lacks a date or a zone: its automations wait, and its organizer hears of it once, until it is mended."""

from typing import Any
from uuid import UUID

import pytest

from tests.workflows.house import House

NO_END = "the event has no end date: set it, and what counts from event_end goes on"


@pytest.fixture
async def crowd(working: House) -> UUID:
    """A published event without an end, and the five who have registered for it."""
    await working.pool.execute("UPDATE automation_rules SET enabled = FALSE WHERE workflow_type = 'event_launch'")
    event = await working.event(contacts=5, ends_at=None)
    await working.set_event(event, status="published")
    await working.pool.execute(
        "INSERT INTO registrations (event_id, contact_id, status) SELECT $1, id, 'confirmed' FROM contacts", event
    )
    await until_all_say(working, event, NO_END, 5)
    return event


async def until_all_say(house: House, event: UUID, problem: str | None, count: int) -> None:
    """Wait until this is what the automations that run are waiting for."""

    async def say() -> bool:
        rows = await house.automations(event)
        running = [row["last_error"] for row in rows if row["status"] == "active"]
        return running == [problem] * count

    await house.until(say, 30)


async def told(house: House) -> list[tuple[str, str]]:
    rows = await house.pool.fetch("SELECT title, body FROM notifications ORDER BY created_at")
    return [(row["title"], row["body"]) for row in rows]


async def until_taken_back(house: House) -> None:
    """Wait until the dashboard says nothing any more."""

    async def taken_back() -> bool:
        return await told(house) == []

    await house.until(taken_back, 30)


async def mails(house: House) -> list[dict[str, Any]]:
    rows = await house.pool.fetch("SELECT * FROM messages WHERE template = 'notification' ORDER BY created_at")
    return [dict(row) for row in rows]


async def test_however_many_automations_wait_their_organizer_gets_one_mail(working: House, crowd: UUID) -> None:
    assert await told(working) == [("Automations of River Conf cannot go on", NO_END)]
    assert len(await mails(working)) == 1
    await working.set_event(crowd, timezone=None)
    other = await until_other(working, crowd)
    assert [body for _, body in await told(working)] == [other]
    assert len(await mails(working)) == 2


async def until_other(house: House, event: UUID) -> str:
    """Wait until all wait for something else than the end; what that is."""

    async def other() -> str | None:
        said = {row["last_error"] for row in await house.automations(event)}
        return said.pop() if len(said) == 1 and said.isdisjoint({NO_END, None}) else None

    found: str = await house.until(other, 30)
    return found


async def test_what_is_mended_is_taken_back_and_told_anew_if_it_comes_again(working: House, crowd: UUID) -> None:
    event = await working.pool.fetchrow("SELECT starts_at FROM events WHERE id = $1", crowd)
    assert event is not None
    await working.set_event(crowd, ends_at=event["starts_at"])
    await until_taken_back(working)
    await until_all_say(working, crowd, None, 5)
    await working.set_event(crowd, ends_at=None)
    await until_all_say(working, crowd, NO_END, 5)
    assert await told(working) == [("Automations of River Conf cannot go on", NO_END)]
    assert len(await mails(working)) == 2


async def test_it_is_taken_back_when_nobody_waits_for_it_any_more(working: House, crowd: UUID) -> None:
    await working.pool.execute(
        "UPDATE registrations SET status = 'cancelled' WHERE contact_id <> (SELECT min(id::text)::uuid FROM contacts)"
    )
    await until_all_say(working, crowd, NO_END, 1)
    await working.quiet()
    assert len(await told(working)) == 1
    await working.pool.execute("UPDATE registrations SET status = 'cancelled'")
    await until_taken_back(working)


async def test_a_mail_that_has_not_left_when_it_is_mended_does_not_leave(house: House) -> None:
    house.post_as = None
    async with house.at_work():
        await house.pool.execute("UPDATE automation_rules SET enabled = FALSE WHERE workflow_type = 'event_launch'")
        event = await house.event(contacts=1, timezone=None)
        await house.set_event(event, status="published")
        await house.pool.execute(
            "INSERT INTO registrations (event_id, contact_id, status) SELECT $1, id, 'confirmed' FROM contacts", event
        )
        await until_other(house, event)
        (mail,) = await mails(house)
        assert (mail["status"], mail["valid_until"]) == ("queued", None)
        await house.set_event(event, timezone="Europe/Berlin")
        await until_taken_back(house)
        (mail,) = await mails(house)
        assert (mail["status"], mail["valid_until"] is not None) == ("queued", True)
