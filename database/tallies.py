"""Tallies: changes of messages, carried into the journal's counts, the automation's and the campaign's."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from database import journal
from database.connection import Connection
from database.notifications import NOTICES
from models.automation import StepState

SENT = {"email": "emails_sent", "whatsapp": "whatsapp_messages_sent"}


@dataclass(frozen=True, slots=True)
class Change:
    """Messages of one journal row that changed in the same way."""

    log_id: UUID
    was: str
    now: str
    counted: bool
    """Whether they counted in the row's `open` before."""
    reason: str | None = None
    count: int = 1
    missing: Mapping[str, str] = field(default_factory=dict)
    """Which includes they went without, and why."""


async def tally(connection: Connection, changes: Iterable[Change], channel: str) -> None:
    """Carry changes of messages into the journal. A row whose last open message is settled ends, and says so once."""
    by_log: defaultdict[UUID, list[Change]] = defaultdict(list)
    for change in changes:
        by_log[change.log_id].append(change)
    if not by_log:
        return
    rows = await connection.fetch(
        """
        SELECT l.id, l.workflow_id, l.slot, l.status, l.open, l.result, l.error_message
        FROM workflow_execution_logs l JOIN automation_workflows a ON a.id = l.workflow_id
        WHERE l.id = ANY($1) ORDER BY a.id, l.id FOR NO KEY UPDATE OF a, l
        """,
        list(by_log),
    )
    after = [_after(row, by_log[row["id"]]) for row in rows]
    await _write(connection, after, channel)
    for row in after:
        if row.settled and not row.notice:
            await _tell(connection, row)
    if changed := {row.automation_id for row in after if row.ends or row.works_again or row.held}:
        await journal.recount(connection, changed)


@dataclass(frozen=True, slots=True)
class _After:
    """A journal row after the changes."""

    id: UUID
    automation_id: UUID
    open: int
    result: dict[str, Any]
    status: str
    verdict: StepState
    """What its messages have come to, once none of them is open."""
    notice: bool
    """A mail to the organizer about the automation itself."""
    settled: bool
    ends: bool
    """Settled, and not held: a row of which nothing could be done runs on, with its error, until a person decides."""
    held: bool
    works_again: bool
    learnt: bool
    """The outcome of a message became known that was unknown."""
    sent: int
    failed: int
    executed: int


def _after(row: asyncpg.Record, changes: list[Change]) -> _After:
    result = {"queued": 0, "sent": 0, "failed": 0, "unknown": 0, "skipped": {}, "held": 0} | (row["result"] or {})
    skipped: Counter[str] = Counter(result["skipped"])
    open_ = row["open"]
    sent = failed = executed = 0
    for change in changes:
        n = change.count
        if change.was == "unknown":
            result["unknown"] -= n
        elif change.counted:
            open_ -= n
        else:
            result["held"] -= n
        if change.now in ("skipped", "cancelled"):
            skipped[change.reason or change.now] += n
        else:
            result[change.now] += n
        sent += n if change.now == "sent" else 0
        failed += n if change.now == "failed" else 0
        executed += n if change.now in ("sent", "failed", "unknown") and change.was != "unknown" else 0
        if change.missing and change.now in ("sent", "unknown") and change.was != "unknown":
            result["missing"] = _with_missing(result.get("missing", {}), change)
    result["skipped"] = dict(skipped)
    if not result["held"]:
        del result["held"]
    verdict = _verdict(result)
    settled = row["status"] == "running" and open_ <= 0
    notice = row["slot"].startswith(NOTICES)
    if notice:
        sent = failed = executed = 0  # of the automation's work it is no part
    ends = settled and (notice or verdict is not StepState.FAILED)
    # What was held for later may still change the picture of a row that has ended.
    status = verdict.value if ends or row["status"] in ("success", "failed", "skipped") else row["status"]
    if status == StepState.SKIPPED and "reason" not in result and skipped:
        result["reason"] = skipped.most_common(1)[0][0]
    return _After(
        id=row["id"],
        automation_id=row["workflow_id"],
        open=max(open_, 0),
        result=result,
        status=status,
        verdict=verdict,
        notice=notice,
        settled=settled,
        ends=ends,
        held=settled and not ends,
        works_again=bool(sent and row["error_message"]),
        learnt=any(change.was == "unknown" for change in changes),
        sent=sent,
        failed=failed,
        executed=executed,
    )


def _with_missing(missing: Mapping[str, Mapping[str, int]], change: Change) -> dict[str, dict[str, int]]:
    """`{include: {why: how many people}}` with these messages counted in."""
    after = {name: dict(reasons) for name, reasons in missing.items()}
    for name, why in change.missing.items():
        reasons = after.setdefault(name, {})
        reasons[why] = reasons.get(why, 0) + change.count
    return after


def _verdict(result: dict[str, Any]) -> StepState:
    """Success if anything was sent, or may have been, or waits for later; failed if something failed and nothing was sent."""
    if result["sent"] or result["unknown"] or result.get("held"):
        return StepState.SUCCESS
    return StepState.FAILED if result["failed"] else StepState.SKIPPED


async def _write(connection: Connection, rows: Sequence[_After], channel: str) -> None:
    await connection.execute(
        f"""
        WITH news AS (
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::jsonb[], $5::text[], $6::bool[], $7::bool[], $8::int[],
                $9::int[], $10::int[])
            AS n(log_id, automation_id, open, result, status, ends, works_again, sent, failed, executed)
        ), journalled AS (
            UPDATE workflow_execution_logs l
            SET open = n.open, result = n.result, status = n.status,
                error_message = CASE WHEN n.works_again THEN NULL ELSE l.error_message END,
                ended_at = CASE WHEN n.ends THEN eventos_now(a.event_id) ELSE l.ended_at END,
                completed_at = CASE WHEN n.ends THEN clock_timestamp() ELSE l.completed_at END,
                duration_ms = CASE WHEN n.ends THEN round(1000 * extract(epoch FROM clock_timestamp() - l.started_at))
                                   ELSE l.duration_ms END
            FROM news n JOIN automation_workflows a ON a.id = n.automation_id
            WHERE l.id = n.log_id
        ), sums AS (
            SELECT automation_id, sum(sent)::int AS sent, sum(failed)::int AS failed, sum(executed)::int AS executed
            FROM news GROUP BY automation_id
        ), campaign AS (
            UPDATE marketing_campaigns c
            SET {SENT.get(channel, "social_posts_published")} = {SENT.get(channel, "social_posts_published")} + s.sent,
                status = CASE WHEN c.status IN ('draft', 'scheduled') THEN 'active' ELSE c.status END, updated_at = now()
            FROM sums s WHERE c.automation_id = s.automation_id AND s.sent > 0
        ), told AS (
            DELETE FROM notifications x USING news n WHERE n.works_again AND x.key = 'trouble/' || n.log_id
        ), learnt AS (
            DELETE FROM notifications x USING unnest($11::uuid[]) AS l(log_id)
            WHERE x.key = 'unknown/' || l.log_id
              AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.log_id = l.log_id AND m.status = 'unknown')
        )
        UPDATE automation_workflows a
        SET tasks_executed = a.tasks_executed + s.executed, tasks_successful = a.tasks_successful + s.sent,
            tasks_failed = a.tasks_failed + s.failed, updated_at = now()
        FROM sums s WHERE a.id = s.automation_id
        """,
        [row.id for row in rows],
        [row.automation_id for row in rows],
        [row.open for row in rows],
        [row.result for row in rows],
        [row.status for row in rows],
        [row.ends for row in rows],
        [row.works_again for row in rows],
        [row.sent for row in rows],
        [row.failed for row in rows],
        [row.executed for row in rows],
        [row.id for row in rows if row.learnt],
    )


async def _tell(connection: Connection, row: _After) -> None:
    """Tell the player that a step is settled, and the organizer if nothing of it could be done."""
    reason = row.result.get("reason")
    if row.verdict is StepState.FAILED:
        reason = await connection.fetchval(
            """
            WITH commonest AS (
                SELECT reason FROM messages WHERE log_id = $1 AND status = 'failed' GROUP BY reason ORDER BY count(*) DESC LIMIT 1
            ), held AS (
                UPDATE workflow_execution_logs SET error_message = (SELECT reason FROM commonest) WHERE id = $1
            )
            SELECT reason FROM commonest
            """,
            row.id,
        )
        await journal.tell_held(connection, row.id, row.automation_id, "A step could not be carried out", reason or "")
    await connection.execute(
        """
        INSERT INTO occurrences (kind, rehearsal, event_id, automation_id, subject, data, occurred_at)
        SELECT 'step_settled', a.rehearsal, a.event_id, a.id, 'automation/' || a.id,
               jsonb_build_object('step', l.step_id, 'round', l.round, 'state', $3::text, 'ended', l.ended_at, 'reason', $2::text),
               coalesce(l.ended_at, eventos_now(a.event_id))
        FROM workflow_execution_logs l JOIN automation_workflows a ON a.id = l.workflow_id
        WHERE l.id = $1 AND (l.tell OR $3 = 'failed')
        """,
        row.id,
        reason,
        row.verdict.value,
    )
