"""Who sends when two automations cover one topic; at claim `eventos_covered` decides by the same table, person by person."""

from models.automation import WorkflowType


def precedence(topic: str | None, channel: str) -> WorkflowType | None:
    """The kind whose message on a topic goes out in place of the others'; None if every message stands for itself."""
    if topic == "final" and channel == "email":
        return "attendee_nurture"
    return "post_event_followup" if topic in ("thank_you", "recordings", "next_event") else None
