"""Branches of the stored form: `if_true`, `if_false` and `next` become moments and conditions of what they lead to.

A step that is led to and says no moment of its own begins when the step before it ends, and carries the condition of
the way to it. The two ways out of one condition share a slot, so that only one of them is ever taken.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from models import conditions
from models.phrases import either, nearest
from models.stored import StoredStep


@dataclass(frozen=True, slots=True)
class Way:
    """How a step is reached: from which step, by which key, and under which condition."""

    source: str
    key: str
    terms: tuple[conditions.Term, ...]
    slot: str | None


@dataclass(frozen=True, slots=True)
class Reached:
    """What a step is given by the ways that lead to it."""

    condition: str | None
    slot: str | None
    after: str | None


def follow(steps: Sequence[StoredStep], complain: Callable[[int, str, str], None]) -> list[Reached]:
    """What each step is given by those before it; complains with a step's place, the key, and what is wrong."""
    order = {step.id: at for at, step in enumerate(steps)}
    ways: dict[str, list[Way]] = {step.id: [] for step in steps}
    reached: list[Reached] = []
    for at, step in enumerate(steps):

        def wrong(key: str, reason: str, at: int = at) -> None:
            complain(at, key, reason)

        here = _reached(step, ways[step.id], wrong)
        reached.append(here)
        for target, way in _ways_out(step, here, order, wrong):
            ways[target].append(way)
    return reached


def _reached(step: StoredStep, ways: Sequence[Way], wrong: Callable[[str, str], None]) -> Reached:
    ways = [way for way in ways if way.key != "next" or not step.timed]
    if len(ways) > 1:
        sources = either([way.source for way in ways], "and")
        if any(way.key != "next" for way in ways):
            wrong("condition", f"{sources} all lead here; give the step one condition of its own instead")
        if not step.timed:
            wrong("delay", f"{sources} all lead here; say when by a delay")
    if len(ways) != 1:
        return Reached(step.condition, None, None)
    way = ways[0]
    parts = [*map(str, way.terms), *([step.condition] if step.condition else [])]
    return Reached(" and ".join(parts) or None, way.slot, None if step.timed else way.source)


def _ways_out(
    step: StoredStep, here: Reached, order: Mapping[str, int], wrong: Callable[[str, str], None]
) -> list[tuple[str, Way]]:
    said = {"if_true": step.if_true, "if_false": step.if_false, "next": step.next}
    targets = {key: target for key, target in said.items() if target is not None}
    for key, target in tuple(targets.items()):
        if order.get(target, 0) <= order[step.id]:
            behind = f"'{target}' does not come behind this step; branches go forward only"
            wrong(key, behind if target in order else f"there is no step '{target}'{nearest(target, order)}")
            del targets[key]
    own, whole = _terms(step.condition), _terms(here.condition)
    if not own and (step.if_true or step.if_false):
        wrong("condition", "if_true and if_false need a condition that can be read")
    if len(own) > 1 and step.if_false:
        wrong("if_false", "the opposite of a condition with 'and' cannot be said; use a condition of one part")
    opposite = (*whole[: len(whole) - len(own)], *(term.negated() for term in own))
    slot = f"{step.id}_branch" if {"if_true", "if_false"} <= targets.keys() else None
    return [
        (target, Way(step.id, key, opposite if key == "if_false" else whole, None if key == "next" else slot))
        for key, target in targets.items()
    ]


def _terms(condition: str | None) -> tuple[conditions.Term, ...]:
    try:
        return conditions.parse(condition).terms if condition else ()
    except conditions.ConditionError:
        return ()
