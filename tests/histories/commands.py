"""What the workflow code of today commands when it is led through a recorded history, as lines for people to read.

Temporal's replayer refuses commands of another kind or name. It does not mind another time-out of a timer, or what is added
behind the end of a history that is still open; both would be another life for the automations that are under way.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import Replayer, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker._command_aware_visitor import CommandInfo
from temporalio.workflow import Info, _Definition

import worker as hosting
from starter.hearing import DropUnintelligible


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of leading today's code through a history."""

    lines: tuple[str, ...]
    refused: str | None = None
    """What Temporal's replayer minded; None if it would go on with this history."""

    @property
    def text(self) -> str:
        """One line for each command and for each message heard, as it is kept beside the history."""
        return "".join(f"{line}\n" for line in self.lines)


async def commands(history: WorkflowHistory, runner: WorkflowRunner | None = None) -> Replayed:
    """Lead today's code through a history; what it commanded until it ended or was refused."""
    listener = Listener(runner or hosting.runner(strict=True))
    replayer = Replayer(
        workflows=hosting.WORKFLOWS,
        workflow_runner=listener,
        data_converter=pydantic_data_converter,
        interceptors=[DropUnintelligible()],
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    refused = str(result.replay_failure) if result.replay_failure else None
    return Replayed(tuple(_counted(listener.lines)), refused)


@dataclass
class Listener(WorkflowRunner):
    """A runner of workflows that writes down what they command."""

    runner: WorkflowRunner
    lines: list[str] = field(default_factory=list)

    def prepare_workflow(self, defn: _Definition) -> None:
        """Leave it to the runner."""
        self.runner.prepare_workflow(defn)

    def set_worker_level_failure_exception_types(self, types: Sequence[type[BaseException]]) -> None:
        """Leave it to the runner."""
        self.runner.set_worker_level_failure_exception_types(types)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """The runner's instance, listened to."""
        return _Listening(self.runner.create_instance(det), self.lines)


class _Listening(WorkflowInstance):
    def __init__(self, instance: WorkflowInstance, lines: list[str]) -> None:
        self._instance, self._lines = instance, lines

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        self._lines += [said for job in act.jobs for said in _heard(job)]
        completion = self._instance.activate(act)
        self._lines += [_commanded(command) for command in completion.successful.commands]
        if completion.HasField("failed"):
            self._lines.append(f"task fails: {completion.failed.failure.message}")
        return completion

    def get_serialization_context(self, command_info: CommandInfo | None) -> SerializationContext | None:
        return self._instance.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: CommandInfo | None) -> StorageDriverStoreContext:
        return self._instance.get_external_store_context(command_info)

    def get_info(self) -> Info:
        return self._instance.get_info()

    def get_thread_id(self) -> int | None:
        return self._instance.get_thread_id()


def _heard(job: WorkflowActivationJob) -> Iterator[str]:
    match job.WhichOneof("variant"):
        case "initialize_workflow":
            yield f"begins: {job.initialize_workflow.workflow_type}"
        case "signal_workflow":
            yield f"hears: {job.signal_workflow.signal_name}"
        case "do_update":
            yield f"is asked: {job.do_update.name}"
        case "fire_timer":
            yield "the timer fires"
        case "cancel_workflow":
            yield "is to be cancelled"
        case _:
            pass


def _commanded(command: WorkflowCommand) -> str:
    summary = json.loads(command.user_metadata.summary.data or '""')
    match command.WhichOneof("variant"):
        case "schedule_local_activity":
            return f"  local activity {command.schedule_local_activity.activity_type}: {summary}"
        case "schedule_activity":
            return f"  activity {command.schedule_activity.activity_type}: {summary}"
        case "start_timer":
            length = command.start_timer.start_to_fire_timeout.ToTimedelta()
            # A minute more or less is how fast the recording machine was.
            return f"  timer of {timedelta(minutes=round(length / timedelta(minutes=1)))}: {summary}"
        case "update_response":
            answer = command.update_response.WhichOneof("response")
            return f"  answer {answer}"
        case kind:
            return f"  {str(kind).replace('_', ' ')}"


def _counted(lines: list[str]) -> Iterator[str]:
    for line, same in groupby(lines):
        count = len(list(same))
        yield line if count == 1 else f"{line} ({count} times)"
