"""The table of deliverable tracking, typed from the owner's specification, against what the sandbox received."""

from datetime import UTC, date, datetime

from tests.journeys.alone import Alone, alone, row
from tests.workflows.deliverable_stage import Office
from tests.workflows.house import House

# Reminders are written at nine o'clock of the event's zone; in Lisbon that is nine by UTC.
DUE = date(2027, 1, 28)
NEVER_CAME = [
    row(datetime(2027, 1, 14, 9, tzinfo=UTC), "reminder_2_weeks", "email", "deliverable_reminder", "acme"),
    row(datetime(2027, 1, 21, 9, tzinfo=UTC), "reminder_1_week", "email", "deliverable_reminder", "acme"),
    row(datetime(2027, 1, 25, 9, tzinfo=UTC), "reminder_3_days", "email", "deliverable_reminder", "acme"),
    row(datetime(2027, 1, 27, 9, tzinfo=UTC), "reminder_1_day", "email", "deliverable_urgent", "acme"),
    row(datetime(2027, 1, 27, 9, tzinfo=UTC), "reminder_1_day", "whatsapp", "deliverable_urgent", "acme"),
    row(datetime(2027, 1, 28, 23, 59, tzinfo=UTC), "send_overdue_alert", "email", "deliverable_overdue", "acme"),
    row(datetime(2027, 1, 28, 23, 59, tzinfo=UTC), "send_overdue_alert", "email", "deliverable_overdue_alert", "team"),
]
STEPS = [
    "reminder_2_weeks",
    "reminder_1_week",
    "reminder_3_days",
    "reminder_1_day",
    "deadline_check",
    "mark_overdue",
    "send_overdue_alert",
    "send_thank_you",
]
URGENCIES = {
    "reminder_2_weeks": "low",
    "reminder_1_week": "medium",
    "reminder_3_days": "high",
    "reminder_1_day": "critical",
    "send_overdue_alert": "high",
}
NOT_SUBMITTED = "skipped: the condition does not hold: deliverable_submitted"
HOW_URGENT = {
    "reminder_2_weeks": ("Logo: due in 14 days", "For your plans", False),  # low
    "reminder_1_week": ("Logo: due in 7 days", "Due soon", False),  # medium
    "reminder_3_days": ("Logo: due in 3 days", "Only a few days left", True),  # high
}

HANDED_IN = datetime(2027, 1, 22, 15, tzinfo=UTC)
CAME_IN_TIME = [
    row(datetime(2027, 1, 14, 9, tzinfo=UTC), "reminder_2_weeks", "email", "deliverable_reminder", "acme"),
    row(datetime(2027, 1, 21, 9, tzinfo=UTC), "reminder_1_week", "email", "deliverable_reminder", "acme"),
    row(HANDED_IN, "ask_for_review", "email", "deliverable_review", "team"),
    row(HANDED_IN, "thank_for_submission", "email", "deliverable_thank_you", "acme"),
]


async def owing(tracking: Alone) -> Office:
    """The office of an event whose one sponsor owes nothing yet."""
    return Office(tracking.house, tracking.event, await tracking.sponsorship())


async def test_what_never_comes_is_reminded_of_ever_more_urgently_as_the_owners_table_says(
    house: House, sandbox: str
) -> None:
    async with alone(house, sandbox, "deliverable_tracking") as tracking:
        office = await owing(tracking)
        logo = await office.owes(name="Logo", due_date=DUE)
        await tracking.live()

        assert tracking.received == sorted(NEVER_CAME)
        for step, (subject, tone, urgent) in HOW_URGENT.items():
            [mail] = tracking.of(step)
            assert (mail.subject, tone in mail.html, mail.urgent) == (subject, True, urgent)
            assert mail.shows("https://buildcraft.example.com/sponsors")
        [critical] = tracking.of("reminder_1_day")
        assert critical.subject == "Due tomorrow: Logo"
        tracking.assert_urgent("reminder_3_days", "reminder_1_day", "send_overdue_alert")
        assert await tracking.urgencies("Deliverable: Logo") == URGENCIES
        # It listens on: what is overdue may still be handed in.
        assert await tracking.automations() == {"Deliverable: Logo": "active"}
        steps = await tracking.steps("Deliverable: Logo")
        assert steps == dict.fromkeys(STEPS, "success") | dict.fromkeys(
            ("deadline_check", "send_thank_you"), NOT_SUBMITTED
        )
        owed = await office.deliverable(logo)
        assert (owed["status"], owed["reminders_sent"]) == ("overdue", 4)
        assert owed["last_reminder_sent_at"] == datetime(2027, 1, 27, 9, tzinfo=UTC)


async def test_what_comes_in_time_is_thanked_for_reviewed_and_not_asked_for_again(house: House, sandbox: str) -> None:
    async with alone(house, sandbox, "deliverable_tracking") as tracking:
        office = await owing(tracking)
        logo = await office.owes(name="Logo", due_date=DUE)
        await tracking.live(HANDED_IN)
        await office.set(logo, status="submitted")
        await tracking.live()

        assert tracking.received == sorted(CAME_IN_TIME)
        tracking.assert_urgent()
        steps = await tracking.steps("Deliverable: Logo")
        assert steps["deadline_check"] == "success"
        assert {
            steps[step] for step in ("reminder_3_days", "reminder_1_day", "mark_overdue", "send_overdue_alert")
        } == {"skipped: the condition does not hold: not deliverable_submitted"}
        owed = await office.deliverable(logo)
        assert (owed["status"], owed["reminders_sent"]) == ("submitted", 2)


async def test_what_is_agreed_ten_days_before_it_is_due_is_not_reminded_of_two_weeks_before(
    house: House, sandbox: str
) -> None:
    async with alone(house, sandbox, "deliverable_tracking") as tracking:
        office = await owing(tracking)
        await tracking.live(datetime(2027, 1, 18, 12, tzinfo=UTC))
        await office.owes(name="Logo", due_date=DUE)
        await tracking.live()

        assert tracking.received == sorted(NEVER_CAME[1:])
