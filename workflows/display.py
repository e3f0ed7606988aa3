"""How an automation reads in the Temporal Web UI: labels and the table of its steps. No personal data."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from models.automation import FOREVER, Progress, Step, StepState
from models.moments import Instants


def label(step: Step, skip: str | None) -> str:
    """One line for an activity: what it does, to whom."""
    if skip is not None:
        return f"skip {step.id}: {skip}"[:200]
    parts = []
    for action in step.actions:
        what = action.template or ", ".join(action.targets)
        to = f"to {action.audience}" if action.audience else ""
        parts.append(" ".join(filter(None, [action.verb, what, to])))
    return f"{step.id}: {' + '.join(parts)}"[:200]


def details(
    steps: Sequence[Step],
    instants: Instants,
    progress: Mapping[str, Progress],
    until: datetime | None,
    condition: str | None,
) -> str:
    """The timeline as a Markdown table, with what it waits for."""
    lines = [f"**{condition}**\n"] if condition else []
    lines += [
        f"**{id_} is held**: {known.reason}\n" for id_, known in progress.items() if known.state is StepState.HELD
    ]
    if until is not None and until != FOREVER:
        lines.append(f"Waits until {_utc(until)}\n")
    lines += ["| step | moment | due | state |", "|---|---|---|---|"]
    for step in steps:
        known = progress.get(step.id)
        due = known.due if known else instants.due.get(step.id)
        state = f"{known.state}{f': {known.reason}' if known.reason else ''}" if known else "waiting"
        lines.append(f"| {step.id} | {step.moment} | {_utc(due) if due else '-'} | {state} |")
    return "\n".join(lines)


def _utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
