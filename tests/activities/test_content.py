"""Generated content: kept when it can be used, tried again when it cannot, held with the vendor's own words when it never will."""

import asyncio
from typing import Any

import httpx2
import pytest

from database.connection import connect
from database.seed import seed
from models.player import StepOrder
from starter.control import order
from tests.providers.conftest import Loopback
from tests.workflows.house import House, Row
from workflows.timeline import generate, social, step, timeline, update

WRITE = timeline(
    step("write", "0 seconds", generate("social_posts", "whatsapp_messages"), late="run"),
    step(
        "lay_out",
        "0 seconds after write",
        update("marketing_campaign", "social_posts", "whatsapp_campaigns"),
        late="run",
    ),
    step("post", "1 day", social("linkedin", "twitter")),
)


@pytest.fixture
async def writing(house: House) -> House:
    """A house with an event worth writing about, where a second failure is the last."""
    await house.pool.execute("ALTER TABLE automation_workflows ALTER max_retries SET DEFAULT 1")
    return house


async def begun(house: House) -> str:
    connection = await connect(house.settings.database_url)
    seeded = await seed(connection)
    await connection.close()
    return await house.begin(seeded.event_id, WRITE)


async def fault(house: House, *faults: str) -> None:
    async with httpx2.AsyncClient() as http:
        wish = {"provider": "openai", "next": list(faults)}
        (await http.post(f"{house.settings.sandbox_url}/_sandbox/faults", json=wish)).raise_for_status()


async def until_held(house: House, id_: str) -> Row:
    async def held() -> Row | None:
        row = await house.row(id_)
        return row if row["last_error"] else None

    row: Row = await house.until(held)
    return row


async def test_what_was_written_is_kept_with_what_it_cost_and_laid_out(writing: House) -> None:
    async with writing.at_work():
        id_ = await begun(writing)
        await writing.until_step(id_, "lay_out", "success")
    campaign = await writing.pool.fetchrow("SELECT * FROM marketing_campaigns")
    assert campaign is not None
    assert set(campaign["content"]) == {"social_posts", "whatsapp_messages"}
    assert campaign["usage"]["social_posts"]["output_tokens"] > 0
    assert (campaign["status"], campaign["channels"]) == ("scheduled", ["social"])
    assert await writing.pool.fetchval("SELECT count(*) FROM social_posts") == 2
    row = await writing.row(id_)
    assert (row["retry_count"], row["tasks_successful"], row["current_step"]) == (0, 5, "post")


COUNTED = """
    CREATE TABLE counted (retry_count INTEGER);
    CREATE FUNCTION note_retries() RETURNS TRIGGER LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO counted VALUES (NEW.retry_count); RETURN NULL; END $$;
    CREATE TRIGGER note_retries AFTER UPDATE ON automation_workflows FOR EACH ROW EXECUTE FUNCTION note_retries();
"""


async def test_a_truncated_answer_is_asked_for_again_and_counted(writing: House) -> None:
    await writing.pool.execute(COUNTED)
    async with writing.at_work():
        await fault(writing, "truncate")
        id_ = await begun(writing)
        await writing.until_step(id_, "write", "success")
    assert await writing.pool.fetchval("SELECT max(retry_count) FROM counted") == 1
    assert (await writing.row(id_))["last_error"] is None


async def test_more_failures_than_max_retries_hold_the_step_and_a_retry_does_only_what_is_missing(
    writing: House,
) -> None:
    async with writing.at_work():
        await fault(writing, "truncate", "none", "truncate")
        id_ = await begun(writing)
        row = await until_held(writing, id_)
        said = "OpenAI's answer is not complete: max_output_tokens. (failed 2 times; max_retries is 1)"
        assert row["last_error"].endswith(said)
        assert (row["retry_count"], row["tasks_successful"]) == (2, 1)
        used = await writing.pool.fetchval("SELECT usage FROM marketing_campaigns")

        answer = await order(writing.client, writing.pool, row["id"], "retry", StepOrder(step="write"))
        assert answer == "write is success"
        again: dict[str, Any] = await writing.pool.fetchval("SELECT usage FROM marketing_campaigns")
    (kept,) = used
    assert again[kept] == used[kept]
    assert len(again) == 2
    row = await writing.row(id_)
    assert (row["retry_count"], row["last_error"]) == (0, None)


async def test_an_outage_is_waited_for_and_counts_as_nothing(writing: House) -> None:
    async with writing.at_work():
        await fault(writing, "error", "drop")
        id_ = await begun(writing)
        await writing.until_step(id_, "write", "success", seconds=20)
    assert (await writing.row(id_))["retry_count"] == 0


async def test_a_refusal_is_held_at_once_in_the_models_words(writing: House) -> None:
    async with writing.at_work():
        await fault(writing, "refusal")
        id_ = await begun(writing)
        row = await until_held(writing, id_)
    assert "OpenAI's model declines: " in row["last_error"]
    assert row["retry_count"] == 0
    assert (await writing.states(id_))["write"].startswith("running: ")


async def test_a_spent_account_holds_the_step_with_openais_words(writing: House) -> None:
    loopback = Loopback()
    server = await asyncio.start_server(loopback.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    words = "You exceeded your current quota, please check your plan and billing details."
    for _ in range(2):
        loopback.answer(429, {"error": {"message": words, "type": "insufficient_quota", "code": "insufficient_quota"}})
    writing.settings = writing.settings.model_copy(update={"openai_base_url": f"http://127.0.0.1:{port}/v1"})
    try:
        async with writing.at_work():
            id_ = await begun(writing)
            row = await until_held(writing, id_)
    finally:
        server.close()
        await server.wait_closed()
    assert words in row["last_error"]
    assert "Check the account's billing." in row["last_error"]
    assert (len(loopback.asked), row["retry_count"]) == (2, 0)
    told = await writing.pool.fetchval("SELECT body FROM notifications")
    assert words in told


async def test_an_event_that_lacks_what_words_need_is_held_with_what_to_set_and_not_asked_about_again(
    writing: House,
) -> None:
    async with writing.at_work():
        connection = await connect(writing.settings.database_url)
        seeded = await seed(connection)
        await connection.execute(
            "UPDATE events SET timezone = 'Europe/Lisbon', name = '' WHERE id = $1", seeded.event_id
        )
        await connection.close()
        id_ = await writing.begin(seeded.event_id, WRITE)
        row = await until_held(writing, id_)
    assert "event.name" in row["last_error"]
    assert row["retry_count"] == 0
    async with httpx2.AsyncClient() as http:
        counts = (await http.get(f"{writing.settings.sandbox_url}/_sandbox/counts")).json()
    assert counts["providers"]["openai"]["requests"] <= 2
