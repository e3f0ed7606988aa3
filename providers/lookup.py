"""Finding what was sent in what a provider lists, for providers that know no idempotency key."""

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EARLIER = timedelta(minutes=1)
"""How far the provider's clock may be behind ours."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One message as the provider lists it."""

    id: str
    at: datetime
    matches: bool
    """Whether its content is what was asked for."""


def earliest(attempted_at: datetime | None) -> datetime:
    """The instant before which a message that was first attempted then (or just now) cannot have been accepted."""
    return (attempted_at or datetime.now(UTC)) - EARLIER


def only_match(listed: Iterable[Listed], attempted_at: datetime | None, known: Collection[str]) -> str | None:
    """The id of the one that can be it: it matches, is not older than the first attempt and not known as another's.

    None where there is no such one, and where there are several: taking any of them would be a guess.
    """
    since = earliest(attempted_at)
    ids = {one.id for one in listed if one.matches and one.at >= since and one.id not in known}
    return ids.pop() if len(ids) == 1 else None


def same_text(one: str, other: str) -> bool:
    """Whether two texts read alike; providers normalise letters and white space."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
