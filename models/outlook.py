"""What will happen to an event: the calendar of its automations, as `eventos plan` shows it and programs read it."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from models.automation import Frozen


class Reach(Frozen):
    """Whom one action of a step would write to, counted now."""

    channel: str
    template: str | None = None
    audience: str | None = None
    """None is the automation's own subject, or the public."""
    people: int | None = None
    """How many are meant; None where it cannot be counted, such as the followers of a platform."""
    reached: int | None = None
    """How many of them would get it."""
    at: AwareDatetime | None = None
    """When a post goes out that waits for its platform's good hours."""
    without: dict[str, int] = Field(default_factory=dict)
    """How many of them would not, by reason."""


class Planned(Frozen):
    """One step, as it would come now."""

    step: str
    name: str
    verdict: Literal["goes", "if", "skipped", "waits"]
    """`if` is decided by what becomes known until then; `waits` has no instant, for a reason."""
    at: AwareDatetime | None = None
    last: AwareDatetime | None = None
    """Where it comes to many subjects, the instant of the last of them."""
    count: int = 1
    """To how many subjects it comes."""
    why: str = ""
    does: tuple[str, ...] = ()
    """What it does beside sending: `generate social_posts`."""
    reaches: tuple[Reach, ...] = ()
    missing: tuple[str, ...] = ()
    """What it cannot go without, and where that is to be set."""
    left_out: dict[str, str] = Field(default_factory=dict)
    """The includes that its mails go without, and why."""


class Strand(Frozen):
    """One automation, or those of a kind that differ in nothing but their subjects."""

    type: str
    name: str
    status: str
    """That of its row; `ahead` where a rule has still to begin it."""
    begins: AwareDatetime | None = None
    """When a rule begins it; None if it has begun, or if nobody can say when."""
    because: str = ""
    """What begins it."""
    count: int = 1
    """How many there are."""
    approval: bool = False
    """Somebody has to approve what it sends."""
    problem: str = ""
    steps: tuple[Planned, ...] = ()


class Outlook(Frozen):
    """Everything that will happen to an event, by what is known now."""

    event: UUID
    name: str
    status: str
    zone: str
    now: AwareDatetime
    published_at: AwareDatetime | None = None
    """When it is supposed to be published; None if it is published."""
    missing: tuple[str, ...] = ()
    """What has to be put right before it can be published, and what its organizer has not set."""
    strands: tuple[Strand, ...] = ()
