"""A house where automations live in tests: the real worker on a real server, and a postman in the dispatcher's place."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from pydantic import SecretStr
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.worker import Replayer, Worker

import worker as hosting
from database import events
from database.connection import Pool
from database.seed import seed
from models.automation import Step
from providers import accounts
from settings import Settings
from starter import rehearsal
from starter.hearing import DropUnintelligible
from starter.kinds import KINDS
from starter.triggers import Triggers
from tests.workflows import postman
from workflows.pumps import IntakeWorkflow

Row = dict[str, Any]


@dataclass
class House:
    """One database, one task queue, one worker. `post` delivers what is due, as the dispatcher would, until told not to."""

    pool: Pool
    client: Client
    settings: Settings
    queue: str
    post_as: str | None = "sent"
    """What becomes of messages that are due; None leaves them lying."""
    post_why: str | None = None
    """Why it becomes of them."""

    @property
    def triggers(self) -> Triggers:
        return Triggers(self.pool, self.client, self.queue)

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Worker]:
        """A worker with everything that the real one hosts, not yet running."""
        live, rehearsal = accounts.live(self.settings), accounts.rehearsal(self.settings)
        try:
            yield hosting.build(self.client, self.pool, self.settings, live, rehearsal)
        finally:
            await live.aclose()
            await rehearsal.aclose()

    @asynccontextmanager
    async def at_work(self, *, worker: bool = True) -> AsyncIterator[None]:
        """The worker, the intake pump and the postman, while the body lasts; without `worker` the test hosts one itself."""
        pump = await self.client.start_workflow(IntakeWorkflow.run, id=f"intake/{self.queue}", task_queue=self.queue)
        postman = asyncio.create_task(self.post())
        try:
            async with AsyncExitStack() as held:
                if worker:
                    await held.enter_async_context(await held.enter_async_context(self.worker()))
                yield
        finally:
            postman.cancel()
            await pump.terminate()

    async def post(self) -> None:
        """Deliver what is due, for ever."""
        while True:
            if self.post_as is not None:
                await self.deliver(self.post_as, self.post_why)
            await asyncio.sleep(0.03)

    async def deliver(self, status: str = "sent", why: str | None = None) -> int:
        """Settle every message that is due: the dispatcher's part of the story."""
        return await postman.deliver(self.pool, status, why)

    # -- what there is ----------------------------------------------------------------------------------------------

    async def event(self, *, contacts: int = 3, **columns: Any) -> UUID:
        """A draft of an event in thirty days, with an organizer and people to write to."""
        organizer, event = uuid4(), uuid4()
        starts = columns.pop("starts_at", datetime.now(UTC) + timedelta(days=30))
        values = {"name": "River Conf", "starts_at": starts, "timezone": "Europe/Berlin"} | columns
        values.setdefault("ends_at", starts and starts + timedelta(hours=8))
        await self.pool.execute(
            "INSERT INTO organizers (id, name, email) VALUES ($1, 'River Conferences', 'hello@river.example')",
            organizer,
        )
        await self.pool.execute(
            f"INSERT INTO events (id, organizer_id, {', '.join(values)}) "
            f"VALUES ($1, $2, {', '.join(f'${at}' for at in range(3, 3 + len(values)))})",
            event,
            organizer,
            *values.values(),
        )
        await self.pool.execute(
            """
            INSERT INTO contacts (organizer_id, email, first_name, last_name)
            SELECT $1, 'somebody.' || n || '@people.example', 'Somebody' || n, 'Nobody' || n FROM generate_series(1, $2) n
            """,
            organizer,
            contacts,
        )
        return event

    async def rehearsal(self) -> UUID:
        """A rehearsal of the seeded event, not yet published."""
        async with self.pool.acquire() as connection:
            seeded = await seed(connection)
        return await rehearsal.copy(self.pool, seeded.event_id, datetime.now(UTC).replace(microsecond=0))

    async def set_event(self, event: UUID, **columns: Any) -> None:
        changes = ", ".join(f"{name} = ${at}" for at, name in enumerate(columns, start=2))
        await self.pool.execute(f"UPDATE events SET {changes} WHERE id = $1", event, *columns.values())

    async def begin(self, event_id: UUID, steps: Sequence[Step], subject: UUID | None = None) -> str:
        """Begin these steps for an event; the workflow's id. The subject is this test's own, as the server is everybody's."""
        subject = subject or uuid4()
        kind = replace(KINDS["custom"], timeline=tuple(steps))
        event = await events.get(self.pool, event_id)
        assert event is not None
        await self.triggers.begin("custom", event, subject, event.now, kind=kind)
        return f"custom/{subject}/1"

    def handle(self, workflow_id: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(workflow_id)

    async def row(self, workflow_id: str) -> Row:
        """An automation's row."""
        row = await self.pool.fetchrow(
            "SELECT * FROM automation_workflows WHERE temporal_workflow_id = $1", workflow_id
        )
        assert row is not None, workflow_id
        return dict(row)

    async def journal(self, workflow_id: str) -> dict[str, Row]:
        """The latest journal row of each step."""
        rows = await self.pool.fetch(
            """
            SELECT l.* FROM workflow_execution_logs l JOIN automation_workflows a ON a.id = l.workflow_id
            WHERE a.temporal_workflow_id = $1 AND NOT starts_with(l.slot, 'notice/') ORDER BY l.due_at, l.started_at, l.round
            """,
            workflow_id,
        )
        return {row["step_id"]: dict(row) for row in rows}

    async def states(self, workflow_id: str) -> dict[str, str]:
        """How each step stands in the journal, with the reason if there is one."""
        journal = await self.journal(workflow_id)
        return {
            id_: ": ".join(filter(None, [row["status"], row["error_message"] or (row["result"] or {}).get("reason")]))
            for id_, row in journal.items()
        }

    async def until(self, ask: Callable[[], Any], seconds: float = 60.0) -> Any:
        """Ask until the answer is true; the answer."""
        async with asyncio.timeout(seconds):
            while not (answer := await ask()):
                await asyncio.sleep(0.03)
            return answer

    async def until_row(self, workflow_id: str, seconds: float = 60.0, **columns: Any) -> Row:
        """Wait until an automation's row says this; the row."""
        row: Row = {}

        async def says() -> bool:
            nonlocal row
            row = await self.row(workflow_id)
            return all(row[name] == value for name, value in columns.items())

        try:
            await self.until(says, seconds)
        except TimeoutError:
            raise AssertionError(f"{columns} never came; the row says {row}") from None
        return row

    async def until_step(self, workflow_id: str, step: str, status: str, seconds: float = 60.0) -> Row:
        """Wait until a step stands like this in the journal; its row."""

        async def stands() -> Row | None:
            found = (await self.journal(workflow_id)).get(step)
            return found if found and found["status"] == status else None

        found: Row = await self.until(stands, seconds)
        return found

    async def quiet(self) -> None:
        """Wait until every occurrence is taken in."""

        async def settled() -> bool:
            return not await self.pool.fetchval(
                "SELECT count(*) FROM occurrences WHERE processed_at IS NULL AND held_at IS NULL"
            )

        await self.until(settled)

    async def automations(self, event: UUID) -> list[Row]:
        rows = await self.pool.fetch(
            "SELECT * FROM automation_workflows WHERE event_id = $1 ORDER BY generation", event
        )
        return [dict(row) for row in rows]

    # -- history ----------------------------------------------------------------------------------------------------

    async def histories(self) -> list[WorkflowHistory]:
        """What Temporal has recorded of every automation in this house."""
        rows = await self.pool.fetch("SELECT temporal_workflow_id FROM automation_workflows")
        found = []
        for row in rows:
            try:
                found.append(await self.handle(row["temporal_workflow_id"]).fetch_history())
            except RPCError:
                continue  # never started
        return found

    async def replay(self) -> None:
        """Every history of this house leads the workflow code of today to the same commands."""
        await replay(await self.histories())

    async def put_away(self) -> None:
        """Terminate what still runs."""
        for history in await self.histories():
            try:
                await self.handle(history.workflow_id).terminate()
            except RPCError:
                continue  # it has ended


async def replay(histories: Sequence[WorkflowHistory]) -> None:
    """Raise unless these histories can be replayed."""
    begun = {history.events[0].workflow_execution_started_event_attributes.workflow_type.name for history in histories}
    if not begun:
        return
    replayer = Replayer(
        # Every class that is named is imported anew, where whatever is not deterministic is refused.
        workflows=[cls for cls in hosting.WORKFLOWS if cls.__name__ in begun],
        workflow_runner=hosting.runner(strict=True),
        data_converter=pydantic_data_converter,
        interceptors=[DropUnintelligible()],
    )

    async def one_by_one() -> AsyncIterator[WorkflowHistory]:
        for history in histories:
            yield history

    await replayer.replay_workflows(one_by_one())


def settings_for(database: str, temporal: str, sandbox: str, queue: str) -> Settings:
    """What the worker of this test reads from the environment."""
    return Settings(
        database_url=database,
        temporal_address=temporal,
        task_queue=queue,
        public_url="http://127.0.0.1:8000",
        sandbox_url=sandbox,
        openai_base_url=f"{sandbox}/openai/v1",
        openai_api_key=SecretStr("sk-local"),
    )


@asynccontextmanager
async def open_house(
    pool: Pool, client: Client, database: str, temporal: str, sandbox: str, queue: str
) -> AsyncIterator[House]:
    """A house whose worker is not yet at work; at the end every history in it is replayed."""
    house = House(pool, client, settings_for(database, temporal, sandbox, queue), queue)
    # An event is created here for other reasons; a test that is about sponsors lets it begin their outreach.
    await pool.execute("UPDATE automation_rules SET enabled = FALSE WHERE workflow_type = 'sponsor_outreach'")
    try:
        yield house
        await house.replay()
    finally:
        await house.put_away()


async def shown(house: House, workflow_id: str) -> str:
    """What the Temporal Web UI shows of an automation."""
    metadata = await house.handle(workflow_id).query("__temporal_workflow_metadata")
    return str(metadata.current_details)
