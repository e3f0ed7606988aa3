"""Automations as data: kinds, steps, actions, and what has become of a step."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

WorkflowType = Literal[
    "event_launch", "sponsor_outreach", "attendee_nurture", "post_event_followup", "deliverable_tracking", "custom"
]
Verb = Literal["email", "whatsapp", "social", "generate", "notify", "update", "call"]
Urgency = Literal["low", "medium", "high", "critical"]

GRACE = timedelta(hours=6)
"""How long after its due instant a step still counts as on time, unless the step says otherwise."""

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Stands for PostgreSQL's `infinity`: what waits until this instant waits for news, not for time."""

RULES = 1
"""The newest version of `plan()`; a running automation keeps the version it began with."""


class Late(StrEnum):
    """What becomes of a step that is overdue by more than its grace."""

    RUN = "run"
    SEND = "send"
    SKIP = "skip"
    LATEST = "latest"


class Frozen(BaseModel):
    """A value: compared by content, never changed, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Action(Frozen):
    """One verb of a step, with what the verb needs."""

    verb: Verb
    template: str | None = None
    audience: str | None = None
    targets: tuple[str, ...] = ()
    """What `generate` and `update` make; the platforms of `social`; the recipients of `notify`."""
    include: tuple[str, ...] = ()
    segments: dict[str, str] = Field(default_factory=dict)
    urgency: Urgency | None = None
    track: bool = False
    optimal_time: bool = False
    """Each post waits for its platform's next good slot."""


class Step(Frozen):
    """One step of a timeline: name, moment, actions, conditions, lateness."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    name: str
    moment: str
    actions: tuple[Action, ...] = ()
    condition: str | None = None
    late: Late = Late.SEND
    grace: timedelta = GRACE
    until: str | None = None
    """A step id or a moment: from then on the step is overtaken."""
    needs: str | None = None
    """A step that has to have ended as well, whatever the moment says."""
    branch: str | None = None
    """Exclusive branches name the same slot here; without one a step is its own slot."""
    priority: Literal[1, 2, 3] = 3
    topic: str | None = None

    @property
    def slot(self) -> str:
        """The place in the journal that exclusive branches share."""
        return self.branch or self.id


class Reaction(Frozen):
    """What a fact brings about at once, beside the timeline."""

    fact: str
    steps: tuple[Step, ...] = ()
    """Carried out when the fact is heard, each in a slot of its own; their moments are not looked at."""
    ends: bool = False
    """What has not begun is skipped, and the automation is completed."""
    withdraws: tuple[str, ...] = ()
    """Facts that this one makes untrue."""
    rearms: bool = False
    """Steps that count from an anchor begin a new round: what lies ahead, and what was skipped though it is carried out however late.
    Where the automation has ended, such a fact begins it anew."""


class Shift(Frozen):
    """A pause after which steps were moved by its length."""

    at: AwareDatetime
    by: timedelta

    def of(self, origin: datetime) -> timedelta:
        """By how much it moves what counts from an instant: by all of the pause, or by what was left of it."""
        return max(timedelta(0), self.at + self.by - max(origin, self.at))


class Anchors(Frozen):
    """The instants that moments count from; None is an anchor the subject does not have."""

    start: AwareDatetime
    zone: str
    event_date: AwareDatetime | None = None
    event_end: AwareDatetime | None = None
    deadline: AwareDatetime | None = None
    date_revision: int = 0
    shifts: tuple[Shift, ...] = ()
    """What moves the steps that count from the start, or from the end of a step; those of other anchors stay."""


class StepState(StrEnum):
    """What has become of one round of a step. `held` waits for a person, `running` for its messages."""

    RUNNING = "running"
    HELD = "held"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens in this round."""
        return self in (StepState.SUCCESS, StepState.FAILED, StepState.SKIPPED)


class Progress(Frozen):
    """What is known of the latest round of a step that has begun."""

    state: StepState
    round: int = 0
    due: AwareDatetime
    """The instant this round was decided for."""
    ended: AwareDatetime | None = None
    reason: str | None = None
