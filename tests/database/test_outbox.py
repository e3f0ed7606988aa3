"""The outbox: a step is decided once, for good, and everybody in its audience gets exactly one message."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from database import journal
from database.claims import claim
from database.connection import Pool
from database.outbox import NoOrganizer, enqueue
from database.settlement import Outcome, settle
from models.automation import FOREVER, Action, Step, StepState
from models.definition import to_definition
from models.player import Begin, End, Free
from tests.world import EMAIL, SOCIAL, WHATSAPP, World, make_world

MONDAY_EVENING = datetime(2027, 3, 8, 19, 0, tzinfo=UTC)
GENERATE = Step(
    id="generate_marketing_content",
    name="Generate marketing content",
    moment="0 hours",
    actions=(Action(verb="generate", targets=("email_templates", "social_posts")),),
)


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


async def test_everybody_in_the_audience_gets_one_message_with_its_words(pool: Pool, world: World) -> None:
    await world.people(3)
    await world.contact("  Person-1@People.Example ")
    await world.contact(None)
    await world.contact("no address")

    answer = await enqueue(pool, world.request(valid_until=world.started + timedelta(days=3)))

    assert (answer.outcome, answer.state, answer.open) == ("decided", StepState.RUNNING, 3)
    messages = await world.messages()
    assert [m["address"] for m in messages] == [f"person-{n}@people.example" for n in (1, 2, 3)]
    assert {m["valid_until"] for m in messages} == {world.started + timedelta(days=3)}
    assert {m["content_id"] for m in messages} == {
        await pool.fetchval("SELECT id FROM email_templates WHERE name = 'announcement_email'")
    }
    assert all(m["key"].endswith(f"/send_announcement/0/{m['person_id']}/email") for m in messages)
    assert (await world.journal())["result"] == {
        "queued": 3,
        "sent": 0,
        "failed": 0,
        "unknown": 0,
        "skipped": {"another contact has the same address": 1, "the email address is not usable": 1},
    }


async def test_a_decision_is_made_once_however_often_and_by_however_many_it_is_asked(pool: Pool, world: World) -> None:
    await world.people(20)
    request = world.request()

    answers = await asyncio.gather(*(enqueue(pool, request) for _ in range(10)))

    assert len({answer.log_id for answer in answers}) == 1
    assert answers == [answers[0]] * 10
    assert await world.counts() == {"queued": 20}


async def test_exclusive_branches_share_a_slot_and_the_first_decision_holds(pool: Pool, world: World) -> None:
    await world.people(1)
    reminder = EMAIL.model_copy(update={"id": "send_gentle_reminder", "branch": "day_3"})
    follow_up = EMAIL.model_copy(update={"id": "send_follow_up", "branch": "day_3"})

    await enqueue(pool, world.request(reminder))
    answer = await enqueue(pool, world.request(follow_up))

    assert answer.step_id == "send_gentle_reminder"
    assert await world.counts() == {"queued": 1}


async def test_a_skip_is_journalled_with_its_reason_and_queues_nothing(pool: Pool, world: World) -> None:
    await world.people(2)

    answer = await enqueue(
        pool, world.request(skip="overtaken by last_chance_email", next_step="week_2_social", next_at=FOREVER)
    )

    assert (answer.state, answer.reason, answer.open) == (StepState.SKIPPED, "overtaken by last_chance_email", 0)
    row = await world.journal()
    assert (row["status"], row["error_message"], row["result"]) == (
        "skipped",
        None,
        {"reason": "overtaken by last_chance_email"},
    )
    assert row["completed_at"] is not None
    automation = await world.row()
    assert (automation["steps_completed"], automation["current_step"], automation["next_execution_at"]) == (
        1,
        "week_2_social",
        None,
    )


async def test_an_audience_of_nobody_ends_the_step_at_once(pool: Pool, world: World) -> None:
    answer = await enqueue(pool, world.request(WHATSAPP))

    assert (answer.state, answer.reason) == (StepState.SKIPPED, "nobody to write to in vip_contacts")
    assert answer.ended is not None
    assert (await world.row())["steps_completed"] == 1


@pytest.mark.parametrize(("status", "outcome"), [("paused", "paused"), ("cancelled", "cancelled")])
async def test_a_paused_or_cancelled_automation_decides_nothing(
    status: str, outcome: str, pool: Pool, world: World
) -> None:
    await world.people(2)
    await world.set_automation(status=status)

    answer = await enqueue(pool, world.request())

    assert answer.outcome == outcome
    assert await world.counts() == {}
    assert await pool.fetchval("SELECT count(*) FROM workflow_execution_logs") == 0


async def test_a_player_with_an_old_date_decides_nothing(pool: Pool, world: World) -> None:
    await world.people(2)
    moved = world.started + timedelta(days=90)
    await world.set_event(starts_at=moved, ends_at=moved + timedelta(days=1), timezone="Asia/Tokyo")

    answer = await enqueue(pool, world.request())

    assert answer.outcome == "stale"
    assert await world.counts() == {}
    assert (await enqueue(pool, world.request(date_revision=1))).outcome == "decided"
    assert {m["date_revision"] for m in await world.messages()} == {1}


async def test_what_an_earlier_run_sent_is_not_sent_again_and_what_it_did_not_send_is(pool: Pool, world: World) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    (first,) = (await claim(pool, "email", rehearsal=False, limit=2)).batches
    await settle(pool, first, [Outcome(m.id, "sent", None, "re_1") for m in first.messages])
    await world.set_automation(status="cancelled")
    assert not (await claim(pool, "email", rehearsal=False, limit=100)).batches
    again = await second_run(pool, world)

    answer = await enqueue(pool, again.request())

    assert answer.open == 1
    assert (await again.journal())["result"]["skipped"] == {"already sent in an earlier run": 2}
    assert await again.counts() == {"sent": 2, "queued": 1}


async def test_messages_still_queued_for_a_cancelled_run_go_with_the_next_one(pool: Pool, world: World) -> None:
    await world.people(3)
    await enqueue(pool, world.request())
    await world.set_automation(status="cancelled")
    again = await second_run(pool, world)

    answer = await enqueue(pool, again.request())

    assert answer.open == 3
    assert {m["automation_id"] for m in await again.messages()} == {again.automation}
    assert (await world.journal())["open"] == 0


async def second_run(pool: Pool, world: World) -> World:
    automation = uuid4()
    await pool.execute(
        """
        INSERT INTO automation_workflows (id, event_id, organizer_id, subject_id, generation, name, workflow_type, definition,
            status, rules, temporal_workflow_id)
        VALUES ($1, $2, $3, $2, 2, 'Again', 'event_launch', '{"steps": []}', 'active', 1, 'again')
        """,
        *(automation, world.event, world.organizer),
    )
    return World(pool, world.organizer, world.event, automation, world.campaign, world.started)


async def test_posts_wait_for_their_platforms_good_hour_in_the_events_zone(pool: Pool, world: World) -> None:
    social = SOCIAL.model_copy(update={"actions": (SOCIAL.actions[0].model_copy(update={"optimal_time": True}),)})

    await enqueue(pool, world.request(social, now=MONDAY_EVENING))

    releases = {m["channel"]: m["release_at"] for m in await world.messages()}
    assert releases == {
        "linkedin": datetime(2027, 3, 9, 7, 0, tzinfo=UTC),
        "twitter": datetime(2027, 3, 9, 7, 0, tzinfo=UTC),
        "facebook": datetime(2027, 3, 9, 8, 0, tzinfo=UTC),
    }


async def test_an_event_without_an_organizer_is_refused_with_what_to_do(pool: Pool, world: World) -> None:
    await pool.execute("UPDATE automation_workflows SET organizer_id = NULL")
    await pool.execute("UPDATE events SET organizer_id = NULL")

    with pytest.raises(NoOrganizer, match=r"set events\.organizer_id"):
        await enqueue(pool, world.request())

    assert await pool.fetchval("SELECT count(*) FROM workflow_execution_logs") == 0


async def test_a_step_without_messages_is_begun_once_and_ended(pool: Pool, world: World) -> None:
    await world.set_automation(definition=to_definition((GENERATE, EMAIL)))
    begin = Begin(
        automation_id=world.automation,
        event_id=world.event,
        step=GENERATE,
        round=0,
        due=world.started,
        now=world.started,
    )
    for _ in range(2):
        begun = await journal.begin_step(pool, begin)
        assert begun.progress is not None
        assert begun.progress.state is StepState.RUNNING
    assert (await world.journal(GENERATE))["action_type"] == "ai_generation"

    ended = await journal.end_step(
        pool, end(world, StepState.SUCCESS, email_templates="4 mails", social_posts="5 posts")
    )

    assert (ended.progress.state, ended.progress.ended) == (StepState.SUCCESS, world.started)
    row = await world.journal(GENERATE)
    assert row["result"] == {"email_templates": "4 mails", "social_posts": "5 posts"}
    assert row["duration_ms"] >= 0
    automation = await world.row()
    assert (automation["steps_completed"], automation["tasks_executed"], automation["tasks_successful"]) == (1, 2, 2)
    assert await journal.end_step(pool, end(world, StepState.FAILED, error="too late")) == ended


async def test_progress_counts_the_steps_of_the_timeline_by_their_latest_round(pool: Pool, world: World) -> None:
    async def progress() -> tuple[int, int]:
        row = await world.row()
        return row["steps_completed"], row["steps_total"]

    await enqueue(pool, world.request())
    await enqueue(pool, world.request(EMAIL.model_copy(update={"id": "event_moved"})))
    await enqueue(pool, world.request(EMAIL.model_copy(update={"id": "sponsor_responded"}), skip="of no use"))
    assert await progress() == (1, 3)
    await enqueue(pool, world.request(SOCIAL.model_copy(update={"branch": "day_3"})))
    await enqueue(pool, world.request(WHATSAPP, skip="the other branch was taken"))
    assert await progress() == (2, 3)
    await pool.execute("UPDATE workflow_execution_logs SET status = 'success' WHERE step_id = $1", SOCIAL.id)
    await enqueue(pool, world.request(WHATSAPP, round=1, skip="late by 2 days"))
    assert await progress() == (3, 3)
    await world.set_automation(definition=to_definition((EMAIL, SOCIAL, GENERATE)))
    async with pool.acquire() as connection:
        await journal.recount(connection, [world.automation])
    assert await progress() == (2, 3)


async def test_a_step_that_is_queued_shows_no_retries_of_the_one_before(pool: Pool, world: World) -> None:
    await world.set_automation(retry_count=3, failures={"generate_content social_posts": 3})
    await enqueue(pool, world.request())
    row = await world.row()
    assert (row["retry_count"], row["failures"]) == (0, {})


async def test_retries_are_shown_while_a_step_is_tried_or_held_and_no_longer_than_that(
    pool: Pool, world: World
) -> None:
    await world.set_automation(retry_count=3, failures={"generate_content social_posts": 3})
    await journal.end_step(pool, end(world, StepState.HELD, error="the model refused"))
    assert (await world.row())["retry_count"] == 3
    await journal.end_step(pool, end(world, StepState.SUCCESS, email_templates="4 mails"))
    row = await world.row()
    assert (row["retry_count"], row["failures"]) == (0, {})


async def test_a_held_step_says_so_everywhere_until_it_is_freed_and_decided_anew(pool: Pool, world: World) -> None:
    await journal.begin_step(pool, Begin(**end(world, StepState.HELD).model_dump(include={*Begin.model_fields})))
    held = await journal.end_step(
        pool, end(world, StepState.HELD, error="the model refused", email_templates="4 mails")
    )

    assert (held.progress.state, held.progress.reason) == (StepState.HELD, "the model refused")
    row, automation = await world.journal(GENERATE), await world.row()
    assert (row["status"], row["error_message"]) == ("running", "the model refused")
    assert (automation["last_error"], automation["steps_completed"], automation["tasks_failed"]) == (
        "the model refused",
        0,
        1,
    )
    assert await pool.fetchval("SELECT title FROM notifications") == "Generate marketing content is held"

    free = Free(automation_id=world.automation, event_id=world.event, step=GENERATE.id, slot=GENERATE.slot, round=0)
    assert (await journal.free_step(pool, free)).progress is None
    assert (await world.row())["last_error"] is None
    assert await pool.fetchval("SELECT count(*) FROM notifications") == 0
    await journal.begin_step(pool, Begin(**end(world, StepState.HELD).model_dump(include={*Begin.model_fields})))
    ended = await journal.end_step(
        pool, end(world, StepState.SUCCESS, email_templates="4 mails", social_posts="5 posts")
    )
    assert ended.progress.state is StepState.SUCCESS
    assert (await world.row())["tasks_successful"] == 2


async def test_freeing_a_step_whose_messages_failed_queues_them_again(pool: Pool, world: World) -> None:
    await world.people(2)
    await enqueue(pool, world.request())
    (batch,) = (await claim(pool, "email", rehearsal=False, limit=100)).batches
    await settle(pool, batch, [Outcome(m.id, "failed", "template needs event.venue") for m in batch.messages])
    assert (await world.journal())["status"] == "running"

    free = Free(automation_id=world.automation, event_id=world.event, step=EMAIL.id, slot=EMAIL.slot, round=0)
    freed = await journal.free_step(pool, free)

    assert freed.progress is not None
    assert freed.progress.state is StepState.RUNNING
    row = await world.journal()
    assert (row["status"], row["open"], row["error_message"]) == ("running", 2, None)
    assert await world.counts() == {"queued": 2}
    (batch,) = (await claim(pool, "email", rehearsal=False, limit=100)).batches
    await settle(pool, batch, [Outcome(m.id, "sent", None, "re_1") for m in batch.messages])
    assert (await world.journal())["result"] == {"queued": 2, "sent": 2, "failed": 0, "unknown": 0, "skipped": {}}


async def test_messages_follow_actions_that_began_the_same_step(pool: Pool, world: World) -> None:
    await world.people(1)
    request = world.request()
    await journal.begin_step(pool, Begin(**request.model_dump(include={*Begin.model_fields})))

    answer = await enqueue(pool, request)

    assert answer.open == 1
    assert await enqueue(pool, request) == answer


def end(world: World, state: StepState, *, error: str | None = None, **results: str) -> End:
    return End(
        automation_id=world.automation,
        event_id=world.event,
        step=GENERATE,
        round=0,
        due=world.started,
        now=world.started,
        state=state,
        results=results,
        error=error,
    )
