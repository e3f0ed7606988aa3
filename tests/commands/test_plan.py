"""`eventos plan`: the calendar for people, and the same for programs."""

import json

from database.connection import Pool, connect
from database.seed import seed
from tests.commands.test_control import NAME, eventos


async def seeded(database: str) -> str:
    connection = await connect(database)
    await seed(connection)
    await connection.close()
    return database


async def test_the_calendar_names_days_steps_numbers_and_reasons(database: str, pool: Pool) -> None:
    await seeded(database)
    await pool.execute("UPDATE organizers SET whatsapp_content = '{}'")
    status, said = await eventos(database, "plan", NAME)
    assert status == 0
    for words in (
        "Buildcraft Lisbon draft, times in Europe/Lisbon",
        "If it is published now",
        "email to 369 of 400 all contacts",
        "19 no consent to email",
        "no ContentSid for whatsapp_broadcast",
        "Post-Event Follow-up",
        "goes out once you have approved it",
    ):
        assert words in " ".join(said.split())


async def test_programs_get_the_same_as_json(database: str) -> None:
    status, said = await eventos(await seeded(database), "plan", NAME, "--json")
    assert status == 0
    strands = {strand["type"]: strand for strand in json.loads(said)["strands"]}
    assert len(strands["event_launch"]["steps"]) == 9
    assert strands["post_event_followup"]["because"] == "the end of the event"


async def test_an_instant_that_has_passed_is_refused(database: str) -> None:
    status, said = await eventos(await seeded(database), "plan", NAME, "--at", "2020-01-01 10:00")
    assert (status, "has passed" in said) == (1, True)
