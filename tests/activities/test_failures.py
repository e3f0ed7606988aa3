"""What a failed activity means to the step that asked for it."""

from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.failures import CountFailures, away, words
from database.connection import DatabaseUnreachable, Pool
from models.player import Act
from providers.errors import Rejected, Unavailable
from tests.world import World, make_world


class Failing(ActivityInboundInterceptor):
    """The innermost link: an activity that raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def execute_activity(self, input: ExecuteActivityInput) -> None:  # noqa: A002, ARG002 - the SDK's name
        raise self._error


async def failed(
    world: World,
    error: Exception,
    activity_type: str = "generate_content",
    attempt: int = 1,
    target: str = "social_posts",
) -> ApplicationError:
    """What Temporal is told when an activity of this automation raises that."""
    about = Act(automation_id=world.automation, event_id=world.event, step="write", target=target, rehearsal=False)
    asked = ExecuteActivityInput(fn=lambda: None, args=[about], executor=None, headers={})
    environment = ActivityEnvironment()
    environment.info = replace(environment.default_info(), activity_type=activity_type, attempt=attempt)
    link = CountFailures(world.pool).intercept_activity(Failing(error))
    with pytest.raises(ApplicationError) as told:
        await environment.run(link.execute_activity, asked)
    return told.value


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


async def test_a_rejection_is_final_in_the_vendors_words(world: World) -> None:
    error = await failed(world, Rejected("OpenAI refuses the key.", provider="openai", scope="account"))
    assert (error.message, error.non_retryable) == ("OpenAI refuses the key.", True)
    assert (await world.row())["retry_count"] == 0


async def test_an_outage_comes_again_when_the_provider_says(world: World) -> None:
    wait = timedelta(seconds=7)
    error = await failed(world, Unavailable("slow down", provider="openai", retry_after=wait))
    assert (error.non_retryable, error.next_retry_delay) == (False, wait)
    assert (await world.row())["retry_count"] == 0


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError("refused"),
        TimeoutError(),
        asyncpg.InterfaceError("the pool is closing"),
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.DeadlockDetectedError("deadlock"),
        asyncpg.TooManyConnectionsError("too many"),
        DatabaseUnreachable("postgresql://u:p@h:1/d", "refused"),
    ],
)
async def test_a_database_that_is_away_counts_as_nothing(world: World, error: Exception) -> None:
    told = await failed(world, error)
    assert not told.non_retryable
    assert (await world.row())["retry_count"] == 0
    assert away(error)


async def test_failures_are_counted_until_max_retries_and_then_hold_the_step(world: World) -> None:
    for attempt in (1, 2, 3):
        assert not (await failed(world, ValueError("broken"), attempt=attempt)).non_retryable
    error = await failed(world, ValueError("broken"), attempt=4)
    assert error.non_retryable
    assert error.message == "broken (failed 4 times; max_retries is 3)"


async def test_what_is_done_side_by_side_has_its_own_retries_and_the_most_of_them_are_shown(world: World) -> None:
    for attempt, shown in ((1, 1), (2, 2), (3, 3)):
        for number in range(10):
            error = await failed(world, ValueError("broken"), attempt=attempt, target=f"proposal_{number}")
            assert not error.non_retryable
        assert (await world.row())["retry_count"] == shown
    error = await failed(world, ValueError("broken"), attempt=4, target="proposal_7")
    assert error.message == "broken (failed 4 times; max_retries is 3)"


@pytest.mark.parametrize("begins", ["enqueue", "begin_step"])
async def test_the_count_of_a_step_begins_anew_with_the_step(world: World, begins: str) -> None:
    for attempt in (1, 2, 3):
        await failed(world, ValueError("broken"), begins, attempt)
    assert not (await failed(world, ValueError("broken"), begins)).non_retryable
    assert (await world.row())["retry_count"] == 1


async def test_what_a_player_cannot_do_without_is_tried_for_ever(world: World) -> None:
    await world.set_automation(retry_count=50)
    assert not (await failed(world, ValueError("broken"), "look")).non_retryable
    assert (await world.row())["retry_count"] == 50


async def test_a_missing_file_is_no_outage(world: World) -> None:
    error = FileNotFoundError(2, "No such file", "announcement.mjml")
    assert not away(error)
    await failed(world, error)
    assert (await world.row())["retry_count"] == 1


async def test_postgresqls_quotes_of_rows_stay_out_of_histories(world: World) -> None:
    contact = "INSERT INTO contacts (id, organizer_id, email) VALUES ($1, $1, 'ada@people.example')"
    with pytest.raises(asyncpg.ForeignKeyViolationError) as quoting:
        await world.pool.execute(contact, world.event)
    assert str(world.event) in str(quoting.value)
    assert str(world.event) not in words(quoting.value)
    told = await failed(world, quoting.value)
    assert str(world.event) not in told.message
    assert told.__cause__ is None
