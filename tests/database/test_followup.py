"""Whom the follow-up reaches, with which words, and what it counts for sponsors."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from database import followup, notifications
from database.audiences import AUDIENCES, TWICE
from database.claims import claim
from database.connection import Pool
from database.outbox import enqueue
from tests.world import World, make_world
from workflows import attendee_nurture
from workflows.post_event_followup import TIMELINE

STEPS = {step.id: step for step in TIMELINE}


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool)


async def guest(world: World, name: str, *, came: bool = True, status: str = "confirmed", **columns: Any) -> UUID:
    contact = await world.contact(f"{name}@people.example", vip=columns.pop("vip", False), **columns)
    await world.pool.execute(
        "INSERT INTO registrations (event_id, contact_id, status, checked_in_at) VALUES ($1, $2, $3, $4)",
        *(world.event, contact, status, world.started if came else None),
    )
    return contact


async def speaker(world: World, contact: UUID | None, name: str = "Ada") -> None:
    await world.pool.execute(
        "INSERT INTO speakers (event_id, contact_id, name) VALUES ($1, $2, $3)", world.event, contact, name
    )


async def sponsor(world: World, email: str, tier: str = "Gold", amount: int | None = 5000) -> tuple[UUID, UUID]:
    """A sponsor and its sponsorship."""
    row = await world.pool.fetchrow(
        """
        WITH sponsor AS (INSERT INTO sponsors (organizer_id, name, contact_email) VALUES ($1, $3, $3) RETURNING id)
        INSERT INTO sponsorships (event_id, sponsor_id, tier, amount) SELECT $2, id, $4, $5 FROM sponsor RETURNING sponsor_id, id
        """,
        *(world.organizer, world.event, email, tier, amount),
    )
    assert row is not None
    return row["sponsor_id"], row["id"]


async def reached(world: World, audience: str) -> set[str]:
    rows = await world.pool.fetch(
        f"""
        WITH scope AS (SELECT $1::uuid AS event_id, $2::uuid AS organizer_id, $1::uuid AS subject_id)
        SELECT email FROM ({AUDIENCES[audience]}) people
        """,
        *(world.event, world.organizer),
    )
    return {row["email"].split("@")[0] for row in rows}


async def test_everybody_is_thanked_in_the_words_of_the_first_segment_they_are_in(world: World) -> None:
    await guest(world, "attendee")
    await guest(world, "vip", vip=True)
    await speaker(world, await guest(world, "speaker", vip=True))
    await speaker(world, await world.contact("guest-speaker@people.example"))
    await speaker(world, None, "nobody knows how to reach")
    await sponsor(world, "sponsor@people.example")
    await sponsor(world, "Attendee-and-sponsor@people.example")
    await guest(world, "attendee-and-sponsor")
    await guest(world, "absent", came=False)
    await guest(world, "gone", status="cancelled")

    await enqueue(world.pool, world.request(STEPS["thank_you_survey"]))

    assert {message["address"].split("@")[0]: message["template"] for message in await world.messages()} == {
        "attendee": "attendee_thank_you",
        "attendee-and-sponsor": "sponsor_thank_you",
        "guest-speaker": "speaker_thank_you",
        "speaker": "speaker_thank_you",
        "sponsor": "sponsor_thank_you",
        "vip": "vip_thank_you",
    }
    assert (await world.journal(STEPS["thank_you_survey"]))["result"]["skipped"] == {TWICE: 1}


async def test_a_segment_without_words_is_left_out(world: World) -> None:
    await guest(world, "attendee")
    await guest(world, "vip", vip=True)
    step = STEPS["thank_you_survey"]
    action = step.actions[0].model_copy(update={"segments": {"vip": "vip_thank_you"}})
    await enqueue(world.pool, world.request(step.model_copy(update={"actions": (action,)})))
    assert [message["template"] for message in await world.messages()] == ["vip_thank_you"]


async def test_where_nobody_was_checked_in_everybody_registered_counts_as_present(world: World) -> None:
    await guest(world, "one", came=False)
    await guest(world, "two", came=False)
    assert await reached(world, "present_speakers_sponsors") == {"one", "two"}
    await guest(world, "three")
    assert await reached(world, "present_speakers_sponsors") == {"three"}


async def test_the_next_event_is_told_to_all_of_this_one_each_once(world: World) -> None:
    await speaker(world, await guest(world, "speaker"))
    await guest(world, "absent", came=False)
    await sponsor(world, "sponsor@people.example")
    await sponsor(world, "speaker@people.example")
    await world.contact("stranger@people.example")
    assert await reached(world, "all_of_event") == {"speaker", "absent", "sponsor"}
    await enqueue(world.pool, world.request(STEPS["next_event_preview"]))
    assert len(await world.messages()) == 3
    assert (await world.journal(STEPS["next_event_preview"]))["result"]["skipped"] == {TWICE: 1}


async def test_whoever_has_an_address_with_a_speaker_is_written_to_as_the_speaker(world: World) -> None:
    """The row of the speaker comes last, and still speaks first."""
    for _ in range(4):
        await guest(world, "shared")
    await speaker(world, await world.contact("Shared@people.example"))
    await enqueue(world.pool, world.request(STEPS["thank_you_survey"]))
    assert [message["template"] for message in await world.messages()] == ["speaker_thank_you"]
    assert (await world.journal(STEPS["thank_you_survey"]))["result"]["skipped"] == {TWICE: 4}


async def test_sponsors_with_one_contact_address_get_a_report_each(world: World) -> None:
    """An agency speaks for two: each has figures of its own."""
    ids = {(await sponsor(world, email))[0] for email in ("desk@agency.example", "Desk@agency.example ")}
    step = STEPS["sponsor_results"]
    await enqueue(world.pool, world.request(step.model_copy(update={"actions": step.actions[1:]})))
    assert {message["person_id"] for message in await world.messages()} == ids
    assert (await world.journal(step))["result"]["skipped"] == {}


async def test_a_sponsor_of_two_packages_gets_one_report(world: World) -> None:
    id_, _ = await sponsor(world, "sponsor@people.example", amount=5000)
    await world.pool.execute(
        "INSERT INTO sponsorships (event_id, sponsor_id, tier, amount) VALUES ($1, $2, 'Lunch', 1000)", world.event, id_
    )
    assert await reached(world, "sponsors") == {"sponsor"}
    (result,) = await followup.results(world.pool, world.event)
    assert (result.tier, result.amount) == ("Gold, Lunch", Decimal(6000))


async def test_who_clicked_in_a_community_mail_or_joined_is_not_asked_again(world: World) -> None:
    people = {name: await guest(world, name) for name in ("clicked", "opened", "joined", "joined-by-mail", "silent")}
    await enqueue(world.pool, world.request(STEPS["community_invitation"]))
    await world.pool.execute("UPDATE messages SET opened_at = now()")
    await world.pool.execute("UPDATE messages SET clicked_at = now() WHERE person_id = $1", people["clicked"])
    for data in ({"contact": str(people["joined"])}, {"email": "Joined-By-Mail@people.example"}):
        await world.pool.execute(
            """
            INSERT INTO occurrences (kind, event_id, subject, data, occurred_at)
            VALUES ('community_joined', $1, 'event', $2, now())
            """,
            *(world.event, data),
        )
    assert await reached(world, "not_engaged_with_community") == {"opened", "silent"}


async def test_who_joined_the_community_is_not_asked_again_under_another_row_with_their_address(world: World) -> None:
    await guest(world, "twice")
    await guest(world, "twice")
    await guest(world, "silent")
    await enqueue(world.pool, world.request(STEPS["community_invitation"]))
    await world.pool.execute("UPDATE messages SET clicked_at = now() WHERE address LIKE 'twice@%'")
    assert await reached(world, "not_engaged_with_community") == {"silent"}


async def test_figures_are_counted_from_the_records_and_what_nobody_counted_is_none(world: World) -> None:
    id_, sponsorship = await sponsor(world, "sponsor@people.example", amount=5000)
    (before,) = await followup.results(world.pool, world.event)
    assert (before.registered, before.present, before.reached, before.leads, before.cost_per_lead) == (
        0,
        None,
        0,
        None,
        None,
    )

    people = [await guest(world, f"guest{n}", came=n < 3) for n in range(4)]
    await guest(world, "gone", status="cancelled")
    for step in ("content_delivery", "next_event_preview"):
        await enqueue(world.pool, world.request(STEPS[step]))
    await world.pool.execute("UPDATE messages SET status = 'sent' WHERE person_id = ANY($1)", people)
    await world.pool.execute("UPDATE messages SET opened_at = now() WHERE person_id = ANY($1)", people[:2])
    await world.pool.execute("UPDATE messages SET scanned_at = now() WHERE person_id = $1", people[2])
    await world.pool.execute("UPDATE messages SET clicked_at = now() WHERE person_id = $1", people[0])
    await world.pool.executemany(
        "INSERT INTO sponsor_leads (sponsorship_id, contact_id) VALUES ($1, $2)", [(sponsorship, one) for one in people]
    )

    (result,) = await followup.results(world.pool, world.event)
    assert (result.registered, result.present, result.reached, result.opened, result.clicked) == (4, 3, 4, 2, 1)
    assert (result.leads, result.amount, result.cost_per_lead) == (4, Decimal(5000), Decimal(1250))
    assert await followup.results(world.pool, world.event, []) == []
    assert [found.sponsor_id for found in await followup.results(world.pool, world.event, [id_])] == [id_]


async def test_whom_the_mails_reached_are_the_guests_and_neither_the_organizer_nor_sponsors_nor_who_never_got_one(
    world: World,
) -> None:
    await sponsor(world, "sponsor@people.example")
    people = [await guest(world, f"guest{n}") for n in range(3)]
    report = STEPS["sponsor_results"]
    for step in (STEPS["next_event_preview"], report.model_copy(update={"actions": report.actions[1:]})):
        await enqueue(world.pool, world.request(step))
    async with world.pool.acquire() as connection:
        await notifications.tell_by_mail(
            connection, automation_id=world.automation, key="held", title="A step is held", body="Look at it."
        )
    await world.pool.execute("UPDATE messages SET status = 'sent', opened_at = now(), clicked_at = now()")
    await world.pool.execute(
        "UPDATE messages SET bounced_at = now(), opened_at = NULL, clicked_at = NULL WHERE person_id = $1", people[0]
    )
    assert await world.pool.fetchval("SELECT count(DISTINCT address) FROM messages") == 5
    (result,) = await followup.results(world.pool, world.event)
    assert (result.reached, result.opened, result.clicked) == (2, 2, 2)


async def test_a_lead_is_a_person_and_a_sum_of_which_a_part_is_not_known_is_none(world: World) -> None:
    id_, sponsorship = await sponsor(world, "sponsor@people.example", amount=5000)
    for email in ("Lead", "lead"):
        await world.pool.execute(
            "INSERT INTO sponsor_leads (sponsorship_id, contact_id) VALUES ($1, $2)",
            sponsorship,
            await guest(world, email),
        )
    (result,) = await followup.results(world.pool, world.event)
    assert (result.leads, result.cost_per_lead) == (1, Decimal(5000))
    await world.pool.execute(
        "INSERT INTO sponsorships (event_id, sponsor_id, tier) VALUES ($1, $2, 'Lunch')", world.event, id_
    )
    (result,) = await followup.results(world.pool, world.event)
    assert (result.tier, result.amount, result.cost_per_lead) == ("Gold, Lunch", None, None)


async def test_words_written_for_one_person_go_to_that_person(world: World) -> None:
    ids = [(await sponsor(world, f"sponsor{n}@people.example"))[0] for n in range(2)]
    for id_ in ids:
        await followup.keep_report(world.pool, world.automation, id_, {"subject": str(id_)}, {"model": "m"})
    await sponsor(world, "without@people.example")
    step = STEPS["sponsor_results"]
    await enqueue(world.pool, world.request(step.model_copy(update={"actions": step.actions[1:]})))
    rows = await world.pool.fetch(
        """
        SELECT m.person_id, m.template, t.subject FROM messages m LEFT JOIN email_templates t ON t.id = m.content_id
        ORDER BY m.address
        """
    )
    assert {row["template"] for row in rows} == {"sponsorship_impact_report"}
    assert [row["subject"] for row in rows] == [str(ids[0]), str(ids[1]), None]
    assert await followup.reported(world.pool, world.automation) == {followup.report_name(id_) for id_ in ids}


async def test_what_happened_at_another_event_is_not_counted(world: World, pool: Pool) -> None:
    other = await make_world(pool, clock=world.started + timedelta(days=1))
    await sponsor(world, "sponsor@people.example")
    await guest(other, "elsewhere")
    (result,) = await followup.results(pool, world.event)
    assert result.registered == 0


@pytest.mark.parametrize("overlap", ["precedence", "all"])
async def test_whoever_was_not_there_is_not_thanked_for_coming(world: World, overlap: str) -> None:
    """Not by the follow-up, which writes to those present, and not by the attendee's own automation either."""
    await world.set_organizer(overlap=overlap)
    await guest(world, "came")
    await guest(world, "absent", came=False)
    await speaker(world, await guest(world, "speaker", came=False))  # who came in by another door
    assert await thanked(world) == {
        "came": "sending",
        "absent": "was not there",
        "speaker": "sending",
    }


async def test_where_nobody_was_checked_in_everybody_is_thanked(world: World) -> None:
    await guest(world, "guest", came=False)
    assert await thanked(world) == {"guest": "sending"}


async def thanked(world: World) -> dict[str, str]:
    """What becomes of the thanks of each attendee's own automation."""
    rows = await world.pool.fetch("SELECT id FROM registrations WHERE event_id = $1", world.event)
    thanks = next(step for step in attendee_nurture.TIMELINE if step.id == "thank_you_survey")
    for row in rows:
        automation = await world.begin("attendee_nurture", row["id"], attendee_nurture.TIMELINE)
        await enqueue(world.pool, world.request(thanks).model_copy(update={"automation_id": automation}))
    await claim(world.pool, "email", rehearsal=False, limit=100)
    return {one["address"].split("@")[0]: one["reason"] or one["status"] for one in await world.messages()}
