"""`eventos doctor`: asks every part by a real call, and says what to do about those that do not answer."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Annotated

import httpx2
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.service import RPCError

from commands.running import ERROR, run
from database.connection import DatabaseUnreachable, address, connect, round_trip
from database.migrate import MigrationError, pending
from dev.temporal import missing_search_attributes
from providers import accounts
from providers.errors import ProviderError
from settings import Settings
from starter.client import TemporalUnreachable
from starter.client import connect as connect_temporal

SECONDS = 15.0
"""How long one part may take to answer."""

NEEDS = {
    "database": ("DATABASE_URL",),
    "temporal": ("TEMPORAL_ADDRESS",),
    "sandbox": ("SANDBOX_URL",),
    "public address": ("PUBLIC_URL",),
    "email": ("RESEND_API_KEY",),
    "whatsapp": ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_WHATSAPP_FROM"),
    "content": ("OPENAI_API_KEY",),
    "linkedin": ("LINKEDIN_TOKEN", "LINKEDIN_AUTHOR"),
    "twitter": ("X_TOKEN",),
    "facebook": ("FACEBOOK_TOKEN", "FACEBOOK_PAGE_ID"),
    "weather": (),
}
"""The settings without which a part cannot even be asked."""


OPTIONAL = {"sandbox", "weather"}
"""Parts that a system in real use can be without: only rehearsals need the one, and mail goes without the other."""


class Ill(Exception):
    """A part answers, but not as it should; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of asking one part."""

    part: str
    ok: bool
    says: str

    @property
    def needed(self) -> bool:
        """Whether a system in real use cannot be without it."""
        return self.part not in OPTIONAL


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False) -> None:
    """Check the database, Temporal, the sandbox and every provider; status 1 if one that is needed does not work."""
    run(_doctor(as_json))


async def _doctor(as_json: bool) -> int:
    findings = await examine(Settings.from_environment())
    ok = all(finding.ok or not finding.needed for finding in findings)
    if as_json:
        typer.echo(
            json.dumps(
                {"ok": ok, "checks": [asdict(finding) | {"needed": finding.needed} for finding in findings]}, indent=2
            )
        )
    else:
        table = Table("part", "", "what it says", box=None, pad_edge=False)
        for finding in findings:
            mark = "[green]ok" if finding.ok else "[red]no" if finding.needed else "[yellow]no"
            table.add_row(finding.part, mark, escape(finding.says))
        Console().print(table)
    return 0 if ok else ERROR


async def examine(settings: Settings) -> list[Finding]:
    """Ask all parts at the same time; one finding for each, in a fixed order."""
    senders = accounts.live(settings)
    asks: dict[str, Callable[[], Awaitable[str]]] = {
        "database": lambda: _database(settings),
        "temporal": lambda: _temporal(settings),
        "sandbox": lambda: _sandbox(settings),
        "public address": lambda: _public_address(settings),
        "email": senders.email.check,
        "whatsapp": senders.whatsapp.check,
        "content": senders.openai.check,
        "linkedin": senders.linkedin.check,
        "twitter": senders.twitter.check,
        "facebook": senders.facebook.check,
        "weather": senders.weather.check,
    }
    try:
        return list(await asyncio.gather(*(_ask(part, ask, settings) for part, ask in asks.items())))
    finally:
        await senders.aclose()


async def _ask(part: str, ask: Callable[[], Awaitable[str]], settings: Settings) -> Finding:
    absent = {name: purpose for name, purpose in settings.missing().items() if name in NEEDS[part]}
    if absent:
        return Finding(part, False, "\n".join(f"set {name}: {purpose}" for name, purpose in absent.items()))
    try:
        return Finding(part, True, await asyncio.wait_for(ask(), SECONDS))
    except TimeoutError:
        return Finding(
            part, False, f"no answer within {SECONDS:.0f} seconds; look whether it runs and can be reached from here"
        )
    except (Ill, DatabaseUnreachable, MigrationError, TemporalUnreachable, ProviderError) as error:
        return Finding(part, False, str(error))


async def _database(settings: Settings) -> str:
    connection = await connect(settings.database_url)
    try:
        missing = await pending(connection)
        if missing:
            raise Ill(f"{len(missing)} migrations are missing, from {missing[0].name} on; run `eventos migrate`")
        version = connection.get_server_version()
        milliseconds = await round_trip(connection) * 1000
    finally:
        await connection.close()
    where = address(settings.database_url)
    return f"PostgreSQL {version.major}.{version.minor} at {where}, up to date, answers in {milliseconds:.1f} ms"


async def _temporal(settings: Settings) -> str:
    client = await connect_temporal(settings)
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
        absent = await missing_search_attributes(client)
    except RPCError as error:
        raise Ill(f"namespace {client.namespace}: {error}; create it or correct TEMPORAL_NAMESPACE") from error
    if absent:
        commands = " && ".join(
            f"temporal operator search-attribute create --name {name} --type {type_}" for name, type_ in absent.items()
        )
        raise Ill(f"namespace {client.namespace} lacks search attributes; run {commands}")
    return f"namespace {client.namespace} at {settings.temporal_address}, search attributes registered"


async def _sandbox(settings: Settings) -> str:
    try:
        async with httpx2.AsyncClient(timeout=SECONDS) as http:
            (await http.get(f"{settings.sandbox_url}/_sandbox/healthz")).raise_for_status()
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Ill(f"{settings.sandbox_url}: {error}; start it with `eventos dev` or correct SANDBOX_URL") from error
    return f"answers at {settings.sandbox_url}"


async def _public_address(settings: Settings) -> str:
    # Nothing of ours need listen yet when this is asked, so only what would break every link is looked at.
    try:
        url = httpx2.URL(settings.public_url)
    except httpx2.InvalidURL as error:
        raise Ill(f"PUBLIC_URL {settings.public_url!r} is no address: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise Ill(f"PUBLIC_URL {settings.public_url!r} is no address; write it like https://events.example.com")
    return f"links in messages begin with {settings.public_url}"
