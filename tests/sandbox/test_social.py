"""The promises of LinkedIn, X and Facebook: headers, limits, duplicates, and the way each words an error."""

from typing import Any

import httpx2
import pytest

from sandbox.x import weight

LINKEDIN = {
    "Authorization": "Bearer li_live",
    "LinkedIn-Version": "202605",
    "X-Restli-Protocol-Version": "2.0.0",
}
AUTHOR = "urn:li:organization:5515715"
X = {"Authorization": "Bearer x_live"}
FEED = "/facebook/v26.0/10001/feed"


def post(commentary: str) -> dict[str, Any]:
    return {
        "author": AUTHOR,
        "commentary": commentary,
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED"},
        "lifecycleState": "PUBLISHED",
    }


async def test_a_linkedin_post_answers_with_its_urn_and_is_found_by_author(sandbox: httpx2.AsyncClient) -> None:
    created = await sandbox.post("/linkedin/rest/posts", json=post("Hello \\(Rotterdam\\)"), headers=LINKEDIN)
    assert (created.status_code, created.content) == (201, b"")
    assert created.headers["x-restli-id"].startswith("urn:li:share:")
    query = {"q": "author", "author": AUTHOR}
    [found] = (await sandbox.get("/linkedin/rest/posts", params=query, headers=LINKEDIN)).json()["elements"]
    assert (found["id"], found["commentary"]) == (created.headers["x-restli-id"], "Hello \\(Rotterdam\\)")


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"Authorization": ""}, post("x"), 401, "EMPTY_ACCESS_TOKEN"),
        ({"Authorization": "Bearer invalid"}, post("x"), 401, "INVALID_ACCESS_TOKEN"),
        ({"LinkedIn-Version": ""}, post("x"), 400, "VERSION_MISSING"),
        ({"LinkedIn-Version": "latest"}, post("x"), 426, "NONEXISTENT_VERSION"),
        ({"X-Restli-Protocol-Version": "1.0.0"}, post("x"), 400, "INVALID_PROTOCOL_VERSION"),
        ({}, post("x" * 3001), 422, "UNPROCESSABLE_ENTITY"),
        ({}, {"commentary": "x"}, 422, "UNPROCESSABLE_ENTITY"),
    ],
)
async def test_linkedin_refuses_what_it_would_refuse(
    sandbox: httpx2.AsyncClient, headers: dict[str, str], body: dict[str, Any], status: int, code: str
) -> None:
    refused = await sandbox.post("/linkedin/rest/posts", json=body, headers=LINKEDIN | headers)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_a_post_on_x_is_created_once_and_listed_newest_first(sandbox: httpx2.AsyncClient) -> None:
    first = await sandbox.post("/x/2/tweets", json={"text": "One"}, headers=X)
    assert (first.status_code, first.json()["data"]["text"]) == (201, "One")
    assert (first.headers["x-rate-limit-limit"], first.headers["x-rate-limit-remaining"]) == ("100", "99")
    await sandbox.post("/x/2/tweets", json={"text": "Two"}, headers=X)
    again = await sandbox.post("/x/2/tweets", json={"text": "One"}, headers=X)
    assert (again.status_code, "duplicate" in again.json()["detail"]) == (403, True)
    me = (await sandbox.get("/x/2/users/me", headers=X)).json()["data"]["id"]
    listed = (await sandbox.get(f"/x/2/users/{me}/tweets", headers=X)).json()
    assert [item["text"] for item in listed["data"]] == ["Two", "One"]
    assert listed["meta"]["result_count"] == 2


async def test_x_counts_weights_and_refuses_the_281st(sandbox: httpx2.AsyncClient) -> None:
    fits = await sandbox.post("/x/2/tweets", json={"text": "x" * 280}, headers=X)
    too_long = await sandbox.post("/x/2/tweets", json={"text": "x" * 279 + "漢"}, headers=X)
    assert (fits.status_code, too_long.status_code) == (201, 400)
    assert too_long.headers["content-type"] == "application/problem+json"
    stranger = await sandbox.post("/x/2/tweets", json={"text": "x"})
    assert (stranger.status_code, stranger.json()["title"]) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", 5),
        ("漢字", 4),
        ("👩‍👩‍👧‍👦", 2),
        ("see https://events.example/a/very/long/path?with=query", 27),
        ("e\u0301", 1),
    ],
)
def test_the_weight_of_a_text_is_what_x_counts(text: str, expected: int) -> None:
    assert weight(text) == expected


async def test_a_facebook_page_gets_its_post_and_refuses_the_same_again(sandbox: httpx2.AsyncClient) -> None:
    fields = {"message": "Hello", "link": "https://events.example", "access_token": "fb_live"}
    created = await sandbox.post(FEED, data=fields)
    assert created.json()["id"].startswith("10001_")
    assert {"x-app-usage", "x-business-use-case-usage"} <= set(created.headers)
    again = (await sandbox.post(FEED, data=fields)).json()["error"]
    assert (again["code"], again["type"], bool(again["fbtrace_id"])) == (506, "OAuthException", True)
    listed = await sandbox.get(FEED, params={"access_token": "fb_live"})
    assert [item["message"] for item in listed.json()["data"]] == ["Hello"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"message": "x"}, 104), ({"message": "x", "access_token": "invalid"}, 190), ({"access_token": "fb_live"}, 100)],
)
async def test_facebook_names_the_code_of_what_is_wrong(
    sandbox: httpx2.AsyncClient, fields: dict[str, str], code: int
) -> None:
    assert (await sandbox.post(FEED, data=fields)).json()["error"]["code"] == code


@pytest.mark.parametrize(("provider", "status"), [("linkedin", 429), ("x", 429), ("facebook", 403)])
async def test_a_throttled_platform_accepts_nothing(sandbox: httpx2.AsyncClient, provider: str, status: int) -> None:
    await sandbox.post("/_sandbox/faults", json={"provider": provider, "rate_limit": 1})
    answers = {
        "linkedin": await sandbox.post("/linkedin/rest/posts", json=post("Hello"), headers=LINKEDIN),
        "x": await sandbox.post("/x/2/tweets", json={"text": "Hello"}, headers=X),
        "facebook": await sandbox.post(FEED, data={"message": "Hello", "access_token": "fb_live"}),
    }
    assert {name: answer.status_code for name, answer in answers.items() if answer.is_error} == {provider: status}
    assert (await sandbox.get("/_sandbox/counts")).json()["providers"][provider]["accepted"] == 0
