"""Mail with a file: alone in its request, under the same protocol as all mail, and no other mail waits behind thousands of it."""

from base64 import b64decode
from collections import Counter
from datetime import UTC, timedelta
from typing import Any

import pytest
import zstandard
from icalendar import Calendar

from activities.compose import Composer
from activities.dispatch import Dispatch
from activities.mailing import Mailing
from database import claims
from database.batches import Batch
from database.connection import Pool
from database.outbox import enqueue
from models.messages import invitation
from providers.accounts import Accounts
from tests.activities.conftest import Providers, end_leases, to_the_end
from tests.activities.includes_desk import Desk, make_desk, step
from tests.world import World

ADA, BEN = "ada@people.example", "ben@people.example"


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


async def claimed(pool: Pool) -> Batch:
    (batch,) = (await claims.claim(pool, "email", rehearsal=False, limit=100, alone=True)).batches
    return batch


async def invited(providers: Providers) -> dict[str, tuple[Any, Any]]:
    """The invitation that came with each reader's last mail, read by a parser."""
    found: dict[str, tuple[Any, Any]] = {}
    for message in await providers.accepted("resend"):
        (file,) = message["attachments"]
        calendar: Any = Calendar.from_ical(b64decode(file["content"]))
        (event,) = calendar.walk("VEVENT")
        assert file["filename"] == "invite.ics"
        assert file["content_type"] == f"text/calendar; charset=utf-8; method={calendar['METHOD']}"
        found[message["to"][0]] = (calendar, event)
    return found


async def send(desk: Desk, dispatch: Dispatch, template: str) -> None:
    await enqueue(desk.pool, desk.world.request(step(template=template), date_revision=await revision(desk)))
    await to_the_end(desk.pool, dispatch)


async def revision(desk: Desk) -> int:
    number: int = await desk.pool.fetchval("SELECT date_revision FROM events WHERE id = $1", desk.world.event)
    return number


@pytest.mark.parametrize(
    ("template", "include", "tells"),
    [
        ("registration_confirmation", (), "REQUEST"),
        ("registration_confirmation", ("ticket_details",), None),
        ("registration_confirmation", ("ticket_details", "calendar_invite"), "REQUEST"),
        ("final_details", ("calendar_invite",), "REQUEST"),
        ("final_details", (), None),
        ("event_moved", ("organizer_note",), "REQUEST"),
        ("event_cancelled", ("organizer_note",), "CANCEL"),
        ("event_takes_place", ("organizer_note",), "REQUEST"),
    ],
)
def test_which_mails_carry_an_invitation(template: str, include: tuple[str, ...], tells: str | None) -> None:
    assert invitation(template, include) == tells


async def test_each_confirmation_goes_in_a_request_of_its_own_with_its_readers_invitation(
    desk: Desk, dispatch: Dispatch, providers: Providers
) -> None:
    await send(desk, dispatch, "registration_confirmation")
    assert await providers.requests() == 2
    invitations = await invited(providers)
    assert set(invitations) == {ADA, BEN}
    for address, (calendar, event) in invitations.items():
        assert calendar["METHOD"] == "REQUEST"
        assert (event["SEQUENCE"], event["STATUS"], event["SUMMARY"]) == (0, "CONFIRMED", "River Conf")
        assert event["ATTENDEE"] == f"mailto:{address}"
        assert event["ORGANIZER"] == "mailto:hello@river.example"
        starts = await desk.pool.fetchval("SELECT starts_at FROM events WHERE id = $1", desk.world.event)
        assert event["DTSTART"].dt.astimezone(UTC) == starts
    assert invitations[ADA][1]["UID"] != invitations[BEN][1]["UID"]
    assert await desk.world.counts() == {"sent": 2}


async def test_a_moved_event_moves_the_same_entry_and_a_cancellation_takes_it_away(
    desk: Desk, dispatch: Dispatch, providers: Providers
) -> None:
    await send(desk, dispatch, "registration_confirmation")
    _, first = (await invited(providers))[ADA]
    await desk.pool.execute(
        "UPDATE events SET starts_at = starts_at + $2, ends_at = ends_at + $2 WHERE id = $1",
        *(desk.world.event, timedelta(days=1)),
    )
    await send(desk, dispatch, "event_moved")
    _, moved = (await invited(providers))[ADA]
    await send(desk, dispatch, "event_cancelled")
    calendar, cancelled = (await invited(providers))[ADA]
    assert first["UID"] == moved["UID"] == cancelled["UID"]
    assert first["SEQUENCE"] < moved["SEQUENCE"] < cancelled["SEQUENCE"]
    assert moved["DTSTART"].dt - first["DTSTART"].dt == timedelta(days=1)
    assert (calendar["METHOD"], cancelled["STATUS"]) == ("CANCEL", "CANCELLED")


async def test_whatever_a_calendar_was_handed_before_what_comes_after_stands_above_it(
    desk: Desk, dispatch: Dispatch, providers: Providers
) -> None:
    """Confirmed, moved, cancelled, on after all, and moved once more: a calendar that obeys the numbers ends with what holds."""
    seen: list[int] = []
    status = ""
    for template in ("registration_confirmation", "event_moved", "event_cancelled", "event_takes_place", "event_moved"):
        if template == "event_moved":
            await desk.pool.execute("UPDATE events SET starts_at = starts_at + interval '1 hour'")
        request = desk.world.request(step(template=template), date_revision=await revision(desk), round=len(seen))
        await enqueue(desk.pool, request)
        await to_the_end(desk.pool, dispatch)
        _, event = (await invited(providers))[ADA]
        seen.append(event["SEQUENCE"])
        status = event["STATUS"]
    assert (status, len(seen)) == ("CONFIRMED", 5)
    assert seen == sorted(set(seen))


@pytest.mark.parametrize("line", ["claimed", "composed", "stored", "posted", "settled"])
async def test_a_crash_after_any_line_neither_loses_nor_repeats_a_mail_with_a_file(
    line: str, desk: Desk, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await enqueue(desk.pool, desk.world.request(step(template="registration_confirmation")))
    batch = await claimed(desk.pool)
    if line != "claimed":
        async for passed in Mailing(desk.pool, accounts.email, Composer(desk.pool, "http://127.0.0.1")).carry(batch):
            if passed == line:
                break
    await to_the_end(desk.pool, dispatch)
    assert await desk.world.counts() == {"sent": 2}
    assert set((await providers.accepted_ids()).values()) == {1}
    assert {str(m["id"]) for m in await desk.world.messages()} == set(await providers.accepted_ids())


async def test_what_was_posted_and_not_settled_is_posted_again_as_the_same_bytes_under_the_same_key(
    desk: Desk, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await enqueue(desk.pool, desk.world.request(step(template="registration_confirmation")))
    batch = await claimed(desk.pool)
    async for passed in Mailing(desk.pool, accounts.email, Composer(desk.pool, "http://127.0.0.1")).carry(batch):
        if passed == "posted":
            break
    payload = await desk.pool.fetchval("SELECT payload FROM batches WHERE id = $1", batch.id)
    assert zstandard.decompress(payload).startswith(b"{")
    # Were it composed anew, another name and another date would make another request of it, which the key refuses.
    await desk.pool.execute("UPDATE contacts SET first_name = 'Zoe'")
    await desk.world.set_event(venue="Elsewhere")
    await end_leases(desk.pool)
    await dispatch.pump("email", rehearsal=False).recover()
    row = await desk.pool.fetchrow("SELECT status, attempts FROM batches WHERE id = $1", batch.id)
    assert row is not None
    assert (row["status"], row["attempts"]) == ("settled", 2)
    assert set((await providers.accepted_ids()).values()) == {1}


@pytest.mark.parametrize("fault", ["rate_limit", "error", "timeout", "drop"])
async def test_a_faulty_answer_neither_loses_nor_repeats_a_mail_with_a_file(
    fault: str, desk: Desk, providers: Providers, dispatch: Dispatch, accounts: Accounts
) -> None:
    await enqueue(desk.pool, desk.world.request(step(template="registration_confirmation")))
    await providers.faults(next=[fault])
    accounts.email._wire._seconds = 4.0
    await dispatch.pump("email", rehearsal=False).drain()
    accounts.email.pace.pause(0)
    await to_the_end(desk.pool, dispatch)
    assert await desk.world.counts() == {"sent": 2}
    assert set((await providers.accepted_ids()).values()) == {1}


async def test_a_refused_mail_with_a_file_fails_with_the_providers_words_and_takes_nobody_along(
    desk: Desk, providers: Providers, dispatch: Dispatch
) -> None:
    await desk.pool.execute("UPDATE contacts SET email = 'ada@people' || '..example' WHERE id = $1", desk.ada)
    await send(desk, dispatch, "registration_confirmation")
    assert await desk.world.counts() == {"sent": 1, "failed": 1}
    (failed,) = await desk.world.messages("failed")
    assert "Invalid `to` field" in failed["reason"]
    assert set(await invited(providers)) == {BEN}


async def test_hundreds_of_confirmations_and_other_mail_have_a_request_each_by_turns(
    desk: Desk, dispatch: Dispatch, providers: Providers, accounts: Accounts
) -> None:
    await desk.world.people(298)
    await desk.pool.execute(
        "INSERT INTO registrations (event_id, contact_id) SELECT $1, id FROM contacts ON CONFLICT DO NOTHING",
        desk.world.event,
    )
    urgent = step(template="registration_confirmation").model_copy(update={"priority": 1})
    await enqueue(desk.pool, desk.world.request(urgent))
    await enqueue(desk.pool, desk.world.request(step(template="day_of_welcome")))
    accounts.email.pace.per_second = 200
    await dispatch.pump("email", rehearsal=False).drain()
    accepted = [bool(message["attachments"]) for message in await providers.accepted("resend")]
    assert Counter(accepted) == {True: 300, False: 300}
    last = len(accepted) - accepted[::-1].index(False)
    # Three batches of a hundred took three turns, and what was under way beside them.
    assert accepted[:last].count(True) <= 12
