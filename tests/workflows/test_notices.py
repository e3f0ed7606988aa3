"""Steps that notify, in a rehearsal: who is told, when, how often, and what becomes of one that can tell nobody."""

from datetime import datetime, timedelta

import pytest

from models.player import StepOrder
from starter import control
from tests.workflows.deliverable_stage import START, Office, at, open_office
from tests.workflows.house import House
from workflows.timeline import notify, step, timeline

TELL = timeline(
    step(
        "tell_both",
        "event_date - 43 days at 09:00",
        notify("deliverable_overdue", to=("organizer", "sponsor"), urgency="high"),
        name="Tell both",
    )
)


@pytest.fixture
async def office(working: House) -> Office:
    return await open_office(working)


async def notices(office: Office) -> list[str]:
    rows = await office.house.pool.fetch("SELECT title FROM notifications WHERE starts_with(key, 'step/')")
    return [row["title"] for row in rows]


async def sent(office: Office) -> list[tuple[str, str, int, datetime]]:
    """The mails of the step, not those of the deliverable's own tracker."""
    rows = await office.house.pool.fetch(
        "SELECT template, address, priority, sent_at FROM messages WHERE step = 'tell_both' ORDER BY sent_at, address"
    )
    return [(row["template"], row["address"], row["priority"], row["sent_at"]) for row in rows]


async def test_organizer_and_sponsor_are_told_at_the_steps_moment_and_again_for_a_new_date(office: Office) -> None:
    """A notice six weeks before the event: the organizer sees it on the dashboard and in a mail, the sponsor in a mail of the
    step's own letter, both at nine o'clock and at once, whatever the quiet hours say. When the event moves on by a week, the
    six weeks before come anew, and both are told a second time; nobody ever gets the same notice twice.
    """
    await office.house.pool.execute("UPDATE organizers SET quiet_from = '08:00', quiet_until = '20:00'")
    id_ = await office.house.begin(office.event, TELL, await office.owes())
    await office.live(at(18, 12))

    told = [
        ("notification", "hello@river.example", 1, at(18, 9)),
        ("deliverable_overdue", "ada@acme.example", 1, at(18, 9)),
    ]
    assert sorted(await sent(office), key=str) == sorted(told, key=str)
    assert await office.house.states(id_) == {"tell_both": "success"}
    [title] = await notices(office)
    assert title.startswith("Tell both: ")

    await office.house.set_event(office.event, starts_at=START + timedelta(days=67))
    await office.house.quiet()
    await office.live(at(27, 12))
    again = [(template, address, priority, at(25, 9)) for template, address, priority, _ in told]
    assert sorted(await sent(office), key=str) == sorted([*told, *again], key=str)
    assert len(await notices(office)) == 2


async def test_a_notice_that_finds_no_sponsor_is_held_says_so_and_a_retry_tells_nobody_twice(office: Office) -> None:
    """The sponsor's address is missing. The organizer is told all the same, the step is held and says what to put right;
    with the address there a retry tells the sponsor, and the organizer not again.
    """
    pool = office.house.pool
    await pool.execute("UPDATE sponsors SET contact_email = ''")
    id_ = await office.house.begin(office.event, TELL, await office.owes())
    await office.live(at(18, 12))
    state = (await office.house.states(id_))["tell_both"]
    assert "there is nobody to tell. Put the address right (sponsors.contact_email)" in state
    assert [address for _, address, _, _ in await sent(office)] == ["hello@river.example"]

    await pool.execute("UPDATE sponsors SET contact_email = 'ada@acme.example'")
    automation = (await office.house.row(id_))["id"]
    await control.order(office.house.client, pool, automation, "retry", StepOrder(step="tell_both"))
    await office.live(at(18, 13))
    assert (await office.house.states(id_)) == {"tell_both": "success"}
    assert sorted(address for _, address, _, _ in await sent(office)) == ["ada@acme.example", "hello@river.example"]
