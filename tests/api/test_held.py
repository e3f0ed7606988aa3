"""`eventos webhooks`: what is held is listed with its reason, and comes in again when a person says so."""

import json
from typing import Any
from uuid import uuid4

import pytest

from database import occurrences
from database.connection import Pool
from starter.webhooks import Webhooks
from tests.api.conftest import ledger
from tests.commands.test_control import eventos
from tests.serving import Api, take_in
from tests.world import World

TITLES = "SELECT array_agg(key ORDER BY key) FROM notifications"


@pytest.fixture
async def delivery(api: Api, pool: Pool, webhooks: Webhooks) -> str:
    """A report of a delivery that found its message nowhere for a day, as one of an account that was not known yet would."""
    await api.resend("email.delivered", email_id="re-late")
    await pool.execute("UPDATE webhook_deliveries SET received_at = now() - interval '25 hours'")
    assert (await take_in(pool, webhooks))[0].startswith("held")
    return str(await pool.fetchval("SELECT id FROM webhook_deliveries"))


async def held_occurrence(pool: Pool, world: World) -> int:
    """Something that failed until it was held."""
    id_: int = await pool.fetchval(
        "INSERT INTO occurrences (kind, event_id, subject, occurred_at) VALUES ('checked_in', $1, $2, now()) RETURNING id",
        *(world.event, f"registration/{uuid4()}"),
    )
    while not await occurrences.fail(pool, id_, "ValueError: a mistake"):
        pass
    return id_


async def test_what_is_held_is_listed_with_its_reason_and_comes_in_again(
    database: str,
    pool: Pool,
    world: World,
    webhooks: Webhooks,
    message: dict[str, Any],
    delivery: str,
) -> None:
    happened = str(await held_occurrence(pool, world))
    assert [key.split("/")[0] for key in await pool.fetchval(TITLES)] == ["occurrence", "webhooks"]
    status, said = await eventos(database, "webhooks")
    assert status == 0
    for words in (
        delivery,
        "resend email.delivered",
        "no message",
        happened,
        "checked_in",
        "a mistake",
    ):
        assert words in said

    status, said = await eventos(database, "webhooks", "--json")
    assert (status, [(one["id"], one["what"], one["why"]) for one in json.loads(said)]) == (
        0,
        [(delivery, "delivery", "no message is known by this id"), (happened, "occurrence", "ValueError: a mistake")],
    )

    await pool.execute("UPDATE messages SET provider_id = 're-late'")
    status, said = await eventos(database, "webhooks", "replay", delivery[:8], happened)
    assert (status, "2 are taken in again" in said) == (0, True), said
    due = {one.subject.split("/")[0]: one for one in await occurrences.due(pool, 10, ())}
    assert due["registration"].attempts == 0
    assert await pool.fetchval(TITLES) is None
    await take_in(pool, webhooks)
    assert (await ledger(pool, message["id"]))["delivered_at"] is not None
    status, said = await eventos(database, "webhooks")
    assert (status, said.strip()) == (0, "Nothing is held.")


async def test_what_still_cannot_be_taken_in_is_held_again_at_once(
    database: str,
    pool: Pool,
    webhooks: Webhooks,
    delivery: str,
) -> None:
    status, said = await eventos(database, "webhooks", "replay", "--all")
    assert (status, "1 is taken in again" in said) == (0, True), said
    assert (await take_in(pool, webhooks)) == ["held: no message is known by this id"]
    assert delivery in (await eventos(database, "webhooks"))[1]
    assert len(await pool.fetchval(TITLES)) == 1


async def test_what_cannot_be_replayed_is_refused_with_what_to_do(database: str, pool: Pool, delivery: str) -> None:
    close = delivery[:-1] + ("0" if delivery[-1] != "0" else "1")
    for arguments, words in (
        ((), "Say which"),
        (("--all", delivery), "Say which"),
        ((close,), f"(did you mean '{delivery}'?)"),
        ((delivery[:2],), "`eventos webhooks` lists what is."),
    ):
        status, said = await eventos(database, "webhooks", "replay", *arguments)
        assert (status, words in " ".join(said.split())) == (1, True), said
    assert await pool.fetchval("SELECT held_at FROM webhook_deliveries") is not None


@pytest.mark.usefixtures("delivery")
async def test_what_a_rehearsal_holds_is_left_to_it(database: str, pool: Pool) -> None:
    await pool.execute("UPDATE webhook_deliveries SET rehearsal = TRUE")
    assert "Nothing is held." in (await eventos(database, "webhooks"))[1]
    status, said = await eventos(database, "webhooks", "replay", "--all")
    assert (status, "Nothing is held, so nothing was replayed." in said) == (1, True)
