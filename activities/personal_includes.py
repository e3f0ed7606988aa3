"""Includes that differ from reader to reader: each a small function from the event and from what is the reader's own."""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from activities.shared_includes import Absent, Known, schedule
from database.includes import Reader, Session, Speaker
from templates import Include, Row

MOST_PICKED = 4
MOST_SPEAKERS = 3
NOT_PICKED = ("networking", "break")
"""Kinds of sessions that everybody finds without advice."""

S = TypeVar("S", Session, Speaker)
Personal = Callable[[str, Known, Reader], Include]


def _ticket(kind: str, known: Known, reader: Reader) -> Include:  # noqa: ARG001 - a ticket is the reader's alone
    if not reader.registered:
        raise Absent("the reader is not registered")
    rows = (("Ticket", reader.ticket_type), ("Name", reader.name), ("Code", reader.ticket_code))
    if not reader.ticket_code and not reader.ticket_type:
        raise Absent("registrations.ticket_type and ticket_code are empty")
    return Include(kind=kind, rows=tuple(Row(label, said) for label, said in rows if said))


def _picked(kind: str, known: Known, reader: Reader) -> Include:
    """The sessions that touch most of the reader's interests, none at the same time as a better one."""
    _ask_interests(reader)
    picked: list[Session] = []
    for one in _by_overlap([s for s in known.programme.sessions if s.kind not in NOT_PICKED], reader.interests):
        if len(picked) < MOST_PICKED and not any(
            one.starts_at < other.ends_at and other.starts_at < one.ends_at for other in picked
        ):
            picked.append(one)
    picked.sort(key=lambda one: one.starts_at)
    return schedule(kind, picked, known, "no session of the event touches the reader's interests")


def _speakers(kind: str, known: Known, reader: Reader) -> Include:
    _ask_interests(reader)
    speakers = _by_overlap(known.programme.speakers, reader.interests)[:MOST_SPEAKERS]
    if not speakers:
        raise Absent("no speaker of the event speaks about the reader's interests")
    return Include(kind=kind, rows=tuple(Row(one.name, _introduced(one)) for one in speakers))


def _introduced(one: Speaker) -> str:
    return "\n".join(filter(None, (", ".join(filter(None, (one.title, one.company))), one.session)))


def _ask_interests(reader: Reader) -> None:
    if not reader.interests:
        raise Absent("the reader has named no interests")


def _by_overlap(ones: Sequence[S], interests: Collection[str]) -> list[S]:
    wanted = {interest.casefold() for interest in interests}
    shared = [(len(wanted & {topic.casefold() for topic in one.topics}), one) for one in ones]
    return [one for count, one in sorted(shared, key=lambda pair: -pair[0]) if count]


def _recordings(kind: str, known: Known, reader: Reader) -> Include:
    return _of_sessions(kind, known, reader, "recording_url")


def _slides(kind: str, known: Known, reader: Reader) -> Include:
    return _of_sessions(kind, known, reader, "slides_url")


def _of_sessions(kind: str, known: Known, reader: Reader, column: str) -> Include:
    """What is there of the sessions the reader was in; of all, where nobody kept note of who was in which."""
    there = [one for one in known.programme.sessions if getattr(one, column)]
    if not there:
        raise Absent(f"no session of the event has a {column}")
    heard = [one for one in there if one.id in reader.attended] if known.programme.counted else there
    if not heard:
        raise Absent(f"no session the reader was in has a {column}")
    return Include(
        kind=kind, rows=tuple(Row(one.title, ", ".join(one.speakers), getattr(one, column)) for one in heard)
    )


PERSONAL: dict[str, Personal] = {
    "presentation_slides": _slides,
    "session_recommendations": _picked,
    "session_recordings": _recordings,
    "ticket_details": _ticket,
    "top_speakers_by_interest": _speakers,
    "video_recordings": _recordings,
}
"""How each include is made that is a reader's own. Raises Absent. A sponsor's figures are the follow-up's."""

OF_PROGRAMME = frozenset(PERSONAL) - {"ticket_details"}
OF_INTERESTS = frozenset({"session_recommendations", "top_speakers_by_interest"})
