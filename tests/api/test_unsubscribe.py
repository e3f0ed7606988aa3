"""The unsubscribe link: a page changes nothing, the button or a mail program's POST does, once and for good."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import async_playwright

from api.unsubscribe import masked
from database.connection import Pool
from tests.api.conftest import sent_mail
from tests.serving import Api
from tests.world import World, make_world

ONE_CLICK = {"content": b"List-Unsubscribe=One-Click", "headers": {"content-type": "application/x-www-form-urlencoded"}}

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
QUIET = [
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"),
    "--disable-component-update",
]


async def reasons(pool: Pool) -> list[tuple[str, str, str]]:
    return [(row["channel"], row["address"], row["reason"]) for row in await pool.fetch("SELECT * FROM suppressions")]


async def test_looking_at_the_page_changes_nothing(api: Api, pool: Pool, message: dict[str, Any]) -> None:
    head = await api.http.head(f"/unsubscribe/{message['id']}")
    answer = await api.http.get(f"/unsubscribe/{message['id']}")
    assert (head.status_code, answer.status_code) == (200, 200)
    assert "River Conferences will send no more email" in answer.text
    assert '<form method="post">' in answer.text
    assert await reasons(pool) == []


async def test_the_page_shows_no_whole_address_and_is_kept_nowhere(api: Api, message: dict[str, Any]) -> None:
    answer = await api.http.get(f"/unsubscribe/{message['id']}")
    assert "ada@" not in answer.text
    assert "people.example" not in answer.text
    assert "a•••@p•••.example" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("request_", [ONE_CLICK, {}], ids=["a mail program", "the button"])
async def test_one_post_suppresses_the_address_and_is_told_once(
    api: Api, pool: Pool, message: dict[str, Any], request_: dict[str, Any]
) -> None:
    for _ in range(3):
        answer = await api.http.post(f"/unsubscribe/{message['id']}", **request_)
        assert (answer.status_code, "You are unsubscribed" in answer.text) == (200, True)
    assert await reasons(pool) == [("email", "ada@people.example", "unsubscribed")]
    rows = await pool.fetch("SELECT * FROM occurrences WHERE kind = 'unsubscribed'")
    assert [row["data"]["message"] for row in rows] == [str(message["id"])]
    assert "You are unsubscribed" in (await api.http.get(f"/unsubscribe/{message['id']}")).text


async def test_an_unsubscription_forgets_nothing_else_that_stands_against_the_address(
    api: Api, pool: Pool, message: dict[str, Any]
) -> None:
    await pool.execute(
        "INSERT INTO suppressions VALUES ($1, 'email', 'ada@people.example', 'hard bounce')", message["organizer_id"]
    )
    for _ in range(2):
        answer = await api.http.post(f"/unsubscribe/{message['id']}")
        assert "You are unsubscribed" in answer.text
    assert sorted(await reasons(pool)) == [
        ("email", "ada@people.example", "hard bounce"),
        ("email", "ada@people.example", "unsubscribed"),
    ]
    assert await pool.fetchval("SELECT count(*) FROM occurrences WHERE kind = 'unsubscribed'") == 1


@pytest.mark.parametrize("link", ["9c7d2f10-5b3e-4c1a-8f60-2d4b6a8e0c13", "nonsense", "%00", "x" * 500])
async def test_a_link_that_leads_nowhere_says_so_kindly(api: Api, pool: Pool, link: str) -> None:
    for method in ("GET", "POST"):
        answer = await api.http.request(method, f"/unsubscribe/{link}")
        assert (answer.status_code, "This link leads nowhere" in answer.text) == (404, True)
    assert await pool.fetchval("SELECT count(*) FROM occurrences WHERE kind = 'unsubscribed'") == 0


async def test_a_rehearsals_link_changes_nothing_but_its_shadow(
    api: Api, pool: Pool, world: World, message: dict[str, Any]
) -> None:
    shadow = await make_world(pool, clock=message["sent_at"])
    await shadow.set_organizer(rehearsal_of=world.organizer)
    rehearsed = await sent_mail(shadow, "ada@people.example")
    assert (await api.http.post(f"/unsubscribe/{rehearsed['id']}")).status_code == 200
    assert await pool.fetchval("SELECT array_agg(organizer_id) FROM suppressions") == [shadow.organizer]
    assert await pool.fetchval("SELECT rehearsal FROM occurrences WHERE kind = 'unsubscribed'")


async def test_names_with_markup_are_shown_as_they_are(api: Api, world: World, message: dict[str, Any]) -> None:
    await world.set_organizer(name="<b>Smith & Sons</b>")
    answer = await api.http.get(f"/unsubscribe/{message['id']}")
    assert "&lt;b&gt;Smith &amp; Sons&lt;/b&gt;" in answer.text


@pytest.mark.parametrize(
    ("address", "shown"),
    [("ada@people.example", "a•••@p•••.example"), ("x@y", "x•••@y•••"), ("+14155550199", "•••99"), ("", "•••")],
)
def test_of_an_address_its_owner_sees_enough(address: str, shown: str) -> None:
    assert masked(address) == shown


async def test_a_person_presses_the_button_and_reads_that_it_is_done(
    api: Api, pool: Pool, message: dict[str, Any], tmp_path: Path
) -> None:
    """In a real browser, with the page's own policy in force."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch_persistent_context(
            tmp_path,
            executable_path=CHROMIUM,
            chromium_sandbox=False,
            args=QUIET,
            viewport={"width": 375, "height": 700},
        )
        page = await browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text))
        await page.goto(f"{api.url}/unsubscribe/{message['id']}")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.get_by_role("button", name="Unsubscribe").click()
        await page.get_by_role("heading", name="You are unsubscribed").wait_for()
        assert await page.get_by_role("button").count() == 0
        assert complaints == []
        await browser.close()
    assert await reasons(pool) == [("email", "ada@people.example", "unsubscribed")]
