"""What a failed activity means: final, to be waited out, or a failure that counts against `max_retries`."""

from typing import Any

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from database import automations
from database.connection import DatabaseUnreachable, Pool
from providers.errors import Rejected, Unavailable

log = structlog.get_logger()

COUNTED = ("enqueue", "begin_step", "generate_content", "update_records", "notify", "call")
"""The activities of a step. When they have failed too often the step is held; others go on trying, a player cannot do without."""

BEGINS = ("enqueue", "begin_step")
"""The activities that begin a step: whatever failed before them was another."""

AWAY = (
    DatabaseUnreachable,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg makes of a session that is cut in the middle of an answer
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
)


def away(error: BaseException) -> bool:
    """Whether the database is away, going down or too busy: it is waited for. All else that it says is a failure."""
    if isinstance(error, OSError):
        return error.filename is None  # a socket, not a file that is missing
    return isinstance(error, AWAY) and not isinstance(error, asyncpg.DataError)


def words(error: BaseException) -> str:
    """What an error says. PostgreSQL's DETAIL is left out: it quotes rows, and so people."""
    said = str(error.args[0]) if isinstance(error, asyncpg.PostgresError) and error.args else str(error)
    return said or type(error).__name__


def final(message: str) -> ApplicationError:
    """An error that trying again would not mend: the step is held, with these words."""
    return ApplicationError(message, type="Final", non_retryable=True)


class CountFailures(Interceptor):
    """Bounds the failures of a step by its automation's `max_retries`: what is done side by side has its own retries.

    Outages and rate limits are no failures.

    What fails is told to Temporal in words alone, so that no traceback or quoted row comes into a history.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Wrap the activity."""
        return _Counting(next, self._pool)


class _Counting(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, pool: Pool) -> None:
        super().__init__(inner)
        self._pool = pool

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        """Run the activity; say of its failure whether and when it is worth another try."""
        try:
            return await super().execute_activity(input)
        except ApplicationError:
            raise
        except Rejected as error:
            raise final(str(error)) from None
        except Unavailable as error:
            raise ApplicationError(str(error), type="Unavailable", next_retry_delay=error.retry_after) from None
        except Exception as error:  # noqa: BLE001 - every failure is told in words
            said, type_ = words(error), type(error).__name__
            if not away(error) and activity.info().activity_type in COUNTED:
                await self._count(input.args[0], said)
            log.warning("activity_failed", error=said, type=type_, away=away(error))
            raise ApplicationError(said, type=type_) from None

    async def _count(self, about: Any, said: str) -> None:
        info = activity.info()
        fresh = info.activity_type in BEGINS and info.attempt == 1
        piece = f"{info.activity_type} {getattr(about, 'target', '')}".strip()
        count, allowed = await automations.count_retry(self._pool, about.automation_id, piece, fresh=fresh)
        if count > allowed:
            raise final(f"{said} (failed {count} times; max_retries is {allowed})") from None
