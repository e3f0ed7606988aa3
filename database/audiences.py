"""Audiences: named sets of people, resolved when a step is played."""

from database import deliverable_tracking, followup, registrations, sponsors
from database.people import who
from models.automation import Action
from models.phrases import nearest

ADDRESS = {"email": "lower(btrim(email))", "whatsapp": "regexp_replace(phone, '[^0-9+]', '', 'g')"}
USABLE = {"email": r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "whatsapp": r"^\+[1-9][0-9]{6,14}$"}
UNUSABLE = {
    "email": "the email address is not usable",
    "whatsapp": "the phone number is not in international form (+ and country code)",
}
TWICE = "another contact has the same address"

AUDIENCES = {
    **deliverable_tracking.AUDIENCES,
    "all_contacts": """
        SELECT c.id AS person_id, c.email, c.phone
        FROM scope JOIN contacts c ON c.organizer_id = scope.organizer_id
    """,
    "vip_contacts": """
        SELECT c.id AS person_id, c.email, c.phone
        FROM scope JOIN contacts c ON c.organizer_id = scope.organizer_id
        WHERE c.vip
    """,
    "contacts_not_registered": f"""
        SELECT c.id AS person_id, c.email, c.phone
        FROM scope JOIN contacts c ON c.organizer_id = scope.organizer_id
        WHERE NOT EXISTS (SELECT 1 FROM registrations r JOIN contacts x ON x.id = r.contact_id
                          WHERE r.event_id = (SELECT event_id FROM scope) AND r.status = 'confirmed' AND {who("x")} = {who("c")})
    """,
    "registered_attendees": """
        SELECT c.id AS person_id, c.email, c.phone
        FROM scope JOIN registrations r ON r.event_id = scope.event_id AND r.status = 'confirmed'
        JOIN contacts c ON c.id = r.contact_id
    """,
    **followup.AUDIENCES,
}
"""SQL of (person_id, email, phone) by name, and of the segment where a step writes by segments. `scope` is one row: event_id, organizer_id, and the automation's subject_id.
People without an address on a step's channel are not in its audience; whether they may be written to is a gate's matter."""


EACH = ("sponsors",)
"""Audiences of whom each is written to in words of their own, also where several have one address."""

PLACED = ("present_speakers_sponsors", "all_of_event")
"""Audiences that say by `place` who is written to of several with one address."""

SUBJECTS: dict[str, str] = {
    "sponsor_outreach": sponsors.CONTACT,
    "attendee_nurture": registrations.ATTENDEE,
    "deliverable_tracking": deliverable_tracking.SUBJECT,
}
"""The same for each kind whose steps address its own subject: an attendee, a sponsor."""


class UnknownAudience(ValueError):
    """A step names an audience that nobody wrote."""


def people(audience: str | None, workflow_type: str = "") -> str:
    """The SQL that selects an audience from `scope`; None is the automation's own subject."""
    if audience is None and workflow_type in SUBJECTS:
        return SUBJECTS[workflow_type]
    if audience is None:
        raise UnknownAudience(f"The step names no audience; say one of {', '.join(AUDIENCES)}.")
    try:
        return AUDIENCES[audience]
    except KeyError:
        raise UnknownAudience(f"There is no audience '{audience}'{nearest(audience, AUDIENCES)}.") from None


def chosen(action: Action, workflow_type: str) -> str:
    """The CTEs of an action's `people`, of those `addressed`, and of the `chosen`: every usable address once,
    or, where each has words of their own, every person.

    `scope` has `segments` and `template` too: a person's template is that of their segment, else the step's.
    """
    template = "coalesce(scope.segments ->> segment, scope.template)" if action.segments else "scope.template"
    address = ADDRESS[action.verb]
    once = "address, person_id" if action.audience in EACH else "address"
    place = "place" if action.audience in PLACED else "0"
    return f"""
        people AS (
            {people(action.audience, workflow_type)}
        ), addressed AS MATERIALIZED (
            SELECT person_id, {address} COLLATE "C" AS address, {template} AS template, {place} AS place
            FROM people CROSS JOIN scope WHERE {address} <> '' AND {template} IS NOT NULL
        ), chosen AS MATERIALIZED (
            SELECT DISTINCT ON ({once}) person_id, address, template FROM addressed
            WHERE address ~ '{USABLE[action.verb]}' ORDER BY {once}, place, person_id
        )"""
