"""The score of a match: parts that add up, each with its reason, and a tier that money allows."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from models.matching import BEST, MOST, Candidate, Sought, Tier, best, match, offered

GOLD, SILVER, BRONZE = (
    Tier(id=uuid4(), name=name, rank=rank, price=Decimal(price))
    for rank, (name, price) in enumerate((("Gold", 9000), ("Silver", 4000), ("Bronze", 1500)), start=1)
)
SOUGHT = Sought(
    categories=("cloud", "developer tools"), topics=("platforms", "security", "data"), tiers=(GOLD, SILVER, BRONZE)
)


def candidate(**columns: Any) -> Candidate:
    values: dict[str, Any] = {"id": uuid4(), "name": "Stratus Yard"} | columns
    return Candidate(**values)


def points(**columns: Any) -> dict[str, int]:
    return {part.part: part.points for part in match(SOUGHT, candidate(**columns)).parts}


def reasons(**columns: Any) -> dict[str, str]:
    return {part.part: part.why for part in match(SOUGHT, candidate(**columns)).parts}


def test_a_sponsor_in_whose_favour_everything_speaks_scores_a_hundred() -> None:
    perfect = candidate(
        category="Cloud", industry="security", audience=("platform",), budget=Decimal(9000), sponsored=3
    )
    found = match(SOUGHT, perfect)
    assert (found.score, found.tier_id) == (100, GOLD.id)


def test_each_part_says_why() -> None:
    assert reasons(category="cloud", audience=("data", "golf"), budget=Decimal(4000), sponsored=1) == {
        "category": "the event looks for sponsors in cloud",
        "history": "has sponsored 1 event",
        "audience": "shares data with the event's topics and people",
        "budget": "Silver is within its budget",
    }


def test_what_is_not_known_is_said_and_brings_little() -> None:
    assert points() == {"category": 0, "history": 0, "audience": 0, "budget": 5}
    assert reasons() == {
        "category": "its category is not known",
        "history": "is not known to have sponsored an event",
        "audience": "it is not known whom it wants to meet",
        "budget": "its budget is not known",
    }


def test_a_category_near_one_that_is_wanted_counts_half() -> None:
    assert points(category="cloud hosting")["category"] == round(35 / 2)
    assert reasons(category="cloud hosting")["category"] == "cloud hosting is close to cloud, which the event looks for"
    assert points(category="catering")["category"] == 0


def test_the_more_it_has_sponsored_the_better_and_a_refusal_halves_it() -> None:
    assert [points(sponsored=count)["history"] for count in range(5)] == [0, 15, 20, 25, 25]
    assert points(sponsored=3, declined=True)["history"] == 12


def test_no_reason_names_a_sum_of_money() -> None:
    found = match(SOUGHT, candidate(budget=Decimal(4000)))
    assert not any(char.isdigit() for part in found.parts if part.part == "budget" for char in part.why)


def test_the_tier_offered_is_the_highest_within_the_budget() -> None:
    tiers = SOUGHT.tiers
    assert offered(tiers, Decimal(20000)) == GOLD
    assert offered(tiers, Decimal(8999)) == SILVER
    assert offered(tiers, Decimal(1)) == BRONZE
    assert offered(tiers, None) == SILVER
    assert offered((), Decimal(9000)) is None


def test_tiers_without_prices_are_offered_from_the_middle() -> None:
    unpriced = tuple(tier.model_copy(update={"price": None}) for tier in SOUGHT.tiers)
    assert offered(unpriced, Decimal(20000)) == unpriced[1]


def test_at_most_ten_are_found_the_best_first_and_ties_by_name() -> None:
    many = [candidate(name=f"Sponsor {at:02d}", category="cloud") for at in range(15)]
    late = candidate(name="Zephyr", category="cloud", sponsored=2)
    found = best(SOUGHT, [*many, late])
    assert len(found) == BEST == 10
    assert found[0].sponsor_id == late.id
    assert [one.sponsor_id for one in found[1:]] == [one.id for one in many[:9]]


def test_money_alone_makes_no_match() -> None:
    assert best(SOUGHT, [candidate(category="catering", budget=Decimal(90000))]) == []


SOME = st.sampled_from(["cloud", "cloud hosting", "data", "developer tools", "hiring", "", "AI & the sea"])


@given(
    candidates=st.lists(
        st.builds(
            Candidate,
            id=st.uuids(),
            name=st.text(max_size=5),
            category=SOME,
            industry=SOME,
            audience=st.lists(SOME, max_size=3).map(tuple),
            budget=st.none() | st.decimals(0, 20000, places=2),
            sponsored=st.integers(0, 50),
            declined=st.booleans(),
        ),
        max_size=20,
        unique_by=lambda one: one.id,
    )
)
def test_scores_are_within_bounds_add_up_and_do_not_depend_on_the_order(candidates: list[Candidate]) -> None:
    found = best(SOUGHT, candidates)
    assert found == best(SOUGHT, candidates[::-1])
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        assert 0 < one.score <= 100
        assert {part.part: part.of for part in one.parts} == MOST
        assert all(0 <= part.points <= part.of and part.why for part in one.parts)
        assert isinstance(one.tier_id, UUID)
