"""The tables of sponsor outreach, typed from the owner's specification, against what the sandbox received."""

from tests.journeys.alone import HOUR, START, alone, row
from tests.workflows.house import House
from tests.workflows.sponsor_stage import Outreach

CONTACTS = {
    "Brightkiln Cloud": "miguel",
    "Deep Gauge": "jonas",
    "Gitfen": "harry",
    "Goodfit Talent": "lukas",
    "Hammerlight": "rui",
    "Lanternwatch": "oscar",
    "Meridian Pay": "liam",
    "Oakline Editors": "george",
    "Orchard Bank": "noah",
    "Stratus Yard": "joao",
}
"""The ten of the fifteen possible sponsors that fit best. Rui opens the proposal and says nothing; Harry opens it and answers
on the fourth day; nobody else opens it."""
ALL = set(CONTACTS.values())
SILENT = ALL - {"harry"}

TABLE = [
    row(START, "send_proposal", "email", "proposal_email", *ALL),
    row(START + 72 * HOUR, "send_gentle_reminder", "email", "gentle_reminder", *(ALL - {"rui", "harry"})),
    row(START + 72 * HOUR, "send_follow_up", "email", "follow_up", "rui", "harry"),
    row(START + 96 * HOUR, "schedule_meeting", "email", "schedule_meeting", "harry"),
    row(START + 96 * HOUR, "tell_of_answer", "email", "sponsor_responded", "team"),
    row(START + 168 * HOUR, "send_value_email", "email", "value_reinforcement", *SILENT),
    row(START + 336 * HOUR, "send_social_proof", "email", "social_proof", *SILENT),
    row(START + 504 * HOUR, "send_last_chance", "email", "last_chance", *SILENT),
]
NOT_OPENED = {
    "send_proposal": "success",
    "check_opened": "success",
    "check_responded": "success",
    "send_gentle_reminder": "success",
    "send_follow_up": "skipped: the other branch was taken",
    "send_value_email": "success",
    "send_social_proof": "success",
    "send_last_chance": "success",
}
OPENED = NOT_OPENED | {
    "check_opened": "skipped: the condition does not hold: not proposal_opened",
    "send_gentle_reminder": "skipped: the condition does not hold: not proposal_opened",
    "send_follow_up": "success",
}


async def test_sponsors_are_found_and_followed_up_as_the_owners_tables_say(house: House, sandbox: str) -> None:
    async with alone(house, sandbox, "sponsor_outreach", approval="auto") as found:
        outreach = Outreach(house, found.event, START)
        await found.live(START + HOUR)
        await outreach.opens("Hammerlight")
        await outreach.opens("Gitfen")
        await found.live(START + 96 * HOUR)
        await outreach.replies("Gitfen", "Harry <harry@gitfen.test>")
        await found.live()

        assert found.received == sorted(TABLE)
        found.assert_urgent("send_last_chance")
        names = {"Sponsor Outreach: Buildcraft Lisbon", *(f"Sponsor Follow-up: {sponsor}" for sponsor in CONTACTS)}
        assert await found.automations() == dict.fromkeys(names, "completed")
        assert await found.steps("Sponsor Outreach: Buildcraft Lisbon") == dict.fromkeys(
            ("find_matches", "generate_proposals", "create_follow_up_sequence"), "success"
        )
        assert await house.handle(f"sponsor_outreach/{found.event}/1").result() == {
            "matches_found": 10,
            "proposals_generated": 10,
            "sequences_created": 10,
        }
        for sponsor in CONTACTS.keys() - {"Hammerlight", "Gitfen"}:
            assert await found.steps(f"Sponsor Follow-up: {sponsor}") == NOT_OPENED
            assert await found.urgencies(f"Sponsor Follow-up: {sponsor}") == {"send_last_chance": "high"}
        assert await found.steps("Sponsor Follow-up: Hammerlight") == OPENED
        # Who is silent to the end is warm, who has answered is hot, and nothing more is sent to them.
        marks = {sponsor: (await outreach.status(sponsor))[0] for sponsor in CONTACTS}
        assert marks == dict.fromkeys(CONTACTS, "warm") | {"Gitfen": "hot"}
        # Each proposal is the sponsor's own, and comes from the organizer.
        for mail in found.of("send_proposal"):
            assert mail.shows("Buildcraft Lisbon")
            assert mail.shows("Reference SP-")
