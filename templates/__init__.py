"""Words sent to people: email, WhatsApp and posts rendered from facts and generated words; prompts for these words."""

from templates.chat import RenderedWhatsApp, WhatsAppTemplate, render_whatsapp, whatsapp_templates
from templates.designs import missing_blocks
from templates.errors import MissingField, TemplateError, UnfitField, UnknownTemplate
from templates.facts import EventFacts, PersonFacts
from templates.literals import literal_dates
from templates.mail import PreparedEmail, RenderedEmail, email_templates, prepare_email, render_email
from templates.merge import MERGE_FIELDS
from templates.prompt import RESPONSES, build_prompt
from templates.slots import (
    EmailSlots,
    EmailTemplates,
    LandingPageSlots,
    Notice,
    SocialPosts,
    SocialSlots,
    WhatsAppMessages,
    WhatsAppSlots,
)
from templates.social import render_social

__all__ = [
    "MERGE_FIELDS",
    "RESPONSES",
    "EmailSlots",
    "EmailTemplates",
    "EventFacts",
    "LandingPageSlots",
    "MissingField",
    "Notice",
    "PersonFacts",
    "PreparedEmail",
    "RenderedEmail",
    "RenderedWhatsApp",
    "SocialPosts",
    "SocialSlots",
    "TemplateError",
    "UnfitField",
    "UnknownTemplate",
    "WhatsAppMessages",
    "WhatsAppSlots",
    "WhatsAppTemplate",
    "build_prompt",
    "email_templates",
    "literal_dates",
    "missing_blocks",
    "prepare_email",
    "render_email",
    "render_social",
    "render_whatsapp",
    "whatsapp_templates",
]
