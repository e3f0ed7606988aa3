"""What running workflows do with messages that they cannot understand, whoever sent them."""

from temporalio import workflow
from temporalio.exceptions import FailureError
from temporalio.worker import (
    HandleSignalInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)


class DropUnintelligible(Interceptor):
    """A signal that its handler cannot make sense of is logged and dropped.

    A signal stays in the history. If its handler raised, the workflow's task would fail on it now and at every later try, and
    no code but a mended handler would ever bring the automation on again. An update needs none of this: it is refused.
    """

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:  # noqa: A002, ARG002 - the SDK's name
        """Wrap every workflow."""
        return _Hearing


class _Hearing(WorkflowInboundInterceptor):
    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002 - the SDK's name
        """Hear it, or say in the log that it made no sense."""
        try:
            await super().handle_signal(input)
        except FailureError:
            raise  # meant for the workflow
        except Exception as error:  # noqa: BLE001 - whatever anybody may have sent
            workflow.logger.warning("signal_dropped: %s: %s", input.signal, error)
