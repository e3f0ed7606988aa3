"""A launch that is published late: what it still does, and in which order."""

from datetime import timedelta

from database.connection import connect
from database.seed import seed
from starter import rehearsal
from starter.conductor import conduct
from tests.workflows.house import House


async def test_an_event_published_two_days_before_it_starts_is_announced_and_its_last_chance_has_words(
    working: House,
) -> None:
    """The last chance was due a day ago. It still makes sense, but not before its words are written."""
    await working.pool.execute("UPDATE automation_rules SET enabled = workflow_type = 'event_launch'")
    connection = await connect(working.settings.database_url)
    seeded = await seed(connection)
    starts = await connection.fetchval("SELECT starts_at FROM events WHERE id = $1", seeded.event_id)
    await connection.close()
    event = await rehearsal.copy(working.pool, seeded.event_id, starts - timedelta(days=2))
    await rehearsal.publish(working.pool, event)
    async for _ in conduct(working.pool, working.client, event, starts):
        pass

    launch = f"event_launch/{event}/1"
    assert await working.states(launch) == {
        "last_chance_email": "success",
        "generate_marketing_content": "success",
        "create_campaign_records": "success",
        "send_announcement": "success",
        "post_social_media": "success",
        "send_whatsapp_broadcast": "success",
        "final_reminder": "success",
        "week_1_reminder": "skipped: last_chance_email came before it was due",
        "week_2_social": "skipped: event_date came before it was due",
    }
    words = await working.pool.fetch(
        """
        SELECT count(*) AS queued, count(m.content_id) AS worded FROM messages m
        JOIN automation_workflows a ON a.id = m.automation_id
        WHERE a.temporal_workflow_id = $1 AND m.step = 'last_chance_email'
        """,
        launch,
    )
    assert words[0]["queued"] == words[0]["worded"] > 0
