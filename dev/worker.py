"""The worker as a process of its own, started again when it crashes."""

import asyncio
import signal
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from dev.child import Child, PartFailed, deadline
from dev.sandbox import ROOT

START_SECONDS = 60.0
HEALTHY_SECONDS = 60.0
CRASHES = 3
"""So many ends of its own in a row, each within HEALTHY_SECONDS, and it is not started again."""
FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM)
"""Ends that say nothing about the worker's health."""


class Worker:
    """A worker that polls `task_queue`; `child` is the present process."""

    def __init__(self, environment: Mapping[str, str], task_queue: str, log: Path) -> None:
        self._environment = environment
        self._task_queue = task_queue
        self._log = log
        self._crashes = 0
        self.begin()

    def begin(self) -> None:
        """Start a process; the one before must have ended."""
        self._begun = datetime.now(UTC)
        self._instant = time.monotonic()
        self.child = Child(
            "worker", [sys.executable, "-m", "worker"], log=self._log, environment=self._environment, directory=ROOT
        )

    def begin_again(self) -> None:
        """Start a process after a crash; PartFailed if it has crashed at once too often."""
        if self.child.status not in FROM_OUTSIDE:
            healthy = time.monotonic() - self._instant > HEALTHY_SECONDS
            self._crashes = 1 if healthy else self._crashes + 1
        if self._crashes >= CRASHES:
            raise self.child.failure()
        self.begin()

    async def ready(self, temporal: Client) -> None:
        """Wait until Temporal has seen it ask for work."""
        queue = DescribeTaskQueueRequest(
            namespace=temporal.namespace,
            task_queue=TaskQueue(name=self._task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        end = deadline(START_SECONDS)
        while time.monotonic() < end:
            if self.child.status is not None:
                raise self.child.failure()
            pollers = (await temporal.workflow_service.describe_task_queue(queue)).pollers
            if any(poller.last_access_time.ToDatetime(UTC) >= self._begun for poller in pollers):
                return
            await asyncio.sleep(0.1)
        raise PartFailed("worker", f"did not ask for work within {START_SECONDS:.0f} seconds", said=self.child.said())
