"""Webhooks at a steady rate: how soon they are answered, and how soon the fact is at its workflow.

python -m tests.benchmarks.webhooks [--rate N] [--seconds N]. The API and the worker are processes of their own, as in
production; every proposal is reported as delivered and then as opened, and its sequence is signalled.
"""

import argparse
import asyncio
import gc
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import typer
import uvloop
from rich.console import Console
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

import logs
from database import sequences
from database.connection import Pool, connect_pool
from dev.stack import Stack
from settings import Settings
from starter.client import connect
from tests.benchmarks.parts import note, percentile, say, say_machine
from tests.market import Market, make_market
from tests.serving import svix
from workflows.sponsor_outreach import SEQUENCE

ANSWERED, SIGNALLED = 50.0, 1000.0
"""Milliseconds within which 99 of 100 are to be answered, and the fact is to be at its workflow."""

ABREAST = 50
"""Connections of the provider."""


@dataclass
class Sequence:
    """A sponsor's sequence, and the message that carries its proposal."""

    workflow_id: str
    message: UUID
    opened: datetime | None = None
    """When the webhook that says so was sent."""


async def begin(pool: Pool, count: int) -> list[Sequence]:
    """So many sponsors, each with a proposal that was sent two minutes ago."""
    await pool.execute("UPDATE automation_rules SET enabled = FALSE")
    market = await make_market(pool)
    await pool.execute("UPDATE events SET status = 'published' WHERE id = $1", market.event)
    await make_proposals(market, count)
    await sequences.begin(pool, market.outreach, SEQUENCE)
    async with asyncio.timeout(600):
        while await pool.fetchval("SELECT count(*) FROM messages WHERE status = 'sent'") < count:
            await asyncio.sleep(0.5)
        while await pool.fetchval("SELECT count(*) FROM occurrences WHERE processed_at IS NULL"):
            await asyncio.sleep(0.5)
    rows = await pool.fetch(
        """
        UPDATE messages m SET sent_at = m.sent_at - interval '2 minutes'
        FROM automation_workflows a WHERE a.id = m.automation_id
        RETURNING a.temporal_workflow_id, m.id
        """
    )
    return [Sequence(*row.values()) for row in rows]


async def make_proposals(market: Market, count: int) -> None:
    """Sponsors with a written proposal each."""
    await market.pool.execute(
        """
        WITH sponsor AS (
            INSERT INTO sponsors (organizer_id, name, category, contact_name, contact_email)
            SELECT $1, 'Sponsor ' || n, 'cloud', 'Ada Nowak', 'ada@sponsor-' || n || '.example' FROM generate_series(1, $4) n
            RETURNING id
        )
        INSERT INTO proposals (event_id, sponsor_id, outreach_id, rank, score, score_parts, slots, status)
        SELECT $2, id, $3, row_number() OVER (), 1, '[]', $5, 'written' FROM sponsor
        """,
        *(market.organizer, market.event, market.outreach, count),
        {"subject": "An idea", "opening": "O", "why_you": "W", "offer": "F", "next_step": "N"},
    )


async def deliver(settings: Settings, sequences: list[Sequence], rate: float) -> list[float]:
    """Report each proposal as delivered and, two seconds later, as opened; milliseconds until each was answered."""
    secret = settings.resend_webhook_secret.get_secret_value()
    answered: list[float] = []
    limits = httpx2.Limits(max_connections=ABREAST, max_keepalive_connections=ABREAST)

    async def report(http: httpx2.AsyncClient, kind: str, sequence: Sequence) -> None:
        at = datetime.now(UTC)
        if kind == "email.opened":
            sequence.opened = at
        else:
            at -= timedelta(minutes=1)  # nobody who opens it now is a scanner
        said = {"email_id": str(sequence.message), "tags": {"message_id": str(sequence.message)}}
        body = json.dumps({"type": kind, "created_at": at.isoformat(), "data": said}).encode()
        headers = svix(body, secret)
        began = time.perf_counter()
        (await http.post("/webhooks/resend", content=body, headers=headers)).raise_for_status()
        answered.append(1e3 * (time.perf_counter() - began))

    behind = int(rate)
    reports = [(2 * place, "email.delivered", sequence) for place, sequence in enumerate(sequences)]
    reports += [(2 * (place + behind) + 1, "email.opened", sequence) for place, sequence in enumerate(sequences)]
    async with httpx2.AsyncClient(base_url=settings.public_url, timeout=30, limits=limits) as http:
        begun = time.perf_counter()
        tasks = []
        for slot, kind, sequence in sorted(reports, key=lambda report: report[0]):
            await asyncio.sleep(max(0.0, begun + slot / rate - time.perf_counter()))
            tasks.append(asyncio.create_task(report(http, kind, sequence)))
        await asyncio.gather(*tasks)
    return answered


async def delay(client: Client, sequence: Sequence) -> float:
    """Milliseconds from sending the webhook until the server had written down that the workflow was told."""
    async for event in client.get_workflow_handle(sequence.workflow_id).fetch_history_events():
        told = event.workflow_execution_signaled_event_attributes
        signalled = event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
        if signalled and told.signal_name == "proposal_opened":
            assert sequence.opened is not None
            return 1e3 * (event.event_time.ToDatetime(UTC) - sequence.opened).total_seconds()
    raise AssertionError(f"{sequence.workflow_id} was never told that its proposal was opened")


async def main(rate: float, seconds: float) -> None:
    """Measure and print."""
    say_machine()
    async with Stack(console=Console(quiet=True)) as stack:
        settings = Settings.from_environment(stack.env)
        client, pool = await connect(settings), await connect_pool(settings.database_url)
        found = await begin(pool, int(rate * seconds / 2))
        gc.disable()  # a pause of this program would be taken for one of the API
        answered = await deliver(settings, found, rate)
        gc.enable()
        async with asyncio.timeout(120):
            while await pool.fetchval("SELECT count(*) FROM occurrences WHERE processed_at IS NULL"):
                await asyncio.sleep(0.2)
        facts = [await delay(client, sequence) for sequence in found]
        await pool.close()
    note(f"{len(answered):,} webhooks at {rate:.0f}/s, every other one a fact for a workflow")
    note(
        f"median {percentile(answered, 0.5):.0f} ms until answered, {percentile(facts, 0.5):.0f} ms until the workflow knows"
    )
    say(f"answered, p99: {percentile(answered, 0.99):.0f} ms", percentile(answered, 0.99), ANSWERED, below=True)
    say(f"at its workflow, p99: {percentile(facts, 0.99):.0f} ms", percentile(facts, 0.99), SIGNALLED, below=True)


def run(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="webhooks", description=__doc__)
    parser.add_argument("--rate", type=float, default=200, help="webhooks per second")
    parser.add_argument("--seconds", type=float, default=10, help="for so long")
    chosen = parser.parse_args(arguments)
    logs.set_up("warning")
    typer.echo("Webhooks, answered and taken in")
    uvloop.run(main(chosen.rate, chosen.seconds))


if __name__ == "__main__":
    run()
