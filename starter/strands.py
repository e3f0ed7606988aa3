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
    """The strands, with the steps that another strand of precedence will stand for skipped.

    Where both have begun it is decided already, person by person.
    """
    timelines = {strand.type: strand for strand in strands if strand.steps}
    return [
        strand.model_copy(update={"steps": tuple(_foreseen(step, strand, timelines) for step in strand.steps)})
        for strand in strands
    ]


def uncovered(step: Planned, by: str | None) -> Planned:
    """A step as it is, or as skipped where its mail is covered by a step of another automation and it has nothing but mail."""
    if by is None or step.verdict == "skipped" or {reach.channel for reach in step.reaches} != {"email"}:
        return step
    return step.model_copy(update={"verdict": "skipped", "why": f"covered by {by}"})


def _foreseen(step: Planned, strand: Strand, timelines: dict[str, Strand]) -> Planned:
    """A step as it is, or as skipped where a follow-up will write to everybody of the event on its topic."""
    topic = next((known.topic for kind in KINDS.values() for known in kind.timeline if known.id == step.step), None)
    winners = {precedence(topic, reach.channel) for reach in step.reaches}
    winner = timelines.get("post_event_followup")
    if winner is None or winners != {"post_event_followup"} or strand.type == "post_event_followup":
        return step
    if "ahead" not in (strand.status, winner.status):
        return step
    covering = next((known.id for known in KINDS["post_event_followup"].timeline if known.topic == topic), None)
    return uncovered(step, covering)
