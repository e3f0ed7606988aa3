"""The gates stop what is queued for an old date by the very rule by which the player begins its step anew."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from activities.bearings import BearingsActivities
from database import claims
from database.batches import hand_back
from database.connection import Pool
from database.dates import counted_from
from database.gates import MOVED, judge
from database.outbox import enqueue
from models.automation import Anchors, Step
from models.moments import known
from models.player import Asked, AutomationInput
from tests.world import EMAIL, World, make_world
from workflows.knowledge import Knowledge
from workflows.timeline import Skip

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)
OVER = "the event's date was moved"
EXPIRED = "expired before it could be sent"
FINAL = EMAIL.model_copy(update={"id": "final_reminder", "moment": "event_date - 1 day", "until": "event_date"})

zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
starts = st.datetimes(datetime(2026, 3, 10), datetime(2026, 11, 10), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
offsets = st.sampled_from(
    ["", " at 02:30", " - 1 day", " - 3 days at 01:30", " - 2 weeks", " - 12 hours", " + 1 day", " + 30 minutes"]
)
anchored = st.builds("{}{}".format, st.sampled_from(["event_date", "event_end"]), offsets)
untils = st.none() | st.sampled_from(["event_date", "event_end", "event_end + 7 days", "event_end + 720 hours"])
spans = st.sampled_from([-40 * DAY, -5 * DAY, -DAY, -5 * HOUR, -HOUR / 4, HOUR / 4, 5 * HOUR, DAY, 5 * DAY, 40 * DAY])
moves = st.one_of(
    st.tuples(st.just("both"), spans),
    st.tuples(st.just("end"), spans),
    st.tuples(st.just("zone"), zones),
    st.just(("back", None)),
)
passing = st.sampled_from([timedelta(0), timedelta(minutes=10), 6 * HOUR, DAY, 3 * DAY])
lateness = st.sampled_from([timedelta(0), HOUR, 7 * HOUR])
lives = st.lists(st.tuples(passing, moves, st.booleans(), st.booleans(), passing), min_size=1, max_size=4)


def by_hypothesis(work: Callable[..., None]) -> Awaitable[None]:
    """Run a property in a thread, so that what it asks of the database runs in the loop of the test."""
    return asyncio.to_thread(work)


class Life:
    """A step of a rehearsed event, its player and its messages, through moves of the event."""

    def __init__(self, world: World, step: Step, starts_at: datetime, lasts: timedelta, zone: str) -> None:
        self.world, self.step = world, step
        self.base = {"starts_at": starts_at, "ends_at": starts_at + lasts, "timezone": zone}
        self.dates: dict[str, Any] = dict(self.base)
        about = AutomationInput(
            automation_id=world.automation,
            event_id=world.event,
            subject_id=world.event,
            workflow_type="event_launch",
            steps=(step,),
            rehearsal=True,
        )
        self.knows = Knowledge(about)

    @property
    def anchors(self) -> Anchors:
        start, end, zone = self.dates.values()
        return Anchors(start=start, zone=zone, event_date=start, event_end=end)

    @property
    def round(self) -> int:
        """The round in which the player has the step."""
        return max(self.knows.rounds.get(self.step.id, 0), 0)

    async def begin(self, late: timedelta) -> None:
        """The step has come due, and its messages are queued."""
        due = known(self.step.moment, self.anchors, {})
        assert due is not None
        self.now = due + late
        await self.world.set_event(clock_now=self.now, **self.dates)
        await self.hear()

    async def pass_time(self, span: timedelta) -> None:
        self.now += span
        await self.world.set_event(clock_now=self.now)

    async def move(self, kind: str, by: Any) -> None:
        match kind:
            case "both":
                self.dates |= {name: self.dates[name] + by for name in ("starts_at", "ends_at")}
            case "end":
                self.dates["ends_at"] = max(self.dates["ends_at"] + by, self.dates["starts_at"])
            case "zone":
                self.dates["timezone"] = by
            case "back":
                self.dates = dict(self.base)
        await self.world.set_event(**self.dates)

    async def look(self) -> None:
        adopted = self.knows.anchors.date_revision if self.knows.anchors else None
        asked = Asked(
            automation_id=self.world.automation,
            event_id=self.world.event,
            steps=(self.step,),
            date_revision=adopted,
        )
        self.knows.adopt(await BearingsActivities(self.world.pool).look(asked), 0, self.now)

    async def hear(self) -> None:
        """The player hears of what has happened, and does what is due."""
        await self.look()
        for decision in self.knows.plan(self.now).decisions:
            assert self.knows.anchors is not None
            request = self.world.request(
                self.step,
                round=decision.round,
                due=decision.due,
                now=self.now,
                date_revision=self.knows.anchors.date_revision,
                valid_until=self.knows.instants.until.get(self.step.id),
                until=self.knows.until(self.step),
                skip=decision.reason if isinstance(decision, Skip) else None,
            )
            answer = await enqueue(self.world.pool, request)
            assert answer.outcome == "decided"
            self.knows.learn_queued(answer, decision.round, self.now)

    async def claim(self) -> None:
        """A dispatcher claims what may go, and dies before it has posted anything."""
        for batch in (await claims.claim(self.world.pool, "email", rehearsal=True, limit=100)).batches:
            assert await hand_back(self.world.pool, batch)

    async def judged(self) -> dict[int, tuple[str, str | None, datetime | None]]:
        """What the gates say to what is queued, by round."""
        rows = await self.world.pool.fetch(
            "SELECT id, round FROM messages WHERE step = $1 AND status = 'queued'", self.step.id
        )
        rounds = {row["id"]: row["round"] for row in rows}
        found = await judge(self.world.pool, list(rounds))
        return {rounds[one.message.id]: (one.verdict, one.reason, one.message.valid_until) for one in found}

    async def check(self) -> None:
        """Before and after the player hears, the gates stop what is in a new round, and nothing else."""
        before = await self.judged()
        await self.look()
        for round_, (verdict, reason, valid_until) in before.items():
            assert (reason in (MOVED, OVER)) == (self.round > round_), (round_, reason, self.knows.rounds)
            expires = known(self.step.until, self.anchors, {}) if self.step.until else None
            if verdict == "send":
                assert valid_until == expires
                assert expires is None or self.now < expires
            elif reason == EXPIRED:
                assert expires is not None
                assert expires <= self.now
        assert await self.judged() == before


async def test_the_gates_stop_exactly_what_the_player_begins_anew(pool: Pool) -> None:
    world = await make_world(pool, clock=NOON)
    await world.contact("ada@people.example")
    loop, number = asyncio.get_running_loop(), count()

    async def live(
        moment: str, until: str | None, starts_at: datetime, hours: int, zone: str, late: timedelta, lived: list[Any]
    ) -> None:
        step = EMAIL.model_copy(update={"id": f"step_{next(number)}", "moment": moment, "until": until})
        life = Life(world, step, starts_at, hours * HOUR, zone)
        await life.begin(late)
        for before, move, claimed, heard, after in lived:
            await life.pass_time(before)
            await life.move(*move)
            if claimed:
                await life.claim()
            if heard:
                await life.check()
            await life.pass_time(after)
            if heard:
                await life.hear()
            await life.check()
        await pool.execute("DELETE FROM messages")

    @settings(max_examples=40, deadline=None)
    @given(st.tuples(anchored, untils, starts, st.integers(1, 72), zones, lateness, lives))
    def lived(drawn: tuple[Any, ...]) -> None:
        asyncio.run_coroutine_threadsafe(live(*drawn), loop).result()

    await by_hypothesis(lived)


async def test_the_database_resolves_the_moments_of_an_event_as_the_player_does(pool: Pool) -> None:
    loop = asyncio.get_running_loop()
    query = """
        SELECT eventos_instant(moment, starts_at, ends_at, zone)
        FROM unnest($1::jsonb[], $2::timestamptz[], $3::timestamptz[], $4::text[])
             WITH ORDINALITY AS asked(moment, starts_at, ends_at, zone, place) ORDER BY place
    """
    wall = st.builds(
        "{} {} {} days at {:02}:{:02}".format,
        st.sampled_from(["event_date", "event_end"]),
        st.sampled_from("+-"),
        st.integers(0, 200),
        st.integers(0, 23),
        st.sampled_from([0, 15, 30, 59]),
    )
    asked = st.tuples(wall | anchored, starts, st.integers(0, 72), zones)

    @settings(max_examples=20, deadline=None)
    @given(st.lists(asked, min_size=30, max_size=100))
    def same(drawn: list[tuple[str, datetime, int, str]]) -> None:
        texts, begin, hours, zone = zip(*drawn, strict=True)
        ends = [at + lasts * HOUR for at, lasts in zip(begin, hours, strict=True)]
        rows = asyncio.run_coroutine_threadsafe(
            pool.fetch(query, [counted_from(text) for text in texts], begin, ends, zone), loop
        ).result()
        for row, text, at, end, name in zip(rows, texts, begin, ends, zone, strict=True):
            anchors = Anchors(start=at, zone=name, event_date=at, event_end=end)
            assert row[0] == known(text, anchors, {}), (text, at, name)

    await by_hypothesis(same)
