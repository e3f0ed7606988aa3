"""What the sandbox promises to tests and tools: honest faults, exact counts, a complete reset."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.sandbox.conftest import asked, within_a_second

KEY = {"Authorization": "Bearer re_live"}


async def send(
    sandbox: httpx2.AsyncClient, number: int = 0, *, key: str | None = None, account: str = "re_live"
) -> httpx2.Response:
    mail = {"from": "a@eventos.example", "to": f"p{number}@example.com", "subject": f"News {number}", "text": "Hi"}
    headers = {"Authorization": f"Bearer {account}"} | ({"Idempotency-Key": key} if key else {})
    return await sandbox.post("/resend/emails", json=mail, headers=headers)


async def state(sandbox: httpx2.AsyncClient, provider: str = "resend") -> tuple[int, int]:
    """Requests seen and messages accepted."""
    counts = (await sandbox.get("/_sandbox/counts")).json()["providers"][provider]
    return counts["requests"], counts["accepted"]


async def test_a_dropped_request_was_accepted_and_its_key_tells_so(sandbox: httpx2.AsyncClient) -> None:
    await sandbox.post("/_sandbox/faults", json={"provider": "resend", "next": ["drop"]})
    with pytest.raises(httpx2.RemoteProtocolError):
        await send(sandbox, key="k")
    assert await state(sandbox) == (1, 1)
    assert (await send(sandbox, key="k")).status_code == 200
    assert await state(sandbox) == (2, 1)


async def test_a_request_that_times_out_was_not_accepted(sandbox: httpx2.AsyncClient) -> None:
    await sandbox.post("/_sandbox/faults", json={"provider": "all", "timeout": 1})
    with pytest.raises(httpx2.ReadTimeout):
        await sandbox.post("/x/2/tweets", json={"text": "Hi"}, headers=KEY, timeout=httpx2.Timeout(60, read=0.3))
    assert await state(sandbox, "x") == (1, 0)


async def test_a_gateways_error_comes_after_the_message_was_accepted(sandbox: httpx2.AsyncClient) -> None:
    await sandbox.post("/_sandbox/faults", json={"provider": "x", "next": ["gateway"]})
    answer = await sandbox.post("/x/2/tweets", json={"text": "Hi"}, headers=KEY)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (504, "text/html")
    assert await state(sandbox, "x") == (1, 1)


async def test_a_list_that_lags_does_not_show_yet_what_was_accepted(sandbox: httpx2.AsyncClient) -> None:
    async def listed() -> int:
        user = (await sandbox.get("/x/2/users/me", headers=KEY)).json()["data"]["id"]
        page = await sandbox.get(f"/x/2/users/{user}/tweets", headers=KEY)
        return int(page.json()["meta"]["result_count"])

    await sandbox.post("/_sandbox/faults", json={"provider": "x", "lag": 3600})
    await sandbox.post("/x/2/tweets", json={"text": "Hi"}, headers=KEY)
    assert await listed() == 0
    await sandbox.post("/_sandbox/faults", json={"provider": "x"})
    assert await listed() == 1


@pytest.mark.parametrize(
    ("path", "status"), [("/resend/emails", 401), ("/x/2/users/me", 403), ("/facebook/v26.0/1/feed", 403)]
)
async def test_a_key_for_sending_only_may_not_read(sandbox: httpx2.AsyncClient, path: str, status: int) -> None:
    assert (await send(sandbox, account="sending-only")).status_code == 200
    answer = await sandbox.get(path, headers={"Authorization": "Bearer sending-only"})
    assert answer.status_code == status


async def test_a_reset_lets_go_of_a_request_that_is_kept_waiting(sandbox: httpx2.AsyncClient) -> None:
    await sandbox.post("/_sandbox/faults", json={"provider": "resend", "timeout": 1})
    waiting = asyncio.create_task(send(sandbox))
    await asked(sandbox, "resend", 1)
    assert not waiting.done()
    await sandbox.post("/_sandbox/reset")
    with pytest.raises(httpx2.RemoteProtocolError):
        await waiting


async def test_an_error_was_not_accepted(sandbox: httpx2.AsyncClient) -> None:
    await sandbox.post("/_sandbox/faults", json={"provider": "resend", "error": 1})
    assert (await send(sandbox)).status_code == 500
    assert await state(sandbox) == (1, 0)


async def test_shares_of_faults_are_kept_and_repeat_with_their_seed(sandbox: httpx2.AsyncClient) -> None:
    runs = []
    for _ in range(2):
        await sandbox.post("/_sandbox/reset")
        await sandbox.post("/_sandbox/limits", json={"provider": "resend", "per_second": None})
        await sandbox.post("/_sandbox/faults", json={"provider": "resend", "rate_limit": 0.2, "error": 0.1, "seed": 7})
        runs.append([(await send(sandbox, number)).status_code for number in range(200)])
    assert runs[0] == runs[1]
    assert 25 <= runs[0].count(429) <= 55
    assert 8 <= runs[0].count(500) <= 32
    assert await state(sandbox) == (200, runs[0].count(200))


async def test_reads_meet_faults_only_when_asked(sandbox: httpx2.AsyncClient) -> None:
    fault = {"provider": "resend", "error": 1}
    await sandbox.post("/_sandbox/faults", json=fault)
    calm = await sandbox.get("/resend/emails", headers=KEY)
    await sandbox.post("/_sandbox/faults", json=fault | {"reads": True})
    assert (calm.status_code, (await sandbox.get("/resend/emails", headers=KEY)).status_code) == (200, 500)


@pytest.mark.parametrize(
    ("path", "wish", "told"),
    [
        ("faults", {"provider": "mailchimp"}, "mailchimp"),
        ("faults", {"provider": "x", "explode": 1}, "explode"),
        ("faults", {"provider": "x", "drop": 0.7, "error": 0.7}, "not more than 1"),
        ("faults", {"provider": "x", "next": ["boom"]}, "boom"),
        ("limits", {"provider": "x", "per_second": 0}, "at least 1"),
        ("limits", {"provider": "nobody", "per_second": 1}, "nobody"),
    ],
)
async def test_a_wrong_wish_is_refused_and_named(
    sandbox: httpx2.AsyncClient, path: str, wish: dict[str, Any], told: str
) -> None:
    refused = await sandbox.post(f"/_sandbox/{path}", json=wish)
    assert refused.status_code == 400
    assert told in refused.json()["error"]


async def test_a_limit_holds_per_account(sandbox: httpx2.AsyncClient) -> None:
    await sandbox.post("/_sandbox/limits", json={"provider": "resend", "per_second": 2})

    async def ask() -> list[int]:
        account = uuid4().hex
        return [
            (await send(sandbox, number, account=f"{account}{letter}")).status_code
            for letter in "ab"
            for number in range(3)
        ]

    assert await within_a_second(ask, lambda answers: answers.count(429) == 2) == [200, 200, 429] * 2


async def test_messages_are_filtered_summarised_and_read_on_from_a_position(sandbox: httpx2.AsyncClient) -> None:
    await asyncio.gather(*(send(sandbox, number) for number in range(5)))
    await send(sandbox, 9, account="re_rehearsal")
    await sandbox.post("/x/2/tweets", json={"text": "Hi"}, headers={"Authorization": "Bearer x_live"})

    async def ask(**query: str) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = (await sandbox.get("/_sandbox/messages", params=query)).json()["messages"]
        return messages

    assert [message["provider"] for message in await ask()] == ["resend"] * 6 + ["x"]
    assert [message["to"] for message in await ask(account="re_rehearsal")] == ["p9@example.com"]
    assert set((await ask(summary="1"))[0]) == {"id", "provider", "account", "message_id", "to"}
    assert await ask(fields="subject", account="re_rehearsal") == [{"subject": "News 9"}]
    (whole,) = await ask(fields="content", account="re_rehearsal")
    assert whole["content"]["text"] == "Hi"
    assert [message["position"] for message in await ask(after="3", limit="2")] == [4, 5]
    assert (await sandbox.get("/_sandbox/messages", params={"fields": "colour"})).status_code == 400


async def test_reset_forgets_messages_keys_limits_and_faults(sandbox: httpx2.AsyncClient) -> None:
    await send(sandbox, key="k")
    await sandbox.post("/_sandbox/limits", json={"provider": "resend", "per_second": 1})
    await sandbox.post("/_sandbox/faults", json={"provider": "all", "error": 1})
    await sandbox.post("/_sandbox/reset")
    assert await state(sandbox) == (0, 0)
    fresh = await send(sandbox, 1, key="k")
    assert (fresh.status_code, fresh.headers["ratelimit-limit"]) == (200, "10")


async def test_unknown_paths_are_named_and_the_sandbox_is_healthy(sandbox: httpx2.AsyncClient) -> None:
    assert (await sandbox.get("/_sandbox/healthz")).json() == {"status": "ok"}
    missing = await sandbox.get("/resend/broadcasts")
    assert (missing.status_code, "GET /resend/broadcasts" in missing.json()["message"]) == (404, True)
