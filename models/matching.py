"""How well a sponsor fits an event: a score of 100 made of parts, each with its points and the reason for them. Pure."""

import re
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Literal
from uuid import UUID

from models.automation import Frozen

BEST = 10
"""How many sponsors are written to in one outreach."""

PROPOSALS = tuple(f"proposal_{rank}" for rank in range(1, BEST + 1))
"""What is generated for each of them, by rank."""

NO_MATCH = "no such match"
"""What became of a proposal to a match that was not found."""

MOST = {"category": 35, "history": 25, "audience": 25, "budget": 15}
"""The points that each part can bring."""

_WORD = re.compile(r"\w+")


class Tier(Frozen):
    """A sponsorship that an event offers; rank 1 is the highest, a price of None is to be agreed."""

    id: UUID
    name: str
    rank: int
    price: Decimal | None = None


class Sought(Frozen):
    """What an event looks for in a sponsor."""

    categories: tuple[str, ...]
    topics: tuple[str, ...] = ()
    """What its sessions, speakers and people are about."""
    tiers: tuple[Tier, ...] = ()
    """The highest first."""


class Candidate(Frozen):
    """What is known of a possible sponsor."""

    id: UUID
    name: str
    category: str = ""
    industry: str = ""
    audience: tuple[str, ...] = ()
    budget: Decimal | None = None
    sponsored: int = 0
    """Events that it is known to have sponsored."""
    declined: bool = False
    """Whether it said no the last time it was asked."""


class Part(Frozen):
    """One part of a score, and why it is what it is."""

    part: Literal["category", "history", "audience", "budget"]
    points: int
    of: int
    why: str


class Match(Frozen):
    """A sponsor that fits, how well and why, and the tier to offer it."""

    sponsor_id: UUID
    parts: tuple[Part, ...]
    tier_id: UUID | None

    @property
    def score(self) -> int:
        """The points of all parts."""
        return sum(part.points for part in self.parts)


def best(sought: Sought, candidates: Collection[Candidate], limit: int = BEST) -> list[Match]:
    """The sponsors that fit best, best first; those in whose favour nothing speaks are no match."""
    found = [(match(sought, candidate), candidate) for candidate in candidates]
    found.sort(key=lambda one: (-one[0].score, one[1].name.casefold(), one[1].id))
    return [fitting for fitting, candidate in found if _fits(fitting)][:limit]


def match(sought: Sought, candidate: Candidate) -> Match:
    """How well one sponsor fits."""
    tier = offered(sought.tiers, candidate.budget)
    parts = (
        _category(sought.categories, candidate),
        _history(candidate),
        _audience(sought.topics, candidate),
        _budget(sought.tiers, tier, candidate.budget),
    )
    return Match(sponsor_id=candidate.id, parts=parts, tier_id=tier.id if tier else None)


def offered(tiers: Sequence[Tier], budget: Decimal | None) -> Tier | None:
    """The highest tier within a budget, the lowest if none is; the middle one where money says nothing."""
    if not tiers:
        return None
    if budget is None or any(tier.price is None for tier in tiers):
        return tiers[len(tiers) // 2]
    return next((tier for tier in tiers if tier.price is not None and tier.price <= budget), tiers[-1])


def _fits(found: Match) -> bool:
    """Money alone makes no match."""
    return any(part.points for part in found.parts if part.part != "budget")


def _part(part: Literal["category", "history", "audience", "budget"], share: float, why: str) -> Part:
    return Part(part=part, points=round(share * MOST[part]), of=MOST[part], why=why)


def _category(wanted: Sequence[str], candidate: Candidate) -> Part:
    category = candidate.category.strip()
    if not category:
        return _part("category", 0, "its category is not known")
    if category.casefold() in {one.strip().casefold() for one in wanted}:
        return _part("category", 1, f"the event looks for sponsors in {category}")
    near = next((one for one in wanted if words(one) & (words(category) | words(candidate.industry))), None)
    if near is not None:
        return _part("category", 0.5, f"{category} is close to {near}, which the event looks for")
    return _part("category", 0, f"the event does not look for sponsors in {category}")


def _history(candidate: Candidate) -> Part:
    count = candidate.sponsored
    share = min(1.0, 0.6 + 0.2 * (count - 1)) if count else 0.0
    said = (
        f"has sponsored {count} event{'s' if count > 1 else ''}" if count else "is not known to have sponsored an event"
    )
    if candidate.declined:
        return _part("history", share / 2, f"{said}, and declined when it was last asked")
    return _part("history", share, said)


def _audience(topics: Sequence[str], candidate: Candidate) -> Part:
    wanted = [one for one in dict.fromkeys((*candidate.audience, candidate.industry)) if words(one)]
    if not wanted:
        return _part("audience", 0, "it is not known whom it wants to meet")
    present = words(*topics)
    shared = [one for one in wanted if words(one) & present]
    if not shared:
        return _part("audience", 0, f"{', '.join(wanted)} is no topic of the event")
    return _part(
        "audience", len(shared) / len(wanted), f"shares {', '.join(shared)} with the event's topics and people"
    )


def _budget(tiers: Sequence[Tier], tier: Tier | None, budget: Decimal | None) -> Part:
    """No figure is said: these words are read by the model too."""
    if budget is None:
        return _part("budget", 1 / 3, "its budget is not known")
    if tier is None or tier.price is None:
        return _part("budget", 1 / 3, "the event has set no prices")
    if tier.price > budget:
        return _part("budget", 0, f"even {tier.name} is beyond its budget")
    return _part("budget", (len(tiers) - tiers.index(tier)) / len(tiers), f"{tier.name} is within its budget")


def words(*texts: str) -> set[str]:
    """The words of these texts, in small letters, as they are compared: a plural is its singular."""
    found = {word for text in texts for word in _WORD.findall(text.casefold()) if len(word) > 1}
    return {word.removesuffix("s") if len(word) > 3 else word for word in found} - _LITTLE


_LITTLE = {"and", "for", "the", "of", "in", "und", "et", "de"}
