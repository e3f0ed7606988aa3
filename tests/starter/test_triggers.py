"""What begins an automation: a change of the events table by any program, and each begins one."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from temporalio.client import WorkflowExecutionStatus

from database import control, occurrences
from database.control import Scope
from database.occurrences import Occurrence
from models.watch import SUBJECTS
from starter.kinds import KINDS
from tests.workflows.house import House

PUBLISH = "UPDATE events SET status = 'published' WHERE id = $1"


async def read(house: House) -> list[Occurrence]:
    return await occurrences.due(house.pool, 100, [])


async def take_in_all(house: House) -> list[str]:
    """What intake does, one occurrence after the other."""
    outcomes = []
    while found := await read(house):
        for occurrence in found:
            outcome = await house.triggers.take_in(occurrence)
            await occurrences.settle(house.pool, occurrence.id, outcome)
            outcomes.append(outcome)
    return outcomes


async def running(house: House, event: UUID) -> list[str]:
    """The workflow ids of an event's launches that Temporal knows."""
    found = []
    for row in await house.automations(event):
        described = await house.handle(row["temporal_workflow_id"]).describe()
        assert described.status == WorkflowExecutionStatus.RUNNING
        found.append(described.id)
    return found


async def deliverable(house: House, event: UUID) -> UUID:
    """A logo that a sponsor of an event owes."""
    sponsor, id_ = uuid4(), uuid4()
    await house.pool.execute(
        "INSERT INTO sponsors (id, organizer_id, name) SELECT $1, organizer_id, 'Millrace' FROM events WHERE id = $2",
        *(sponsor, event),
    )
    await house.pool.execute(
        """
        WITH agreed AS (INSERT INTO sponsorships (event_id, sponsor_id) VALUES ($2, $3) RETURNING id)
        INSERT INTO sponsor_deliverables (id, sponsorship_id, event_id, name, deliverable_type, due_date)
        SELECT $1, id, $2, 'Logo', 'logo', current_date + 20 FROM agreed
        """,
        *(id_, event, sponsor),
    )
    return id_


async def test_publishing_by_plain_sql_begins_exactly_one_launch(house: House) -> None:
    event = await house.event()
    await house.pool.execute(PUBLISH, event)
    await house.pool.execute(PUBLISH, event)
    assert await take_in_all(house) == ["event_launch begun"]
    (row,) = await house.automations(event)
    assert (row["name"], row["status"], row["steps_total"]) == ("Event Launch: River Conf", "pending", 9)
    assert row["definition"]["steps"][0]["id"] == "generate_marketing_content"
    assert await running(house, event) == [f"event_launch/{event}/1"]


async def test_ten_connections_that_publish_at_once_begin_one_launch(house: House) -> None:
    event = await house.event()
    await asyncio.gather(*(house.pool.execute(PUBLISH, event) for _ in range(10)))
    found = await read(house)
    assert len(found) == 1
    await asyncio.gather(*(house.triggers.take_in(found[0]) for _ in range(10)))
    assert len(await house.automations(event)) == 1


async def test_an_occurrence_that_is_taken_in_again_begins_no_second(house: House) -> None:
    event = await house.event()
    await house.pool.execute(PUBLISH, event)
    (occurrence,) = await read(house)
    assert await house.triggers.take_in(occurrence) == "event_launch begun"
    assert await house.triggers.take_in(occurrence) == "event_launch runs already"
    assert len(await running(house, event)) == 1


async def test_a_crash_between_the_row_and_the_start_is_made_good(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = await house.event()
    await house.pool.execute(PUBLISH, event)
    (occurrence,) = await read(house)

    async def crash(*_: object, **__: object) -> None:
        raise ConnectionError("Temporal is gone")

    with monkeypatch.context() as broken:
        broken.setattr(type(house.client), "start_workflow", crash)
        with pytest.raises(ConnectionError):
            await house.triggers.take_in(occurrence)
    assert await house.triggers.take_in(occurrence) == "event_launch begun"
    assert len(await running(house, event)) == 1


async def test_a_cancellation_is_not_overruled_by_a_second_look_at_what_began_it(house: House) -> None:
    event = await house.event()
    await house.pool.execute(PUBLISH, event)
    (occurrence,) = await read(house)
    await house.triggers.take_in(occurrence)
    await control.cancel(house.pool, Scope(event_id=event), "no more")
    assert await house.triggers.take_in(occurrence) == "event_launch has run already"
    assert [row["status"] for row in await house.automations(event)] == ["cancelled"]


async def test_publication_after_unpublication_begins_a_second_generation(house: House) -> None:
    event = await house.event()
    for status in ("published", "draft", "published"):
        await house.set_event(event, status=status)
        await take_in_all(house)
    rows = await house.automations(event)
    assert [(row["generation"], row["status"]) for row in rows] == [(1, "cancelled"), (2, "pending")]
    assert rows[1]["temporal_workflow_id"] == f"event_launch/{event}/2"


async def test_an_event_that_was_taken_back_and_published_before_anybody_looked_goes_on(house: House) -> None:
    event = await house.event()
    for status in ("published", "draft", "published"):
        await house.set_event(event, status=status)
    assert await take_in_all(house) == ["event_launch begun", "no rule answers to it", "event_launch runs already"]
    assert [row["status"] for row in await house.automations(event)] == ["pending"]


async def test_an_event_that_is_cancelled_takes_its_automations_with_it(house: House) -> None:
    event = await house.event()
    await house.set_event(event, status="published")
    await take_in_all(house)
    await house.set_event(event, status="cancelled")
    assert "1 automations cancelled: the event was cancelled" in await take_in_all(house)
    assert [row["status"] for row in await house.automations(event)] == ["cancelled"]


async def test_an_event_that_has_begun_is_not_launched_and_its_organizer_is_told_why(house: House) -> None:
    event = await house.event(starts_at=datetime.now(UTC) - timedelta(days=1))
    await house.pool.execute(PUBLISH, event)
    (outcome,) = await take_in_all(house)
    assert outcome.startswith("not begun: River Conf has already started")
    told = await house.pool.fetchrow("SELECT * FROM notifications")
    assert told is not None
    assert (told["event_id"], told["title"]) == (event, "An automation was not begun")
    assert await house.automations(event) == []


async def test_a_rule_that_is_switched_off_begins_nothing(house: House) -> None:
    event = await house.event()
    await house.pool.execute("UPDATE automation_rules SET enabled = FALSE")
    await house.pool.execute(PUBLISH, event)
    assert await take_in_all(house) == ["no rule answers to it"]


async def test_a_rule_that_begins_something_unknown_is_said_to_its_organizer(house: House) -> None:
    event = await house.event()
    await house.pool.execute("UPDATE automation_rules SET workflow_type = 'evnt_launch'")
    await house.pool.execute(PUBLISH, event)
    (outcome,) = await take_in_all(house)
    assert outcome.startswith(
        "not begun: rule 'Event Launch Marketing Sequence' cannot be followed: it begins 'evnt_launch'"
    )


def test_what_time_and_conditions_cannot_name_is_what_kinds_are_about() -> None:
    about = {name: kind.subject for name, kind in KINDS.items() if kind.subject != "event"}
    assert {name: subject for name, (subject, _) in SUBJECTS.items()} == about


async def test_instants_of_a_rule_that_says_of_nobody_whom_it_means_are_told_of_once(house: House) -> None:
    """Written before the rule was changed to what it says now."""
    event = await house.event()
    await house.pool.execute("UPDATE automation_rules SET enabled = FALSE")
    rule = await house.pool.fetchval(
        """
        INSERT INTO automation_rules (name, kind, occurrence, moment, workflow_type)
        VALUES ('Daily', 'time', 'daily', 'every day at 09:00', 'attendee_nurture') RETURNING id
        """
    )
    await house.pool.execute("DELETE FROM occurrences")
    await house.pool.execute(
        """
        INSERT INTO occurrences (kind, event_id, subject, data, occurred_at)
        SELECT 'daily', $1, 'event/' || n, $2, now() FROM generate_series(1, 3) n
        """,
        *(event, {"rule": str(rule), "moment": "every day at 09:00"}),
    )
    outcomes = await take_in_all(house)
    assert len(outcomes) == 3
    assert all(outcome.startswith("not begun: rule 'Daily' cannot be followed") for outcome in outcomes)
    assert await house.pool.fetchval("SELECT count(*) FROM notifications") == 1


@pytest.mark.parametrize(
    ("named", "outcome"),
    [
        ("its own", "deliverable_tracking begun"),
        ("another event's", "not begun: deal_won names deliverable {id}, which is not of River Conf."),
        ("none", "not begun: there is no deliverable {id}"),
        (
            "nonsense",
            "not begun: deal_won begins deliverable_tracking, so its data needs 'deliverable' with an id. It says 'D-17'.",
        ),
    ],
)
async def test_what_is_reported_from_outside_begins_nothing_about_somebody_elses_subject(
    house: House, named: str, outcome: str
) -> None:
    mine, other = await house.event(), await house.event()
    owed = {name: await deliverable(house, event) for name, event in (("its own", mine), ("another event's", other))}
    await house.pool.execute("DELETE FROM occurrences")
    await house.pool.execute("UPDATE automation_rules SET enabled = FALSE")
    await house.pool.execute(
        """
        INSERT INTO automation_rules (name, kind, occurrence, workflow_type)
        VALUES ('Deals', 'external', 'deal_won', 'deliverable_tracking')
        """
    )
    await house.pool.execute("DELETE FROM occurrences")
    id_ = "D-17" if named == "nonsense" else str(owed.get(named, uuid4()))
    await house.pool.execute(
        "INSERT INTO occurrences (kind, event_id, subject, data, occurred_at) VALUES ('deal_won', $1, 'deal', $2, now())",
        *(mine, {"deliverable": id_}),
    )
    assert await take_in_all(house) == [outcome.format(id=id_)]
    assert len(await house.automations(mine)) == (named == "its own")


async def test_the_web_ui_finds_a_launch_by_its_event_and_shows_nobody(house: House) -> None:
    event = await house.event()
    await house.pool.execute(PUBLISH, event)
    await take_in_all(house)
    described = await house.handle(f"event_launch/{event}/1").describe()
    attributes = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    assert attributes | {"EventId": str(event), "AutomationType": "event_launch", "Rehearsal": False} == attributes
    assert await described.static_summary() == "Event Launch: River Conf"
    assert b"people.example" not in described.raw_description.SerializeToString()


async def test_a_moved_date_is_told_to_every_running_automation_in_the_lane_below_facts(house: House) -> None:
    event = await house.event()
    await house.pool.execute(PUBLISH, event)
    await take_in_all(house)
    await house.set_event(event, starts_at=datetime.now(UTC) + timedelta(days=50))
    (moved,) = await read(house)
    assert await house.triggers.take_in(moved) == "1 automations are told"
    told = await house.pool.fetchrow("SELECT * FROM occurrences WHERE automation_id IS NOT NULL")
    assert told is not None
    assert (told["kind"], told["lane"], told["data"]) == ("event_rescheduled", 1, {"date_revision": 1})
