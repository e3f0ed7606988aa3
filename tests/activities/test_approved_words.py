"""Words that are changed between the gate and the composing: what a person approved is what goes out, or nothing does."""

from collections.abc import Callable
from typing import Any

import pytest

from activities.compose import Composer
from activities.dispatch import Dispatch
from activities.mailing import Mailing
from activities.posting import Posting
from database import claims
from database.connection import Pool
from database.outbox import enqueue
from models.automation import Step
from models.messages import Channel
from providers.accounts import Accounts
from tests.activities.conftest import Providers, to_the_end
from tests.world import EMAIL, SOCIAL, World

TABLES = {"email": "email_templates", "linkedin": "social_posts"}
EDITED = {"email": "subject", "linkedin": "linkedin"}


def mailing(pool: Pool, accounts: Accounts) -> Any:
    return Mailing(pool, accounts.email, Composer(pool, "http://127.0.0.1"))


def posting(pool: Pool, accounts: Accounts) -> Any:
    return Posting(pool, accounts.linkedin, Composer(pool, "http://127.0.0.1").posts)


@pytest.mark.parametrize(("channel", "step", "delivery"), [("email", EMAIL, mailing), ("linkedin", SOCIAL, posting)])
async def test_words_edited_after_the_claim_go_back_to_the_gate_and_out_once_they_are_approved(
    channel: Channel,
    step: Step,
    delivery: Callable[[Pool, Accounts], Any],
    pool: Pool,
    world: World,
    providers: Providers,
    dispatch: Dispatch,
    accounts: Accounts,
) -> None:
    """An organizer has approved, the dispatcher has claimed, and in the instant before it composes somebody edits the words.
    Nothing goes out: the messages wait like all whose words are not approved. Approved as they now are, they go, once.
    """
    await world.people(3)
    table = TABLES[channel]
    await pool.execute("UPDATE automation_workflows SET approval = 'required'")
    await pool.execute(f"UPDATE {table} SET approved_hash = content_hash")
    await enqueue(pool, world.request(step))
    (batch,) = (await claims.claim(pool, channel, rehearsal=False, limit=100)).batches

    await pool.execute(f"UPDATE {table} SET slots = slots || $1", {EDITED[channel]: "Edited"})
    assert [line async for line in delivery(pool, accounts).carry(batch)] == ["composed"]
    found = await claims.claim(pool, channel, rehearsal=False, limit=100)
    assert (found.batches, await providers.accepted()) == ((), [])
    rows = await pool.fetch("SELECT DISTINCT status, reason FROM messages WHERE channel = $1", channel)
    assert [tuple(row) for row in rows] == [("queued", "held until its words are approved")]

    await pool.execute(f"UPDATE {table} SET approved_hash = content_hash")
    await pool.execute("UPDATE messages SET release_at = now()")
    await to_the_end(pool, dispatch, channel)
    assert {row["status"] for row in await pool.fetch("SELECT status FROM messages WHERE channel = $1", channel)} == {
        "sent"
    }
    accepted = await providers.accepted()
    assert len(accepted) == len(batch.messages)
    assert all("Edited" in str(message) for message in accepted)
