"""A registration, or the whole event, is cancelled exactly while a mail is decided, at every point, also with the worker killed there.

Either the mail was decided before and then went out once, or was stopped at the gate; or it was never decided. After the cancellation
nothing goes out but the notice, and whoever comes after all misses nothing and gets nothing again.
"""

from datetime import datetime
from uuid import UUID

import pytest

from tests.journeys.stopping import Hosting, Stopped, stopped_at
from tests.workflows.guests import DATE, DAY, Guests, welcome
from tests.workflows.house import House

STEP = "detailed_schedule"
START, DUE, AGAIN = DATE - 12 * DAY, DATE - 7 * DAY, DATE - 5 * DAY
CONFIRMED = ("registration_confirmation", START)

SENT, STOPPED, UNDECIDED = "success", "skipped: the automation was cancelled", "skipped: {why}"
"""What becomes of the mail. A gate may say as well what was cancelled, if it comes to know that first."""

AT = {
    # at which point the automation waits, what becomes of the mail, and what if the worker is killed there
    "ada": ("asked", STOPPED, UNDECIDED),
    "bob": ("written", STOPPED, UNDECIDED),
    "cem": ("ending", STOPPED, UNDECIDED),
    "dee": ("committing", STOPPED, STOPPED),
    "eve": ("answered", SENT, SENT),  # the postman has it in hand
}
"""Whoever cancels waits for what is being decided, and a queued mail dies at the gate. A worker that is killed before the
decision was committed has decided nothing; from then on it is decided, though nobody was told."""

KILLED = pytest.mark.parametrize("killed", [False, True], ids=["the worker goes on", "the worker is killed there"])


@pytest.fixture
async def guests(house: House, hosting: Hosting) -> Guests:  # noqa: ARG001 - it hosts them
    """An event in twelve days."""
    return await welcome(house, START)


async def come(guests: Guests, *more: str) -> dict[str, UUID]:
    """One attendee for each point, and some more; they wait for their schedule, and the postman goes home."""
    coming = {name: await guests.register(name) for name in (*AT, *more)}
    await guests.live(DUE - DAY)
    guests.house.post_as = None
    return coming


async def points(guests: Guests, coming: dict[str, UUID]) -> dict[UUID, tuple[str, str]]:
    return {(await guests.row(id_))["id"]: (STEP, AT[name][0]) for name, id_ in coming.items()}


async def let_go(guests: Guests, stopped: Stopped, hosting: Hosting | None) -> None:
    """The world goes on, with another worker if the first was killed."""
    if hosting is not None:
        await hosting.begin()
    guests.house.post_as = "sent"
    await stopped.lived()


async def ended(guests: Guests, registration: UUID, became: str, why: str) -> None:
    """The automation is over; the schedule became this, and every step that had not begun says why."""
    states = await guests.became(registration)
    found = states.pop(STEP)
    assert found == became.format(why=why) or (became == STOPPED and found == f"skipped: {why}"), found
    states.pop("event_cancelled", None)
    assert states.pop("registration_confirmation") == "success"
    assert (set(states.values()), len(states)) == ({f"skipped: {why}"}, 8)
    row = await guests.row(registration)
    assert (row["status"], row["current_step"], row["steps_completed"]) == ("cancelled", None, 10)


def outcome(name: str, *, killed: bool) -> str:
    return AT[name][2 if killed else 1]


def schedule(name: str) -> list[tuple[str, datetime]]:
    """What went out of it before the cancellation."""
    return [(STEP, DUE)] if AT[name][1] == SENT else []


@pytest.mark.timeout(180)
@KILLED
async def test_a_registration_cancelled_while_a_mail_is_decided_hears_nothing_more_until_it_is_made_again(
    guests: Guests, hosting: Hosting, killed: bool
) -> None:
    house, coming = guests.house, await come(guests, "fay")
    first = coming.pop("fay")  # whose cancellation is written, but not committed, when her mail comes due
    async with house.pool.acquire() as connection:
        cancelling = connection.transaction()

        async def live() -> None:
            await cancelling.start()
            await connection.execute("UPDATE registrations SET status = 'cancelled' WHERE id = $1", first)
            await guests.live(AGAIN)

        async with stopped_at(house, await points(guests, coming), live()) as stopped:
            await house.until(stopped.blocked)
            await cancelling.commit()
            await stopped.meanwhile(house.deliver())
            await stopped.meanwhile(*(guests.set(id_, status="cancelled") for id_ in coming.values()))
            if killed:
                await hosting.kill()
    await let_go(guests, stopped, hosting if killed else None)

    for name, id_ in coming.items():
        assert await guests.sent(id_) == [CONFIRMED, *schedule(name)], AT[name]
        await ended(guests, id_, outcome(name, killed=killed), "the registration was cancelled")
    await ended(guests, first, UNDECIDED, "the registration was cancelled")

    for id_ in coming.values():
        await guests.set(id_, status="confirmed")
    await guests.live(DATE - 2 * DAY)
    for name, id_ in coming.items():
        once = schedule(name) or [(STEP, AGAIN)]
        assert await guests.sent(id_) == [CONFIRMED, *once, ("logistics_reminder", DATE - 3 * DAY)], AT[name]
        assert (await guests.row(id_, 2))["status"] == "active"


@pytest.mark.timeout(180)
@KILLED
async def test_a_registration_cancelled_and_made_again_in_one_breath_while_a_mail_is_decided_gets_it_once(
    guests: Guests, hosting: Hosting, killed: bool
) -> None:
    house, coming = guests.house, await come(guests)

    async def waver(registration: UUID) -> None:
        await guests.set(registration, status="cancelled")
        await guests.set(registration, status="confirmed")

    async with stopped_at(house, await points(guests, coming), guests.live(AGAIN)) as stopped:
        await stopped.meanwhile(house.deliver())
        await stopped.meanwhile(*(waver(id_) for id_ in coming.values()))
        if killed:
            await hosting.kill()
    await let_go(guests, stopped, hosting if killed else None)

    for name, id_ in coming.items():
        assert await guests.sent(id_) == [CONFIRMED, (STEP, DUE)], AT[name]
        assert [(await guests.row(id_, generation))["status"] for generation in (1, 2)] == ["cancelled", "active"]


@pytest.mark.timeout(180)
@KILLED
async def test_an_event_cancelled_while_a_mail_is_decided_is_told_to_everybody_once_and_nothing_else_is(
    guests: Guests, hosting: Hosting, killed: bool
) -> None:
    house, coming = guests.house, await come(guests)
    async with stopped_at(house, await points(guests, coming), guests.live(DATE + DAY)) as stopped:
        await stopped.meanwhile(house.deliver())
        already = await stopped.blocked()

        async def taken_in() -> bool:
            return await stopped.blocked() > already

        await house.set_event(guests.event, status="cancelled")
        await house.until(taken_in)  # whoever cancels the automations waits for them
        if killed:
            await hosting.kill()
    await let_go(guests, stopped, hosting if killed else None)

    for name, id_ in coming.items():
        assert await guests.sent(id_) == [CONFIRMED, ("event_cancelled", DUE), *schedule(name)], AT[name]
        await ended(guests, id_, outcome(name, killed=killed), "the event was cancelled")


UNREAD = {"ada": "asked", "bob": "written", "dee": "committing", "eve": "answered"}
"""The points of the notice that an automation writes itself; Cem's waits at none."""


@pytest.mark.timeout(180)
@KILLED
async def test_an_event_whose_cancellation_nobody_has_read_is_told_to_everybody_once_by_whoever_wakes(
    guests: Guests, hosting: Hosting, killed: bool
) -> None:
    """Every mail comes due first. Then the cancellation is read while the automations end by themselves."""
    house, coming = guests.house, await come(guests)
    where = {(await guests.row(coming[name]))["id"]: ("event_cancelled", point) for name, point in UNREAD.items()}
    held = "UPDATE occurrences SET held_at = {at} WHERE event_id = $1 AND processed_at IS NULL"

    async def live() -> None:
        async with house.pool.acquire() as connection, connection.transaction():
            await connection.execute("UPDATE events SET status = 'cancelled' WHERE id = $1", guests.event)
            await connection.execute(held.format(at="now()"), guests.event)
        await guests.live(DATE + DAY)

    async with stopped_at(house, where, live()) as stopped:
        already = await stopped.blocked()

        async def taken_in() -> bool:
            return await stopped.blocked() > already

        await house.pool.execute(held.format(at="NULL"), guests.event)
        await house.until(taken_in)
        if killed:
            await hosting.kill()
    await let_go(guests, stopped, hosting if killed else None)

    for id_ in coming.values():
        assert await guests.sent(id_) == [CONFIRMED, ("event_cancelled", DUE)]
        await ended(guests, id_, UNDECIDED, "the event was cancelled")
