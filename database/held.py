"""What could not be taken in and waits for a person: deliveries that are held, and occurrences; and the way back for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from database.connection import Pool


class Held(NamedTuple):
    """A delivery or an occurrence that is held."""

    id: str
    """A delivery's is a UUID, an occurrence's a number."""
    what: str
    """`delivery` or `occurrence`."""
    kind: str
    """The provider and what it reports, or the occurrence's kind."""
    held_at: datetime
    why: str
    event: str | None


async def held(pool: Pool) -> list[Held]:
    """Everything that is held and no rehearsal's, oldest first."""
    rows = await pool.fetch(
        """
        SELECT d.id::text AS id, 'delivery' AS what, d.provider || coalesce(' ' || (d.body ->> 'type'), '') AS kind, d.held_at,
               coalesce(d.outcome, '') AS why, NULL AS event
        FROM webhook_deliveries d WHERE d.held_at IS NOT NULL AND d.processed_at IS NULL AND NOT d.rehearsal
        UNION ALL
        SELECT o.id::text, 'occurrence', o.kind, o.held_at, coalesce(o.last_error, ''), e.name
        FROM occurrences o LEFT JOIN events e ON e.id = o.event_id
        WHERE o.held_at IS NOT NULL AND o.processed_at IS NULL AND NOT o.rehearsal
        ORDER BY held_at, id
        """
    )
    return [Held(*row.values()) for row in rows]


async def replay(pool: Pool, wanted: Sequence[Held]) -> int:
    """Make what is held due again, as if it had just come; returns how many. What was said about it to people is taken back.

    A delivery has no second day of patience: if it still cannot be taken in, it is held again at once, with the reason of now.
    """
    count: int = await pool.fetchval(
        """
        WITH deliveries AS (
            UPDATE webhook_deliveries SET held_at = NULL WHERE id = ANY($1) AND held_at IS NOT NULL AND processed_at IS NULL
            RETURNING id, provider
        ), again AS (
            INSERT INTO occurrences (kind, rehearsal, subject, data, occurred_at)
            SELECT 'webhook', FALSE, 'delivery/' || id, jsonb_build_object('delivery', id), now() FROM deliveries
        ), freed AS (
            UPDATE occurrences SET held_at = NULL, attempts = 0, not_before = now(), last_error = NULL
            WHERE id = ANY($2) AND held_at IS NOT NULL AND processed_at IS NULL
            RETURNING id
        ), taken_back AS (
            DELETE FROM notifications n WHERE n.key IN (SELECT 'occurrence/' || id FROM freed)
               OR (starts_with(n.key, 'webhooks/') AND split_part(n.key, '/', 2) IN (SELECT provider FROM deliveries))
        )
        SELECT (SELECT count(*) FROM deliveries) + (SELECT count(*) FROM freed)
        """,
        [UUID(one.id) for one in wanted if one.what == "delivery"],
        [int(one.id) for one in wanted if one.what == "occurrence"],
    )
    return count
