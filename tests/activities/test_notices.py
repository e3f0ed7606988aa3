"""The words of what a step notifies of, as a provider is handed them, and what is no letter to a sponsor."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.compose import Composer
from activities.notices import Notices
from database import journal
from database.claims import claim
from database.connection import Pool
from models.automation import Action, Step
from models.definition import to_definition
from models.player import Act, Begin
from tests.database.desk import NOW, Desk, make_desk


@pytest.fixture
async def desk(pool: Pool) -> Desk:
    return await make_desk(pool)


async def begun(desk: Desk, template: str) -> Act:
    """A step of a tracker that notifies, as far as its deed."""
    tracker = await desk.tracker(await desk.owes())
    told = Action(verb="notify", template=template, targets=("organizer", "sponsor"), urgency="high")
    step = Step(id="tell", name="Tell them", moment="0 hours", actions=(told,))
    await desk.pool.execute(
        "UPDATE automation_workflows SET definition = $2, rehearsal = TRUE WHERE id = $1",
        tracker,
        to_definition([step]),
    )
    about = Begin(automation_id=tracker, event_id=desk.event, step=step, round=0, due=NOW, now=NOW)
    await journal.begin_step(desk.pool, about)
    return Act(automation_id=tracker, event_id=desk.event, step="tell", target="", rehearsal=True)


async def do(desk: Desk, about: Act, target: str) -> str:
    deed = Notices(desk.pool).deeds["notify", target]
    done: str = await ActivityEnvironment().run(deed, about.model_copy(update={"target": target}))
    return done


async def mails(desk: Desk) -> dict[str, tuple[str, str]]:
    """Subject and text by reader."""
    found = await claim(desk.pool, "email", rehearsal=True, limit=10)
    said: dict[str, tuple[str, str]] = {}
    for batch in found.batches:
        composed = await Composer(desk.pool, "https://eventos.example").mails(batch)
        assert (composed.failed, composed.faulty) == ([], [])
        said |= {mail.to: (mail.subject, mail.text) for _, mail in composed.ready}
    return said


async def test_the_sponsor_reads_the_steps_letter_and_the_organizer_which_step_it_was(desk: Desk) -> None:
    about = await begun(desk, "deliverable_overdue")
    for target in ("organizer", "sponsor", "organizer", "sponsor"):  # a repetition tells nobody again
        assert await do(desk, about, target) == f"the {target} is told"
    said = await mails(desk)
    assert said.keys() == {"ada@acme.example", "hello@river.example"}
    subject, text = said["ada@acme.example"]
    assert subject == "Overdue: Logo for River Conf"
    assert "Ada" in text
    subject, text = said["hello@river.example"]
    assert subject.startswith("Tell them: ")
    assert "River Conf" in text
    assert await desk.pool.fetchval("SELECT count(*) FROM notifications WHERE starts_with(key, 'step/')") == 1


async def test_a_letter_for_organizers_is_what_the_organizer_reads(desk: Desk) -> None:
    await do(desk, await begun(desk, "deliverable_overdue_alert"), "organizer")
    assert (await mails(desk))["hello@river.example"][0] == "Acme has not delivered: Logo"


async def test_a_template_that_is_no_letter_to_sponsors_is_refused_with_those_that_are(desk: Desk) -> None:
    about = await begun(desk, "deliverable_overdu")
    with pytest.raises(ApplicationError, match=r"no letter 'deliverable_overdu' to sponsors \(did you mean") as raised:
        await do(desk, about, "sponsor")
    assert raised.value.non_retryable
    assert await mails(desk) == {}


async def test_an_automation_about_no_sponsor_tells_none(desk: Desk) -> None:
    about = await begun(desk, "deliverable_overdue")
    await desk.pool.execute("UPDATE automation_workflows SET subject_id = event_id WHERE id = $1", about.automation_id)
    with pytest.raises(ApplicationError, match="is about no sponsor with a usable email address"):
        await do(desk, about, "sponsor")
    assert await mails(desk) == {}
