"""The gates: everything that is checked in the last instant before a message may leave, for a whole batch at once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg

from database.batches import Claimed
from database.connection import Connection, Pool

Verdict = Literal["send", "cancelled", "skipped", "paused", "held", "wait"]
"""`cancelled` and `skipped` are for good. `paused` waits for a person, `held` for a business instant, `wait` for a rival
message whose outcome is not known yet."""

FOR_GOOD: frozenset[Verdict] = frozenset({"cancelled", "skipped"})

# Two tables of gates, each read from the top: the first that is shut speaks. The second asks what the first leaves over,
# because a message that goes nowhere takes no place under the frequency cap.
JUDGE = """
WITH message AS (
    SELECT m.id, m.organizer_id, m.event_id, m.automation_id, m.log_id, m.channel, m.address, m.template, m.content_id,
           m.priority, m.topic, m.round, m.release_at, m.valid_until, m.date_revision, m.counted, m.attempts, m.person_id,
           coalesce(e.clock_now, now()) AS at, e.timezone AS event_zone, e.status AS event_status,
           e.date_revision AS event_revision, a.status AS automation_status,
           o.quiet_from, o.quiet_until, o.cap_messages, o.cap_days, s.reason AS suppressed,
           c.email_consent, c.whatsapp_opt_in, c.timezone, c.first_name, c.company,
           r.ticket_type, r.ticket_code, r.id IS NOT NULL AS registered
    FROM messages m
    JOIN automation_workflows a ON a.id = m.automation_id
    JOIN events e ON e.id = m.event_id
    JOIN organizers o ON o.id = m.organizer_id
    LEFT JOIN contacts c ON c.id = m.person_id
    LEFT JOIN registrations r ON r.event_id = m.event_id AND r.contact_id = m.person_id AND r.status = 'confirmed'
    LEFT JOIN suppressions s ON s.organizer_id = m.organizer_id AND s.channel = m.channel AND s.address = m.address
    WHERE m.id = ANY($1)
), passing AS (
    SELECT m.*, gate.verdict, gate.reason
    FROM message m LEFT JOIN LATERAL (
        SELECT verdict, reason FROM (VALUES
            (1, m.automation_status = 'cancelled', 'cancelled', 'the automation was cancelled'),
            (2, m.event_status = 'cancelled', 'cancelled', 'the event was cancelled'),
            (3, m.automation_status = 'paused', 'paused', 'held while the automation is paused'),
            (4, m.date_revision < m.event_revision, 'skipped', 'the event''s date was moved'),
            (5, m.valid_until <= m.at, 'skipped', 'expired before it could be sent'),
            (6, m.suppressed IS NOT NULL, 'skipped', 'suppressed: ' || m.suppressed),
            (7, m.channel = 'email' AND NOT m.email_consent, 'skipped', 'no consent to email'),
            (8, m.channel = 'whatsapp' AND NOT coalesce(m.whatsapp_opt_in, FALSE), 'skipped', 'no opt-in to WhatsApp')
        ) AS gates(place, shut, verdict, reason)
        WHERE shut ORDER BY place LIMIT 1
    ) gate ON TRUE
), ranked AS (
    SELECT p.*, count(*) FILTER (WHERE verdict IS NULL) OVER same_address AS earlier,
           count(*) FILTER (WHERE verdict IS NULL) OVER same_topic AS rivals
    FROM passing p
    WINDOW same_address AS (PARTITION BY organizer_id, channel, address ORDER BY priority, release_at, id
                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
           same_topic AS (PARTITION BY event_id, round, topic, channel, address ORDER BY priority, release_at, id
                          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT r.id, r.organizer_id, r.event_id, r.automation_id, r.log_id, r.channel, r.address, r.template, r.content_id, r.counted,
       r.attempts, r.first_name, r.company, r.timezone, r.ticket_type, r.ticket_code, r.registered,
       coalesce(r.verdict, gate.verdict, 'send') AS verdict, coalesce(r.reason, gate.reason) AS reason, gate.until
FROM ranked r
LEFT JOIN LATERAL (
    SELECT x.status, x.step FROM messages x
    WHERE r.topic IS NOT NULL AND r.verdict IS NULL AND x.event_id = r.event_id AND x.round = r.round AND x.topic = r.topic
      AND x.channel = r.channel AND x.address = r.address AND x.status IN ('sending', 'sent', 'unknown') AND x.id <> r.id
    LIMIT 1
) rival ON TRUE
LEFT JOIN LATERAL (
    SELECT eventos_quiet_end(r.at, r.quiet_from, r.quiet_until, r.timezone, r.event_zone) AS quiet_end
    WHERE r.verdict IS NULL AND r.priority > 1 AND r.quiet_from <> r.quiet_until AND r.channel IN ('email', 'whatsapp')
) quiet ON TRUE
LEFT JOIN LATERAL (
    -- when the oldest of the messages that fill the cap leaves the window; NULL while there is room
    SELECT (array_fill(r.at, ARRAY[r.earlier::int]) || array_agg(coalesce(x.sent_at, r.at) ORDER BY coalesce(x.sent_at, r.at) DESC))
           [r.cap_messages] + make_interval(days => r.cap_days) AS room_at
    FROM messages x
    WHERE x.organizer_id = r.organizer_id AND x.channel = r.channel AND x.address = r.address
      AND x.status IN ('sending', 'sent') AND x.id <> ALL($1)
      AND (x.sent_at IS NULL OR x.sent_at > r.at - make_interval(days => r.cap_days))
      AND r.verdict IS NULL AND r.priority > 1 AND r.cap_messages IS NOT NULL AND r.channel IN ('email', 'whatsapp')
) cap ON r.verdict IS NULL AND r.priority > 1 AND r.cap_messages IS NOT NULL AND r.channel IN ('email', 'whatsapp')
LEFT JOIN LATERAL (
    SELECT verdict, reason, until FROM (VALUES
        (1, rival.status = 'sent', 'skipped', 'covered by ' || rival.step, NULL),
        (2, r.topic IS NOT NULL AND (rival.status IS NOT NULL OR r.rivals > 0), 'wait', 'waits for another message on the topic', NULL),
        (3, quiet_end >= r.valid_until, 'skipped', 'expires before the quiet hours end', NULL),
        (4, quiet_end IS NOT NULL, 'held', 'held until the quiet hours end', quiet_end),
        (5, room_at >= r.valid_until, 'skipped', 'expires before the frequency cap has room', NULL),
        (6, room_at IS NOT NULL, 'held', 'held by the frequency cap', room_at)
    ) AS gates(place, shut, verdict, reason, until)
    WHERE r.verdict IS NULL AND shut ORDER BY place LIMIT 1
) gate ON TRUE
ORDER BY r.priority, r.release_at, r.id
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """A message, and what the gates say to it."""

    message: Claimed
    verdict: Verdict
    reason: str | None
    until: datetime | None
    """The business instant at which a held message is due again."""


async def judge(connection: Connection | Pool, ids: Collection[UUID]) -> list[Judged]:
    """What the gates say now, most urgent message first."""
    rows: list[asyncpg.Record] = await connection.fetch(JUDGE, list(ids))
    judged = []
    for row in rows:
        *message, verdict, reason, until = row.values()
        judged.append(Judged(Claimed(*message), verdict, reason, until))
    return judged
