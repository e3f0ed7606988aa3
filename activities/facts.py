"""Facts about an event in the form that templates take."""

from typing import Any

from models.details import read_details
from templates import EventFacts


def event_facts(row: dict[str, Any]) -> EventFacts:
    """`EventFacts` from a row of `database.events.facts`; details that cannot be used or are no text are left out."""
    read, problems = read_details(row["details"])
    own = row["details"] if isinstance(row["details"], dict) else {}
    details = {key: value for key, value in own.items() if isinstance(value, str) and not key.endswith("_link")}
    details |= {key: value for key, value in read if isinstance(value, str)}
    usable = {key: value for key, value in details.items() if key not in problems}
    return EventFacts(**{**row, "details": usable, "highlights": tuple(row["highlights"])})
