"""Deliverable tracking: a sponsor is reminded of what is owed, until it is handed in and approved."""

from temporalio import workflow

from models.automation import Reaction
from models.player import AutomationInput, News
from workflows.automation import Automation
from workflows.timeline import email, step, timeline, update, whatsapp

OWED = "not deliverable_submitted"
THANKS = email("deliverable_thank_you", to="sponsor_not_yet_thanked")

TIMELINE = timeline(
    step(
        "reminder_2_weeks",
        "deadline - 14 days at 09:00",
        email("deliverable_reminder", urgency="low"),
        condition=OWED,
        late="skip",
        until="reminder_1_week",
    ),
    step(
        "reminder_1_week",
        "deadline - 7 days at 09:00",
        email("deliverable_reminder", urgency="medium"),
        condition=OWED,
        late="skip",
        until="reminder_3_days",
    ),
    step(
        "reminder_3_days",
        "deadline - 3 days at 09:00",
        email("deliverable_reminder", urgency="high"),
        condition=OWED,
        late="latest",
        until="reminder_1_day",
    ),
    step(
        "reminder_1_day",
        "deadline - 1 day at 09:00",
        email("deliverable_urgent", urgency="critical"),
        whatsapp("deliverable_urgent", urgency="critical"),
        condition=OWED,
        late="latest",
        until="deadline_check",
    ),
    step("deadline_check", "deadline at 23:59", condition="deliverable_submitted", late="run"),
    # A resume that skips all writes to nobody; that the date has passed is true all the same.
    step("mark_overdue", "deadline at 23:59", update("overdue"), condition=OWED, late="run", priority=1),
    step(
        "send_overdue_alert",
        "deadline at 23:59",
        email("deliverable_overdue", urgency="high"),
        email("deliverable_overdue_alert", to="the_organizer", urgency="high"),
        condition=OWED,
        priority=1,
    ),
    step(
        "send_thank_you",
        "deadline at 23:59",
        THANKS,
        condition="deliverable_submitted",
        priority=2,
    ),
)

REACTIONS = (
    Reaction(
        fact="deliverable_submitted",
        steps=timeline(
            step(
                "ask_for_review",
                "0 hours",
                update("review_request"),
                email("deliverable_review", to="organizer_who_approves"),
                priority=1,
            ),
            step("thank_for_submission", "0 hours", THANKS, priority=2),
        ),
    ),
    Reaction(
        fact="deliverable_approved",
        steps=timeline(step("thank_for_approved", "0 hours", THANKS, priority=2)),
        ends=True,
    ),
    Reaction(
        fact="deliverable_rejected",
        steps=timeline(
            step("explain_rejection", "0 hours", email("deliverable_rejected", to="sponsor_of_rejected"), priority=1),
            step("await_again", "0 hours", update("pending_again")),
        ),
        withdraws=("deliverable_submitted", "deliverable_approved", "deliverable_rejected"),
        rearms=True,
    ),
    Reaction(
        fact="deliverable_reopened",
        steps=timeline(step("await_once_more", "0 hours", update("pending_again"))),
        withdraws=("deliverable_submitted", "deliverable_approved", "deliverable_reopened"),
        rearms=True,
    ),
    Reaction(fact="deliverable_moved", withdraws=("deliverable_moved",)),
)
"""A fact that withdraws itself is one that may come about again. A new due date needs no arming: what counts from a moved
anchor and lies ahead begins a new round anyway, and a date that was checked once is not checked again."""


@workflow.defn
class DeliverableTrackingWorkflow(Automation):
    """Tracks one deliverable from the day it is agreed until it is approved."""

    @workflow.init
    def __init__(self, about: AutomationInput) -> None:
        super().__init__(about)

    @workflow.run
    async def run(self, about: AutomationInput) -> None:  # noqa: ARG002 - taken in by __init__
        """Remind, check and thank; overdue or not, listen until it is approved."""
        await self.play()

    @workflow.signal
    def deliverable_submitted(self, news: News | None = None) -> None:
        """The sponsor has handed it in."""
        self.hear_fact("deliverable_submitted", news)

    @workflow.signal
    def deliverable_approved(self, news: News | None = None) -> None:
        """The organizer has approved it, or it needed no approval."""
        self.hear_fact("deliverable_approved", news)

    @workflow.signal
    def deliverable_rejected(self, news: News | None = None) -> None:
        """The organizer cannot use what was handed in."""
        self.hear_fact("deliverable_rejected", news)

    @workflow.signal
    def deliverable_reopened(self, news: News | None = None) -> None:
        """What was handed in was taken back."""
        self.hear_fact("deliverable_reopened", news)

    @workflow.signal
    def deliverable_moved(self, news: News | None = None) -> None:
        """It is due on another day."""
        self.hear_fact("deliverable_moved", news)
