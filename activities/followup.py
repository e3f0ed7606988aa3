"""The sponsors' reports: figures from the records, words by a model that sees none of them."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from uuid import UUID

import structlog

from activities.acts import Deed
from activities.content import UNUSABLE, UnusableAnswer
from activities.facts import event_facts
from activities.failures import final
from activities.trial import try_out
from database import events, followup
from database.connection import Pool
from database.followup import REPORT, Result
from models.player import Act
from providers.accounts import Accounts
from providers.errors import Unavailable
from templates import EventFacts, MissingField, TemplateError, build_prompt
from templates.includes import Figure, Include
from templates.outreach import ImpactReportSlots
from templates.subjects import SponsorFacts

log = structlog.get_logger()


class Followup:
    """Writes what sponsors are told of their event. Rehearsals ask the sandbox's model, and no other."""

    def __init__(self, pool: Pool, live: Accounts, rehearsal: Accounts | None) -> None:
        self._pool = pool
        self._live = live
        self._rehearsal = rehearsal

    @property
    def deeds(self) -> Mapping[tuple[str, str], Deed]:
        """What is done here, by verb and target."""
        return {("generate", REPORT): self.write_reports}

    async def write_reports(self, about: Act) -> str:
        """Have the words of each sponsor's report written that are not there yet; one that fails keeps none of the others."""
        accounts = self._rehearsal if about.rehearsal else self._live
        if accounts is None:
            raise final("A rehearsal needs the sandbox: set SANDBOX_URL and start the worker again.")
        try:
            event = event_facts(await events.facts(self._pool, about.event_id))
        except (TemplateError, LookupError) as error:
            raise final(str(error)) from error
        results = await followup.results(self._pool, about.event_id)
        there = await followup.reported(self._pool, about.automation_id)
        missing = [result for result in results if followup.report_name(result.sponsor_id) not in there]
        outcomes = await asyncio.gather(
            *(self._write(accounts, about, event, result) for result in missing), return_exceptions=True
        )
        for outcome in outcomes:
            if outcome is not None:
                raise outcome
        return f"{len(results)} reports" if results else "the event has no sponsors"

    async def _write(self, accounts: Accounts, about: Act, event: EventFacts, result: Result) -> None:
        sponsor = sponsor_facts(result)
        shown = blocks(result)
        figures = [figure.label for block in shown.values() for figure in block.figures]
        try:
            instructions, facts = build_prompt(REPORT, event, sponsor=sponsor, material={"figures_shown": figures})
            answer = await accounts.openai.generate(instructions, facts, ImpactReportSlots)
            try_out(answer.value, event, sponsor, shown)
        except MissingField as error:
            raise final(str(error)) from error
        except TemplateError as error:
            raise UnusableAnswer(str(error)) from error
        except Unavailable as error:
            if error.code not in UNUSABLE:
                raise
            raise UnusableAnswer(str(error)) from error
        usage = {"model": answer.model, "request_id": answer.request_id, **asdict(answer.usage)}
        words = answer.value.model_dump(mode="json")
        await followup.keep_report(self._pool, about.automation_id, result.sponsor_id, words, usage)
        log.info("report_written", sponsor_id=str(result.sponsor_id), **asdict(answer.usage))


@dataclass(frozen=True, slots=True)
class ToSponsor:
    """What a message to a sponsor is about: whom it greets, why they get it, and, in a report, their figures."""

    sponsor: SponsorFacts
    why: str
    includes: Mapping[str, Include]


async def about(pool: Pool, messages: Collection[UUID]) -> Mapping[UUID, ToSponsor]:
    """What those of these messages are about that a follow-up writes to sponsors; the figures are those of this moment."""
    addressed = await followup.to_sponsors(pool, messages)
    found = {}
    for event_id in {one.event_id for one in addressed}:
        here = [one for one in addressed if one.event_id == event_id]
        results = await followup.results(pool, event_id, [one.sponsor_id for one in here])
        by_sponsor = {result.sponsor_id: result for result in results}
        for one in here:
            result = by_sponsor[one.sponsor_id]
            shown = blocks(result) if one.template == REPORT else {}
            found[one.message_id] = ToSponsor(sponsor_facts(result), f"you sponsored {one.event_name}", shown)
    return found


def blocks(result: Result) -> dict[str, Include]:
    """A sponsor's figures as they are shown. What nobody kept count of is not shown, and nothing is guessed."""
    dashboard = [
        ("Registered", result.registered, ""),
        ("On site", result.present, ""),
        ("Reached by email", result.reached, "people"),
        ("Opened", result.opened, "people who read at least one of the mails"),
        ("Clicked", result.clicked, "people who followed a link"),
    ]
    roi = [
        ("Sponsorship", result.amount, result.tier),
        ("Leads", result.leads, "people your team spoke with"),
        ("Per lead", result.cost_per_lead, "the sponsorship, divided by its leads"),
    ]
    drawn = {
        kind: tuple(Figure(label, _said(value), note) for label, value, note in rows if value)
        for kind, rows in (("metrics_dashboard", dashboard), ("roi_calculation", roi))
    }
    return {kind: Include(kind=kind, figures=figures) for kind, figures in drawn.items() if figures}


NO_FIGURES = "there are no figures for this reader"
"""Why figures are missing from a mail that is no sponsor's report."""


async def lacking(pool: Pool, event_id: UUID, *, over: bool) -> dict[str, str]:
    """Why blocks of figures would be missing, and of how many sponsors. Until the event is `over`, what is counted is still to come."""
    shown = [blocks(result) for result in await followup.results(pool, event_id)]
    lacks = {}
    if over and any("metrics_dashboard" not in one for one in shown):
        lacks["metrics_dashboard"] = "nobody is registered, and no mail has reached anybody"
    if without := sum("roi_calculation" not in one for one in shown):
        lacks["roi_calculation"] = f"neither the amount nor a lead is known of {without} of {len(shown)} sponsors"
    return lacks


def sponsor_facts(result: Result) -> SponsorFacts:
    """A sponsor as templates take it."""
    return SponsorFacts(name=result.name, contact_name=result.contact_name, category=result.category, tier=result.tier)


def _said(value: int | Decimal | None) -> str:
    return f"{value:,.2f}" if isinstance(value, Decimal) else f"{value:,}"
