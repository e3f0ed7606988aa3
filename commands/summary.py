"""Many steps in few words, and an event's automations as tables: one for each automation of the event, one for each kind of many."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from commands.show import steps_table

SHORT = {
    "event_launch": "launch",
    "sponsor_outreach": "sponsors",
    "attendee_nurture": "attendees",
    "deliverable_tracking": "deliverables",
    "post_event_followup": "follow-up",
    "custom": "custom",
}
"""What a kind is called where room is short."""

REASONS = 5
"""How many reasons are shown; the rest is counted."""

SPAN = re.compile(r"^late by .*")


def outcome(steps: Iterable[Mapping[str, Any]]) -> str:
    """What came of steps that are alike: messages sent, steps without messages, and why others were not sent or done."""
    steps = list(steps)
    parts = []
    if any(step["queued"] for step in steps):
        parts.append(f"{sum(step['sent'] for step in steps)} sent")
    quiet = Counter("done" if step["status"] == "success" else step["status"] for step in steps if not step["queued"])
    parts += [word if len(steps) == 1 else f"{count} {word}" for word, count in sorted(quiet.items())]
    said = ", ".join(parts)
    return f"{said} [dim]({escape(text)})[/]" if (text := reasons(steps)) else said


def reasons(steps: Iterable[Mapping[str, Any]]) -> str:
    """Why messages were not sent and steps were not done, the most frequent first."""
    counted: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for step in steps:
        counted.update(step["skipped"])
        counted.update(step.get("failures", {}))
        counted["outcome unknown"] += step["unknown"]
        if not step["skipped"]:  # else the reason of its messages is the step's
            alone.update(SPAN.sub("late", step[word]) for word in ("reason", "error") if step.get(word))
    few = [f"{count} {reason}" for reason, count in counted.most_common() if count]
    few += [f"{count} {reason}" if len(alone) > 1 else reason for reason, count in alone.most_common()]
    return "; ".join([*few[:REASONS], *([f"{len(few) - REASONS} other reasons"] if len(few) > REASONS else [])])


def print_automations(console: Console, automations: Sequence[Mapping[str, Any]], zone: str) -> None:
    """Every automation of an event: those there is one of step by step, those there are many of summed up."""
    kinds: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for one in automations:
        kinds[one["type"], one["subject"].partition("/")[0]].append(one)
    for (_, about), alike in kinds.items():
        if about == "event":
            for one in alike:
                console.print(steps_table(dict(one), zone))
        else:
            console.print(_summed_up(alike))


def _summed_up(automations: Sequence[Mapping[str, Any]]) -> Table:
    """Automations of one kind: each step once, with how often it ended how."""
    states = Counter(one["status"] for one in automations)
    title = f"{automations[0]['name']}: {len(automations)}, " + ", ".join(f"{n} {state}" for state, n in states.items())
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE, pad_edge=False)
    table.add_column("step", no_wrap=True)
    for column in ("done", "skipped", "sent"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("not sent or not done, and why")
    steps: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for one in automations:
        for step in one["steps"]:
            steps[step["name"]].append(step)
    for name, alike in steps.items():
        ended = Counter(step["status"] for step in alike)
        queued = sum(step["queued"] for step in alike)
        others = [f"{count} {status}" for status, count in ended.items() if status not in ("success", "skipped")]
        table.add_row(
            name,
            str(ended["success"] or ""),
            str(ended["skipped"] or ""),
            f"{sum(step['sent'] for step in alike)} of {queued}" if queued else "",
            escape("; ".join(filter(None, [*others, reasons(alike)]))),
        )
    return table
