"""The report of an event: its steps as the journal has them, and the ledger compared with what the sandbox accepted."""

from collections import Counter
from typing import Any
from uuid import UUID

import httpx2

from database import reports
from database.connection import Pool

PROVIDERS = {"email": "resend", "whatsapp": "twilio", "linkedin": "linkedin", "twitter": "x", "facebook": "facebook"}
"""The sandbox's provider behind each channel."""


async def automations(pool: Pool, event_id: UUID) -> list[dict[str, Any]]:
    """Every automation of an event with its steps, ready for JSON."""
    rows = await reports.steps(pool, event_id)
    return [
        {
            "type": automation.workflow_type,
            "status": automation.status,
            "steps_completed": automation.steps_completed,
            "steps_total": automation.steps_total,
            "steps": [
                {
                    "name": row.name,
                    "round": row.round,
                    "due_at": row.due_at.isoformat() if row.due_at else None,
                    "status": row.status,
                    "queued": row.queued,
                    "sent": row.sent,
                    "failed": row.failed,
                    "unknown": row.unknown,
                    "skipped": row.skipped,
                    **({"reason": row.result["reason"]} if "reason" in row.result else {}),
                    **({"error": row.error} if row.error else {}),
                }
                for row in rows
                if row.automation_id == automation.id
            ],
        }
        for automation in await reports.automations(pool, event_id)
    ]


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
