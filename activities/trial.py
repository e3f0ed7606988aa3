"""A trial of generated words: rendered once when they are written, so that what cannot be sent is not found out when it is."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import BaseModel

from templates import (
    RESPONSES,
    EmailTemplates,
    EventFacts,
    FollowUpSlots,
    ImpactReportSlots,
    Include,
    PersonFacts,
    ProposalSlots,
    SocialPosts,
    SponsorFacts,
    WhatsAppMessages,
    render_email,
    render_social,
    render_whatsapp,
)

SOMEBODY = PersonFacts(
    first_name="Bartholomew-Alexander",
    unsubscribe_url="https://example.com/unsubscribe",
    ticket_type="General admission",
    ticket_code="TRIAL-0000",
    why="this is a trial",
)
"""A person with a long name and everything a template may ask for."""


def try_out(
    words: BaseModel,
    event: EventFacts,
    sponsor: SponsorFacts | None = None,
    includes: Mapping[str, Include] = MappingProxyType({}),
) -> None:
    """Render every template these words are for; a TemplateError says what does not fit or what the event lacks.

    A rationale is for no template: the organizer reads it beside the proposal.
    """
    match words:
        case EmailTemplates():
            for name in type(words).model_fields:
                render_email(name, getattr(words, name), event, SOMEBODY)
        case WhatsAppMessages():
            for name in type(words).model_fields:
                render_whatsapp(name, getattr(words, name), event, SOMEBODY)
        case SocialPosts():
            for platform in type(words).model_fields:
                render_social(platform, words, event)
        case ProposalSlots() | FollowUpSlots() | ImpactReportSlots():
            name = next(kind for kind, slots in RESPONSES.items() if slots is type(words))
            render_email(name, words, event, SOMEBODY, sponsor=sponsor, includes=includes)
