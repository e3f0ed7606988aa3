"""What the seed knows of its sponsors beside their names, and what its conference offers them. Everything is invented."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID


class Known(NamedTuple):
    """What is known of a possible sponsor."""

    industry: str
    audience: tuple[str, ...] = ()
    budget: int | None = None
    past_sponsorships: tuple[str, ...] = ()


KNOWN = {
    "Stratus Yard": Known("cloud hosting", ("platforms", "reliability"), 12000, ("Deploy Porto", "Rivers of Data")),
    "Brightkiln Cloud": Known("cloud hosting", ("platforms", "security"), 6000, ("Deploy Porto",)),
    "Millrace Hosting": Known("cloud hosting", ("reliability",), 2500),
    "Hammerlight": Known("software", ("platforms", "design"), 9000, ("Craft Week",)),
    "Gitfen": Known("software", ("platforms", "community"), 5000, ("Craft Week", "Deploy Porto")),
    "Bramble CI": Known("software", ("reliability",), 3000),
    "Oakline Editors": Known("software", ("design",), None, ("Craft Week",)),
    "Lanternwatch": Known("software", ("reliability", "platforms"), 10000, ("Night Shift Summit",)),
    "Deep Gauge": Known("software", ("data", "reliability"), 4000),
    "Tracewell": Known("software", ("platforms", "data"), None),
    "Goodfit Talent": Known("recruiting", ("leadership", "community"), 4500, ("Craft Week",)),
    "Ladder & Kin": Known("recruiting", ("leadership",), 2000),
    "Orchard Bank": Known("finance", ("security", "data"), 15000),
    "Meridian Pay": Known("finance", ("security",), 7000, ("Rivers of Data",)),
    "Ravelin Foods": Known("food", (), 1000),
}

TIERS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "Gold": (9000, ("a booth by the stage", "a workshop in the programme", "ten tickets", "the logo on stage")),
    "Silver": (4000, ("a booth in the quay hall", "four tickets", "the logo on signs and website")),
    "Bronze": (1500, ("two tickets", "the logo on the website")),
}
"""Price and benefits, the highest first."""

OWED = (
    ("Signed contract", "contract", 35, True, ("Gold", "Silver", "Bronze")),
    ("Company logo", "logo", 28, True, ("Gold", "Silver", "Bronze")),
    ("Payment", "payment", 21, False, ("Gold", "Silver", "Bronze")),
    ("Booth materials", "booth_materials", 10, False, ("Gold", "Silver")),
    ("Workshop abstract", "content_approval", 28, True, ("Gold",)),
)
"""Deliverables: name, type, days before the event, whether the organizer approves it, and of which tiers."""


def known(name: str) -> dict[str, Any]:
    """Columns of a seeded sponsor beside its name and address."""
    return KNOWN[name]._asdict()


def tiers(event: UUID, ids: Mapping[str, UUID]) -> Iterable[Mapping[str, Any]]:
    """The rows of sponsor_tiers; `ids` are the tiers' by name."""
    for rank, (name, (price, benefits)) in enumerate(TIERS.items(), start=1):
        yield {"id": ids[name], "event_id": event, "name": name, "price": price, "benefits": benefits, "rank": rank}


def owed(ids: Mapping[str, UUID]) -> Iterable[Mapping[str, Any]]:
    """The rows of tier_deliverables."""
    for name, type_, days, approval, of in OWED:
        for tier in of:
            yield {
                "tier_id": ids[tier],
                "name": name,
                "deliverable_type": type_,
                "days_before": days,
                "requires_approval": approval,
            }
