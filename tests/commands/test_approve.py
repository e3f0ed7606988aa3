"""`eventos approve` and `eventos reject`: exactly what was shown is decided about, by people and by programs."""

import asyncio
import json
import os
import sys
from typing import Any

from dev.sandbox import ROOT
from tests.workflows.house import House
from workflows.event_launch import RECORDS
from workflows.timeline import email, generate, step, timeline, update

LAUNCH = timeline(
    step("write", "0 hours", generate("email_templates"), late="run"),
    step("lay_out", "0 hours after write", update(RECORDS[1]), late="run"),
    step("announce", "0 hours after lay_out", email("announcement_email", to="all_contacts"), until="event_date"),
)


async def eventos(house: House, *arguments: str, typed: str = "") -> tuple[int, str, str]:
    """Run the command line beside this house's worker; its exit status, what it said, and what it said of errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *arguments),
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": house.settings.database_url,
            "TEMPORAL_ADDRESS": house.settings.temporal_address,
            "COLUMNS": "200",
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, erred = await process.communicate(typed.encode())
    assert process.returncode is not None
    return process.returncode, said.decode(), erred.decode()


async def waiting(house: House) -> tuple[str, str]:
    """A launch whose announcement waits for approval: its workflow's id, and its row's."""
    event = await house.event()
    await house.set_event(event, venue="River Hall", city="Berlin", url="https://river.example")
    await house.set_event(event, register_url="https://river.example/register")
    await house.pool.execute("UPDATE organizers SET postal_address = 'Quay 1, 10115 Berlin'")
    await house.pool.execute(
        "INSERT INTO approval_settings SELECT organizer_id, 'custom', 'required' FROM events WHERE id = $1", event
    )
    id_ = await house.begin(event, LAUNCH)
    await house.until(lambda: house.pool.fetchval("SELECT count(*) FROM approvals"))
    return id_, str((await house.row(id_))["id"])


async def decided(house: House) -> list[Any]:
    return [row["status"] for row in await house.pool.fetch("SELECT status FROM approvals ORDER BY asked_at")]


async def test_what_is_shown_is_approved_after_a_yes_and_goes_out(working: House) -> None:
    id_, automation = await waiting(working)

    status, said, _ = await eventos(working, "approve", automation, typed="n\n")
    assert status == 1
    assert "announce waits for approval" in said
    assert "email announcement_email" in said
    assert await decided(working) == ["pending"]  # whoever does not say yes has approved nothing

    status, said, _ = await eventos(working, "approve", automation, typed="y\n")
    assert (status, "approved; announce goes on" in said) == (0, True)
    await working.until_step(id_, "announce", "success")
    assert await working.pool.fetchval("SELECT count(*) FROM messages WHERE step = 'announce' AND status = 'sent'") == 3

    status, said, erred = await eventos(working, "approve", automation, "--yes")
    assert (status, "waits for approval. `eventos list` shows what does." in said + erred) == (1, True)


async def test_programs_read_it_without_deciding_and_with_yes_decide(working: House) -> None:
    _, automation = await waiting(working)
    status, said, _ = await eventos(working, "approve", automation, "--json")
    shown = json.loads(said)
    assert (status, shown["automation"], shown["step"], shown["status"]) == (0, automation, "announce", "pending")
    assert {one["name"] for one in shown["contents"]} >= {"announcement_email"}
    assert await decided(working) == ["pending"]

    status, said, erred = await eventos(working, "approve", automation, "--json", "--yes")
    assert (status, json.loads(said)["content_hash"]) == (0, shown["content_hash"])
    assert "approved; announce goes on" in erred
    assert await decided(working) == ["approved"]


async def test_another_step_or_another_hash_than_what_waits_approves_nothing(working: House) -> None:
    _, automation = await waiting(working)
    for arguments, words in (
        (("approve", automation, "--yes", "--step", "remind"), "Not remind but announce waits for approval"),
        (("approve", automation, "--yes", "--content", "0000"), "0 pieces have a hash that begins with '0000'"),
        (("reject", automation, "--note", "no", "--content", "0000"), "0 pieces have a hash that begins with '0000'"),
        (("approve", "00000000-0000-0000-0000-000000000000", "--yes"), "There is no automation"),
    ):
        status, said, erred = await eventos(working, *arguments)
        assert (status, words in " ".join((said + erred).split())) == (1, True), said + erred
    assert await decided(working) == ["pending"]
    assert await working.pool.fetchval("SELECT count(*) FROM messages WHERE step = 'announce'") == 0


async def test_words_changed_while_they_are_read_are_not_what_was_approved(working: House) -> None:
    _, automation = await waiting(working)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "approve", automation),
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": working.settings.database_url,
            "TEMPORAL_ADDRESS": working.settings.temporal_address,
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    shown = b""
    while b"Approve exactly this?" not in shown:
        shown += await process.stdout.read(4096)
    await working.pool.execute(
        "UPDATE email_templates SET slots = slots || $1 WHERE name = 'announcement_email'", {"subject": "Other words"}
    )
    await working.quiet()
    said, _ = await process.communicate(b"y\n")
    assert (process.returncode, b"changed" in said) == (1, True), said
    assert "approved" not in await decided(working)


async def test_a_rejection_needs_a_note_and_says_what_follows(working: House) -> None:
    _, automation = await waiting(working)
    status, _, erred = await eventos(working, "reject", automation)
    assert (status, "--note" in erred) == (2, True)
    assert await decided(working) == ["pending"]

    status, said, _ = await eventos(working, "reject", automation, "--note", "too loud")
    assert (status, "too loud. Nobody is written to" in said) == (0, True)
    assert await decided(working) == ["rejected"]
    status, said, _ = await eventos(working, "approve", automation, typed="n\n")
    assert "was rejected: too loud" in said
