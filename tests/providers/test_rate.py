"""The pace at which a provider's account is asked."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from providers.rate import SLACK, Pace, retry_after


async def taken(pace: Pace, seconds: float) -> list[float]:
    """When each token was had, over so many seconds."""
    began, times = time.monotonic(), []
    while time.monotonic() - began < seconds:
        await pace.take()
        times.append(pace._taken[-1] - began)
    return [at for at in times if at < seconds]


async def test_no_second_sees_more_than_the_limit_and_97_percent_of_it_are_used() -> None:
    limit, seconds, used = 40, 2.0, 0.0
    for _ in range(3):  # a machine that does not let this process run for a while uses less
        times = await taken(Pace(limit), seconds)
        assert all(later - earlier > 1.0 for earlier, later in zip(times, times[limit:], strict=False))
        used = max(used, len(times) / (limit * seconds))
        if used >= 0.97:
            break
    assert used >= 0.97


async def test_a_burst_goes_at_once_and_is_paid_for_afterwards() -> None:
    pace = Pace(20, burst=5)
    for _ in range(5):
        assert pace.wait() == 0
        await pace.take()
    assert pace.wait() > 0 or time.monotonic() - pace._taken[0] > 0.2  # unless the machine stood still meanwhile
    assert len(await taken(Pace(20, burst=5), 0.5)) <= 5 + 0.5 * 20


async def test_several_tokens_taken_together_delay_the_next_one() -> None:
    pace = Pace(20)
    await pace.take(4)
    assert 0.15 < pace._full_at - SLACK - pace._taken[-1] <= 0.21


async def test_those_who_wait_are_served_in_the_order_they_came() -> None:
    pace, served = Pace(100), []

    async def wait(number: int) -> None:
        await pace.take()
        served.append(number)

    await asyncio.gather(*(wait(number) for number in range(10)))
    assert served == list(range(10))


async def test_a_pause_holds_also_those_who_wait_already() -> None:
    pace, began = Pace(10), time.monotonic()
    await pace.take()
    waiting = asyncio.create_task(pace.take())
    await asyncio.sleep(0)
    pace.pause(0.3)
    await waiting
    assert time.monotonic() - began >= 0.3


async def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    pace = Pace(10)
    pace.pause(60)
    pace.pause(1)
    assert pace.wait() > 30


@pytest.mark.parametrize(("limit", "per_second"), [("2", 2), ("10, 10;w=1", 10), ("100", 100)])
def test_the_limit_in_the_headers_is_adopted(limit: str, per_second: float) -> None:
    pace = Pace(10)
    pace.heard({"ratelimit-limit": limit, "ratelimit-remaining": "1", "ratelimit-reset": "1"})
    assert pace.per_second == per_second


def test_a_limit_per_quarter_of_an_hour_is_spread_over_it() -> None:
    pace = Pace(1, window=900)
    pace.heard({"x-rate-limit-limit": "450", "x-rate-limit-remaining": "3"})
    assert pace.per_second == 0.5


def test_a_used_up_window_is_waited_for() -> None:
    pace, reset = Pace(1, window=900), int(time.time()) + 600
    pace.heard({"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0", "x-rate-limit-reset": str(reset)})
    assert 570 < pace.wait() <= 600


def test_the_end_of_every_second_is_no_reason_to_wait() -> None:
    pace = Pace(10)
    pace.heard({"ratelimit-limit": "10", "ratelimit-remaining": "0", "ratelimit-reset": "1"})
    assert pace.wait() == 0


@pytest.mark.parametrize("junk", ["", "soon", "-1"])
def test_headers_that_make_no_sense_change_nothing(junk: str) -> None:
    pace = Pace(10)
    pace.heard({"ratelimit-limit": junk, "ratelimit-remaining": junk, "ratelimit-reset": junk})
    assert (pace.per_second, pace.wait()) == (10, 0)
    assert retry_after({"retry-after": junk}) is None


def test_what_a_provider_asks_to_wait_is_read_in_each_of_its_forms() -> None:
    assert retry_after({"retry-after": "7"}) == timedelta(seconds=7)
    assert retry_after({"retry-after-ms": "250", "retry-after": "1"}) == timedelta(milliseconds=250)
    in_a_minute = retry_after({"retry-after": format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)})
    assert in_a_minute is not None
    assert timedelta(seconds=30) < in_a_minute <= timedelta(minutes=1)
    assert retry_after({"ratelimit-reset": "3"}, limited=True) == timedelta(seconds=3)
    assert retry_after({"ratelimit-reset": "3"}) is None
