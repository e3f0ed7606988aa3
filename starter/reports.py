"""The report of an event: its steps as the journal has them, and the ledger compared with what the sandbox accepted."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx2

from database import events, planning, reports
from database.connection import Pool
from database.events import Event
from database.planning import Running
from database.reports import AutomationRow, StepRow
from models.moments import UnknownZone
from starter import ahead
from starter.kinds import KINDS
from starter.sponsor_news import SEQUENCE

PROVIDERS = {"email": "resend", "whatsapp": "twilio", "linkedin": "linkedin", "twitter": "x", "facebook": "facebook"}
"""The sandbox's provider behind each channel."""


async def automations(pool: Pool, event_id: UUID) -> list[dict[str, Any]]:
    """Every automation of an event, ready for JSON: what became of its steps, and when those ahead are due."""
    rows: defaultdict[UUID, list[StepRow]] = defaultdict(list)
    for row in await reports.steps(pool, event_id):
        rows[row.automation_id].append(row)
    running = {one.id: one for one in await planning.running(pool, event_id, ())}
    event = await events.get(pool, event_id)
    found = []
    for automation in await reports.automations(pool, event_id):
        own = rows[automation.id]
        steps = [happened(row) for row in own]
        if automation.id in running:
            steps += await _ahead(pool, automation, running[automation.id])
        found.append(
            {
                "type": automation.workflow_type,
                **_named(automation, event),
                "status": automation.status,
                "steps_completed": automation.steps_completed,
                "steps_total": automation.steps_total,
                "steps": steps,
            }
        )
    return found


def _named(automation: AutomationRow, event: Event | None) -> dict[str, str]:
    """What it is called and what it is about; no name of a person."""
    about = automation.workflow_type if automation.subject_id != automation.event_id else "event"
    kind = next((kind for name, kind in KINDS.items() if name == automation.workflow_type), None)
    if automation.workflow_type == "sponsor_outreach" and about != "event":
        kind = SEQUENCE
    if kind is None:
        return {"name": automation.workflow_type, "subject": f"{about}/{automation.subject_id}"}
    return {
        "name": (kind.label or kind.title).format(event=event),
        "subject": f"{kind.subject}/{automation.subject_id}",
    }


def happened(row: StepRow) -> dict[str, Any]:
    """A row of the journal, ready for JSON."""
    return {
        "name": row.name,
        "round": row.round,
        "due_at": row.due_at.isoformat() if row.due_at else None,
        "status": row.status,
        "queued": row.queued,
        "sent": row.sent,
        "failed": row.failed,
        "unknown": row.unknown,
        "skipped": row.skipped,
        **({"failures": row.failures} if row.failures else {}),
        **({"reason": row.result["reason"]} if "reason" in row.result else {}),
        **({"missing": row.result["missing"]} if "missing" in row.result else {}),
        **({"error": row.error} if row.error else {}),
    }


async def _ahead(pool: Pool, automation: AutomationRow, running: Running) -> list[dict[str, Any]]:
    """The steps that have not begun, as they would come by the event's dates of now."""
    try:
        foreseen = await ahead.of_running(pool, running)
    except UnknownZone:
        foreseen = []  # the automation itself says what is wrong
    return [
        {
            "name": one.step.id,
            "round": one.round,
            "due_at": one.due.isoformat() if one.due else None,
            "status": "waits" if one.step.id == automation.awaits else "ahead",
            "queued": 0,
            "sent": 0,
            "failed": 0,
            "unknown": 0,
            "skipped": {},
            **({"reason": f"if {one.why}" if one.verdict == "if" else one.why} if one.why else {}),
            **({"reason": _awaits(automation)} if one.step.id == automation.awaits else {}),
        }
        for one in foreseen
    ]


async def unexplained(
    pool: Pool, event_id: UUID, automations: Sequence[Mapping[str, Any]], told: Collection[str]
) -> list[str]:
    """Everything of an event that did not end as it should or does not say why; nothing, if all is well.

    `told` are the first words of the keys of notifications that are expected.
    """
    found = [] if automations else ["no automation was begun"]
    for one in automations:
        if one["status"] not in ("completed", "cancelled"):
            found.append(f"{one['name']} ({one['subject']}) is {one['status']}")
        found += [
            f"{step['name']} of {one['subject']} is {step['status']}: {step.get('error') or step.get('reason') or 'no reason'}"
            for step in one["steps"]
            if step["status"] != "success" and not (step["status"] == "skipped" and step.get("reason"))
        ]
    return found + await reports.loose_ends(pool, event_id, told)


def _awaits(automation: AutomationRow) -> str:
    if automation.refused is not None:
        return f"was rejected: {automation.refused}"
    return f"waits for approval: eventos approve {automation.id}"


async def compare(pool: Pool, event_id: UUID, sandbox_url: str) -> dict[str, int]:
    """How the ledger and the sandbox's own records differ.

    `duplicates`: acceptances of a message beyond its first. `lost`: messages that the ledger calls sent and the sandbox
    never accepted, or accepted and the ledger does not know of, or that should have gone out and still wait.
    `unknown`: messages of whose fate the ledger itself says that a person has to look. `accepted`: messages accepted.
    """
    ledger = await reports.ledger(pool, event_id)
    async with httpx2.AsyncClient(base_url=sandbox_url, timeout=60) as http:
        answer = await http.get("/_sandbox/messages", params={"summary": "1"})
        answer.raise_for_status()
        accepted = answer.json()["messages"]
    # Mail and WhatsApp carry our id. A post cannot, so it is known by the provider's.
    ours = {row.id for row in ledger}
    by_provider_id = {(PROVIDERS[row.channel], row.provider_id): row.id for row in ledger if row.provider_id}
    times = Counter(
        message["message_id"]
        if message["message_id"] in ours
        else by_provider_id.get((message["provider"], message["id"]))
        for message in accepted
    )
    times.pop(None, None)
    sent = {row.id for row in ledger if row.status == "sent"}
    unknown = {row.id for row in ledger if row.status == "unknown"}
    waiting = {row.id for row in ledger if row.status in ("queued", "sending")}
    return {
        "accepted": len(times),
        "duplicates": sum(count - 1 for count in times.values()),
        "lost": len(sent - times.keys()) + len(times.keys() - sent - unknown - waiting) + len(waiting),
        "unknown": len(unknown),
    }
