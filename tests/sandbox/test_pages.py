"""The inbox shows every message as its reader would see it, and runs nothing that a message brings along."""

import json
from urllib.parse import quote

import httpx2
import pytest

ACCOUNT = "AC" + "a" * 32


@pytest.fixture
async def filled(sandbox: httpx2.AsyncClient) -> httpx2.AsyncClient:
    mails = [
        {
            "from": "EventOS <hello@eventos.example>",
            "to": [f"p{number}@example.com"],
            "subject": f"News {number} <b>",
            "html": "<h1>Hello</h1><script>alert(1)</script>",
            "text": "Hello in plain text",
            "headers": {"List-Unsubscribe": "<https://eventos.example/u>"},
            "tags": [{"name": "message_id", "value": f"m-{number}"}],
        }
        for number in range(60)
    ]
    key = {"Authorization": "Bearer re_live_a_long_secret_key"}
    (await sandbox.post("/resend/emails/batch", json=mails, headers=key)).raise_for_status()
    form = {"To": "whatsapp:+31612345678", "From": "whatsapp:+14155238886", "ContentSid": "HX" + "b" * 32}
    variables = {"ContentVariables": json.dumps({"1": "Anna", "2": "See you soon"})}
    path = f"/twilio/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    (await sandbox.post(path, data=form | variables, auth=(ACCOUNT, "t"))).raise_for_status()
    post = {
        "author": "urn:li:organization:1",
        "commentary": "Hello \\(you\\)",
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED"},
        "lifecycleState": "PUBLISHED",
    }
    headers = {"Authorization": "Bearer li", "LinkedIn-Version": "202605", "X-Restli-Protocol-Version": "2.0.0"}
    (await sandbox.post("/linkedin/rest/posts", json=post, headers=headers)).raise_for_status()
    (await sandbox.post("/x/2/tweets", json={"text": "Hi"}, headers={"Authorization": "Bearer x"})).raise_for_status()
    feed = {"message": "Hi", "access_token": "fb"}
    (await sandbox.post("/facebook/v26.0/1/feed", data=feed)).raise_for_status()
    wish = {"model": "gpt-6.2", "input": "Write."}
    (await sandbox.post("/openai/v1/responses", json=wish, headers={"Authorization": "Bearer sk"})).raise_for_status()
    return sandbox


async def test_the_inbox_counts_pages_and_finds(filled: httpx2.AsyncClient) -> None:
    front = (await filled.get("/")).text
    assert "<b>65</b>All" in front
    assert "News 59 &lt;b&gt;" in front
    assert "News 0 " not in front
    assert "News 0 " in (await filled.get("/", params={"page": "2"})).text
    found = (await filled.get("/", params={"provider": "resend", "words": "NEWS 7 "})).text
    assert found.count('class="row') == 1
    assert "No message fits." in (await filled.get("/", params={"words": "nowhere"})).text


async def test_every_message_has_a_page(filled: httpx2.AsyncClient) -> None:
    messages = (await filled.get("/_sandbox/messages", params={"summary": "1"})).json()["messages"]
    newest = {message["provider"]: message["id"] for message in messages}
    pages = {
        provider: (await filled.get(f"/messages/{provider}/{quote(name)}")).raise_for_status().text
        for provider, name in newest.items()
    }
    assert set(pages) == {"resend", "twilio", "openai", "linkedin", "x", "facebook"}
    for part in ("<iframe sandbox", "Hello in plain text", "List-Unsubscribe", "message_id: m-59"):
        assert part in pages["resend"]
    assert "Anna\nSee you soon" in pages["twilio"]
    assert "Hello (you)" in pages["linkedin"]
    assert (await filled.get("/messages/resend/nothing")).status_code == 404


async def test_a_mail_runs_no_script_and_a_key_is_not_shown(filled: httpx2.AsyncClient) -> None:
    [mail] = (await filled.get("/_sandbox/messages", params={"limit": "1"})).json()["messages"]
    frame = await filled.get(f"/messages/resend/{mail['id']}/html")
    assert frame.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    page = (await filled.get(f"/messages/resend/{mail['id']}")).text
    assert "<script>" not in page
    assert mail["account"] not in page
