"""What other systems report: external occurrences, which rules and automations answer to."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.access import needs
from database import external
from database.connection import Pool
from database.keys import Key
from models.webhooks import storable

router = APIRouter(prefix="/api", tags=["triggers"])

NAME = r"^[a-z][a-z0-9_]{1,62}$"
OURS = frozenset(
    [
        "approved",
        "cancelled",
        "checked_in",
        "clock",
        "content_changed",
        "out_of_office",
        "paused",
        "rejected",
        "resumed",
        "rules_changed",
        "unsubscribed",
        "webhook",
    ]
)
"""Occurrences that are written here alone; whoever could report them would steer what is not his."""

OUR_BEGINNINGS = ("deliverable_", "event_", "message_", "proposal_", "registration_", "sequence_", "sponsor_", "step_")

OUR_WORDS = frozenset(["rule", "moment"])
"""In the data of an occurrence they name the rule that brought it about; whoever could say them would begin what he likes."""


def _not_ours(word: str) -> str:
    if word in OUR_WORDS:
        raise ValueError(f"{word!r} is said by EventOS itself; choose a name of your own")
    return word


Word = Annotated[str, Field(max_length=100), AfterValidator(_not_ours)]
Value = Annotated[str, Field(max_length=2000)] | int | bool | None
Name = Annotated[str, Path(pattern=NAME, description="What happened, as rules name it.")]


class Happened(BaseModel):
    """Something that happened elsewhere."""

    model_config = ConfigDict(extra="forbid")

    event: UUID
    subject: str | None = Field(default=None, min_length=1, max_length=200)
    """What it happened to; what happens to one subject is taken in in order. The event itself unless said."""
    data: dict[Word, Value] = Field(default_factory=dict, max_length=50)
    """What rules look at."""


class Kept(BaseModel):
    """The occurrence as it is kept."""

    occurrence: int


@router.post("/triggers/{name}", status_code=202)
async def trigger(
    name: Name, happened: Happened, request: Request, key: Annotated[Key, Depends(needs("operator"))]
) -> Kept:
    """Report something that happened to an event of yours. It is kept before this answers; what follows, follows by rules."""
    pool: Pool = request.app.state.pool
    if name in OURS or name.startswith(OUR_BEGINNINGS) or await external.is_ours(pool, name):
        raise HTTPException(422, f"{name!r} is reported by EventOS itself; choose a name of your own.")
    if not await external.events_of(pool, key.organizer_id, [happened.event]):
        raise HTTPException(404, f"You have no event {happened.event}.")
    subject = (
        f"event/{happened.event}" if happened.subject is None else f"external/{key.organizer_id}/{happened.subject}"
    )
    return Kept(
        occurrence=await external.report(pool, name, happened.event, storable(subject), storable(happened.data))
    )
