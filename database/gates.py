"""The gates: everything that is checked in the last instant before a message may leave, for a whole batch at once."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from database import notices
from database.approvals import HELD
from database.audiences import TWICE
from database.batches import Claimed
from database.connection import Connection, Pool
from database.deliverable_tracking import HANDED_IN
from database.followup import ABSENT, THANKS, absent
from database.notifications import NOTICES
from database.suppressions import STRONGEST_FIRST, UNSUBSCRIBED

Verdict = Literal["send", "cancelled", "skipped", "paused", "unapproved", "held", "wait"]
"""`cancelled` and `skipped` are for good. `paused` and `unapproved` wait for a person, `held` for a business instant, `wait` for a rival
message whose outcome is not known yet."""

FOR_GOOD: frozenset[Verdict] = frozenset({"cancelled", "skipped"})

MOVED = "held because the event's date was moved"
"""The reason of a hold that ends with the next move; the trigger on an event's dates knows it by these words."""
QUIET = "held until the quiet hours end"
CAPPED = "held by the frequency cap"

SETTINGS = "(m.quiet_from, m.quiet_until, m.cap_messages, m.cap_days)::text"
"""What of an organizer `m` decides about holding a message."""

GATES: tuple[tuple[Verdict, str, str], ...] = (
    ("cancelled", "{cancelled}", f"a.status = 'cancelled' AND NOT {notices.OF_CANCELLATION}"),
    ("cancelled", "the event was cancelled", f"e.status = 'cancelled' AND NOT {notices.OF_CANCELLATION}"),
    (
        "cancelled",
        "the registration is not confirmed",
        # a notice goes to the organizer, who registers for nothing
        f"a.workflow_type = 'attendee_nurture' AND NOT starts_with(m.key, '{NOTICES}') AND r.id IS DISTINCT FROM a.subject_id",
    ),
    ("paused", "held while the automation is paused", "a.status = 'paused'"),
    # What was under way is made of the old dates; what is queued is made of those that hold when it goes.
    ("skipped", "the event's date was moved", "m.status <> 'queued' AND m.date_revision < e.date_revision"),
    ("skipped", "the event's date was moved", "moved.again_at <= coalesce(e.clock_now, now())"),
    ("held", MOVED, "moved.again_at IS NOT NULL"),
    ("skipped", "it was handed in meanwhile", HANDED_IN),
    (
        "skipped",
        "expired before it could be sent",
        "coalesce(moved.valid_until, m.valid_until) <= coalesce(e.clock_now, now())",
    ),
    (
        "skipped",
        "suppressed: {suppressed}",
        f"s.reason IS NOT NULL AND NOT (m.priority = 1 AND s.reason = '{UNSUBSCRIBED}')",
    ),
    ("skipped", "no consent to email", "m.channel = 'email' AND m.priority > 1 AND NOT c.email_consent"),
    ("skipped", ABSENT, f"m.template = '{THANKS}' AND {absent('m.event_id', 'm.person_id')}"),
    ("skipped", "covered by {covered}", "covered.by IS NOT NULL"),
    (
        "skipped",
        TWICE,
        """m.channel = 'whatsapp' AND EXISTS (
            SELECT 1 FROM messages x WHERE x.organizer_id = m.organizer_id AND x.channel = m.channel AND x.address = m.address
            AND x.status IN ('sending', 'sent') AND x.log_id = m.log_id AND x.id <> m.id)""",
    ),
    (
        "skipped",
        "no opt-in to WhatsApp",
        "m.channel = 'whatsapp' AND NOT coalesce(c.whatsapp_opt_in, p.whatsapp_opt_in, FALSE)",
    ),
    ("unapproved", HELD, "a.approval = 'required' AND eventos_unapproved(m.automation_id, m.content_id)"),
)
"""Verdict, reason, and when the gate is shut. Read from the top: the first that is shut speaks."""

JUDGE = f"""
SELECT m.id, m.organizer_id, m.event_id, m.automation_id, m.log_id, m.channel, m.address, m.template, m.content_id, m.counted,
       m.attempts, c.first_name, c.company, c.timezone, r.ticket_type, r.ticket_code, r.id IS NOT NULL AS registered,
       coalesce(m.include, '{{}}'), m.person_id, m.alone, m.step,
       CASE WHEN m.date_revision IS NOT NULL THEN e.date_revision END, coalesce(moved.valid_until, m.valid_until),
       CASE {" ".join(f"WHEN {shut} THEN {place}" for place, (_, _, shut) in enumerate(GATES))} END AS gate,
       coalesce(a.cancelled_because, 'the automation was cancelled') AS cancelled, s.reason AS suppressed, covered.by AS covered,
       moved.again_at,
       -- whether JUDGE_TIME has anything to ask
       m.topic IS NOT NULL OR (m.priority > 1 AND m.channel IN ('email', 'whatsapp')
                               AND (o.cap_messages IS NOT NULL OR o.quiet_from <> o.quiet_until)) AS timed
FROM messages m
JOIN automation_workflows a ON a.id = m.automation_id
JOIN events e ON e.id = m.event_id
JOIN organizers o ON o.id = m.organizer_id
LEFT JOIN contacts c ON c.id = m.person_id
LEFT JOIN sponsors p ON p.id = m.person_id AND m.channel = 'whatsapp'
LEFT JOIN registrations r ON r.event_id = m.event_id AND r.contact_id = m.person_id AND r.status = 'confirmed'
LEFT JOIN LATERAL (
    SELECT reason FROM suppressions WHERE organizer_id = m.organizer_id AND channel = m.channel AND address = m.address
    ORDER BY {STRONGEST_FIRST} LIMIT 1
) s ON TRUE
LEFT JOIN LATERAL (SELECT eventos_covered(m) AS by WHERE m.topic IS NOT NULL) covered ON TRUE
LEFT JOIN LATERAL (SELECT * FROM eventos_moved(m) WHERE m.date_revision < e.date_revision OFFSET 0) moved ON TRUE
WHERE m.id = ANY($1)
ORDER BY m.priority, m.release_at, m.id
"""

# The gates that time opens. Asked only of messages that pass the others ($1, which expire at $3): one that goes nowhere takes no
# place under the frequency cap. $2 are all those judged together, which must not count as sent before.
JUDGE_TIME = f"""
WITH message AS (
    SELECT m.*, passing.expires, coalesce(e.clock_now, now()) AS at, e.timezone AS event_zone, c.timezone AS person_zone, o.quiet_from,
           o.quiet_until, o.cap_messages, o.cap_days, m.priority > 1 AND m.channel IN ('email', 'whatsapp') AS bound,
           count(*) OVER (PARTITION BY m.event_id, m.round, m.topic, m.channel, m.address
                          ORDER BY m.priority, m.release_at, m.id) - 1 AS rivals
    FROM unnest($1::uuid[], $3::timestamptz[]) AS passing(id, expires)
    JOIN messages m ON m.id = passing.id
    JOIN events e ON e.id = m.event_id
    JOIN organizers o ON o.id = m.organizer_id
    LEFT JOIN contacts c ON c.id = m.person_id
), met AS (
    -- those that a rival or the quiet hours stop take no place under the cap
    SELECT m.*, rival.status AS rival, rival.step AS rival_step, quiet.quiet_end,
           count(*) FILTER (WHERE rival.status IS NULL AND quiet.quiet_end IS NULL AND (m.topic IS NULL OR m.rivals = 0))
               OVER (PARTITION BY m.organizer_id, m.channel, m.address ORDER BY m.priority, m.release_at, m.id
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS earlier
    FROM message m
    LEFT JOIN LATERAL (
        SELECT x.status, x.step FROM messages x
        WHERE m.topic IS NOT NULL AND x.event_id = m.event_id AND x.round = m.round AND x.topic = m.topic
          AND x.channel = m.channel AND x.address = m.address AND x.status IN ('sending', 'sent', 'unknown') AND x.id <> ALL($2)
        LIMIT 1
    ) rival ON TRUE
    LEFT JOIN LATERAL (
        SELECT eventos_quiet_end(m.at, m.quiet_from, m.quiet_until, m.person_zone, m.event_zone) AS quiet_end
        WHERE m.bound AND m.quiet_from <> m.quiet_until
    ) quiet ON TRUE
)
SELECT m.id, gate.verdict, gate.reason, gate.until, {SETTINGS} AS settings
FROM met m
LEFT JOIN LATERAL (
    -- when the oldest of the messages that fill the cap leaves the window; NULL while there is room
    SELECT (array_fill(m.at, ARRAY[m.earlier::int]) || array_agg(coalesce(x.sent_at, m.at) ORDER BY coalesce(x.sent_at, m.at) DESC))
           [m.cap_messages] + make_interval(days => m.cap_days) AS room_at
    FROM messages x
    WHERE m.cap_messages IS NOT NULL AND x.organizer_id = m.organizer_id AND x.channel = m.channel AND x.address = m.address
      AND x.status IN ('sending', 'sent') AND x.id <> ALL($2)
      AND (x.sent_at IS NULL OR x.sent_at > m.at - make_interval(days => m.cap_days))
) cap ON m.bound AND m.cap_messages IS NOT NULL
JOIN LATERAL (
    SELECT verdict, reason, until FROM (VALUES
        (1, rival = 'sent', 'skipped', 'covered by ' || rival_step, NULL),
        (2, m.topic IS NOT NULL AND (rival IS NOT NULL OR m.rivals > 0), 'wait',
            'waits for another message on the topic', NULL),
        (3, quiet_end >= m.expires, 'skipped', 'expires before the quiet hours end', NULL),
        (4, quiet_end IS NOT NULL, 'held', '{QUIET}', quiet_end),
        (5, room_at >= m.expires, 'skipped', 'expires before the frequency cap has room', NULL),
        (6, room_at IS NOT NULL, 'held', '{CAPPED}', room_at)
    ) AS gates(place, shut, verdict, reason, until)
    WHERE shut ORDER BY place LIMIT 1
) gate ON TRUE
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """A message, and what the gates say to it."""

    message: Claimed
    verdict: Verdict
    reason: str | None = None
    until: datetime | None = None
    """The business instant at which a held message is due again."""
    settings: str | None = None
    """The organizer's settings by which it is held."""


async def judge(connection: Connection | Pool, ids: Collection[UUID]) -> list[Judged]:
    """What the gates say now, most urgent message first."""
    judged, timed = [], False
    for row in await connection.fetch(JUDGE, list(ids)):
        *message, gate, cancelled, suppressed, covered, again_at, asks_time = row.values()
        if gate is None:
            judged.append(Judged(Claimed(*message), "send"))
            timed = timed or asks_time
        else:
            verdict, reason, _ = GATES[gate]
            why = reason.format(cancelled=cancelled, suppressed=suppressed, covered=covered)
            judged.append(Judged(Claimed(*message), verdict, why, again_at if verdict == "held" else None))
    if not timed:
        return judged
    passing = [one.message for one in judged if one.verdict == "send"]
    asked = ([one.id for one in passing], list(ids), [one.valid_until for one in passing])
    stopped = {row["id"]: row for row in await connection.fetch(JUDGE_TIME, *asked)}
    for place, one in enumerate(judged):
        if (stop := stopped.get(one.message.id)) is not None:
            _, verdict, reason, until, settings = stop.values()
            judged[place] = replace(one, verdict=verdict, reason=reason, until=until, settings=settings)
    return judged
