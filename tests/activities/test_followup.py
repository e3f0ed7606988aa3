"""The sponsors' reports: each sponsor's own, words without a figure, figures from the records alone."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from activities.content import UnusableAnswer
from activities.facts import event_facts
from activities.followup import Followup, about, blocks, sponsor_facts
from activities.includes import missing
from activities.trial import SOMEBODY
from database import events, followup
from database.connection import Pool
from database.followup import REPORT
from database.outbox import enqueue
from models.automation import Action, Step
from models.player import Act
from providers.accounts import live
from providers.errors import Rejected
from settings import Settings
from templates import render_email
from templates.outreach import ImpactReportSlots
from tests.activities.conftest import Providers
from tests.world import World, make_world
from workflows.post_event_followup import TIMELINE


@pytest.fixture
async def world(pool: Pool) -> World:
    """An event with three sponsors, of which the first knows whom it spoke with."""
    world = await make_world(pool)
    for name, amount in (("Aurora Cloud", 12000), ("Birch Bank", 4000), ("Cedar Tools", None)):
        await pool.execute(
            """
            WITH sponsor AS (
                INSERT INTO sponsors (organizer_id, name, category, contact_name, contact_email)
                VALUES ($1, $3, 'cloud', 'Sam Somebody', md5($3) || '@sponsor.example') RETURNING id
            )
            INSERT INTO sponsorships (event_id, sponsor_id, tier, amount) SELECT $2, id, 'Gold', $4 FROM sponsor
            """,
            *(world.organizer, world.event, name, amount),
        )
    for n in range(8):
        contact = await world.contact(f"guest{n}@people.example")
        await pool.execute(
            "INSERT INTO registrations (event_id, contact_id, checked_in_at) VALUES ($1, $2, $3)",
            *(world.event, contact, datetime.now(UTC) if n < 6 else None),
        )
    await pool.execute(
        """
        INSERT INTO sponsor_leads (sponsorship_id, contact_id)
        SELECT p.id, c.id FROM sponsorships p JOIN sponsors s ON s.id = p.sponsor_id AND s.name = 'Aurora Cloud', contacts c
        """
    )
    return world


@pytest.fixture
async def writing(world: World, providers: Providers) -> AsyncIterator[Followup]:
    settings = Settings(openai_base_url=f"{providers.url}/openai/v1", openai_api_key=SecretStr("sk-local"))
    accounts = live(settings)
    yield Followup(world.pool, accounts, None)
    await accounts.aclose()


async def write(world: World, writing: Followup) -> str:
    about = Act(
        automation_id=world.automation, event_id=world.event, step="sponsor_results", target=REPORT, rehearsal=False
    )
    return await writing.deeds["generate", REPORT](about)


async def reports(world: World) -> dict[str, dict[str, Any]]:
    rows = await world.pool.fetch("SELECT name, slots, revision FROM email_templates WHERE name LIKE $1", f"{REPORT}/%")
    return {row["name"]: row["slots"] for row in rows}


async def test_every_sponsor_gets_words_of_their_own_in_which_no_figure_stands(world: World, writing: Followup) -> None:
    assert await write(world, writing) == "3 reports"
    found = await reports(world)
    results = await followup.results(world.pool, world.event)
    assert set(found) == {followup.report_name(result.sponsor_id) for result in results}
    for slots in found.values():
        ImpactReportSlots.model_validate(slots)
        assert not re.search(r"\d", " ".join(slots.values()))
    usage = await world.pool.fetchval("SELECT usage FROM marketing_campaigns WHERE id = $1", world.campaign)
    assert all(usage[name]["output_tokens"] > 0 for name in found)


async def test_the_figures_of_the_mail_are_those_of_the_records(world: World, writing: Followup) -> None:
    await write(world, writing)
    results = {result.name: result for result in await followup.results(world.pool, world.event)}
    event = event_facts(await events.facts(world.pool, world.event))
    found = await reports(world)
    mails = {
        name: render_email(
            REPORT,
            ImpactReportSlots.model_validate(found[followup.report_name(result.sponsor_id)]),
            event,
            SOMEBODY,
            includes=blocks(result),
            sponsor=sponsor_facts(result),
        ).text
        for name, result in results.items()
    }
    for figure in ("12,000.00", "1,500.00"):
        assert figure in mails["Aurora Cloud"]
        assert figure not in mails["Birch Bank"]
    assert "4,000.00" in mails["Birch Bank"]
    for absent in ("Leads", "Per lead", "Sponsorship\n"):
        assert absent not in mails["Cedar Tools"]


async def test_what_nobody_counted_is_not_shown(world: World) -> None:
    aurora, _, cedar = map(blocks, await followup.results(world.pool, world.event))
    tiles = {kind: [(figure.label, figure.value) for figure in include.figures] for kind, include in aurora.items()}
    assert tiles == {
        "metrics_dashboard": [("Registered", "8"), ("On site", "6")],
        "roi_calculation": [("Sponsorship", "12,000.00"), ("Leads", "8"), ("Per lead", "1,500.00")],
    }
    assert list(cedar) == ["metrics_dashboard"]


async def test_a_message_to_a_sponsor_is_about_that_sponsor_and_only_a_report_holds_figures(world: World) -> None:
    await world.set_automation(workflow_type="post_event_followup")
    for step in TIMELINE[0], TIMELINE[3].model_copy(update={"actions": TIMELINE[3].actions[1:]}):
        await enqueue(world.pool, world.request(step))
    messages = {row["id"]: row for row in await world.messages()}
    found = await about(world.pool, messages)
    assert {messages[id_]["template"] for id_ in found} == {"sponsor_thank_you", REPORT}
    assert len(found) == 6
    for id_, told in found.items():
        assert (told.sponsor.contact_name, told.why) == ("Sam Somebody", "you sponsored River Conf")
        assert bool(told.includes) == (messages[id_]["template"] == REPORT)


async def test_a_report_that_is_there_is_not_written_again_and_one_failure_keeps_none_of_the_others(
    world: World, writing: Followup, providers: Providers
) -> None:
    await providers.faults("openai", next=["truncate"])
    with pytest.raises(UnusableAnswer):
        await write(world, writing)
    assert len(await reports(world)) == 2
    before = await providers.requests("openai")
    await write(world, writing)
    assert (len(await reports(world)), await providers.requests("openai") - before) == (3, 1)
    await write(world, writing)
    assert await providers.requests("openai") - before == 1


async def test_a_model_that_declines_is_final(world: World, writing: Followup, providers: Providers) -> None:
    await providers.faults("openai", next=["refusal"])
    with pytest.raises(Rejected):
        await write(world, writing)


async def test_an_event_without_sponsors_needs_no_report(world: World, writing: Followup, providers: Providers) -> None:
    await world.pool.execute("DELETE FROM sponsorships")
    assert await write(world, writing) == "the event has no sponsors"
    assert await providers.requests("openai") == 0


# -- foreseen ---------------------------------------------------------------------------------------------------------


async def lacks(world: World, *includes: str, template: str = REPORT) -> dict[str, str]:
    """What a mail with these includes would go without."""
    action = Action(verb="email", template=template, audience="sponsors", include=includes)
    step = Step(id="sponsor_results", name="Results", moment="0 hours", actions=(action,))
    return (await missing(world.pool, world.event, [step])).get("sponsor_results", {})


async def test_figures_that_sponsors_will_lack_are_known_before_a_report_is_written(world: World) -> None:
    """Cedar Tools has agreed on no amount and spoken with nobody."""
    ends = (await world.pool.fetchval("SELECT eventos_now($1)", world.event)) - timedelta(hours=1)
    await world.set_event(starts_at=ends - timedelta(hours=8), ends_at=ends)
    said = "neither the amount nor a lead is known of 1 of 3 sponsors"
    assert await lacks(world, "metrics_dashboard", "roi_calculation") == {"roi_calculation": said}
    await world.pool.execute("UPDATE sponsorships SET amount = 100")
    await world.pool.execute("DELETE FROM registrations")
    nothing = "nobody is registered, and no mail has reached anybody"
    assert await lacks(world, "metrics_dashboard", "roi_calculation") == {"metrics_dashboard": nothing}


async def test_figures_to_come_are_not_missing_and_an_event_without_sponsors_lacks_none(world: World) -> None:
    await world.pool.execute("DELETE FROM registrations")
    assert await lacks(world, "metrics_dashboard") == {}
    await world.pool.execute("DELETE FROM sponsorships")
    ends = (await world.pool.fetchval("SELECT eventos_now($1)", world.event)) - timedelta(hours=1)
    await world.set_event(starts_at=ends - timedelta(hours=8), ends_at=ends)
    assert await lacks(world, "metrics_dashboard", "roi_calculation") == {}


async def test_mail_that_is_no_report_has_no_figures_and_the_plan_says_so(world: World) -> None:
    assert await lacks(world, "roi_calculation", template="reminder_email") == {
        "roi_calculation": "there are no figures for this reader"
    }
