"""What a rehearsal came to: the report for programs, and the same for people."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.markup import escape

from commands.summary import print_automations
from database import reports as records
from database.connection import Pool
from starter import reports


async def report(pool: Pool, event_id: UUID, sandbox_url: str, seconds: float, told: Collection[str]) -> dict[str, Any]:
    """Every automation with every step, the ledger beside what the sandbox accepted, and all that nobody has explained.

    `told` are the first words of the keys of notifications that are expected.
    """
    automations = await reports.automations(pool, event_id)
    messages = await reports.compare(pool, event_id, sandbox_url)
    # Of a message whose fate is not known the organizer is told on purpose; it is counted.
    expected = {*told, "unknown"} if messages["unknown"] else told
    return {
        "automations": automations,
        "messages": messages,
        "sponsors": await records.sponsors(pool, event_id),
        "deliverables": [row._asdict() for row in await records.deliverables(pool, event_id)],
        "unexplained": await reports.unexplained(pool, event_id, automations, expected),
        "seconds": round(seconds, 1),
    }


def print_report(console: Console, said: Mapping[str, Any], zone: str, others: Sequence[str] = ()) -> bool:
    """Print the tables, the totals and what is wrong, `others` among it; whether anything is."""
    console.print()
    print_automations(console, said["automations"], zone)
    messages = said["messages"]
    if said["sponsors"]:
        console.print(f"Sponsors: {', '.join(f'{name} {status}' for name, status in said['sponsors'].items())}")
    console.print(
        f"{messages['accepted']} messages of {len(said['automations'])} automations accepted, {messages['duplicates']} twice, "
        f"{messages['lost']} lost, {messages['unknown']} unknown, in {said['seconds']} seconds"
    )
    wrong = [f"{messages[word]} {word}" for word in ("duplicates", "lost") if messages[word]]
    wrong += [*others, *said["unexplained"]]
    for problem in wrong:
        console.print(f"[red]{escape(problem)}[/]")
    return bool(wrong)
