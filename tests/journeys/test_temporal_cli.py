"""The plain Temporal CLI steers automations as docs/how-to/temporal-cli.md says: the commands are read from that page and run."""

import asyncio
import os
import re
from pathlib import Path

import httpx2
import pytest

from database.seed import seed
from dev.sandbox import ROOT
from dev.temporal_binary import find
from tests.workflows.house import House
from tests.workflows.sponsor_stage import Outreach, begin

PAGE = (ROOT / "docs/how-to/temporal-cli.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"```sh\n(.+?)\n```", PAGE, re.DOTALL)


def documented(*words: str) -> str:
    """The only command of the page with these words."""
    [command] = [command for command in COMMANDS if all(word in command for word in words)]
    return str(command)


async def run(house: House, command: str, automation: str = "") -> tuple[int, str]:
    """Run a command as a person would; its status and what it said."""
    program = await find()
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", command),
        env={
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "HOME": str(Path.home()),
            "TEMPORAL_ADDRESS": house.settings.temporal_address,
            "AUTOMATION": automation,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, said.decode()


@pytest.fixture
async def outreach(working: House) -> Outreach:
    """Three sponsors, each of which has been sent its proposal."""
    begun = await begin(working)
    await begun.live(0.5)
    return begun


async def of(outreach: Outreach, sponsor: str) -> str:
    id_: str = (await outreach.sequence(sponsor))["temporal_workflow_id"]
    return id_


async def test_an_answer_told_by_the_plain_command_line_ends_its_sequence_as_an_answer_by_mail_would(
    outreach: Outreach,
) -> None:
    """The sponsor is hot, is proposed a meeting at once, the organizer is told, nothing follows; the others go on."""
    house, millrace = outreach.house, await of(outreach, "Millrace")
    status, listed = await run(house, documented("workflow list"))
    assert (status, millrace.split("/")[0] in listed) == (0, True)

    assert (await run(house, documented("signal", "sponsor_responded"), millrace))[0] == 0
    await house.handle(millrace).result()
    await outreach.live(30)

    assert set(await outreach.sent("Millrace")) == {"proposal_email", "schedule_meeting", "sponsor_responded"}
    assert await outreach.status("Millrace") == ("hot", "responded")
    assert (await outreach.sequence("Millrace"))["status"] == "completed"
    told = await outreach.pool.fetch("SELECT title FROM notifications")
    assert [row["title"] for row in told] == ["Millrace has answered the proposal"]
    assert list(await outreach.sent("Brightkiln"))[-1] == "last_chance"

    status, said = await run(house, documented("signal", "sponsor_declined"), millrace)
    assert (status, "already completed" in said) == (1, True)
    status, said = await run(house, documented("signal", "sponsor_responded"), "sponsor_outreach/nobody/1")
    assert (status, "not found" in said) == (1, True)
    assert await outreach.status("Millrace") == ("hot", "responded")


async def test_facts_with_input_are_told_and_the_timeline_is_asked_for(outreach: Outreach) -> None:
    house = outreach.house
    away, declined = await of(outreach, "Brightkiln"), await of(outreach, "Millrace")
    until = f"{outreach.start.replace(hour=8, minute=0, second=0).isoformat()}"
    command = documented("out_of_office").replace("2027-03-08T08:00:00Z", until)
    assert (await run(house, command, away))[0] == 0
    told = documented("sponsor_declined").replace("2027-03-01T10:00:00Z", outreach.start.isoformat())
    assert (await run(house, told, declined))[0] == 0
    await house.handle(declined).result()
    await outreach.live(8)
    assert set(await outreach.sent("Millrace")) == {"proposal_email", "declined_thank_you"}
    assert await outreach.status("Millrace") == ("declined", "declined")

    status, said = await run(house, documented("query", "timeline"), away)
    assert status == 0
    for step in ("send_proposal", "send_gentle_reminder", "send_last_chance"):
        assert step in said


NONSENSE = (
    "--name nobody_knows_this",
    "--name sponsor_responded --input null --input null",
    """--name sponsor_responded --input '{"at": "yesterday"}'""",
    "--name sponsor_responded --input '[1, 2]'",
    "--name out_of_office",
    *(
        f'--name {name} --input \'{{"kind": "{name}", "at": "2020-01-01T00:00:00Z", "data": {data}}}\''
        for name, data in (
            ("out_of_office", '{"until": "soon"}'),
            ("out_of_office", '{"until": "2029-01-04T00:00:00"}'),
            ("step_settled", "{}"),
            ("step_settled", '{"step": "send_proposal", "round": "x", "state": "lost"}'),
        )
    ),
    "--name step_settled",
    "--name paused",
    "--name resumed",
    "--name cancelled",
    "--name event_rescheduled",
)


async def test_a_signal_that_makes_no_sense_changes_nothing_and_its_automation_goes_on(outreach: Outreach) -> None:
    """It stays in the history for ever; the sequence gets the same mails on the same days as its neighbour all the same."""
    millrace = await of(outreach, "Millrace")
    for signal in NONSENSE:
        status, said = await run(
            outreach.house, f'temporal workflow signal --workflow-id "$AUTOMATION" {signal}', millrace
        )
        assert status == 0, said
    async with asyncio.timeout(60):
        await outreach.live(8)
    assert await outreach.sent("Millrace") == await outreach.sent("Brightkiln")
    assert await outreach.became("Millrace") == await outreach.became("Brightkiln")
    assert await outreach.status("Millrace") == ("warm", "active")


async def test_a_held_step_is_retried_and_given_up_and_what_cannot_be_ordered_is_refused_with_the_reason(
    working: House,
) -> None:
    """The model declines three times: held; retried, held again; given up, and the launch goes on behind it."""
    async with httpx2.AsyncClient() as http:
        wish = {"provider": "openai", "next": ["refusal"] * 8}
        (await http.post(f"{working.settings.sandbox_url}/_sandbox/faults", json=wish)).raise_for_status()
    await working.pool.execute("UPDATE automation_rules SET enabled = (workflow_type = 'event_launch')")
    async with working.pool.acquire() as connection:
        event = (await seed(connection)).event_id
    await working.set_event(event, status="published")
    launch = f"event_launch/{event}/1"

    async def held() -> bool:
        return "OpenAI's model declines" in str((await working.row(launch))["last_error"])

    await working.quiet()
    await working.until(held)

    status, said = await run(working, documented("--name retry"), launch)
    assert (status, "generate_marketing_content is held" in said) == (0, True), said
    before = await working.journal(launch)
    update = 'temporal workflow update execute --workflow-id "$AUTOMATION"'
    for order, reason in {
        """--name retry --input '{"step": "no_such_step"}'""": "There is no step 'no_such_step'; the steps are",
        """--name skip --input '{"step": "final_reminder"}'""": "only a held step can be retried or skipped",
        """--name skip --input '{"stage": 1}'""": "step",
        "--name skip": "order",
        """--name no_such_order --input '{"step": "final_reminder"}'""": "no_such_order",
    }.items():
        status, said = await run(working, f"{update} {order}", launch)
        assert (status, reason in said) == (1, True), said
    assert await working.journal(launch) == before

    status, said = await run(working, documented("--name skip"), launch)
    assert (status, "given up by Olga" in said) == (0, True), said
    status, said = await run(
        working, 'temporal workflow query --workflow-id "$AUTOMATION" --type no_such_question', launch
    )
    assert (status, "timeline" in said) == (1, True), said


async def test_a_step_that_has_not_begun_is_changed_by_the_plain_command_line_and_what_cannot_be_is_refused(
    outreach: Outreach,
) -> None:
    id_ = await of(outreach, "Millrace")
    command = documented("--name modify")
    status, said = await run(outreach.house, command, id_)
    assert (status, "send_gentle_reminder" in said) == (0, True), said
    row = await outreach.house.row(id_)
    changed = {step["id"]: step for step in row["definition"]["steps"]}
    assert (row["revision"], changed["send_gentle_reminder"]["delay"]) == (1, "96 hours")
    status, said = await run(outreach.house, command.replace("send_gentle_reminder", "no_such_step"), id_)
    assert (status, "no_such_step" in said) == (1, True), said
