"""The follow-up begun late, left alone for two days, resumed in other ways, changed, and its end corrected."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from database import control
from database.control import Scope
from tests.workflows.detours import modify, outage, refusal
from tests.workflows.followup_stage import DAY, ended_event, id_of, live
from tests.workflows.house import House

Ended = tuple[House, UUID, datetime]


@pytest.fixture
async def ended(working: House) -> Ended:
    return await ended_event(working)


async def days(ended: Ended) -> dict[str, float]:
    """Which steps sent something, and how many days after the end that was."""
    house, event, end = ended
    rows = await house.pool.fetch(
        """
        SELECT step, min(sent_at) AS first FROM messages WHERE event_id = $1 AND status = 'sent'
        GROUP BY step, round ORDER BY 2
        """,
        event,
    )
    return {row["step"]: (row["first"] - end) / DAY for row in rows}


async def test_an_end_that_nobody_saw_is_followed_up_two_days_later(working: House) -> None:
    """No worker runs when the event ends: everybody is thanked when one is back, and the rest comes at its hour."""
    late = await ended_event(working, seen_after=2 * DAY)
    house, event, end = late
    await live(house, event, end + 8 * DAY)
    assert await days(late) == {"thank_you_survey": 2, "content_delivery": 3, "community_invitation": 7}


async def test_two_days_without_a_worker_delay_what_fell_due_and_move_nothing_else(ended: Ended) -> None:
    """The recordings are still wanted a day late; the invitation after them comes at its hour."""
    house, event, end = ended
    await live(house, event, end + 2 * DAY)
    await outage(house, event, end + 4 * DAY)
    await live(house, event, end + 8 * DAY)
    assert await days(ended) == {"thank_you_survey": 1, "content_delivery": 4, "community_invitation": 7}


@pytest.mark.parametrize("policy", ["by_policy", "send_all"])
async def test_a_pause_over_the_last_letter(ended: Ended, policy: str) -> None:
    """Two months on, a letter that is two days late is left out, unless the person who resumes asks for all."""
    house, event, end = ended
    await live(house, event, end + 59 * DAY)
    await control.pause(house.pool, Scope(event_id=event))
    await live(house, event, end + 62 * DAY)
    await control.resume(house.pool, Scope(event_id=event), policy)
    await live(house, event)
    assert (await days(ended)).get("re_engagement") == (62 if policy == "send_all" else None)
    became = (await house.states(id_of(event)))["re_engagement"]
    assert became == ("success" if policy == "send_all" else "skipped: late by 2 days")
    assert (await house.row(id_of(event)))["status"] == "completed"


async def test_a_pause_that_is_resumed_with_a_shift_moves_nothing_that_counts_from_the_end(ended: Ended) -> None:
    """The event ended when it ended: what fell due goes with the resume, and the rest comes at its hour."""
    house, event, end = ended
    await live(house, event, end + 2 * DAY)
    await control.pause(house.pool, Scope(event_id=event))
    await live(house, event, end + 4 * DAY)
    await control.resume(house.pool, Scope(event_id=event), "shift")
    await live(house, event, end + 8 * DAY)
    assert await days(ended) == {"thank_you_survey": 1, "content_delivery": 4, "community_invitation": 7}


async def test_a_letter_ahead_is_put_off_and_the_thanks_that_went_out_cannot_be_changed(ended: Ended) -> None:
    """The invitation comes on the tenth day instead of the seventh, and once; what was sent stays as it was."""
    house, event, end = ended
    await live(house, event, end + 5 * DAY)
    said = await refusal(house, id_of(event), {"thank_you_survey": {"delay": "event_end + 8 days"}})
    assert "thank_you_survey: it has ended as success; only what has not begun can be changed" in said
    await modify(house, id_of(event), {"community_invitation": {"delay": "event_end + 10 days"}})
    await live(house, event, end + 11 * DAY)
    assert await days(ended) == {"thank_you_survey": 1, "content_delivery": 3, "community_invitation": 10}


async def test_an_end_corrected_to_an_earlier_day_brings_forward_what_is_ahead_and_thanks_nobody_again(
    ended: Ended,
) -> None:
    """The event had ended two days before: the recordings are due by now and go, the invitation comes two days sooner."""
    house, event, end = ended
    await live(house, event, end + 2 * DAY)
    await house.set_event(event, starts_at=end - 3 * DAY, ends_at=end - 2 * DAY)
    await live(house, event, end + 8 * DAY)
    assert await days(ended) == {"thank_you_survey": 1, "content_delivery": 2, "community_invitation": 5}
    assert await house.pool.fetchval("SELECT count(DISTINCT round) FROM messages WHERE step = 'thank_you_survey'") == 1


async def test_an_event_moved_into_the_past_is_followed_up_from_its_real_end(working: House) -> None:
    """It is told on the eve that the event was three days ago: guests are thanked at once, and nobody waits for the old date."""
    house, event, end = await ended_event(working, seen_after=-DAY)
    past = end - 4 * DAY
    await house.set_event(event, starts_at=past - timedelta(hours=8), ends_at=past)
    await live(house, event, past + 8 * DAY)
    assert await days((house, event, past)) == {
        "thank_you_survey": 3,
        "content_delivery": 3,
        "community_invitation": 7,
    }


async def test_an_event_cancelled_after_its_end_is_not_followed_up_any_more(ended: Ended) -> None:
    """The organizer says that it did not take place: no recordings, no invitation."""
    house, event, end = ended
    await live(house, event, end + 2 * DAY)
    await house.set_event(event, status="cancelled")
    await live(house, event)
    assert await days(ended) == {"thank_you_survey": 1}
    assert (await house.row(id_of(event)))["status"] == "cancelled"
