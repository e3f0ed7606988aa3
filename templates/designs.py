"""Which emails there are: what each needs, which blocks it can show, and the fixed words around the generated ones."""

from dataclasses import dataclass

from templates.errors import UnknownTemplate
from templates.facts import EventFacts, PersonFacts
from templates.merge import facts_behind
from templates.slots import EmailSlots, Notice

_CAMPAIGN = (
    *("event.name", "event.starts_at", "event.timezone", "event.venue"),
    *("event.organizer_name", "event.organizer_address"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """One email. `file` names its .mjml and .txt; `action` is the event's address behind the button."""

    file: str
    eyebrow: str
    takes: type[EmailSlots] | type[Notice] = EmailSlots
    sign_off: str = "See you there,"
    urgent: bool = False
    price_shown: bool = True
    action: str = "register_url"
    event_needs: tuple[str, ...] = (*_CAMPAIGN, "event.register_url")
    person_needs: tuple[str, ...] = ("person.why", "person.unsubscribe_url")
    blocks: tuple[str, ...] = ("tagline", "address", "price")


DESIGNS = {
    "announcement_email": Design(file="invitation", eyebrow="You are invited"),
    "reminder_email": Design(file="invitation", eyebrow="Still time to join"),
    "last_chance_email": Design(file="invitation", eyebrow="Last chance to register", urgent=True),
    "final_reminder": Design(
        file="final_reminder",
        eyebrow="You are registered",
        sign_off="See you soon,",
        price_shown=False,
        action="url",
        event_needs=(*_CAMPAIGN, "event.url"),
        blocks=(
            "tagline",
            "address",
            "details.check_in",
            "details.directions",
            "details.parking",
            "details.hotel",
            "details.what_to_expect",
            "details.app_link",
        ),
    ),
    "notification": Design(
        file="notification",
        eyebrow="Needs you",
        takes=Notice,
        action="",
        event_needs=("event.name",),
        person_needs=("person.why",),
        blocks=(),
    ),
}

# Title and, where the value is an address, the words of its link.
DETAIL_TITLES = {
    "check_in": ("Check-in", ""),
    "directions": ("Getting there", ""),
    "parking": ("Parking", ""),
    "hotel": ("Where to stay", ""),
    "what_to_expect": ("What to expect", ""),
    "app_link": ("Event app", "Get the app"),
}


def design_of(template: str) -> Design:
    """The design of that name; UnknownTemplate lists those there are."""
    try:
        return DESIGNS[template]
    except KeyError:
        raise UnknownTemplate.among(template, DESIGNS) from None


def missing_event_fields(template: str, slots: EmailSlots | Notice | None, event: EventFacts) -> tuple[str, ...]:
    """What the template, and the merge fields in its words, need of the event and do not find."""
    used = slots.merge_fields() if isinstance(slots, EmailSlots) else ()
    absent = event.lacks((*design_of(template).event_needs, *facts_behind(used)))
    return (*absent, "slots") if slots is None else absent


def missing_person_fields(template: str, person: PersonFacts) -> tuple[str, ...]:
    """What the template needs of the person and does not find."""
    return person.lacks(design_of(template).person_needs)


def missing_blocks(template: str, event: EventFacts) -> tuple[str, ...]:
    """The optional blocks the template leaves out because the event says nothing about them."""
    return tuple(name.removeprefix("details.") for name in design_of(template).blocks if not _block(event, name))


def _block(event: EventFacts, name: str) -> str:
    if name.startswith("details."):
        return event.details.get(name.removeprefix("details."), "")
    return str(getattr(event, name))
