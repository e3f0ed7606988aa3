"""`eventos register`: somebody is registered, and reads what they will be sent and when."""

from database.connection import Pool, connect
from database.seed import seed
from tests.commands.test_control import eventos

NAME = "Buildcraft Lisbon"


async def test_somebody_new_is_registered_and_told_what_will_be_sent(database: str, pool: Pool) -> None:
    connection = await connect(database)
    await seed(connection)
    await connection.close()

    status, said = await eventos(database, "register", NAME, "new@people.example")
    assert status == 1
    assert "is draft, so nobody is accompanied" in said

    await pool.execute("UPDATE events SET status = 'published'")
    status, said = await eventos(database, "register", NAME, "new@people.example")
    assert status == 0
    assert "new@people.example is registered for Buildcraft Lisbon." in said
    assert [line.split()[0] for line in said.splitlines() if "Europe/Lisbon" not in line and "_" in line] == [
        *("registration_confirmation", "welcome_preparation", "speaker_highlights", "detailed_schedule"),
        *("logistics_reminder", "final_details", "day_of_welcome", "thank_you_survey", "content_recap"),
        "community_next_event",
    ]
    assert "07:00" in next(line for line in said.splitlines() if line.strip().startswith("day_of_welcome"))

    status, said = await eventos(database, "register", NAME, "NEW@people.example")
    assert (status, "registered for Buildcraft Lisbon before" in said) == (0, True)
    registered = await pool.fetchval(
        "SELECT count(*) FROM registrations r JOIN contacts c ON c.id = r.contact_id WHERE lower(c.email) = 'new@people.example'"
    )
    assert registered == 1
