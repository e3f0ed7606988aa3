"""structlog set-up, and the interceptor that binds automation, step and event to what an activity logs."""

import logging
import sys
from typing import Any

import structlog
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

BOUND = ("automation_id", "event_id", "step", "channel")
"""Fields of an activity's input that its log lines carry. None of them is personal."""


def set_up(level: str = "info", format_: str = "console") -> None:
    """Log to stderr: lines for people (`console`) or one JSON object per line (`json`)."""
    render: Any = (
        structlog.processors.JSONRenderer()
        if format_ == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # What libraries say reaches people only from warning up, and through the same pipe.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render], foreign_pre_chain=shared
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class BindActivity(Interceptor):
    """Binds what an activity is about to every line it logs."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Wrap the activity."""
        return _Bound(next)


class _Bound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        """Run the activity with its fields bound."""
        info = activity.info()
        about = input.args[0] if input.args else None
        fields = {name: str(value) for name in BOUND if (value := getattr(about, name, None)) is not None}
        with structlog.contextvars.bound_contextvars(activity=info.activity_type, attempt=info.attempt, **fields):
            return await super().execute_activity(input)
