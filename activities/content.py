"""Generated content: what a model writes for an event, checked, kept, and laid out as campaign records."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import structlog

from activities.acts import Deed
from activities.facts import event_facts
from activities.failures import final
from activities.trial import try_out
from database import automations, campaigns, events
from database.connection import Pool
from models.automation import Step
from models.definition import from_definition
from models.player import Act
from providers.accounts import Accounts
from providers.errors import Unavailable
from templates import RESPONSES, MissingField, TemplateError, build_prompt

log = structlog.get_logger()

PARTS = {
    "landing_page_copy": "landing_page",
    "email_templates": "emails",
    "social_posts": "social_posts",
    "whatsapp_messages": "whatsapp_messages",
}
"""What is generated, and the part of a campaign's content it becomes."""

UNUSABLE = ("max_output_tokens", "invalid_answer")
"""The codes of answers that came but cannot be used."""


class UnusableAnswer(Exception):
    """The model answered, and was paid, but nothing can be made of it; so it counts against `max_retries`."""


class Content:
    """Generates and lays out the words of a campaign. Rehearsals ask the sandbox's model, and no other."""

    def __init__(self, pool: Pool, live: Accounts, rehearsal: Accounts | None) -> None:
        self._pool = pool
        self._live = live
        self._rehearsal = rehearsal
        self._layouts: Mapping[str, Callable[[campaigns.Campaign, Sequence[Step]], Awaitable[str]]] = {
            "marketing_campaign": self._lay_out_campaign,
            "email_templates": self._lay_out_emails,
            "social_posts": self._lay_out_posts,
            "whatsapp_campaigns": self._lay_out_whatsapp,
        }

    @property
    def deeds(self) -> Mapping[tuple[str, str], Deed]:
        """What it can do, by verb and target."""
        generated: dict[tuple[str, str], Deed] = {("generate", part): self.generate for part in PARTS}
        return generated | {("update", record): self.lay_out for record in self._layouts}

    async def generate(self, about: Act) -> str:
        """Generate one kind of text and keep it in the campaign; returns the campaign's id."""
        try:
            event = event_facts(await events.facts(self._pool, about.event_id))
            instructions, facts = build_prompt(about.target, event)
        except (TemplateError, LookupError) as error:
            raise final(str(error)) from error
        accounts = self._rehearsal if about.rehearsal else self._live
        if accounts is None:
            raise final("A rehearsal needs the sandbox: set SANDBOX_URL and start the worker again.")
        try:
            answer = await accounts.openai.generate(instructions, facts, RESPONSES[about.target])
            try_out(answer.value, event)
        except MissingField as error:
            raise final(str(error)) from error
        except TemplateError as error:
            raise UnusableAnswer(str(error)) from error
        except Unavailable as error:
            if error.code not in UNUSABLE:
                raise
            raise UnusableAnswer(str(error)) from error
        campaign_id = await campaigns.keep_content(
            self._pool,
            about.automation_id,
            PARTS[about.target],
            answer.value.model_dump(mode="json"),
            {"model": answer.model, "request_id": answer.request_id, **asdict(answer.usage)},
        )
        log.info("content_generated", part=PARTS[about.target], **asdict(answer.usage))
        return str(campaign_id)

    async def lay_out(self, about: Act) -> str:
        """Lay out one kind of campaign record from the generated content."""
        campaign = await campaigns.find(self._pool, about.automation_id)
        if campaign is None:
            raise final("Nothing was generated for this campaign yet; put generate_marketing_content before it.")
        steps = from_definition(await automations.definition(self._pool, about.automation_id))
        return await self._layouts[about.target](campaign, steps)

    async def _lay_out_campaign(self, campaign: campaigns.Campaign, steps: Sequence[Step]) -> str:
        verbs = {action.verb for step in steps for action in step.actions}
        channels = [channel for channel in ("email", "social", "whatsapp") if channel in verbs]
        await campaigns.schedule(self._pool, campaign.id, channels)
        return f"scheduled on {', '.join(channels)}"

    async def _lay_out_emails(self, campaign: campaigns.Campaign, _: Sequence[Step]) -> str:
        emails = _part(campaign, "emails")
        await campaigns.keep_emails(self._pool, campaign.id, emails)
        return f"{len(emails)} email templates"

    async def _lay_out_whatsapp(self, campaign: campaigns.Campaign, _: Sequence[Step]) -> str:
        messages = _part(campaign, "whatsapp_messages")
        await campaigns.keep_whatsapp(self._pool, campaign.id, messages)
        return f"{len(messages)} WhatsApp messages"

    async def _lay_out_posts(self, campaign: campaigns.Campaign, steps: Sequence[Step]) -> str:
        """One post per social step and platform; a platform's later posts are its second push."""
        posts = _part(campaign, "social_posts")
        published: list[tuple[str, str, str]] = []
        for step in steps:
            for platform in (p for action in step.actions if action.verb == "social" for p in action.targets):
                seen = any(other == platform for _, other, _ in published)
                published.append((step.id, platform, f"{platform}_push" if seen else platform))
        missing = sorted({variant for *_, variant in published} - posts.keys())
        if missing:
            raise final(f"No text was generated for {', '.join(missing)}; post to these platforms in fewer steps.")
        await campaigns.keep_posts(self._pool, campaign.id, posts, published)
        return f"{len(published)} posts"


def _part(campaign: campaigns.Campaign, name: str) -> dict[str, Any]:
    part: dict[str, Any] | None = campaign.content.get(name)
    if part is None:
        raise final(f"The campaign has no {name}; generate them first.")
    return part
