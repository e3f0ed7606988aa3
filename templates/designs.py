"""Which emails there are: what each needs, which blocks it can show, and the fixed words around the generated ones."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from templates.errors import UnknownInclude, UnknownTemplate
from templates.facts import EventFacts, PersonFacts
from templates.includes import INCLUDES
from templates.letters import Letter, Parts, Urgency, letters
from templates.merge import facts_behind
from templates.outreach import FollowUpSlots, ImpactReportSlots, ProposalSlots
from templates.slots import EmailSlots, MailSlots, Notice
from templates.subjects import SUBJECT_FIELDS, Subjects, subject_lacks

MailWords = MailSlots | Notice

_CAMPAIGN = (
    *("event.name", "event.starts_at", "event.timezone", "event.venue"),
    *("event.organizer_name", "event.organizer_address"),
)
_TAKES: dict[str, type[MailSlots]] = {
    slots.__name__: slots for slots in (ProposalSlots, FollowUpSlots, ImpactReportSlots)
}
# The addresses that an event knows; any other action is one of SUBJECT_FIELDS.
EVENT_ACTIONS = ("url", "register_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """One email. `file` names its .mjml and .txt, `layout` what is around it; `action` is the address behind the button.

    Either `takes` says which slots bring the words, or the words are those of `letter`; `takes` is None then.
    `includes` are those it is made for, in the order they are shown in.
    """

    file: str
    layout: str = "layout"
    eyebrow: str = ""
    takes: type[MailWords] | None = EmailSlots
    letter: Letter | None = None
    sign_off: str = "See you there,"
    urgent: bool = False
    marketing: bool = True
    from_organizer: bool = True
    facts_shown: bool = True
    price_shown: bool = True
    action: str = "register_url"
    event_needs: tuple[str, ...] = (*_CAMPAIGN, "event.register_url")
    person_needs: tuple[str, ...] = ("person.why", "person.unsubscribe_url")
    blocks: tuple[str, ...] = ("tagline", "address", "price")
    includes: tuple[str, ...] = ()

    def words(self, slots: MailWords | None) -> Parts:
        """The words of the mail; the slots are of the type it takes."""
        if slots is None:
            return self.letter.parts() if self.letter else Parts("", "")
        parts = slots.parts()
        return parts._replace(cta_label=self.letter.cta_label) if self.letter else parts

    def subject_fields(self, parts: Parts) -> tuple[str, ...]:
        """The merge fields that need more than event and reader."""
        extra = ("proposal_reference",) if self.layout == "plain" else ()
        used = (*parts.fields(), self.action, *extra)
        return tuple(field for field in dict.fromkeys(used) if field in SUBJECT_FIELDS)

    def tone(self, about: Subjects) -> Urgency | None:
        """How urgent the mail is to sound, where it can differ."""
        return about.deliverable.urgency if self.letter and self.letter.tones else None


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
        marketing=False,
        from_organizer=False,
        action="",
        event_needs=("event.name",),
        person_needs=("person.why",),
        blocks=(),
    ),
}


def _design(letter: Letter) -> Design:
    internal = letter.to == "organizer"
    shown = ("event.starts_at", "event.timezone", "event.venue") if letter.facts else ()
    origin = () if internal else ("event.organizer_name", *(("event.organizer_address",) if letter.marketing else ()))
    return Design(
        file="personal" if letter.look == "personal" else "note",
        layout="plain" if letter.look == "personal" else "layout",
        eyebrow=letter.eyebrow,
        takes=_TAKES[letter.takes] if letter.takes else None,
        letter=letter,
        sign_off=letter.sign_off,
        urgent=letter.urgent,
        marketing=letter.marketing,
        from_organizer=not internal,
        facts_shown=letter.facts,
        price_shown=False,
        action=letter.action,
        event_needs=("event.name", *shown, *origin),
        person_needs=("person.why", *(("person.unsubscribe_url",) if letter.marketing else ())),
        blocks=(*(("address",) if letter.facts else ()), *(("url",) if letter.action == "url" else ())),
        includes=letter.includes,
    )


DESIGNS |= {name: _design(letter) for name, letter in letters().items()}

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


def missing_event_fields(template: str, slots: MailWords | None, event: EventFacts) -> tuple[str, ...]:
    """What the template, and the merge fields in its words, need of the event and do not find."""
    design = design_of(template)
    absent = event.lacks((*design.event_needs, *facts_behind(design.words(slots).needs())))
    return (*absent, "slots") if slots is None and design.takes else absent


def missing_person_fields(template: str, person: PersonFacts) -> tuple[str, ...]:
    """What the template needs of the person and does not find."""
    return person.lacks(design_of(template).person_needs)


def missing_subject_fields(parts: Parts, values: dict[str, str]) -> tuple[str, ...]:
    """What the words need of sponsor, deliverable or approval and do not find."""
    return subject_lacks((field for field in dict.fromkeys(parts.needs()) if field in SUBJECT_FIELDS), values)


def missing_includes(template: str, wanted: Sequence[str] | None, given: Collection[str]) -> tuple[str, ...]:
    """Those of the wanted includes (None: those the template is made for) that were not given and are left out."""
    asked = design_of(template).includes if wanted is None else wanted
    for name in (*asked, *given):
        if name not in INCLUDES:
            raise UnknownInclude.among(name, INCLUDES)
    return tuple(name for name in dict.fromkeys(asked) if name not in given)


def includes_of(template: str) -> tuple[str, ...]:
    """The includes a template is made for, in its order."""
    return design_of(template).includes


def is_marketing(template: str) -> bool:
    """Whether the mail carries an unsubscribe link, and so wants the List-Unsubscribe headers."""
    return design_of(template).marketing


def slots_of(template: str) -> type[MailWords] | None:
    """The slots whose words the mail takes; None where its words are fixed."""
    return design_of(template).takes


def missing_blocks(template: str, event: EventFacts) -> tuple[str, ...]:
    """The optional blocks the template leaves out because the event says nothing about them."""
    return tuple(name.removeprefix("details.") for name in design_of(template).blocks if not _block(event, name))


def _block(event: EventFacts, name: str) -> str:
    if name.startswith("details."):
        return event.details.get(name.removeprefix("details."), "")
    return str(getattr(event, name))
