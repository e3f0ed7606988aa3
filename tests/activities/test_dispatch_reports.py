"""A sponsor's report as it leaves: words of its own, the figures of the records, and nobody else's."""

from activities.dispatch import Dispatch
from database import followup
from database.connection import Pool
from database.outbox import enqueue
from tests.activities.conftest import Providers, to_the_end
from tests.world import World
from workflows.post_event_followup import TIMELINE

WORDS = {
    "subject": "What {sponsor_name} made possible",
    "headline": "Thank you, {sponsor_name}",
    "summary": "You made {event_name} possible.",
    "reading": "These are counted from the records.",
    "outlook": "Shall we talk it through?",
}


async def test_each_sponsor_is_mailed_its_own_words_and_figures(
    pool: Pool, world: World, dispatch: Dispatch, providers: Providers
) -> None:
    await world.set_automation(workflow_type="post_event_followup")
    for name, amount in (("Aurora Cloud", 12000), ("Birch Bank", 4000)):
        id_ = await pool.fetchval(
            """
            WITH sponsor AS (
                INSERT INTO sponsors (organizer_id, name, contact_name, contact_email)
                VALUES ($1, $3, 'Sam Somebody', md5($3) || '@sponsor.example') RETURNING id
            )
            INSERT INTO sponsorships (event_id, sponsor_id, amount) SELECT $2, id, $4 FROM sponsor RETURNING sponsor_id
            """,
            *(world.organizer, world.event, name, amount),
        )
        await followup.keep_report(pool, world.automation, id_, WORDS, {})
    step = TIMELINE[3]
    await enqueue(pool, world.request(step.model_copy(update={"actions": step.actions[1:]})))
    await to_the_end(pool, dispatch)

    assert await world.counts() == {"sent": 2}
    mails = {}
    for mail in await providers.accepted("resend"):
        page = await providers.http.get(f"{providers.url}/messages/resend/{mail['id']}")
        mails[mail["subject"]] = page.text
    assert set(mails) == {"What Aurora Cloud made possible", "What Birch Bank made possible"}
    assert "12,000.00" in mails["What Aurora Cloud made possible"]
    assert "12,000.00" not in mails["What Birch Bank made possible"]
    assert "4,000.00" in mails["What Birch Bank made possible"]
