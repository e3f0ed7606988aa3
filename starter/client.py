"""The one way to Temporal: one connect(), one data converter, one way to tell an automation something."""

from pathlib import Path

from temporalio.client import Client, TLSConfig, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode

from models.player import News
from settings import Settings

EVENT_ID = SearchAttributeKey.for_keyword("EventId")
AUTOMATION_TYPE = SearchAttributeKey.for_keyword("AutomationType")
REHEARSAL = SearchAttributeKey.for_bool("Rehearsal")


class TemporalUnreachable(Exception):
    """No Temporal server answered."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"Temporal at {address} cannot be used: {reason}.\n"
            "Check that the server runs and that TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE name it; `eventos dev` starts a local one."
        )


async def connect(settings: Settings) -> Client:
    """A client whose payloads are pydantic models; TemporalUnreachable if nobody answers."""
    tls: bool | TLSConfig = False
    if settings.temporal_tls_cert and settings.temporal_tls_key:
        tls = TLSConfig(
            client_cert=Path(settings.temporal_tls_cert).read_bytes(),
            client_private_key=Path(settings.temporal_tls_key).read_bytes(),
        )
    elif settings.temporal_api_key.get_secret_value():
        tls = True
    try:
        return await Client.connect(
            settings.temporal_address,
            namespace=settings.temporal_namespace,
            api_key=settings.temporal_api_key.get_secret_value() or None,
            tls=tls,
            data_converter=pydantic_data_converter,
        )
    except (RuntimeError, RPCError, OSError) as error:
        raise TemporalUnreachable(settings.temporal_address, str(error).splitlines()[0]) from error


class NotReady(Exception):
    """A workflow that takes no updates, because its tasks fail or time out one after the other; nothing was done."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__(
            f"The workflow {workflow_id} takes no orders now: its tasks fail or time out, so nothing was done.\n"
            "It does so again once they succeed. If it stays like this, the worker's log and the Temporal Web UI say why."
        )


def is_not_ready(error: RPCError) -> bool:
    """Whether Temporal refused an update because the workflow's tasks have failed or timed out repeatedly."""
    return error.status is RPCStatusCode.FAILED_PRECONDITION


async def tell(client: Client, workflow_id: str, news: News, *, rehearsal: bool, once: str) -> bool:
    """Tell an automation news; False if it is closed or was never there.

    A real one is signalled. A rehearsal's is told by an Update that returns when its player rests again; `once` makes
    telling it a second time harmless. NotReady if a rehearsal's cannot hear now.
    """
    handle: WorkflowHandle[object, object] = client.get_workflow_handle(workflow_id)
    try:
        if rehearsal:
            await handle.execute_update("tell", news, id=once)
        else:
            await handle.signal(news.kind, news)
    except RPCError as error:
        if is_not_ready(error):
            raise NotReady(workflow_id) from error
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    except WorkflowUpdateFailedError as error:
        # A workflow that completes while it is told has heard it, or has nothing left to hear.
        if "completed" not in str(error.cause).lower():
            raise
        return False
    return True
