"""A rehearsal as it is lived, on a screen: day by day, who did what, and what the automations made of it."""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from commands.summary import SHORT, outcome
from database import reports
from database.connection import Pool
from starter.reports import happened

MANY = 3
"""So many different steps that are skipped for one reason on one day share a line."""

TIME, KIND, STEP = 5, 12, 27
"""Columns of the screen."""


class Alike(NamedTuple):
    """Steps of one name, of many automations of a kind, on one day."""

    kind: str
    name: str


class Living:
    """Shows each step once it has ended; those of one sponsor, attendee or deliverable summed up when their day is over."""

    def __init__(self, console: Console, pool: Pool, event_id: UUID, zone: str) -> None:
        self._console = console
        self._pool = pool
        self._event_id = event_id
        self._zone = ZoneInfo(zone)
        self._seen: datetime | None = None
        self._day = ""
        self._alike: defaultdict[Alike, list[dict[str, Any]]] = defaultdict(list)

    async def watch(self, instants: AsyncIterator[datetime]) -> None:
        """Show what happens until the rehearsal is over."""
        async for now in instants:
            for row in await reports.steps(self._pool, self._event_id, self._seen, now):
                step = happened(row)
                if row.own:
                    self._turn_to(now)
                    self._alike[Alike(row.workflow_type, row.name)].append(step)
                else:
                    self._line(now, SHORT.get(row.workflow_type, ""), row.name, outcome([step]))
            self._seen = now
        self._sum_up()

    def say(self, at: datetime, text: str) -> None:
        """Show what somebody did."""
        self._turn_to(at)
        self._console.print(f"  {self._time(at)}  [magenta]{escape(text)}[/]")

    def _line(self, at: datetime, kind: str, step: str, said: str) -> None:
        self._turn_to(at)
        self._row(self._time(at), kind, step, said)

    def _turn_to(self, at: datetime) -> None:
        day = f"{at.astimezone(self._zone):%A %d %B}"
        if day != self._day:
            self._sum_up()
            self._day = day
            self._console.print(f"[bold]{day}[/]")

    def _sum_up(self) -> None:
        skipped: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for alike, steps in self._alike.items():
            for step in steps:
                if step["status"] == "skipped" and not step["queued"]:
                    skipped[alike.kind, step.get("reason", "")].append(alike.name)
        left = {about: names for about, names in skipped.items() if len(set(names)) >= MANY}
        for alike, steps in self._alike.items():
            if shown := [step for step in steps if (alike.kind, step.get("reason", "")) not in left]:
                self._row("", SHORT.get(alike.kind, ""), alike.name, outcome(shown))
        for (kind, reason), names in left.items():
            self._row("", SHORT.get(kind, ""), "what was left", f"{len(names)} skipped [dim]({escape(reason)})[/]")
        self._alike.clear()

    def _time(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%H:%M}"

    def _row(self, time: str, kind: str, step: str, said: str) -> None:
        row = Table.grid(padding=(0, 2, 0, 0))
        row.add_column(width=0)
        for width in (TIME, KIND, STEP):
            row.add_column(width=width, no_wrap=True)
        row.add_column(ratio=1)
        row.add_row("", time, f"[dim]{kind}[/]", f"[bold]{step}[/]", said)
        self._console.print(row)
