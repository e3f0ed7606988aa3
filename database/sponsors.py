"""Sponsors: what matching knows of them and of an event, and who of them is written to."""

from collections.abc import Callable
from uuid import UUID

from database.connection import Connection, Pool
from models.matching import Candidate, Sought, Tier

CONTACT = """
    SELECT s.id AS person_id, s.contact_email AS email, s.contact_phone AS phone
    FROM scope JOIN proposals p ON p.id = scope.subject_id JOIN sponsors s ON s.id = p.sponsor_id
"""
"""Whom a sequence writes to; `scope` is as in `database.audiences`."""

_SHADOW = (
    """
    INSERT INTO sponsors (id, organizer_id, name, category, website, contact_name, contact_email, contact_phone,
                          whatsapp_opt_in, industry, audience, budget, status, past_sponsorships)
    SELECT {sponsor}, {organizer}, s.name, s.category, s.website, s.contact_name, s.contact_email, s.contact_phone,
           s.whatsapp_opt_in, s.industry, s.audience, s.budget, s.status,
           s.past_sponsorships || ARRAY(SELECT p.name FROM sponsorships h JOIN events p ON p.id = h.event_id
                                        WHERE h.sponsor_id = s.id AND h.event_id <> e.id)
    FROM sponsors s JOIN events e ON e.organizer_id = s.organizer_id WHERE e.id = $2
    """,
    """
    INSERT INTO sponsorships (id, event_id, sponsor_id, tier, amount)
    SELECT {sponsorship}, {event}, {sponsor}, h.tier, h.amount
    FROM sponsorships h JOIN sponsors s ON s.id = h.sponsor_id JOIN events e ON e.id = h.event_id WHERE e.id = $2
    """,
    """
    INSERT INTO sponsor_tiers (id, event_id, name, price, benefits, rank)
    SELECT {tier}, {event}, t.name, t.price, t.benefits, t.rank
    FROM sponsor_tiers t JOIN events e ON e.id = t.event_id WHERE e.id = $2
    """,
    """
    INSERT INTO tier_deliverables (tier_id, name, description, deliverable_type, days_before, requires_approval)
    SELECT {tier}, d.name, d.description, d.deliverable_type, d.days_before, d.requires_approval
    FROM tier_deliverables d JOIN sponsor_tiers t ON t.id = d.tier_id JOIN events e ON e.id = t.event_id WHERE e.id = $2
    """,
)


def shadows(shadow: Callable[[str], str]) -> list[str]:
    """How sponsors and tiers are copied into a rehearsal, which `shadow` spells the ids of; after organizers and events."""
    columns = {
        "sponsor": "s.id", "organizer": "s.organizer_id", "event": "e.id", "sponsorship": "h.id", "tier": "t.id"
    }  # fmt: skip
    return [statement.format(**{name: shadow(column) for name, column in columns.items()}) for statement in _SHADOW]


# The tiers of an event are its own, or everybody's where it has none.
TIERS = """
    SELECT t.id, t.name, t.rank, t.price, t.benefits FROM sponsor_tiers t
    WHERE t.event_id IS NOT DISTINCT FROM (SELECT $1::uuid WHERE EXISTS (SELECT 1 FROM sponsor_tiers WHERE event_id = $1))
    ORDER BY t.rank, t.name
"""


async def sought(pool: Pool, event_id: UUID) -> Sought:
    """What an event looks for in a sponsor."""
    row = await pool.fetchrow(
        """
        SELECT e.sponsor_categories,
               ARRAY(SELECT DISTINCT topic FROM (
                   SELECT unnest(topics) AS topic FROM sessions WHERE event_id = e.id
                   UNION ALL SELECT unnest(topics) FROM speakers WHERE event_id = e.id
                   UNION ALL SELECT e.audience
                   -- what at least a tenth of the people care for
                   UNION ALL (
                       SELECT interest FROM contacts c, unnest(c.interests) AS interest WHERE c.organizer_id = e.organizer_id
                       GROUP BY interest
                       HAVING 10 * count(*) >= (SELECT count(*) FROM contacts WHERE organizer_id = e.organizer_id)
                   )
               ) found WHERE topic <> '' ORDER BY topic) AS topics
        FROM events e WHERE e.id = $1
        """,
        event_id,
    )
    if row is None:
        raise LookupError(f"There is no event {event_id}.")
    tiers = await pool.fetch(TIERS, event_id)
    return Sought(
        categories=tuple(row["sponsor_categories"]),
        topics=tuple(row["topics"]),
        tiers=tuple(Tier(id=tier["id"], name=tier["name"], rank=tier["rank"], price=tier["price"]) for tier in tiers),
    )


async def candidates(pool: Pool | Connection, event_id: UUID) -> list[Candidate]:
    """The organizer's sponsors who may be written to: with a usable address, not of this event yet, nor asked about it before."""
    rows = await pool.fetch(
        r"""
        SELECT s.id, s.name, s.category, s.industry, s.audience, s.budget, s.status = 'declined' AS declined,
               cardinality(s.past_sponsorships)
               + (SELECT count(*) FROM sponsorships h WHERE h.sponsor_id = s.id AND h.event_id <> e.id)::int AS sponsored
        FROM events e JOIN sponsors s ON s.organizer_id = e.organizer_id
        WHERE e.id = $1 AND lower(btrim(s.contact_email)) ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$'
          AND NOT EXISTS (SELECT 1 FROM suppressions x WHERE x.organizer_id = s.organizer_id AND x.channel = 'email'
                          AND x.address = lower(btrim(s.contact_email)))
          AND NOT EXISTS (SELECT 1 FROM sponsorships h WHERE h.sponsor_id = s.id AND h.event_id = e.id)
          AND NOT EXISTS (SELECT 1 FROM proposals p LEFT JOIN automation_workflows a ON a.id = p.sequence_id
                          WHERE p.sponsor_id = s.id AND p.event_id = e.id AND p.status NOT IN ('matched', 'written')
                            AND NOT (p.status = 'active' AND a.status = 'cancelled'))
        ORDER BY s.id
        """,
        event_id,
    )
    return [Candidate(**dict(row)) for row in rows]
