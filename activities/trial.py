"""A trial of generated words: rendered once when they are written, so that what cannot be sent is not found out when it is."""

from pydantic import BaseModel

from templates import (
    EmailTemplates,
    EventFacts,
    PersonFacts,
    SocialPosts,
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


def try_out(words: BaseModel, event: EventFacts) -> None:
    """Render every template these words are for; a TemplateError says what does not fit or what the event lacks."""
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
