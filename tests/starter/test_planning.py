"""The outlook of an event: what will happen, to how many, what is missing, and that looking changes nothing."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from database import events
from database.connection import Pool, connect
from database.events import Event
from database.seed import seed
from dev.sandbox import ROOT
from models.outlook import Outlook, Planned, Strand
from starter import rehearsal
from starter.conductor import conduct
from starter.control import ControlError
from starter.planning import outlook
from tests.market import make_market
from tests.workflows.house import House

DAY = timedelta(days=1)


@pytest.fixture
async def event(database: str, pool: Pool) -> Event:
    """The seed's conference, still a draft."""
    connection = await connect(database)
    seeded = await seed(connection)
    await connection.close()
    found = await events.get(pool, seeded.event_id)
    assert found is not None
    return found


def strand(found: Outlook, kind: str) -> Strand:
    return next(one for one in found.strands if one.type == kind)


def steps(one: Strand) -> dict[str, Planned]:
    return {step.step: step for step in one.steps}


async def test_a_draft_shows_what_its_publication_would_begin(pool: Pool, event: Event) -> None:
    found = await outlook(pool, event)

    assert (found.published_at, found.missing) == (found.now, ())
    launch = strand(found, "event_launch")
    assert (launch.status, launch.begins, launch.because) == ("ahead", found.now, "publication")
    assert [step.verdict for step in launch.steps] == ["goes"] * 9
    assert event.ends_at is not None
    assert strand(found, "post_event_followup").begins == event.ends_at
    assert strand(found, "sponsor_outreach").approval


async def test_audiences_are_those_that_the_outbox_would_queue_and_the_gates_let_pass(pool: Pool, event: Event) -> None:
    [announcement] = steps(strand(await outlook(pool, event), "event_launch"))["send_announcement"].reaches
    assert (announcement.audience, announcement.people, announcement.reached) == ("all_contacts", 400, 369)
    assert announcement.without == {"no consent to email": 19, "suppressed: hard bounce": 8, "suppressed: complaint": 4}


async def test_a_draft_that_was_published_before_shows_what_goes_on_with_its_sponsors_and_not_what_a_person_cancelled(
    pool: Pool,
) -> None:
    market = await make_market(pool)
    for name in ("One", "Two", "Three"):
        await market.sponsor(name)
    lost, _, by_name = [row["sequence_id"] for row in await market.followed()]

    async def ends(why: str, *ids: UUID) -> None:
        await pool.execute(
            "UPDATE automation_workflows SET status = 'cancelled', cancelled_because = $1 WHERE id = ANY($2)", why, ids
        )

    async def again() -> dict[str, int]:
        event = await events.get(pool, market.event)
        assert event is not None
        found = await outlook(pool, event)
        return {one.name: one.count for one in found.strands if one.because == "publication" and "Sponsor" in one.name}

    await pool.execute("DELETE FROM occurrences")
    await ends("the event was unpublished", lost)
    await ends("the automation was cancelled", by_name, market.outreach)
    assert await again() == {"Sponsor Follow-up: each open proposal": 1}
    await ends("the event was cancelled", market.outreach)
    assert set(await again()) == {"Sponsor Follow-up: each open proposal", "Sponsor Outreach: River Conf"}


async def test_another_instant_of_publication_is_supposed_with_all_that_is_then_too_late(
    pool: Pool, event: Event
) -> None:
    assert event.starts_at is not None
    late = event.starts_at - 2 * DAY
    launch = steps(strand(await outlook(pool, event, late), "event_launch"))
    assert {name for name, step in launch.items() if step.verdict == "skipped"} == {"week_1_reminder", "week_2_social"}
    assert launch["send_announcement"].at == late
    with pytest.raises(ControlError, match="has passed"):
        await outlook(pool, event, datetime(2020, 1, 1, tzinfo=UTC))


async def test_only_a_draft_can_be_supposed_to_be_published(pool: Pool, event: Event) -> None:
    await events.publish(pool, event.id)
    published = await events.get(pool, event.id)
    assert published is not None
    with pytest.raises(ControlError, match="is published"):
        await outlook(pool, published, published.now + DAY)


async def test_what_is_missing_is_said_at_each_step_and_of_the_whole_event(pool: Pool, event: Event) -> None:
    await pool.execute("UPDATE organizers SET postal_address = '', whatsapp_content = '{}'")
    await pool.execute("UPDATE events SET venue = '' WHERE id = $1", event.id)
    found = await outlook(pool, event)
    assert any("organizers.postal_address" in lack for lack in found.missing)
    launch = steps(strand(found, "event_launch"))
    assert {"events.venue", "organizers.postal_address"} <= set(launch["send_announcement"].missing)
    assert (
        "organizers.whatsapp_content: no ContentSid for whatsapp_broadcast" in launch["send_whatsapp_broadcast"].missing
    )
    assert launch["post_social_media"].missing == ()


async def test_an_event_without_dates_zone_and_organizer_is_told_everything_at_once(pool: Pool) -> None:
    bare = await events.get(pool, await pool.fetchval("INSERT INTO events (name) VALUES ('Bare') RETURNING id"))
    assert bare is not None
    found = await outlook(pool, bare)
    assert [lack.partition(":")[0] for lack in found.missing] == [
        "it has no organizer",
        "it has no start",
        "it has no end",
        "it has no time zone",
    ]
    announcement = steps(strand(found, "event_launch"))["send_announcement"]
    assert (announcement.verdict, announcement.at, announcement.why) == ("waits", None, "the event has no start date")


async def recurring(pool: Pool, event: Event, workflow_type: str, moment: str = "every monday at 09:00") -> Event:
    """A rehearsal on a Wednesday in March, with this as its only rule; it ends on the sixth Thursday from then."""
    news = {"steps": [{"id": "news", "type": "email", "template": "follow_up", "audience": "all_contacts"}]}
    await pool.execute("UPDATE automation_rules SET enabled = FALSE")
    await pool.execute(
        """
        INSERT INTO automation_rules (name, kind, occurrence, moment, workflow_type, parameters)
        VALUES ('News', 'time', 'a_monday', $1, $2, $3)
        """,
        *(moment, workflow_type, {"definition": news}),
    )
    wednesday = datetime(2027, 3, 10, 12, tzinfo=UTC)
    id_ = await rehearsal.copy(pool, event.id, wednesday)
    await pool.execute("UPDATE events SET ends_at = $2 WHERE id = $1", id_, wednesday + 43 * DAY)
    found = await events.get(pool, id_)
    assert found is not None
    return found


async def test_a_rule_that_recurs_shows_its_next_instants_and_how_many_there_are_more(pool: Pool, event: Event) -> None:
    found = (await outlook(pool, await recurring(pool, event, "custom"))).strands
    mondays = [datetime(2027, 3, day, 9, tzinfo=ZoneInfo("Europe/Lisbon")) for day in (15, 22, 29)]
    assert [(one.name, one.begins, one.because) for one in found[:-1]] == [
        (f"News {monday:%Y-%m-%d}", monday, "every monday at 09:00") for monday in mondays
    ]
    assert [one.steps[0].at for one in found[:-1]] == mondays
    assert (found[-1].begins, found[-1].because) == (
        None,
        "3 more times before the event ends: every monday at 09:00",
    )


async def test_the_rule_that_the_reference_shows_can_be_followed(pool: Pool, event: Event) -> None:
    page = (ROOT / "docs/reference/rules.md").read_text("utf-8")
    rehearsed = await recurring(pool, event, "custom")
    await pool.execute("DELETE FROM automation_rules")
    await pool.execute(page.partition("```sql")[2].partition("```")[0])
    found = (await outlook(pool, rehearsed)).strands
    assert [one.problem for one in found] == [""] * 4
    assert [step.verdict for one in found for step in one.steps] == ["goes"] * 3


async def test_a_rule_that_recurs_does_not_show_what_it_has_begun(working: House) -> None:
    id_ = await working.event(starts_at=datetime.now(UTC) + 30 * DAY)
    event = await events.get(working.pool, id_)
    assert event is not None
    event = await recurring(working.pool, event, "custom")
    monday = datetime(2027, 3, 15, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    await working.set_event(event.id, status="published")
    async with asyncio.timeout(60):
        async for _ in conduct(working.pool, working.client, event.id, monday):
            pass
    lived = await events.get(working.pool, event.id)
    assert lived is not None
    ahead = [one for one in (await outlook(working.pool, lived)).strands if one.status == "ahead"]
    assert ahead[0].begins == monday + 7 * DAY


async def test_of_a_kind_that_is_there_once_the_first_instant_alone_is_shown(pool: Pool, event: Event) -> None:
    [followup] = (await outlook(pool, await recurring(pool, event, "post_event_followup"))).strands
    assert followup.begins == datetime(2027, 3, 15, 9, tzinfo=UTC)


async def test_a_recurrence_that_cannot_be_read_is_shown_with_the_reason(pool: Pool, event: Event) -> None:
    [news] = (await outlook(pool, await recurring(pool, event, "custom", "every mondy at 09:00"))).strands
    assert "did you mean 'monday'?" in news.problem


@pytest.mark.parametrize("workflow_type", ["attendee_nurture", "deliverable_tracking"])
async def test_a_time_or_condition_rule_for_what_needs_a_subject_is_shown_as_a_problem(
    pool: Pool, event: Event, workflow_type: str
) -> None:
    rehearsed = await recurring(pool, event, workflow_type)
    await pool.execute(
        """
        INSERT INTO automation_rules (name, kind, occurrence, match, workflow_type)
        VALUES ('Full', 'condition', 'it_is_full', 'nearly_full', $1)
        """,
        workflow_type,
    )
    found = (await outlook(pool, rehearsed)).strands
    assert [(one.because, one.begins, one.steps) for one in found] == [
        ("rule 'News'", None, ()),
        ("rule 'Full'", None, ()),
    ]
    assert all("write it as a rule of kind 'event'" in one.problem for one in found)


async def test_a_rule_that_recurs_waits_for_the_end_of_an_event_that_has_none(pool: Pool, event: Event) -> None:
    endless = await recurring(pool, event, "custom")
    await pool.execute("UPDATE events SET ends_at = NULL WHERE id = $1", endless.id)
    [news] = (await outlook(pool, endless._replace(ends_at=None))).strands
    assert (news.begins, news.because) == (None, "every monday at 09:00, once the event has an end")


async def test_looking_changes_nothing(pool: Pool, event: Event) -> None:
    tables = ("automation_workflows", "messages", "notifications", "occurrences", "workflow_execution_logs")
    before = [await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables]
    await outlook(pool, event)
    assert [await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables] == before


async def test_what_runs_is_planned_from_where_it_stands(working: House) -> None:
    id_ = await working.event()  # without a venue nothing can be written about it, so the first step is held
    await working.set_event(id_, status="published")
    await working.quiet()
    (row,) = await working.automations(id_)

    await working.until(lambda: _says(working, row["temporal_workflow_id"]))
    event = await events.get(working.pool, id_)
    assert event is not None
    launch = strand(await outlook(working.pool, event), "event_launch")
    assert (launch.status, "needs event.venue" in launch.problem) == ("active", True)
    planned = steps(launch)
    assert "generate_marketing_content" not in planned
    records = planned["create_campaign_records"]
    assert (records.verdict, records.why) == ("waits", "waits for generate_marketing_content, which is held")
    final = planned["final_reminder"]
    assert (final.verdict, final.why) == ("waits", "waits for create_campaign_records")


async def _says(house: House, workflow_id: str) -> bool:
    return "needs event.venue" in ((await house.row(workflow_id))["last_error"] or "")
