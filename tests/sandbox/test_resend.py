"""Resend's promises: idempotency keys, strict batches, limits, lists, as its SDK sees them."""

import asyncio
from typing import Any

import httpx2
import pytest
import resend
from resend.exceptions import RateLimitError, ResendError, ValidationError

from tests.sandbox.conftest import asked, within_a_second

KEY = {"Authorization": "Bearer re_live"}


def mail(number: int = 0, **more: Any) -> Any:
    tags = [{"name": "message_id", "value": f"m-{number}"}]
    body = {"from": "EventOS <hello@eventos.example>", "to": [f"p{number}@example.com"], "subject": f"News {number}"}
    return {**body, "html": f"<p>Hello {number}</p>", "tags": tags, **more}


@pytest.fixture
def sdk(sandbox: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resend, "api_url", f"{sandbox.base_url}/resend")
    monkeypatch.setattr(resend, "api_key", "re_live")


async def accepted(sandbox: httpx2.AsyncClient) -> int:
    total: int = (await sandbox.get("/_sandbox/counts")).json()["providers"]["resend"]["accepted"]
    return total


async def post(sandbox: httpx2.AsyncClient, path: str, body: Any, key: str | None = None) -> httpx2.Response:
    headers = KEY | ({"Idempotency-Key": key} if key else {})
    return await sandbox.post(f"/resend{path}", json=body, headers=headers)


async def test_the_same_key_with_the_same_payload_answers_the_same_and_sends_nothing(
    sandbox: httpx2.AsyncClient,
) -> None:
    batch = [mail(number) for number in range(3)]
    first = await post(sandbox, "/emails/batch", batch, "launch-1")
    again = await post(sandbox, "/emails/batch", batch, "launch-1")
    assert first.status_code == 200
    assert len(first.json()["data"]) == 3
    assert again.content == first.content
    assert await accepted(sandbox) == 3


async def test_the_same_key_with_another_payload_is_a_conflict(sandbox: httpx2.AsyncClient) -> None:
    await post(sandbox, "/emails", mail(1), "k")
    changed = await post(sandbox, "/emails", mail(2), "k")
    assert (changed.status_code, changed.json()["name"]) == (409, "invalid_idempotent_request")
    assert await accepted(sandbox) == 1


async def test_the_same_key_while_the_first_request_is_answered_is_concurrent(sandbox: httpx2.AsyncClient) -> None:
    await sandbox.post("/_sandbox/faults", json={"provider": "resend", "slow": 8})
    first = asyncio.create_task(post(sandbox, "/emails", mail(), "k"))
    await asked(sandbox, "resend", 1)
    second = await post(sandbox, "/emails", mail(), "k")
    assert (second.json()["name"], (await first).status_code) == ("concurrent_idempotent_requests", 200)
    assert (await post(sandbox, "/emails", mail(), "k")).json() == (await first).json()
    assert await accepted(sandbox) == 1


async def test_two_accounts_share_neither_keys_nor_mails(sandbox: httpx2.AsyncClient) -> None:
    await post(sandbox, "/emails", mail(1), "k")
    other = {"Authorization": "Bearer re_rehearsal", "Idempotency-Key": "k"}
    assert (await sandbox.post("/resend/emails", json=mail(2), headers=other)).status_code == 200
    assert len((await sandbox.get("/resend/emails", headers=other)).json()["data"]) == 1


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        ({"to": ["not an address"]}, "validation_error"),
        ({"from": "EventOS hello@eventos.example"}, "validation_error"),
        ({"subject": ""}, "missing_required_field"),
        ({"html": None}, "missing_required_field"),
        ({"tags": [{"name": "message id", "value": "1"}]}, "validation_error"),
        ({"attachments": [{"filename": "a.ics"}]}, "validation_error"),
        ({"scheduled_at": "2030-01-01T00:00:00Z"}, "validation_error"),
    ],
)
async def test_one_bad_mail_fails_the_whole_batch_and_is_named(
    sandbox: httpx2.AsyncClient, broken: dict[str, Any], name: str
) -> None:
    refused = await post(sandbox, "/emails/batch", [mail(0), mail(1), mail(2, **broken)], "k")
    assert (refused.status_code, refused.json()["name"]) == (422, name)
    assert "index 2" in refused.json()["message"]
    assert await accepted(sandbox) == 0


async def test_a_permissive_batch_sends_the_good_mails_and_names_the_bad(sandbox: httpx2.AsyncClient) -> None:
    batch = [mail(0), mail(1, to="nobody"), mail(2)]
    headers = KEY | {"x-batch-validation": "permissive"}
    answer = (await sandbox.post("/resend/emails/batch", json=batch, headers=headers)).json()
    assert (len(answer["data"]), [error["index"] for error in answer["errors"]]) == (2, [1])


async def test_more_than_a_hundred_mails_are_no_batch(sandbox: httpx2.AsyncClient) -> None:
    assert (await post(sandbox, "/emails/batch", [mail(n) for n in range(101)])).status_code == 422
    assert (await post(sandbox, "/emails/batch", [mail(n) for n in range(100)])).status_code == 200


async def test_keys_and_user_agent_are_asked_for_in_the_vendors_words(sandbox: httpx2.AsyncClient) -> None:
    missing = await sandbox.post("/resend/emails", json=mail())
    invalid = await sandbox.post("/resend/emails", json=mail(), headers={"Authorization": "Bearer invalid-key"})
    nameless = await sandbox.post("/resend/emails", json=mail(), headers=KEY | {"User-Agent": ""})
    assert [(answer.status_code, answer.json()["name"]) for answer in (missing, invalid)] == [
        (401, "missing_api_key"),
        (403, "invalid_api_key"),
    ]
    assert (nameless.status_code, nameless.json()["code"]) == (403, 1010)


async def test_the_eleventh_request_in_a_second_is_throttled_and_told_when_to_return(
    sandbox: httpx2.AsyncClient,
) -> None:
    async def ask() -> list[httpx2.Response]:
        return await asyncio.gather(*(post(sandbox, "/emails", mail(number)) for number in range(11)))

    answers = await within_a_second(ask, lambda found: any(answer.status_code == 429 for answer in found))
    statuses = sorted(answer.status_code for answer in answers)
    throttled = next(answer for answer in answers if answer.status_code == 429)
    assert statuses == [200] * 10 + [429]
    assert throttled.json()["name"] == "rate_limit_exceeded"
    assert throttled.headers["retry-after"] == "1"
    assert (throttled.headers["ratelimit-limit"], throttled.headers["ratelimit-remaining"]) == ("10", "0")
    await asyncio.sleep(1.05)
    assert (await post(sandbox, "/emails", mail())).headers["ratelimit-remaining"] == "9"


async def test_sent_mails_are_listed_newest_first_and_paged_by_cursor(sandbox: httpx2.AsyncClient) -> None:
    await post(sandbox, "/emails/batch", [mail(number) for number in range(25)])
    seen: list[str] = []
    page: dict[str, Any] = {"has_more": True, "data": []}
    while page["has_more"]:
        after = {"after": page["data"][-1]["id"]} if page["data"] else {}
        answer = await sandbox.get("/resend/emails", params={"limit": 10, **after}, headers=KEY)
        page = answer.json()
        seen += [item["subject"] for item in page["data"]]
    assert seen == [f"News {number}" for number in reversed(range(25))]


@pytest.mark.usefixtures("sdk")
async def test_the_sdk_sends_lists_and_reads_back() -> None:
    def use() -> None:
        sent = resend.Batch.send([mail(1), mail(2)], {"idempotency_key": "k"})
        assert [found["id"] for found in resend.Emails.list({"limit": 1})["data"]] == [sent["data"][1]["id"]]
        found: Any = resend.Emails.get(sent["data"][0]["id"])
        assert (found["to"], found["tags"]) == (["p1@example.com"], [{"name": "message_id", "value": "m-1"}])
        assert found["html"] == "<p>Hello 1</p>"

    await asyncio.to_thread(use)


@pytest.mark.usefixtures("sdk")
async def test_the_sdk_raises_its_own_errors(sandbox: httpx2.AsyncClient) -> None:
    await sandbox.post("/_sandbox/faults", json={"provider": "resend", "next": ["none", "rate_limit", "error"]})

    def use() -> None:
        with pytest.raises(ValidationError, match="Invalid `to` field"):
            resend.Emails.send(mail(to="nobody"))
        with pytest.raises(RateLimitError) as throttled:
            resend.Emails.send(mail())
        assert throttled.value.headers["retry-after"] == "1"
        with pytest.raises(ResendError) as broken:
            resend.Emails.send(mail())
        assert broken.value.code == 500

    await asyncio.to_thread(use)
    assert await accepted(sandbox) == 0


INVITE = {"filename": "invite.ics", "content_type": "text/calendar", "content": "QkVHSU46VkNBTEVOREFS"}


async def test_a_single_mail_may_carry_files_and_what_came_can_be_read(sandbox: httpx2.AsyncClient) -> None:
    sent = await post(sandbox, "/emails", mail(attachments=[INVITE]), "k")
    assert sent.status_code == 200
    (message,) = (await sandbox.get("/_sandbox/messages")).json()["messages"]
    assert message["attachments"] == [INVITE]
    page = await sandbox.get(f"/messages/resend/{message['id']}")
    assert "invite.ics" in page.text
    file = await sandbox.get(f"/messages/resend/{message['id']}/attachments/0")
    assert file.content == b"BEGIN:VCALENDAR"
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''invite.ics"
    assert (await sandbox.get(f"/messages/resend/{message['id']}/attachments/1")).status_code == 404


async def test_a_batch_takes_no_files(sandbox: httpx2.AsyncClient) -> None:
    refused = await post(sandbox, "/emails/batch", [mail(1), mail(2, attachments=[INVITE])])
    assert refused.status_code == 422
    assert "`attachments` field is not supported" in refused.json()["message"]
    assert await accepted(sandbox) == 0


@pytest.mark.parametrize(
    "attachments",
    [{"filename": "a"}, [{"filename": "a"}], [{"content": "QQ=="}], [INVITE | {"content": "not base64!"}], ["a"]],
)
async def test_a_file_that_is_none_is_refused(sandbox: httpx2.AsyncClient, attachments: Any) -> None:
    refused = await post(sandbox, "/emails", mail(attachments=attachments))
    assert (refused.status_code, refused.json()["name"]) == (422, "invalid_attachment")
