"""Facts about an event in the form that templates take."""

from typing import Any

from templates import EventFacts


def event_facts(row: dict[str, Any]) -> EventFacts:
    """`EventFacts` from a row of `database.events.facts`; details that are no text are left out."""
    details = {key: value for key, value in (row["details"] or {}).items() if isinstance(value, str)}
    return EventFacts(**{**row, "details": details, "highlights": tuple(row["highlights"])})
