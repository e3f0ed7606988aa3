"""What a language model is asked: fixed instructions, and the event's facts as data beside them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import orjson
from pydantic import BaseModel

from templates.errors import UnknownTemplate
from templates.facts import EventFacts
from templates.outreach import FollowUpSlots, ImpactReportSlots, ProposalSlots, RationaleSlots
from templates.slots import EmailTemplates, LandingPageSlots, SocialPosts, WhatsAppMessages
from templates.subjects import SponsorFacts
from templates.when import day_count, zone

RESPONSES: dict[str, type[BaseModel]] = {
    "landing_page_copy": LandingPageSlots,
    "email_templates": EmailTemplates,
    "social_posts": SocialPosts,
    "whatsapp_messages": WhatsAppMessages,
    "match_rationale": RationaleSlots,
    "proposal_email": ProposalSlots,
    "follow_up": FollowUpSlots,
    "sponsorship_impact_report": ImpactReportSlots,
}

_FOLDER = Path(__file__).parent / "prompts"
_TEXT_LIMIT = 4000
_NOTHING: Mapping[str, object] = {}


def build_prompt(
    kind: str,
    event: EventFacts,
    *,
    sponsor: SponsorFacts | None = None,
    material: Mapping[str, object] = _NOTHING,
) -> tuple[str, str]:
    """Instructions and input for one kind of text; `RESPONSES[kind]` is the shape of the answer.

    What organizers and sponsors wrote is untrusted and stands in the input alone, as JSON; `material` is what else is
    known of the sponsor and the offer, its texts cut to 4,000 characters. Dates, times and price of the event are left
    out, so that they cannot be copied where a merge field belongs, and so is the name of the sponsor's contact.
    """
    if kind not in RESPONSES:
        raise UnknownTemplate.among(kind, RESPONSES)
    tz = zone(event.timezone)
    asked: dict[str, object] = {
        "event": {
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
    }
    if sponsor is not None:
        asked["sponsor"] = {"sponsor_name": sponsor.name, "category": sponsor.category, "tier": sponsor.tier}
    if material:
        asked["material"] = _cut(material)
    return _instructions(kind), orjson.dumps(asked, option=orjson.OPT_INDENT_2).decode()


def _cut(value: object) -> object:
    match value:
        case str():
            return value[:_TEXT_LIMIT]
        case Mapping():
            return {str(name): _cut(part) for name, part in value.items()}
        case list() | tuple():
            return [_cut(part) for part in value]
    return value


@cache
def _instructions(kind: str) -> str:
    return "\n".join((_FOLDER / f"{name}.txt").read_text("utf-8") for name in (kind, "rules")).strip()
