"""Rules that recur, lived on a stepped clock: each instant begins an automation of its own."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tests.workflows.followup_stage import live
from tests.workflows.house import House

DAY = timedelta(days=1)
LISBON = ZoneInfo("Europe/Lisbon")
BEGINS = datetime(2027, 3, 10, 12, tzinfo=LISBON)
"""A Wednesday; the clock goes forward on the 28th."""
MONDAYS = [datetime(2027, *on, 9, tzinfo=LISBON) for on in ((3, 15), (3, 22), (3, 29), (4, 5))]
NEWS = {
    "steps": [
        {"id": "news", "type": "email", "template": "follow_up", "audience": "vip_contacts"},
        {"id": "reminder", "type": "social", "platforms": ["linkedin"], "delay": "1 day"},
    ]
}


async def rule(house: House, workflow_type: str, **parameters: Any) -> None:
    """The only rule there is: it recurs every Monday."""
    await house.pool.execute("UPDATE automation_rules SET enabled = FALSE")
    await house.pool.execute(
        """
        INSERT INTO automation_rules (name, kind, occurrence, moment, workflow_type, parameters)
        VALUES ('Monday news', 'time', 'a_monday', 'every monday at 09:00', $1, $2)
        """,
        *(workflow_type, parameters),
    )


async def published(house: House) -> UUID:
    """A rehearsal in the spring, which has just been published."""
    event = await house.rehearsal()
    ends = MONDAYS[-1] + 3 * DAY
    await house.set_event(event, clock_now=BEGINS, starts_at=ends - DAY, ends_at=ends, status="published")
    return event


async def outcomes(house: House, event: UUID) -> list[tuple[datetime, str]]:
    rows = await house.pool.fetch(
        "SELECT occurred_at, outcome FROM occurrences WHERE event_id = $1 AND kind = 'a_monday' ORDER BY id", event
    )
    return [(row["occurred_at"], row["outcome"]) for row in rows]


async def test_every_monday_at_nine_on_the_events_clock_a_mail_goes_out_across_a_clock_change(working: House) -> None:
    await rule(working, "custom", definition=NEWS, name="News")
    event = await published(working)
    people = await working.pool.fetchval(
        "SELECT count(*) FROM contacts c JOIN events e USING (organizer_id) WHERE e.id = $1 AND c.vip", event
    )
    assert people > 0

    await live(working, event)

    rows = await working.pool.fetch(
        """
        SELECT sent_at, count(*) AS mails, count(DISTINCT person_id) AS people FROM messages
        WHERE event_id = $1 AND step = 'news' AND status = 'sent' GROUP BY sent_at ORDER BY sent_at
        """,
        event,
    )
    assert [tuple(row) for row in rows] == [(monday, people, people) for monday in MONDAYS]
    assert [row["sent_at"].astimezone(LISBON).hour for row in rows] == [9, 9, 9, 9]
    assert [row["sent_at"].hour for row in rows] == [9, 9, 8, 8]

    automations = sorted(await working.automations(event), key=lambda row: row["started_at"])
    assert [(row["name"], row["started_at"], row["generation"], row["status"]) for row in automations] == [
        (f"News {monday:%Y-%m-%d}", monday, 1, "completed") for monday in MONDAYS
    ]
    assert await outcomes(working, event) == [(monday, "custom begun") for monday in MONDAYS]
    posts = await working.pool.fetch(
        "SELECT sent_at FROM messages WHERE event_id = $1 AND step = 'reminder' ORDER BY sent_at", event
    )
    assert [row["sent_at"] for row in posts] == [monday + DAY for monday in MONDAYS]


async def test_an_instant_that_is_taken_in_twice_begins_one_automation(working: House) -> None:
    await rule(working, "custom", definition=NEWS)
    event = await published(working)
    await live(working, event, until=MONDAYS[0])
    await working.pool.execute("UPDATE occurrences SET processed_at = NULL WHERE kind = 'a_monday'")
    await live(working, event, until=MONDAYS[0] + timedelta(hours=1))
    assert len(await working.automations(event)) == 1
    assert [outcome for _, outcome in await outcomes(working, event)] == ["custom runs already"]


async def test_a_kind_that_is_there_once_is_not_begun_again_by_the_next_instant(working: House) -> None:
    await rule(working, "post_event_followup")
    event = await published(working)
    await live(working, event, until=MONDAYS[1])
    assert len(await working.automations(event)) == 1
    assert await outcomes(working, event) == [
        (MONDAYS[0], "post_event_followup begun"),
        (MONDAYS[1], "post_event_followup runs already"),
    ]


async def test_a_cancelled_event_gets_no_further_instant(working: House) -> None:
    await rule(working, "custom", definition=NEWS)
    event = await published(working)
    await live(working, event, until=MONDAYS[0] + DAY)
    await working.set_event(event, status="cancelled")
    await live(working, event)
    assert [at for at, _ in await outcomes(working, event)] == MONDAYS[:1]
