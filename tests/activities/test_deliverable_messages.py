"""A tracker's messages on their way out: past the gates, and in the words of their deliverable."""

from datetime import date

import pytest

from activities.compose import Composer
from database import planning
from database.batches import Batch
from database.claims import claim
from database.connection import Pool
from models.messages import Channel
from tests.database.desk import Desk, make_desk
from workflows.deliverable_tracking import TIMELINE

PORTAL = "https://river.example/sponsors"


@pytest.fixture
async def desk(pool: Pool) -> Desk:
    desk = await make_desk(pool)
    await pool.execute("UPDATE organizers SET whatsapp_content = $1", {"deliverable_urgent": f"HX{0:032x}"})
    return desk


async def claimed(desk: Desk, channel: Channel) -> Batch:
    (batch,) = (await claim(desk.pool, channel, rehearsal=True, limit=10)).batches
    return batch


async def test_a_reminder_greets_the_sponsors_contact_and_says_what_is_owed_and_when(desk: Desk) -> None:
    logo = await desk.owes(name="Logo for the website", due_date=date(2027, 3, 13))
    await desk.message(await desk.tracker(logo))
    composed = await Composer(desk.pool, "https://eventos.example").mails(await claimed(desk, "email"))
    assert (composed.failed, composed.faulty) == ([], [])
    ((_, mail),) = composed.ready
    assert mail.subject == "Logo for the website: due in 3 days"
    assert "Ada" in mail.text
    assert "Only a few days are left." in mail.text  # the tone of its step
    assert PORTAL in mail.text
    assert "Acme sponsors River Conf" in mail.text
    assert mail.headers == {}  # nobody unsubscribes from what is owed


async def test_the_organizer_is_told_which_sponsor_and_where_to_look(desk: Desk) -> None:
    logo = await desk.owes(file_url="https://acme.example/logo.svg")
    await desk.message(await desk.tracker(logo), "deliverable_review")
    await desk.pool.execute("UPDATE messages SET person_id = organizer_id, address = 'hello@river.example'")
    composed = await Composer(desk.pool, "https://eventos.example").mails(await claimed(desk, "email"))
    ((_, mail),) = composed.ready
    assert mail.subject == "To review: Logo from Acme"
    assert "https://acme.example/logo.svg" in mail.text
    assert "Ada" not in mail.text


async def test_whatsapp_to_a_sponsor_needs_an_opt_in_and_the_mail_goes_without_one(desk: Desk) -> None:
    await desk.pool.execute("UPDATE sponsors SET whatsapp_opt_in = FALSE")
    tracker = await desk.tracker(await desk.owes(due_date=date(2027, 3, 11)))
    mail, log = await desk.message(tracker, "deliverable_urgent")
    chat, _ = await desk.message(tracker, "deliverable_urgent", "whatsapp", log)
    assert (await claim(desk.pool, "whatsapp", rehearsal=True, limit=1)).batches == ()
    assert [message.id for message in (await claimed(desk, "email")).messages] == [mail]
    row = await desk.pool.fetchrow("SELECT status, reason FROM messages WHERE id = $1", chat)
    assert row is not None
    assert tuple(row) == ("skipped", "no opt-in to WhatsApp")


@pytest.mark.parametrize(("opted_in", "reached"), [(True, 1), (False, 0)])
async def test_the_plan_counts_a_sponsor_for_whatsapp_only_with_an_opt_in(
    desk: Desk, opted_in: bool, reached: int
) -> None:
    await desk.pool.execute("UPDATE sponsors SET whatsapp_opt_in = $1", opted_in)
    owed = await desk.owes()
    organizer = await desk.pool.fetchval("SELECT organizer_id FROM sponsors")
    (step,) = (step for step in TIMELINE if step.id == "reminder_1_day")
    about = planning.Subject(desk.event, organizer, owed, "deliverable_tracking")
    async with desk.pool.acquire() as connection:
        mail, chat = [await planning.reach(connection, about, step, action) for action in step.actions]
    assert (mail.reached, chat.reached) == (1, reached)
    assert chat.without == ({} if opted_in else {"no opt-in to WhatsApp": 1})


async def test_what_a_sponsor_is_told_by_whatsapp_is_what_is_owed_and_when(desk: Desk) -> None:
    logo = await desk.owes(due_date=date(2027, 3, 11))
    await desk.message(await desk.tracker(logo), "deliverable_urgent", "whatsapp")
    composed = await Composer(desk.pool, "https://eventos.example").whatsapp(await claimed(desk, "whatsapp"))
    ((_, message),) = composed.ready
    assert list(message.variables.values()) == [
        "Ada",
        "Logo",
        "River Conf",
        "tomorrow",
        "Thursday, 11 March 2027",
        PORTAL,
    ]


async def test_an_address_that_is_none_fails_that_message_and_no_other(desk: Desk) -> None:
    broken, good = await desk.owes(metadata={"upload_url": "ftp:/nowhere"}), await desk.owes(name="Banner")
    for deliverable in (broken, good):
        await desk.message(await desk.tracker(deliverable))
    composed = await Composer(desk.pool, "https://eventos.example").mails(await claimed(desk, "email"))
    assert [mail.subject.partition(":")[0] for _, mail in composed.ready] == ["Banner"]
    ((_, why),) = composed.failed
    assert "deliverable.upload_url" in why


async def test_a_reminder_that_is_no_longer_true_is_stopped_at_the_gate(desk: Desk) -> None:
    logo = await desk.owes()
    await desk.message(await desk.tracker(logo))
    await desk.set(logo, status="submitted")
    found = await claim(desk.pool, "email", rehearsal=True, limit=10)
    assert (found.batches, found.stopped) == ((), 1)
    row = await desk.pool.fetchrow("SELECT status, reason FROM messages")
    assert row is not None
    assert tuple(row) == ("skipped", "it was handed in meanwhile")
