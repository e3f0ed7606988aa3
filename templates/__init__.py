"""Words sent to people: email, WhatsApp and posts rendered from facts and generated words; prompts for these words."""

from templates.chat import RenderedWhatsApp, WhatsAppTemplate, missing_chat_fields, render_whatsapp, whatsapp_templates
from templates.composing import RenderedEmail
from templates.designs import (
    includes_of,
    is_marketing,
    missing_blocks,
    missing_event_fields,
    missing_includes,
    slots_of,
)
from templates.errors import MissingField, TemplateError, UnfitField, UnknownInclude, UnknownTemplate
from templates.facts import EventFacts, PersonFacts
from templates.includes import INCLUDES, Figure, Include, Link, Row, default_includes
from templates.invite import invite
from templates.letters import Urgency, letters_to
from templates.literals import literal_dates
from templates.mail import PreparedEmail, email_templates, prepare_email, render_email
from templates.merge import MERGE_FIELDS
from templates.outreach import FollowUpSlots, ImpactReportSlots, ProposalSlots, RationaleSlots
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
from templates.subjects import ApprovalFacts, DeliverableFacts, SponsorFacts

__all__ = [
    "INCLUDES",
    "MERGE_FIELDS",
    "RESPONSES",
    "ApprovalFacts",
    "DeliverableFacts",
    "EmailSlots",
    "EmailTemplates",
    "EventFacts",
    "Figure",
    "FollowUpSlots",
    "ImpactReportSlots",
    "Include",
    "LandingPageSlots",
    "Link",
    "MissingField",
    "Notice",
    "PersonFacts",
    "PreparedEmail",
    "ProposalSlots",
    "RationaleSlots",
    "RenderedEmail",
    "RenderedWhatsApp",
    "Row",
    "SocialPosts",
    "SocialSlots",
    "SponsorFacts",
    "TemplateError",
    "UnfitField",
    "UnknownInclude",
    "UnknownTemplate",
    "Urgency",
    "WhatsAppMessages",
    "WhatsAppSlots",
    "WhatsAppTemplate",
    "build_prompt",
    "default_includes",
    "email_templates",
    "includes_of",
    "invite",
    "is_marketing",
    "letters_to",
    "literal_dates",
    "missing_blocks",
    "missing_chat_fields",
    "missing_event_fields",
    "missing_includes",
    "prepare_email",
    "render_email",
    "render_social",
    "render_whatsapp",
    "slots_of",
    "whatsapp_templates",
]
