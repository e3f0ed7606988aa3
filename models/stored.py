"""The keys of the stored form, as the specification writes them, and what they say about actions."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from models.automation import Action, Urgency, Verb
from models.phrases import either, nearest

VERBS: dict[str, Verb] = {
    "ai_generation": "generate",
    "database": "update",
    "email": "email",
    "whatsapp": "whatsapp",
    "social": "social",
    "notification": "notify",
    "api": "call",
}
TYPES = {verb: type_ for type_, verb in VERBS.items()}

COMPUTED = frozenset({"parallel", "output", "days_remaining", "personalize"})
"""Keys of the specification that hold for every step here, or are computed when it is played."""

_PREFIXES = {"generate": "generate_", "update": "create_"}
"""The specification writes `generate_social_posts` where the type already says `generate`."""
_TARGETS = {"social": "platforms", "notify": "recipient"}
"""The keys of what a verb acts on, where it is not `actions`."""

Complain = Callable[[str, str], None]
"""Takes the key and what is wrong with it."""
Names = Annotated[list[str], BeforeValidator(lambda said: [said] if isinstance(said, str) else said)]


class StoredAction(BaseModel):
    """The keys that say what is done."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: str | None = None
    channels: list[str] = Field(default_factory=list)
    template: str | None = None
    audience: str | None = None
    recipient: Names = Field(default_factory=list)
    platforms: list[str] = Field(default_factory=list)
    actions: list[str] = Field(default_factory=list)
    segments: dict[str, str] = Field(default_factory=dict)
    include: list[str] = Field(default_factory=list)
    include_details: bool = False
    dynamic_content: str | None = None
    generate_ai: bool = False
    urgency: Urgency | None = None
    track: bool = False
    track_responses: bool = False
    schedule: Literal["optimal_time"] | None = None


class StoredStep(StoredAction):
    """The keys of a step: what is done, when, and under which conditions."""

    id: str = ""
    name: str | None = None
    delay: str | None = None
    delay_hours: int | None = Field(default=None, ge=0)
    wait_for: str | None = None
    condition: str | None = None
    if_true: str | None = None
    if_false: str | None = None
    next: str | None = None
    late: Literal["run", "send", "skip", "latest"] = "send"
    grace: str | None = None
    until: str | None = None
    needs: str | None = None
    branch: str | None = None
    priority: Literal[1, 2, 3, "high", "medium", "low"] | None = None
    topic: str | None = None

    @property
    def timed(self) -> bool:
        """Whether the step itself says when."""
        return (self.delay, self.delay_hours, self.wait_for) != (None, None, None)


def stored_type(actions: tuple[Action, ...]) -> str:
    """The type of a step: `email`, `email + whatsapp`, or `condition` where nothing is done."""
    return " + ".join(TYPES[action.verb] for action in actions) or "condition"


def write_actions(actions: tuple[Action, ...]) -> dict[str, Any]:
    """The keys of a step's actions: side by side where that says it all, else one object for each."""
    each = [_written(action) for action in actions]
    together = {key: said for keys in each for key, said in keys.items()} | {"type": stored_type(actions)}
    if read_actions(StoredAction.model_validate(together), "", lambda _key, _reason: None) == actions:
        return together
    return {"type": stored_type(actions), "actions": each}


def _written(action: Action) -> dict[str, Any]:
    prefix = _PREFIXES.get(action.verb)
    targets = [f"{prefix}{name}" if prefix and name.startswith(prefix) else name for name in action.targets]
    keys: dict[str, Any] = {
        "audience": action.audience,
        _TARGETS.get(action.verb, "actions"): targets,
        "segments": dict(action.segments),
        "include": list(action.include),
        "urgency": action.urgency,
        "track": action.track,
        "schedule": "optimal_time" if action.optimal_time else None,
    }
    own_words = action.template is not None or action.verb in ("email", "whatsapp")
    template = {"template": action.template} if own_words else {}
    return {"type": TYPES[action.verb], **template, **{key: said for key, said in keys.items() if said}}


def read_actions(stored: StoredAction, step_id: str, complain: Complain) -> tuple[Action, ...]:
    """The actions that these keys describe."""
    types = [part.strip() for part in stored.type.split("+")] if stored.type else stored.channels
    if stored.type and stored.channels and set(types) != set(stored.channels):
        complain("channels", f"the type is '{stored.type}'; leave out the one or the other")
    if types == ["condition"]:
        return ()
    if not types and (stored.template or stored.segments):
        types = ["email"]
    for type_ in types:
        if type_ not in VERBS:
            known = either([*VERBS, "condition"])
            complain("type" if stored.type else "channels", f"'{type_}'{nearest(type_, VERBS)} is none of {known}")
    actions = [_read(VERBS[type_], stored, step_id, complain) for type_ in types if type_ in VERBS]
    if stored.generate_ai and stored.template:
        actions.insert(0, Action(verb="generate", targets=(stored.template,)))
    return tuple(actions)


def _read(verb: Verb, stored: StoredAction, step_id: str, complain: Complain) -> Action:
    audience = stored.audience
    if audience is None and verb != "notify" and stored.recipient:
        audience = stored.recipient[0]
        if len(stored.recipient) > 1:
            complain("recipient", f"{verb} goes to one recipient or audience; only a notification goes to several")
    template = stored.template
    if verb in ("email", "whatsapp") and "template" not in stored.model_fields_set and not stored.segments:
        template = step_id
    key = _TARGETS.get(verb, "actions")
    prefix = _PREFIXES.get(verb, "")
    include = [*stored.include, *(["details"] if stored.include_details else [])]
    if stored.dynamic_content:
        include.append(stored.dynamic_content)
    return Action(
        verb=verb,
        template=template,
        audience=audience,
        targets=tuple(name.removeprefix(prefix) for name in getattr(stored, key)),
        include=tuple(include),
        segments=stored.segments,
        urgency=stored.urgency,
        track=stored.track or stored.track_responses,
        optimal_time=stored.schedule == "optimal_time",
    )
