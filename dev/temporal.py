"""The Temporal development server: the command of temporal-dev.yml, run natively."""

import asyncio
import time
from pathlib import Path

import yaml
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from dev.child import Child, PartFailed, deadline, free_port
from dev.temporal_binary import Tell, find, silent

COMPOSE = Path(__file__).parent.parent / "temporal-dev.yml"
PORT = 7233
UI_PORT = 8233
START_SECONDS = 60.0
ATTEMPTS = 3
"""It looks for a dozen ports of its own when it starts, and ends if another server takes one of them at that moment."""


def command(*, port: int, ui_port: int | None, database: Path | None) -> list[str]:
    """The arguments of temporal-dev.yml for this machine: listening here alone, on these ports, with this file or in memory."""
    own = {"--ip", "--port", "--ui-port", "--db-filename"}
    given = iter(_compose())
    kept = []
    for argument in given:
        if argument in own:
            next(given)
        else:
            kept.append(argument)
    kept += ["--ip", "127.0.0.1", "--port", str(port), "--log-level", "error"]
    kept += ["--headless"] if ui_port is None else ["--ui-port", str(ui_port)]
    return kept if database is None else [*kept, "--db-filename", str(database)]


def search_attributes() -> dict[str, str]:
    """The search attributes that workflows are found by, with the type of each."""
    given = _compose()
    pairs = [given[at + 1] for at, argument in enumerate(given) if argument == "--search-attribute"]
    return dict(pair.split("=", 1) for pair in pairs)


async def missing_search_attributes(client: Client) -> dict[str, str]:
    """Those that the client's namespace does not have, or has under another type."""
    request = ListSearchAttributesRequest(namespace=client.namespace)
    there = (await client.operator_service.list_search_attributes(request)).custom_attributes
    return {
        name: type_
        for name, type_ in search_attributes().items()
        if there.get(name) != IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{type_.upper()}")
    }


def _compose() -> list[str]:
    compose = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return [str(argument) for argument in compose["services"]["temporal"]["command"]]


class Temporal:
    """The running server."""

    def __init__(self, child: Child, port: int, ui_port: int | None) -> None:
        self.child = child
        self.address = f"127.0.0.1:{port}"
        self.ui = None if ui_port is None else f"http://127.0.0.1:{ui_port}"

    @classmethod
    async def start(
        cls,
        *,
        log: Path,
        port: int = PORT,
        ui_port: int | None = UI_PORT,
        database: Path | None = None,
        tell: Tell = silent,
    ) -> "Temporal":
        """Start it, in memory unless `database` names a file, and wait until its namespace and search attributes are there.

        `tell` hears a line per attempt to find the program.
        """
        binary = await find(tell)
        attempt = 0
        while True:
            attempt += 1
            own, ui = free_port(port), None if ui_port is None else free_port(ui_port)
            child = Child("Temporal", [str(binary), *command(port=own, ui_port=ui, database=database)], log=log)
            server = cls(child, own, ui)
            try:
                await server._ready()
            except BaseException as error:
                ended = isinstance(error, PartFailed) and child.status is not None
                child.stop()
                if not ended or attempt == ATTEMPTS:
                    raise
                tell("ended while it started; starting again")
            else:
                return server

    async def _ready(self) -> None:
        end = deadline(START_SECONDS)
        reason = ""
        while time.monotonic() < end:
            if self.child.status is not None:
                raise self.child.failure()
            try:
                absent = await missing_search_attributes(await Client.connect(self.address))
                if not absent:
                    return
                reason = f"search attributes {', '.join(absent)} are not registered"
            except (RPCError, RuntimeError) as error:
                reason = str(error)
            await asyncio.sleep(0.1)
        raise PartFailed("Temporal", f"not ready within {START_SECONDS:.0f} seconds: {reason}", said=self.child.said())
