"""The way into the outbox: one decision of one step, and a row in `messages` for every person it concerns."""

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from database import approvals, journal, settlement
from database.audiences import TWICE, UNUSABLE, USABLE, chosen
from database.connection import Connection, Pool
from database.dates import counted_from
from database.queueing import INTO, TAKE_OVER
from models.automation import FOREVER, Action, StepState
from models.ids import message_key, message_key_prefix
from models.messages import Enqueue, Enqueued, invitation
from models.moments import zone_named
from models.slots import next_good_slot

AGAIN = "already sent in an earlier run"

CONTENT = {"email": "email_templates", "whatsapp": "whatsapp_campaigns"}

DATELESS = ("deliverable_tracking",)
"""Kinds whose words do not speak of the event's dates: a moved event drops none of their messages."""


class NothingToSend(ValueError):
    """A step was handed to the outbox that has no message to send."""


class NoOrganizer(ValueError):
    """An event belongs to nobody, so nobody can be written to in its name."""


async def enqueue(pool: Pool, request: Enqueue) -> Enqueued:
    """Decide one round of a step for good and queue its messages, in one transaction.

    What was decided before is answered again and nothing else is done. A paused or cancelled automation, and a player that
    does not know the event's latest dates, decide nothing; nor does a step whose words have to be approved and are not.
    """
    async with pool.acquire() as connection, connection.transaction():
        generation = await journal.lock(connection, request.automation_id)
        row = await journal.find(connection, request.automation_id, request.step.slot, request.round)
        if request.skip and request.step.branch and (row is None or row["step_id"] != request.step.id):
            request = _apart(request)
            row = await journal.find(connection, request.automation_id, request.step.slot, request.round)
        if row is not None and not _may_queue(row, request):
            return _decided(row)
        scope = await _scope(connection, request)
        if refused := await _refused(connection, scope, request):
            return refused
        if (
            scope["approval"] == "required"
            and request.skip is None
            and await approvals.unapproved(connection, request.automation_id, request.step)
        ):
            await approvals.ask(connection, request.automation_id, request.step, request.round, request.due)
            return Enqueued(outcome="unapproved")
        if scope["overlap"] == "all":  # whoever wants both messages on a topic has none that stands for the other
            request = request.model_copy(update={"step": request.step.model_copy(update={"topic": None})})
        if row is None or row["status"] == "pending":
            row = await journal.decide(
                connection, request.automation_id, request.step, request.round, request.due, tell=request.tell
            )
        if generation > 1:
            await settlement.cancel_earlier(connection, request.automation_id)
        queued, skipped = (0, Counter[str]()) if request.skip else await _queue(connection, request, scope, row["id"])
        row = await _note(connection, request, row["id"], queued, skipped)
        await connection.execute(
            f"""
            UPDATE automation_workflows
            SET current_step = coalesce($2, current_step), {journal.NO_RETRIES}, updated_at = now(),
                next_execution_at = CASE WHEN $2::text IS NULL AND $3::timestamptz IS NULL THEN next_execution_at ELSE $3 END
            WHERE id = $1
            """,
            request.automation_id,
            request.next_step or (request.step.id if queued else None),
            request.next_at if request.next_at and request.next_at < FOREVER else None,
        )
        if not queued:
            await journal.recount(connection, [request.automation_id])
        return _decided(row)


def _apart(request: Enqueue) -> Enqueue:
    """The same of a branch in a slot of its own: one that is not taken leaves the slot to the one that is."""
    return request.model_copy(update={"step": request.step.model_copy(update={"branch": None})})


def _may_queue(row: asyncpg.Record, request: Enqueue) -> bool:
    """Whether a row still waits for its messages: it was freed, or begun by actions that come before them."""
    return row["status"] == "pending" or (
        row["status"] == "running"
        and row["step_id"] == request.step.id
        and not row["open"]
        and not row["error_message"]
        and "queued" not in (row["result"] or {})
    )


def _decided(row: asyncpg.Record) -> Enqueued:
    return Enqueued(
        outcome="decided",
        log_id=row["id"],
        step_id=row["step_id"],
        state=journal.state_of(row),
        due=row["due_at"],
        reason=journal.reason_of(row),
        open=row["open"],
        ended=row["ended_at"],
    )


async def _scope(connection: Connection, request: Enqueue) -> asyncpg.Record:
    row = await connection.fetchrow(
        """
        SELECT a.id, a.status, a.workflow_type, a.subject_id, a.rehearsal, a.event_id, a.approval, a.revision,
               e.status AS event_status, coalesce(a.organizer_id, e.organizer_id) AS organizer_id, e.timezone, e.date_revision,
               o.overlap
        FROM automation_workflows a JOIN events e ON e.id = a.event_id
        LEFT JOIN organizers o ON o.id = coalesce(a.organizer_id, e.organizer_id) WHERE a.id = $1
        """,
        request.automation_id,
    )
    assert row is not None
    return row


async def _refused(connection: Connection, scope: asyncpg.Record, request: Enqueue) -> Enqueued | None:
    if (outcome := await journal.refusal(connection, scope, request.revision)) is not None:
        return Enqueued(outcome=outcome)
    return Enqueued(outcome="stale") if scope["date_revision"] > request.date_revision else None


async def _queue(
    connection: Connection, request: Enqueue, scope: asyncpg.Record, log_id: UUID
) -> tuple[int, Counter[str]]:
    """Write the messages of every action; how many are queued, and how many people get none, by reason."""
    if scope["organizer_id"] is None:
        raise NoOrganizer(f"Event {request.event_id} has no organizer; set events.organizer_id.")
    queued, skipped = 0, Counter[str]()
    for action in request.step.actions:
        match action.verb:
            case "email" | "whatsapp":
                count, none = await _queue_people(connection, request, scope, log_id, action)
            case "social":
                count, none = await _queue_posts(connection, request, scope, log_id, action)
            case _:
                continue
        queued += count
        skipped += none
    if not queued and not any(action.verb in ("email", "whatsapp", "social") for action in request.step.actions):
        raise NothingToSend(f"Step {request.step.id} sends no message; begin and end it instead.")
    return queued, skipped


async def _queue_people(
    connection: Connection, request: Enqueue, scope: asyncpg.Record, log_id: UUID, action: Action
) -> tuple[int, Counter[str]]:
    channel = action.verb
    prefix = message_key_prefix(scope["workflow_type"], scope["subject_id"], request.step.id, request.round)
    before, after = message_key(prefix, "\n", channel).split("\n")
    # Bulk reading and writing in the order of people keeps the indexes' pages warm.
    row = await connection.fetchrow(
        f"""
        WITH scope AS (
            SELECT $1::uuid AS automation_id, $2::uuid AS log_id, $3::uuid AS event_id, $4::uuid AS organizer_id,
                   $5::uuid AS subject_id, $17::jsonb AS segments, $7::text AS template
        ), {chosen(action, scope["workflow_type"])}, content AS MATERIALIZED (
            SELECT c.id, c.revision, c.name FROM {CONTENT[channel]} c JOIN marketing_campaigns m ON m.id = c.campaign_id
            WHERE m.automation_id = $1
        ), queued AS (
            {INTO}
            SELECT $14::text || p.person_id || $15::text, $6, s.organizer_id, s.event_id, s.automation_id, s.log_id, $8, $9,
                   p.person_id, '{channel}', p.address, p.template, coalesce(own.id, shared.id),
                   coalesce(own.revision, shared.revision, 1), $10, $11, $12, $13, $16, $18, p.template = ANY($19)
            FROM chosen p CROSS JOIN scope s
            -- words may be written for one person alone
            LEFT JOIN content own ON own.name = p.template || '/' || p.person_id
            LEFT JOIN content shared ON shared.name = p.template
            ORDER BY p.person_id
            {TAKE_OVER}
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM queued) AS queued, (SELECT count(*) FROM chosen) AS chosen,
               (SELECT count(*) FROM addressed WHERE address ~ '{USABLE[channel]}') AS usable,
               (SELECT count(*) FROM addressed) AS addressed
        """,
        *(request.automation_id, log_id, scope["event_id"], scope["organizer_id"], scope["subject_id"]),
        *(scope["rehearsal"], action.template or (None if action.segments else request.step.id)),
        *(request.step.id, request.round),
        *(request.step.priority, request.step.topic, request.now, request.valid_until, before, after),
        None if scope["workflow_type"] in DATELESS else scope["date_revision"],
        action.segments,
        list(action.include) or None,
        _with_invitation(action, request.step.id),
    )
    assert row is not None
    none = Counter(
        {
            AGAIN: row["chosen"] - row["queued"],
            TWICE: row["usable"] - row["chosen"],
            UNUSABLE[channel]: row["addressed"] - row["usable"],
        }
    )
    return row["queued"], +none


def _with_invitation(action: Action, step_id: str) -> list[str]:
    """Those of an action's templates whose mails carry a file."""
    templates = {*action.segments.values(), action.template or step_id} if action.verb == "email" else ()
    return [template for template in templates if invitation(template, action.include)]


async def _queue_posts(
    connection: Connection, request: Enqueue, scope: asyncpg.Record, log_id: UUID, action: Action
) -> tuple[int, Counter[str]]:
    prefix = message_key_prefix(scope["workflow_type"], scope["subject_id"], request.step.id, request.round)
    queued = await connection.fetch(
        f"""
        {INTO}
        SELECT p.key, $4, $5, $6, $1, $2, $3, $7, NULL, p.platform, p.platform, p.platform, c.id, coalesce(c.revision, 1),
               $8, $9, p.release_at, $10, $11, NULL, FALSE
        FROM unnest($12::text[], $13::text[], $14::timestamptz[]) AS p(platform, key, release_at)
        LEFT JOIN (social_posts c JOIN marketing_campaigns m ON m.id = c.campaign_id AND m.automation_id = $1)
               ON c.step = $3 AND c.platform = p.platform
        {TAKE_OVER}
        RETURNING 1
        """,
        *(request.automation_id, log_id, request.step.id, scope["rehearsal"], scope["organizer_id"], scope["event_id"]),
        *(request.round, request.step.priority, request.step.topic, request.valid_until, scope["date_revision"]),
        list(action.targets),
        [message_key(prefix, "public", platform) for platform in action.targets],
        [_release(action, platform, request.now, scope["timezone"]) for platform in action.targets],
    )
    return len(queued), +Counter({AGAIN: len(action.targets) - len(queued)})


def _release(action: Action, platform: str, now: datetime, zone: str | None) -> datetime:
    return next_good_slot(platform, now, zone_named(zone or "UTC")) if action.optimal_time else now


async def _note(
    connection: Connection, request: Enqueue, log_id: UUID, queued: int, skipped: Counter[str]
) -> asyncpg.Record:
    """Write into the journal what was decided; with nobody to write to the step ends at once."""
    result: dict[str, Any] = {"reason": request.skip} if request.skip else tally(queued, skipped)
    if not queued and not request.skip:
        everybody = "everybody in the audience was written to in an earlier run"
        result["reason"] = everybody if AGAIN in skipped else f"nobody to write to in {_audiences(request)}"
    row = await connection.fetchrow(
        f"""
        UPDATE workflow_execution_logs
        SET status = $2, open = $3, result = coalesce(result, '{{}}') || $4::jsonb, ended_at = $5, tell = $6, due_at = $7,
            slot = CASE WHEN $8::boolean THEN step_id ELSE slot END, counts_from = $9,
            completed_at = CASE WHEN $5::timestamptz IS NOT NULL THEN clock_timestamp() END,
            duration_ms = CASE WHEN $5::timestamptz IS NOT NULL
                               THEN round(1000 * extract(epoch FROM clock_timestamp() - started_at)) END
        WHERE id = $1 RETURNING {journal.COLUMNS}
        """,
        log_id,
        (StepState.RUNNING if queued else StepState.SKIPPED).value,
        queued,
        result,
        None if queued else request.now,
        request.tell,
        request.due,
        request.skip is not None,
        {"due": counted_from(request.step.moment), "until": counted_from(request.until)},
    )
    assert row is not None
    return row


def tally(queued: int, skipped: Counter[str]) -> dict[str, Any]:
    """The result of a step that sends messages, before anything was sent."""
    return {"queued": queued, "sent": 0, "failed": 0, "unknown": 0, "skipped": dict(skipped)}


def _audiences(request: Enqueue) -> str:
    sending = [action for action in request.step.actions if action.verb in ("email", "whatsapp", "social")]
    return " and ".join(dict.fromkeys(action.audience or "the step's audience" for action in sending))
