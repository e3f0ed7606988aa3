"""Marketing campaigns: generated content, and the records that hang on it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from database.connection import Connection, Pool


class Campaign(NamedTuple):
    """One campaign with its generated content, by part."""

    id: UUID
    content: dict[str, Any]


async def keep_content(pool: Pool, automation_id: UUID, part: str, words: Any, usage: Mapping[str, Any]) -> UUID:
    """Keep one generated part of a campaign, and what it has cost; the campaign is made with its first part."""
    campaign_id: UUID = await pool.fetchval(
        """
        INSERT INTO marketing_campaigns (event_id, automation_id, name, content, usage)
        SELECT event_id, id, name, jsonb_build_object($2::text, $3::jsonb), jsonb_build_object($2::text, $4::jsonb)
        FROM automation_workflows WHERE id = $1
        ON CONFLICT (automation_id) DO UPDATE SET
            content = marketing_campaigns.content || excluded.content,
            usage = marketing_campaigns.usage || excluded.usage, updated_at = now()
        RETURNING id
        """,
        automation_id,
        part,
        words,
        dict(usage),
    )
    return campaign_id


async def find(pool: Pool | Connection, automation_id: UUID) -> Campaign | None:
    """The campaign of an automation, if anything of it was generated."""
    row = await pool.fetchrow("SELECT id, content FROM marketing_campaigns WHERE automation_id = $1", automation_id)
    return None if row is None else Campaign(*row.values())


async def schedule(pool: Pool, campaign_id: UUID, channels: Sequence[str]) -> None:
    """The campaign is complete, and goes out over these channels."""
    await pool.execute(
        "UPDATE marketing_campaigns SET status = 'scheduled', channels = $2, updated_at = now() WHERE id = $1 AND status = 'draft'",
        campaign_id,
        list(channels),
    )


async def keep_emails(pool: Pool, campaign_id: UUID, templates: Mapping[str, Mapping[str, Any]]) -> None:
    """The campaign's mails, one row per template; changed words are a new revision."""
    await pool.executemany(
        """
        INSERT INTO email_templates (campaign_id, name, subject, slots) VALUES ($1, $2, $3, $4)
        ON CONFLICT (campaign_id, name) DO UPDATE SET slots = excluded.slots
        WHERE email_templates.content_hash <> excluded.content_hash
        """,
        [(campaign_id, name, slots["subject"], dict(slots)) for name, slots in templates.items()],
    )


async def keep_whatsapp(pool: Pool, campaign_id: UUID, messages: Mapping[str, Mapping[str, Any]]) -> None:
    """The campaign's WhatsApp words, one row per approved template."""
    await pool.executemany(
        """
        INSERT INTO whatsapp_campaigns (campaign_id, name, slots) VALUES ($1, $2, $3)
        ON CONFLICT (campaign_id, name) DO UPDATE SET slots = excluded.slots
        WHERE whatsapp_campaigns.content_hash <> excluded.content_hash
        """,
        [(campaign_id, name, dict(slots)) for name, slots in messages.items()],
    )


async def keep_posts(
    pool: Pool, campaign_id: UUID, posts: Mapping[str, Any], published: Sequence[tuple[str, str, str]]
) -> None:
    """The campaign's posts: (step, platform, variant) each, all drawn from the same generated set."""
    await pool.executemany(
        """
        INSERT INTO social_posts (campaign_id, step, platform, variant, slots) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (campaign_id, step, platform) DO UPDATE SET variant = excluded.variant, slots = excluded.slots
        WHERE social_posts.content_hash <> excluded.content_hash
        """,
        [(campaign_id, *where, dict(posts)) for where in published],
    )
