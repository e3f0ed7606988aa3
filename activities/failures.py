"""What a failed activity means: final, to be waited out, or a failure that counts against `max_retries`."""

from typing import Any

import asyncpg
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from database import automations
from database.connection import DatabaseUnreachable, Pool
from providers.errors import Rejected, Unavailable

AWAY = (OSError, DatabaseUnreachable, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.OperatorInterventionError)
"""The database is away or going down; it is waited for. Everything else that PostgreSQL says is a failure."""

COUNTED = ("enqueue", "begin_step", "generate_content", "update_records")
"""The activities of a step. When they have failed too often the step is held; others go on trying, a player cannot do without."""


class CountFailures(Interceptor):
    """Bounds the failures of a step by its automation's `max_retries`. Outages and rate limits are no failures."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _Counting(next, self._pool)


class _Counting(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, pool: Pool) -> None:
        super().__init__(inner)
        self._pool = pool

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        try:
            return await super().execute_activity(input)
        except (ApplicationError, *AWAY):
            raise
        except Rejected as error:
            raise final(str(error)) from error
        except Unavailable as error:
            raise ApplicationError(str(error), type="Unavailable", next_retry_delay=error.retry_after) from error
        except Exception as error:
            if activity.info().activity_type not in COUNTED:
                raise
            count, allowed = await automations.count_retry(self._pool, input.args[0].automation_id)
            if count <= allowed:
                raise
            said = str(error) or type(error).__name__
            raise final(f"{said} (failed {count} times; max_retries is {allowed})") from error


def final(message: str) -> ApplicationError:
    """An error that trying again would not mend: the step is held, with these words."""
    return ApplicationError(message, type="Final", non_retryable=True)
