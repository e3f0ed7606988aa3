"""The watch over an event: what its rules wait for is written down as an occurrence, once, when it has come."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from database import notifications
from database.connection import Connection, Pool
from models import moments, watch
from models.automation import FOREVER, Anchors
from models.watch import EVERY, Alarm, Rule, Unfit, Watched, event_watch_id

WATCHED = "status NOT IN ('draft', 'cancelled')"

FACTS = """
SELECT e.status, e.name, e.venue, e.city, e.audience, coalesce(e.timezone, '') AS timezone, array_remove(ARRAY[
           CASE WHEN e.starts_at IS NOT NULL AND e.ends_at IS NOT NULL THEN 'has_dates' END,
           CASE WHEN cardinality(e.sponsor_categories) > 0 THEN 'has_sponsor_categories' END,
           CASE WHEN EXISTS (SELECT 1 FROM speakers s WHERE s.event_id = e.id) THEN 'has_speakers' END,
           CASE WHEN EXISTS (SELECT 1 FROM sessions s WHERE s.event_id = e.id) THEN 'has_sessions' END,
           CASE WHEN EXISTS (SELECT 1 FROM sponsorships s WHERE s.event_id = e.id) THEN 'has_sponsors' END,
           CASE WHEN registered.people > 0 THEN 'has_registrations' END,
           CASE WHEN registered.people >= 0.5 * e.capacity THEN 'half_full' END,
           CASE WHEN registered.people >= 0.9 * e.capacity THEN 'nearly_full' END,
           CASE WHEN registered.people >= e.capacity THEN 'sold_out' END,
           CASE WHEN e.starts_at <= $2 THEN 'started' END,
           CASE WHEN e.ends_at <= $2 THEN 'ended' END,
           CASE WHEN deliverables.next_due < $3::date THEN 'deliverables_overdue' END,
           CASE WHEN deliverables.next_due <= $3::date + 7 THEN 'deliverables_due_within_a_week' END
       ], NULL) AS facts
FROM events e
CROSS JOIN LATERAL (
    SELECT count(*) AS people FROM registrations r WHERE r.event_id = e.id AND r.status = 'confirmed'
) registered
CROSS JOIN LATERAL (
    SELECT min(d.due_date) AS next_due FROM sponsor_deliverables d
    WHERE d.event_id = e.id AND d.status NOT IN ('submitted', 'approved')
) deliverables
WHERE e.id = $1
"""
"""What condition rules may name: the facts of an event ($1) at an instant ($2) and day ($3), and its columns."""


class Begun(NamedTuple):
    """An event that is watched."""

    temporal_workflow_id: str
    rehearsal: bool


async def begin(pool: Pool, event_id: UUID) -> Begun | None:
    """Keep that an event is watched; None if it is gone, a draft, cancelled, or long over."""
    row = await pool.fetchrow(
        f"""
        INSERT INTO event_watches (event_id, temporal_workflow_id, begun_at)
        SELECT id, $2, eventos_now(id) FROM events
        WHERE id = $1 AND {WATCHED} AND (ends_at IS NULL OR ends_at > eventos_now(id) - interval '90 days')
        ON CONFLICT (event_id) DO UPDATE SET temporal_workflow_id = excluded.temporal_workflow_id
        RETURNING temporal_workflow_id, (SELECT rehearsal_of IS NOT NULL FROM events WHERE id = $1)
        """,
        event_id,
        event_watch_id(event_id),
    )
    return None if row is None else Begun(*row.values())


async def lose(pool: Pool, event_id: UUID) -> bool:
    """Forget a watch whose workflow has closed; True if there was one. The next change of the event begins it anew."""
    status: str = await pool.execute("DELETE FROM event_watches WHERE event_id = $1", event_id)
    return status == "DELETE 1"


async def look(pool: Pool, event_id: UUID) -> Watched:
    """Write down everything that has come due; says when to look again. Looking twice writes nothing twice."""
    async with pool.acquire() as connection, connection.transaction():
        event = await _lock(connection, event_id)
        if event is None:
            return Watched(over=True)
        anchors = _anchors(event)
        last = watch.end_of_watch(anchors)
        if event["status"] in ("draft", "cancelled") or (last is not None and last <= event["now"]):
            await connection.execute("DELETE FROM event_watches WHERE event_id = $1", event_id)
            return Watched(over=True)
        rules = await _fit(connection, event)
        told = await _told(connection, event_id, event["date_revision"])
        waits = [(last, "the end of the watch")] if last is not None else []
        for alarm in watch.alarms(rules, anchors, event["now"]):
            if isinstance(alarm, Unfit):
                await _refuse(connection, event_id, alarm)
            elif alarm.at > event["now"]:
                waits.append((alarm.at, alarm.occurrence))
            elif alarm.wall is not None:
                await _tell_fire(connection, event_id, event, alarm)
            elif alarm.rule not in told:
                await _tell(connection, event_id, event, alarm)
        asking = [rule for rule in rules if rule.moment is None]
        if asking:
            await _ask(connection, event_id, event, asking)
            waits.append((event["now"] + EVERY, "the conditions of its rules"))
        wake, awaits = min(waits, default=(FOREVER, "news"))
        await connection.execute(
            "UPDATE event_watches SET rest_until = coalesce($2::timestamptz, 'infinity') WHERE event_id = $1",
            event_id,
            None if wake >= FOREVER else wake,
        )
        return Watched(wake=wake, awaits=awaits)


async def ask_conditions(pool: Pool, event_id: UUID) -> None:
    """Look at the condition rules of an event that is watched; one that has come to hold is written down."""
    asked: bool = await pool.fetchval(
        "SELECT EXISTS (SELECT 1 FROM automation_rules WHERE kind = 'condition' AND enabled)"
    )
    if not asked:
        return
    async with pool.acquire() as connection, connection.transaction():
        event = await _lock(connection, event_id)
        if event is None:
            return
        asking = [rule for rule in await _fit(connection, event) if rule.moment is None]
        if asking:
            await _ask(connection, event_id, event, asking)


async def _lock(connection: Connection, event_id: UUID) -> asyncpg.Record | None:
    """The event as its watch sees it; who looks at the same time waits."""
    return await connection.fetchrow(
        """
        SELECT e.id, w.begun_at, e.status, e.organizer_id, e.starts_at, e.ends_at, e.timezone, e.date_revision,
               e.rehearsal_of IS NOT NULL AS rehearsal, coalesce(e.clock_now, now()) AS now
        FROM event_watches w JOIN events e ON e.id = w.event_id WHERE w.event_id = $1 FOR NO KEY UPDATE OF w
        """,
        event_id,
    )


def _anchors(event: asyncpg.Record) -> Anchors:
    return Anchors(
        start=event["begun_at"],
        zone=event["timezone"] or "UTC",
        event_date=event["starts_at"],
        event_end=event["ends_at"],
        date_revision=event["date_revision"],
    )


async def _fit(connection: Connection, event: asyncpg.Record) -> list[Rule]:
    """The time and condition rules of an event; of those that can never begin anything its organizer is told instead."""
    fit = []
    for rule in await _rules(connection, event):
        why = watch.nameless("condition" if rule.moment is None else "time", rule.workflow_type)
        if why is None:
            fit.append(rule)
        else:
            await _refuse(connection, event["id"], Unfit(rule, why))
    return fit


async def _rules(connection: Connection, event: asyncpg.Record) -> list[Rule]:
    rows = await connection.fetch(
        """
        SELECT r.id, r.name, r.occurrence, r.match, r.moment,
               -- a rehearsal lives in another time than the rule was written in
               greatest(CASE WHEN $2 THEN $3 ELSE r.created_at END, t.since) AS since, r.workflow_type
        FROM automation_rules r LEFT JOIN rules_timed t ON t.rule_id = r.id AND t.event_id = $4
        WHERE r.enabled AND (r.kind = 'condition' OR r.moment IS NOT NULL)
          AND (r.organizer_id IS NULL OR r.organizer_id = (SELECT coalesce(rehearsal_of, id) FROM organizers WHERE id = $1))
        ORDER BY r.created_at, r.id
        """,
        *(event["organizer_id"], event["rehearsal"], event["begun_at"], event["id"]),
    )
    return [Rule(*row.values()) for row in rows]


async def _told(connection: Connection, event_id: UUID, date_revision: int) -> Collection[str]:
    rows = await connection.fetch(
        "SELECT rule FROM moments_told WHERE event_id = $1 AND date_revision = $2", event_id, date_revision
    )
    return {row["rule"] for row in rows}


async def _tell(connection: Connection, event_id: UUID, event: asyncpg.Record, alarm: Alarm) -> None:
    await connection.execute(
        "INSERT INTO moments_told (event_id, rule, date_revision) VALUES ($1, $2, $3)",
        *(event_id, alarm.rule, event["date_revision"]),
    )
    about = {"moment": alarm.moment, "rule": None if alarm.rule == alarm.occurrence else alarm.rule}
    await _write(connection, event_id, event, alarm.occurrence, about, alarm.at)


async def _tell_fire(connection: Connection, event_id: UUID, event: asyncpg.Record, alarm: Alarm) -> None:
    """Write down that a recurrence came due, unless this instant or a later wall time was: a zone that is moved repeats nothing."""
    new = await connection.fetchval(
        """
        INSERT INTO calendar_told (event_id, rule_id, at, wall) SELECT $1, $2::text::uuid, $3, $4
        WHERE NOT EXISTS (SELECT 1 FROM calendar_told WHERE event_id = $1 AND rule_id = $2::text::uuid AND wall >= $4)
        ON CONFLICT DO NOTHING RETURNING TRUE
        """,
        *(event_id, alarm.rule, alarm.at, alarm.wall),
    )
    if new:
        await _write(
            connection, event_id, event, alarm.occurrence, {"moment": alarm.moment, "rule": alarm.rule}, alarm.at
        )


async def _ask(connection: Connection, event_id: UUID, event: asyncpg.Record, rules: Collection[Rule]) -> None:
    """Note which conditions hold now; those that did not before are written down."""
    row = await connection.fetchrow(FACTS, event_id, event["now"], _today(event))
    assert row is not None
    columns = dict(row)
    facts = columns.pop("facts")
    met = []
    for rule in rules:
        found = watch.holds(rule, facts, columns)
        if isinstance(found, Unfit):
            await _refuse(connection, event_id, found)
        elif found:
            met.append(rule)
    await connection.execute(
        "DELETE FROM conditions_met WHERE event_id = $1 AND rule_id <> ALL($2)", event_id, [rule.id for rule in met]
    )
    new = await connection.fetch(
        """
        INSERT INTO conditions_met (event_id, rule_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING RETURNING rule_id
        """,
        *(event_id, [rule.id for rule in met]),
    )
    risen = {row["rule_id"] for row in new}
    for rule in met:
        if rule.id in risen:
            await _write(connection, event_id, event, rule.occurrence, {"rule": str(rule.id)}, event["now"])


def _today(event: asyncpg.Record) -> date:
    """The day it is in the event's zone, in UTC where that is unknown."""
    try:
        zone = moments.zone_named(event["timezone"] or "UTC")
    except moments.UnknownZone:
        zone = moments.zone_named("UTC")
    now: datetime = event["now"]
    return now.astimezone(zone).date()


async def _write(
    connection: Connection, event_id: UUID, event: asyncpg.Record, kind: str, about: dict[str, Any], at: datetime
) -> None:
    await connection.execute(
        """
        INSERT INTO occurrences (kind, rehearsal, event_id, subject, data, occurred_at)
        VALUES ($1, $2, $3, 'event/' || $3::uuid, $4, $5)
        """,
        *(kind, event["rehearsal"], event_id),
        about | {"status": event["status"], "date_revision": event["date_revision"]},
        at,
    )


async def _refuse(connection: Connection, event_id: UUID, unfit: Unfit) -> None:
    """Tell the organizer of a rule that cannot be followed, once for what it says."""
    rule = unfit.rule
    await notifications.tell(
        connection,
        event_id=event_id,
        key=f"rule/{rule.id}/{event_id}/{rule.moment or rule.match}",
        title=f"The rule '{rule.name}' cannot be followed",
        body=f"{unfit.reason}\nCorrect it in automation_rules; until then it begins nothing.",
    )
