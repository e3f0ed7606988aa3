"""The kinds of automations, and what each is begun with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from models.automation import Reaction, Step, WorkflowType
from workflows import attendee_nurture, deliverable_tracking, event_launch, post_event_followup, sponsor_outreach

NEWS = ("paused", "resumed", "cancelled", "event_rescheduled", "step_settled", "content_changed")
"""Occurrences of one automation that every player is told; a kind may listen to more."""


@dataclass(frozen=True)
class Kind:
    """What a kind of automation is begun with."""

    workflow: str
    """The Temporal workflow class."""
    title: str
    """The name of its row; `{event.name}` and `{subject}` are filled in."""
    timeline: tuple[Step, ...]
    reactions: tuple[Reaction, ...] = ()
    label: str = ""
    """What Temporal shows: the title, unless that names a person."""
    subject: str = "event"
    """Which id of the occurrence's data it is about, such as `registration`."""
    closes: Literal["event_date", "event_end"] | None = None
    """From this instant of the event on there is nothing left for it to do."""
    open_ended: bool = False
    """It listens on when its timeline has been played; only a reaction or a person ends it."""
    facts: tuple[str, ...] = ()
    """Facts its conditions ask for, beside those it reacts to."""

    def hears(self, occurrence: str) -> bool:
        """Whether an automation of this kind is told of such an occurrence."""
        return occurrence in self.facts or any(reaction.fact == occurrence for reaction in self.reactions)

    def begins_anew(self, occurrence: str) -> bool:
        """Whether such an occurrence also begins one that has ended: its subject is to be attended to again."""
        return any(reaction.rearms and reaction.fact == occurrence for reaction in self.reactions)


KINDS: Mapping[WorkflowType, Kind] = {
    "event_launch": Kind(
        "EventLaunchWorkflow", "Event Launch: {event.name}", event_launch.TIMELINE, closes="event_date"
    ),
    "attendee_nurture": Kind(
        "AttendeeEngagementWorkflow",
        "Attendee Engagement: {subject}",
        attendee_nurture.TIMELINE,
        attendee_nurture.REACTIONS,
        label="Attendee of {event.name}",
        subject="registration",
        closes="event_end",
        facts=attendee_nurture.FACTS,
    ),
    "post_event_followup": Kind(
        "PostEventFollowupWorkflow", "Post-Event Follow-up: {event.name}", post_event_followup.TIMELINE
    ),
    "deliverable_tracking": Kind(
        "DeliverableTrackingWorkflow",
        "Deliverable: {subject}",
        deliverable_tracking.TIMELINE,
        deliverable_tracking.REACTIONS,
        label="Deliverable of {event.name}",
        subject="deliverable",
        open_ended=True,
    ),
    "sponsor_outreach": Kind(
        "SponsorOutreachWorkflow", "Sponsor Outreach: {event.name}", sponsor_outreach.TIMELINE, closes="event_date"
    ),
    "custom": Kind("CustomWorkflow", "Custom: {event.name}", (), label="Custom automation of {event.name}"),
}
"""The automations that a rule may begin; the timeline of a custom one comes with the rule."""
