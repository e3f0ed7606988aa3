"""What follows an event: whom it concerned, and what it came to for its sponsors. Every figure is counted here."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from database import campaigns
from database.connection import Pool
from database.people import who

REPORT = "sponsorship_impact_report"

THANKS = "thank_you_survey"
"""The mail that thanks an attendee for having been there."""
ABSENT = "was not there"
"""Why somebody does not get it."""


def absent(event: str, person: str) -> str:
    """SQL: whether a person was not at an event, as far as anybody stood at the door with the list."""
    return (
        f"NOT EXISTS (SELECT 1 FROM event_people p WHERE p.event_id = {event} AND p.person_id = {person} AND p.present)"
    )


_ONCE = "DISTINCT ON (p.person_id) p.person_id, p.email, p.phone, p.place"
_BY_PLACE = "ORDER BY p.person_id, p.place"

AUDIENCES = {
    "present_speakers_sponsors": f"""
        SELECT {_ONCE}, p.segment
        FROM scope JOIN event_people p ON p.event_id = scope.event_id WHERE p.present {_BY_PLACE}
    """,
    "all_of_event": f"""
        SELECT {_ONCE} FROM scope JOIN event_people p ON p.event_id = scope.event_id {_BY_PLACE}
    """,
    "sponsors": f"""
        SELECT {_ONCE}
        FROM scope JOIN event_people p ON p.event_id = scope.event_id WHERE p.segment = 'sponsors' {_BY_PLACE}
    """,
    "not_engaged_with_community": f"""
        SELECT c.id AS person_id, c.email, c.phone
        FROM scope JOIN registrations r ON r.event_id = scope.event_id AND r.status = 'confirmed'
        JOIN contacts c ON c.id = r.contact_id
        WHERE {who("c")} NOT IN (
            SELECT {who("x")} FROM automation_workflows a
            JOIN workflow_execution_logs l ON l.workflow_id = a.id
            JOIN messages m ON m.log_id = l.id JOIN contacts x ON x.id = m.person_id
            WHERE a.event_id = (SELECT event_id FROM scope) AND l.step_id IN ('community_invitation', 'community_next_event')
              AND m.clicked_at IS NOT NULL
            UNION ALL
            SELECT {who("x")} FROM occurrences o JOIN contacts x ON x.id::text = o.data ->> 'contact'
            WHERE o.event_id = (SELECT event_id FROM scope) AND o.kind = 'community_joined'
            UNION ALL
            SELECT lower(btrim(o.data ->> 'email')) FROM occurrences o
            WHERE o.event_id = (SELECT event_id FROM scope) AND o.kind = 'community_joined' AND o.data ->> 'email' IS NOT NULL)
    """,
}
"""The audiences of the follow-up, as in `database.audiences`; `segment` is the key of `Action.segments` a person falls under.
Of several with one address it is the one of the least `place` who is written to."""


class Result(NamedTuple):
    """What an event came to for one sponsor. What nobody kept count of is None."""

    sponsor_id: UUID
    name: str
    contact_name: str
    category: str
    tier: str
    amount: Decimal | None
    registered: int
    present: int | None
    reached: int
    opened: int
    clicked: int
    leads: int | None

    @property
    def cost_per_lead(self) -> Decimal | None:
        """What each lead cost, of the sponsorship."""
        return self.amount / self.leads if self.amount and self.leads else None


async def results(pool: Pool, event_id: UUID, sponsors: Collection[UUID] | None = None) -> list[Result]:
    """The figures of each sponsor of an event, or of these. People are counted, not messages; scanners are no people.

    The mails are those to the organizer's contacts: what sponsors, prospects and the organizer were written is nobody's reach.
    """
    rows = await pool.fetch(
        f"""
        WITH people AS (
            SELECT count(*) AS registered, nullif(count(checked_in_at), 0) AS present
            FROM registrations WHERE event_id = $1 AND status = 'confirmed'
        ), mail AS (
            SELECT count(DISTINCT m.address) FILTER (WHERE m.bounced_at IS NULL) AS reached,
                   count(DISTINCT m.address) FILTER (WHERE m.opened_at IS NOT NULL) AS opened,
                   count(DISTINCT m.address) FILTER (WHERE m.clicked_at IS NOT NULL) AS clicked
            FROM automation_workflows a
            JOIN workflow_execution_logs l ON l.workflow_id = a.id
            JOIN messages m ON m.log_id = l.id AND m.channel = 'email' AND m.status = 'sent'
            JOIN contacts c ON c.id = m.person_id
            WHERE a.event_id = $1
        ), leads AS (
            SELECT s.sponsor_id, count(DISTINCT {who("c")}) AS count
            FROM sponsor_leads l JOIN sponsorships s ON s.id = l.sponsorship_id JOIN contacts c ON c.id = l.contact_id
            WHERE s.event_id = $1 GROUP BY s.sponsor_id
        ), sponsored AS (
            SELECT sponsor_id, string_agg(DISTINCT nullif(tier, ''), ', ') AS tier,
                   -- of packages some of which have no price nobody knows the sum
                   CASE WHEN bool_and(amount IS NOT NULL) THEN sum(amount) END AS amount
            FROM sponsorships WHERE event_id = $1 GROUP BY sponsor_id
        )
        SELECT s.id, s.name, s.contact_name, s.category, coalesce(p.tier, ''), p.amount, people.registered, people.present,
               mail.reached, mail.opened, mail.clicked, leads.count
        FROM sponsored p JOIN sponsors s ON s.id = p.sponsor_id LEFT JOIN leads ON leads.sponsor_id = s.id
        CROSS JOIN people CROSS JOIN mail
        WHERE $2::uuid[] IS NULL OR s.id = ANY($2)
        ORDER BY s.name, s.id
        """,
        event_id,
        None if sponsors is None else list(sponsors),
    )
    return [Result(*row.values()) for row in rows]


class ToSponsor(NamedTuple):
    """A message to somebody at a sponsor."""

    message_id: UUID
    event_id: UUID
    sponsor_id: UUID
    template: str
    event_name: str


async def to_sponsors(pool: Pool, messages: Collection[UUID]) -> list[ToSponsor]:
    """Those of these messages with which a follow-up addresses a sponsor of its event."""
    rows = await pool.fetch(
        """
        SELECT m.id, m.event_id, m.person_id, m.template, e.name
        FROM messages m JOIN automation_workflows a ON a.id = m.automation_id JOIN events e ON e.id = m.event_id
        WHERE m.id = ANY($1) AND a.workflow_type = 'post_event_followup'
          AND EXISTS (SELECT 1 FROM sponsorships s WHERE s.event_id = m.event_id AND s.sponsor_id = m.person_id)
        """,
        list(messages),
    )
    return [ToSponsor(*row.values()) for row in rows]


def report_name(sponsor_id: UUID) -> str:
    """The name under which a sponsor's own words are kept among the mails of the automation's campaign."""
    return f"{REPORT}/{sponsor_id}"


async def reported(pool: Pool, automation_id: UUID) -> set[str]:
    """The names of the reports that are written already."""
    rows = await pool.fetch(
        """
        SELECT t.name FROM email_templates t JOIN marketing_campaigns c ON c.id = t.campaign_id
        WHERE c.automation_id = $1 AND t.name LIKE $2 || '/%'
        """,
        automation_id,
        REPORT,
    )
    return {row["name"] for row in rows}


async def keep_report(
    pool: Pool, automation_id: UUID, sponsor_id: UUID, slots: Mapping[str, Any], usage: Mapping[str, Any]
) -> None:
    """Keep the words of one sponsor's report, and what they have cost."""
    name = report_name(sponsor_id)
    campaign_id: UUID = await pool.fetchval(
        """
        INSERT INTO marketing_campaigns (event_id, automation_id, name, channels, usage)
        SELECT event_id, id, name, '{email}', jsonb_build_object($2::text, $3::jsonb) FROM automation_workflows WHERE id = $1
        ON CONFLICT (automation_id) DO UPDATE
        SET usage = marketing_campaigns.usage || excluded.usage, updated_at = now()
        RETURNING id
        """,
        *(automation_id, name, dict(usage)),
    )
    await campaigns.keep_emails(pool, campaign_id, {name: slots})
