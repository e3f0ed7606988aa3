"""Strands of an outlook beside each other: many for persons become one, and what another covers is skipped."""

from collections.abc import Collection, Iterable, Sequence

from models.outlook import Planned, Reach, Strand
from models.overlap import precedence
from starter.kinds import KINDS


def merged(strands: Iterable[Strand], kinds: Collection[str]) -> list[Strand]:
    """Those of these kinds that have begun become one strand each: every step once, with its count, first and last instant."""
    found: dict[object, Strand] = {}
    for place, strand in enumerate(strands):
        many = strand.type in kinds and strand.status != "ahead"
        key = (strand.type, strand.status) if many else place
        found[key] = _together(found[key], strand) if key in found else strand
    return list(found.values())


def _together(one: Strand, other: Strand) -> Strand:
    steps: dict[tuple[str, str, str], Planned] = {}
    for step in (*one.steps, *other.steps):
        key = (step.step, step.verdict, "" if step.verdict == "skipped" else step.why)
        known = steps.get(key)
        if known is None:
            steps[key] = step
            continue
        instants = [at for at in (known.at, known.last, step.at, step.last) if at is not None]
        count = known.count + step.count
        steps[key] = known.model_copy(
            update={
                "count": count,
                "at": min(instants, default=None),
                "last": max(instants, default=None),
                "reaches": tuple(
                    Reach(channel=reach.channel, template=reach.template, people=count) for reach in known.reaches
                ),
            }
        )
    name = one.name.rpartition(":")[0] + ": each"
    return one.model_copy(update={"name": name, "count": one.count + other.count, "steps": tuple(steps.values())})


def without_covered(strands: Sequence[Strand]) -> list[Strand]:
    """The strands, with the steps that another strand of precedence stands for skipped."""
    timelines = {strand.type: strand for strand in strands if strand.steps}
    return [
        strand.model_copy(update={"steps": tuple(_uncovered(step, strand, timelines) for step in strand.steps)})
        for strand in strands
    ]


def _uncovered(step: Planned, strand: Strand, timelines: dict[str, Strand]) -> Planned:
    """A step as it is, or as skipped where a follow-up writes to everybody of the event on its topic."""
    topic = next((known.topic for kind in KINDS.values() for known in kind.timeline if known.id == step.step), None)
    winners = {precedence(topic, reach.channel) for reach in step.reaches}
    if step.verdict == "skipped" or winners != {"post_event_followup"} or strand.type == "post_event_followup":
        return step
    winner = timelines.get("post_event_followup")
    covering = [
        known
        for known in (KINDS["post_event_followup"].timeline if winner else ())
        if known.topic == topic
        and {reach.channel for reach in step.reaches} <= {action.verb for action in known.actions}
    ]
    if not covering:
        return step
    return step.model_copy(update={"verdict": "skipped", "why": f"covered by {covering[0].id}"})
