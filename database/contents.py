"""What the words of messages are made from: the facts of their events, and the words of their campaigns."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from database.connection import Pool

TABLES = {"email": "email_templates", "whatsapp": "whatsapp_campaigns"}


class Content(NamedTuple):
    """One event with one set of words."""

    facts: dict[str, Any]
    """The keys are those of `EventFacts`."""
    sender_email: str
    reply_to: str
    whatsapp_content: dict[str, str]
    """The approved ContentSid of each WhatsApp template."""
    slots: dict[str, Any] | None
    variant: str | None
    """Which of a set of posts it is."""
    now: datetime
    """The event's business instant."""
    unapproved: bool
    """Its words have to be approved, and are others than those that were."""


async def load(
    pool: Pool, channel: str, wanted: Collection[tuple[UUID, UUID | None]]
) -> dict[tuple[UUID, UUID | None], Content]:
    """The content of each (event, row of words) as it is now, in one query."""
    rows = await pool.fetch(
        f"""
        SELECT w.event_id, w.content_id,
               jsonb_build_object(
                   'name', e.name, 'tagline', e.tagline, 'timezone', coalesce(e.timezone, ''), 'venue', e.venue, 'city', e.city,
                   'address', e.address, 'url', e.url, 'register_url', e.register_url, 'price', e.price,
                   'brand_color', e.brand_color, 'organizer_name', o.name, 'organizer_address', o.postal_address,
                   'details', e.details, 'highlights', '[]'::jsonb) AS facts,
               e.starts_at, e.ends_at, coalesce(o.sender_email, o.email) AS sender_email, o.email AS reply_to,
               o.whatsapp_content, {"coalesce(c.slots, n.slots)" if channel == "email" else "c.slots"},
               {"NULL" if channel in TABLES else "c.variant"} AS variant, coalesce(e.clock_now, now()),
               coalesce(a.approval = 'required' AND c.approved_hash IS DISTINCT FROM c.content_hash, FALSE) AS unapproved
        FROM unnest($1::uuid[], $2::uuid[]) AS w(event_id, content_id)
        JOIN events e ON e.id = w.event_id
        JOIN organizers o ON o.id = e.organizer_id
        LEFT JOIN {TABLES.get(channel, "social_posts")} c ON c.id = w.content_id
        LEFT JOIN marketing_campaigns k ON k.id = c.campaign_id
        LEFT JOIN automation_workflows a ON a.id = k.automation_id
        LEFT JOIN LATERAL (
            -- a notice to the organizer, whose words are ours
            SELECT jsonb_build_object('subject', title, 'headline', title, 'rows', rows,
                                      'paragraphs', to_jsonb(string_to_array(body, E'\n\n'))) AS slots
            FROM notifications WHERE id = w.content_id
        ) n ON TRUE
        """,
        [event_id for event_id, _ in wanted],
        [content_id for _, content_id in wanted],
    )
    contents = {}
    for row in rows:
        event_id, content_id, facts, starts_at, ends_at, *rest = row.values()
        contents[event_id, content_id] = Content(facts | {"starts_at": starts_at, "ends_at": ends_at}, *rest)
    return contents
