"""What a language model is asked: fixed instructions, and the event's facts as data beside them."""

from functools import cache
from pathlib import Path

import orjson
from pydantic import BaseModel

from templates.errors import UnknownTemplate
from templates.facts import EventFacts
from templates.slots import EmailTemplates, LandingPageSlots, SocialPosts, WhatsAppMessages
from templates.when import day_count, zone

RESPONSES: dict[str, type[BaseModel]] = {
    "landing_page_copy": LandingPageSlots,
    "email_templates": EmailTemplates,
    "social_posts": SocialPosts,
    "whatsapp_messages": WhatsAppMessages,
}

_FOLDER = Path(__file__).parent / "prompts"
_TEXT_LIMIT = 4000


def build_prompt(kind: str, event: EventFacts) -> tuple[str, str]:
    """Instructions and input for one kind of text; `RESPONSES[kind]` is the shape of the answer.

    What organizers wrote is untrusted and stands in the input alone, as JSON. Dates, times and price are left out, so
    that they cannot be copied where a merge field belongs.
    """
    if kind not in RESPONSES:
        raise UnknownTemplate.among(kind, RESPONSES)
    tz = zone(event.timezone)
    facts = {
        "event_name": event.name,
        "tagline": event.tagline,
        "description": event.description[:_TEXT_LIMIT],
        "highlights": list(event.highlights),
        "venue": event.venue,
        "city": event.city,
        "organizer_name": event.organizer_name,
        "days": day_count(event.starts_at, event.ends_at, tz) if event.starts_at and tz else None,
        "merge_fields_without_value": [
            name for name, value in {"event_price": event.price, "event_city": event.city}.items() if not value
        ],
    }
    return _instructions(kind), orjson.dumps({"event": facts}, option=orjson.OPT_INDENT_2).decode()


@cache
def _instructions(kind: str) -> str:
    return "\n".join((_FOLDER / f"{name}.txt").read_text("utf-8") for name in (kind, "rules")).strip()
