"""What a player and its activities tell each other."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from models.approval import Awaited
from models.automation import RULES, Anchors, Frozen, Progress, Reaction, Step, StepState, WorkflowType
from models.moments import Instants

Policy = Literal["by_policy", "send_all", "skip_all", "shift"]
"""What a resume does with the steps that fell due meanwhile; `shift` moves what counts from the start, or from the end of a step,
by the length of the pause, and treats the others as `by_policy` does."""

Refusal = Literal["paused", "cancelled", "stale", "unapproved"]
"""Why nothing was decided. `stale` asks the player to look first: dates or timeline are not those it knows; `unapproved` has
asked for the approval."""


class News(Frozen):
    """Something an automation is told. `kind` is the name of the signal, `at` the business instant."""

    kind: str
    at: AwareDatetime
    data: dict[str, str | int | bool | None] = Field(default_factory=dict)


class AutomationInput(Frozen):
    """What an automation begins with, and keeps: its timeline travels with it."""

    automation_id: UUID
    event_id: UUID
    subject_id: UUID
    workflow_type: WorkflowType
    steps: tuple[Step, ...]
    reactions: tuple[Reaction, ...] = ()
    open_ended: bool = False
    """It listens on when its timeline has been played; only a reaction or a person ends it."""
    rules: int = RULES
    rehearsal: bool = False
    begun_by: News | None = None
    """The fact that began it anew after its end: the first thing it hears."""
    earlier: dict[str, Progress] = Field(default_factory=dict)
    """What had become of its steps, and of the answers to facts, by then; it goes on from there."""


class Asked(Frozen):
    """An automation asks about itself."""

    automation_id: UUID
    event_id: UUID
    steps: tuple[Step, ...] = ()
    ended: dict[str, AwareDatetime] = Field(default_factory=dict)
    """When the steps that others count from ended."""
    date_revision: int | None = None
    """The revision of the event's dates the player has adopted; None before it has looked."""
    now: AwareDatetime | None = None
    """The player's business instant: an approver who is to be reminded by then is reminded."""


class Move(Frozen):
    """A move of the event's dates: its business instant, and the instants of the steps by the dates it brought."""

    at: AwareDatetime
    instants: Instants


class Bearings(Frozen):
    """Where an automation stands: its anchors, the instants of its steps, and its present state in the database."""

    anchors: Anchors
    instants: Instants
    now: AwareDatetime
    status: str
    problem: str | None = None
    """Why the instants cannot be known, and what to do; the automation waits until the event is put right."""
    awaited: Awaited | None = None
    """The approval that is asked for and not given."""
    approved: dict[str, AwareDatetime] = Field(default_factory=dict)
    """When the steps that needed it were approved."""
    subject: dict[str, str] = Field(default_factory=dict)
    """The columns of the subject that conditions of the timeline name."""
    moves: tuple[Move, ...] = ()
    """What became of the event's dates since those the player has adopted, in order."""


class Rest(Frozen):
    """The player has nothing to do until an instant, or until news."""

    automation_id: UUID
    event_id: UUID
    until: AwareDatetime
    """`FOREVER` where only news can change anything."""
    step: str | None = None
    """The step it waits for; None once all have ended."""
    next_at: AwareDatetime | None = None
    """When the next step comes due, if one does."""
    problem: str | None = None
    """What stands in the way and what to do, if anything does."""


class Begin(Frozen):
    """Decide one round of a step that sends no messages."""

    automation_id: UUID
    event_id: UUID
    step: Step
    round: int
    due: AwareDatetime
    now: AwareDatetime
    revision: int = 0
    """The revision of the timeline the player has adopted."""


class Begun(Frozen):
    """What was decided, now or the first time it was asked."""

    outcome: Refusal | Literal["decided"] = "decided"
    step_id: str = ""
    """The branch the slot was decided for, perhaps not the one asked for."""
    progress: Progress | None = None
    """None where nothing was decided."""


class Act(Frozen):
    """Do one thing of a step: one target of one verb."""

    automation_id: UUID
    event_id: UUID
    step: str
    target: str
    rehearsal: bool


class End(Frozen):
    """How a step without messages ended, or why it is held."""

    automation_id: UUID
    event_id: UUID
    step: Step
    round: int
    due: AwareDatetime
    now: AwareDatetime
    state: StepState
    results: dict[str, str] = Field(default_factory=dict)
    error: str | None = None
    withdraws: bool = False
    """Nothing is left to be done about a step that was held: the organizer is no longer told of it."""


class Ended(Frozen):
    """What a slot of the journal says."""

    step_id: str
    progress: Progress


class Finish(Frozen):
    """The automation is over."""

    automation_id: UUID
    event_id: UUID
    status: Literal["completed", "cancelled"]


class StepOrder(Frozen):
    """What a person asks of one held step."""

    step: str
    by: str = ""


class Free(Frozen):
    """Let go of a held round of a step, so that it is tried again."""

    automation_id: UUID
    event_id: UUID
    step: str
    slot: str
    round: int


class Freed(Frozen):
    """What has become of a held round that was let go."""

    progress: Progress | None = None
    """None where it is to be decided anew."""


class DispatchInput(Frozen):
    """Which messages a dispatch pump sends."""

    channel: str
    rehearsal: bool
