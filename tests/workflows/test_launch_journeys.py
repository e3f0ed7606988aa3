"""The launch when things go otherwise, on a stepped clock: published late, left alone, paused, changed, moved, cancelled."""

import pytest

from database import control
from database.control import Scope
from tests.workflows.detours import modify, outage, refusal
from tests.workflows.house import House
from tests.workflows.launch_stage import DATE, DAY, HOUR, ON_TIME, OPENING, START, Launch, publish


@pytest.fixture
async def launch(working: House) -> Launch:
    return await publish(working)


async def paused_over_the_first_reminder(launch: Launch, policy: str) -> None:
    """Paused on the sixth day, resumed with `policy` on the tenth, and lived to the end."""
    await launch.live(START + 6 * DAY)
    await control.pause(launch.house.pool, Scope(event_id=launch.event))
    await launch.live(START + 10 * DAY)
    assert await launch.sent() == OPENING
    await control.resume(launch.house.pool, Scope(event_id=launch.event), policy)
    await launch.live()


async def test_published_in_time_every_step_comes_at_its_hour(launch: Launch) -> None:
    """Undisturbed, contacts hear of the event at once, after a week, and before its date: the measure of all that follows."""
    await launch.live()
    assert await launch.sent() == ON_TIME


async def test_published_two_days_before(working: House) -> None:
    """A late publication announces at once, with the last chance; nobody gets the reminders of weeks that never were."""
    now = DATE - 2 * DAY
    launch = await publish(working, now)
    await launch.live()
    assert await launch.sent() == [
        ("last_chance_email", now),
        ("send_announcement", now),
        ("post_social_media", now + 2 * HOUR),
        ("send_whatsapp_broadcast", now + 5 * HOUR),
        ("final_reminder", DATE - DAY),
    ]
    states = await launch.became()
    assert states["week_1_reminder"] == "skipped: last_chance_email came before it was due"
    assert states["week_2_social"] == "skipped: event_date came before it was due"


async def test_an_outage_of_two_days_over_reminders(house: House) -> None:
    """No worker runs when the week's reminder is due: it is left out, for it would come two days late.

    When the last chance is due they are away again: that mail still matters, and goes when they are back.
    """
    async with house.at_work(worker=False):
        async with house.worker() as first, first:
            launch = await publish(house)
            await launch.live(START + 6 * DAY)
        await outage(house, launch.event, START + 8 * DAY)
        async with house.worker() as second, second:
            await launch.live(DATE - 4 * DAY)
        await outage(house, launch.event, DATE - 2 * DAY)
        async with house.worker() as third, third:
            await launch.live()
    assert await launch.sent() == [*OPENING, ON_TIME[4], ("last_chance_email", DATE - 2 * DAY), ON_TIME[6]]
    assert (await launch.became())["week_1_reminder"] == "skipped: late by 1 day"


async def test_published_while_nobody_was_at_work(house: House) -> None:
    """The publication is taken in two days later: everybody hears of the event then, once, and the weeks count from there."""
    launch = await publish(house)
    await outage(house, launch.event, START + 2 * DAY)
    async with house.at_work():
        await launch.live()
    assert await launch.sent() == [(step, at + 2 * DAY) for step, at in ON_TIME[:5]] + ON_TIME[5:]


async def test_paused_over_a_reminder_and_resumed_by_policy(launch: Launch) -> None:
    """The week's reminder is three days old by then and is left out; everything ahead comes at its hour."""
    await paused_over_the_first_reminder(launch, "by_policy")
    assert await launch.sent() == [*OPENING, *ON_TIME[4:]]
    assert (await launch.became())["week_1_reminder"] == "skipped: late by 3 days"


async def test_paused_over_a_reminder_and_resumed_to_send_all(launch: Launch) -> None:
    """The reminder goes with the resume, as the person asked; everything ahead comes at its hour."""
    await paused_over_the_first_reminder(launch, "send_all")
    assert await launch.sent() == [*OPENING, ("week_1_reminder", START + 10 * DAY), *ON_TIME[4:]]


async def test_paused_over_the_last_chance_and_resumed_to_skip_all(launch: Launch) -> None:
    """By policy it would still have gone, two days before the event; it is left out because the person said so."""
    await launch.live(DATE - 4 * DAY)
    await control.pause(launch.house.pool, Scope(event_id=launch.event))
    await launch.live(DATE - 2 * DAY)
    await control.resume(launch.house.pool, Scope(event_id=launch.event), "skip_all")
    await launch.live()
    assert await launch.sent() == [*ON_TIME[:5], ON_TIME[6]]
    assert (await launch.became())["last_chance_email"] == "skipped: fell due during a pause, and the resume skipped it"


async def test_paused_over_a_reminder_and_resumed_with_a_shift(launch: Launch) -> None:
    """What counts from the publication comes four days later than it would have; what counts from the date stays."""
    await paused_over_the_first_reminder(launch, "shift")
    assert await launch.sent() == [
        *OPENING,
        ("week_1_reminder", START + 11 * DAY),
        ("week_2_social", START + 18 * DAY),
        *ON_TIME[5:],
    ]


async def test_a_reminder_ahead_is_changed_and_the_announcement_that_went_out_is_not(launch: Launch) -> None:
    """The reminder comes on the ninth day instead of the seventh; what was sent cannot be changed, and that is said."""
    await launch.live(START + 6 * DAY)
    said = await refusal(launch.house, launch.id, {"send_announcement": {"delay": "8 days"}})
    assert "send_announcement: it has ended as success; only what has not begun can be changed" in said
    await modify(launch.house, launch.id, {"week_1_reminder": {"delay": "9 days"}})
    await launch.live()
    assert await launch.sent() == [*OPENING, ("week_1_reminder", START + 9 * DAY), *ON_TIME[4:]]


async def test_the_event_is_moved_earlier(launch: Launch) -> None:
    """Moved to two days from now: the last chance, which is late, goes at once, and the final reminder a day before."""
    now = START + 8 * DAY
    await launch.live(now)
    await launch.move(now + 2 * DAY)
    await launch.live()
    assert await launch.sent() == [*ON_TIME[:4], ("last_chance_email", now), ("final_reminder", now + DAY)]
    row = await launch.house.row(launch.id)
    assert (row["status"], row["completed_at"]) == ("completed", now + 2 * DAY)


async def test_the_event_is_moved_later_after_tomorrow_was_said(launch: Launch) -> None:
    """Who was told "tomorrow" is reminded again before the new date, and so is who has not registered; nothing else is repeated."""
    now = DATE - HOUR
    later = DATE + 20 * DAY
    await launch.live(now)
    await launch.move(later)
    await launch.live()
    assert await launch.sent() == [*ON_TIME, ("last_chance_email", later - 3 * DAY), ("final_reminder", later - DAY)]


async def test_the_event_is_moved_into_the_past(launch: Launch) -> None:
    """A date that is over already: nobody is invited to it any more, every step says why, and the launch is completed."""
    now = START + 8 * DAY
    await launch.live(now)
    await launch.move(START + 2 * DAY)
    await launch.live()
    assert await launch.sent() == ON_TIME[:4]
    states = await launch.became()
    assert {id_: states[id_] for id_ in ("week_2_social", "last_chance_email", "final_reminder")} == {
        "week_2_social": "skipped: event_date came before it was due",
        "last_chance_email": "skipped: overtaken by event_date",
        "final_reminder": "skipped: overtaken by event_date",
    }
    assert (await launch.house.row(launch.id))["status"] == "completed"


async def test_a_cancelled_launch_sends_nothing_more(launch: Launch) -> None:
    """The organizer has enough: no reminder comes, and the event itself stays as it is."""
    await launch.live(START + 6 * DAY)
    await control.cancel(launch.house.pool, Scope(event_id=launch.event), "enough")
    await launch.live()
    assert await launch.sent() == OPENING
    assert (await launch.house.row(launch.id))["status"] == "cancelled"
    assert await launch.house.pool.fetchval("SELECT status FROM events WHERE id = $1", launch.event) == "published"


async def test_a_cancelled_event_takes_its_launch_with_it(launch: Launch) -> None:
    """Nobody is invited to an event that does not take place."""
    await launch.live(START + 6 * DAY)
    await launch.house.set_event(launch.event, status="cancelled")
    await launch.live()
    assert await launch.sent() == OPENING
    assert (await launch.house.row(launch.id))["status"] == "cancelled"
