"""`eventos plan EVENT`: the calendar of everything that will happen, with what it lacks."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from commands.publish import EventReference
from commands.running import run
from commands.show import JsonOption, console
from database.connection import connect_pool
from models.moments import UnknownZone, zone_named
from models.outlook import Outlook, Planned, Reach, Strand
from settings import Settings
from starter import control
from starter.planning import PER_PERSON, outlook

AtOption = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"],
        help="Suppose a draft to be published then; the event's wall clock, or with an offset such as +01:00.",
    ),
]

MARKS = {"goes": "[green]●[/]", "if": "[yellow]◐[/]", "skipped": "[dim]○[/]", "waits": "[red]◌[/]"}
LEGEND = "[green]●[/] goes   [yellow]◐[/] only if   [dim]○[/] skipped   [red]◌[/] has no date   [red]![/] cannot go out like this"


class Line(NamedTuple):
    """One step in the calendar: that of one automation, or of several to which it comes at the same minute."""

    at: datetime
    strand: str
    step: Planned
    times: int


def plan(event: EventReference, at: AtOption = None, as_json: JsonOption = False) -> None:
    """Show everything that will happen to an event: when, to how many, what is missing, what is skipped and why."""
    run(_plan(event, at, as_json), mendable=(control.ControlError,))


async def _plan(reference: str, at: datetime | None, as_json: bool) -> None:
    settings = Settings.from_environment().require("DATABASE_URL")
    pool = await connect_pool(settings.database_url)
    try:
        event = await control.find_event(pool, reference)
        if at is not None and at.tzinfo is None:
            at = at.replace(tzinfo=_zone(event.timezone))
        found = await outlook(pool, event, at)
    finally:
        await pool.close()
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        show(console(), found)


def show(out: Console, found: Outlook) -> None:
    """Print an outlook as a calendar, days on the event's wall clock."""
    zone = _zone(found.zone)
    out.print(f"[bold]{escape(found.name)}[/]  {found.status}, times in {escape(found.zone)}")
    if found.published_at:
        supposed = (
            "now"
            if found.published_at == found.now
            else f"on {_day(found.published_at, zone)}, {_time(found.published_at, zone)}"
        )
        out.print(f"If it is published {supposed}:")
    for lack in found.missing:
        out.print(f"[red]![/] {escape(lack)}")
    for day, lines in groupby(_lines(found, zone), key=lambda line: line.at.astimezone(zone).date()):
        out.print(f"\n[bold]{day:%A %-d %B %Y}[/]")
        out.print(_table(list(lines), zone))
    for strand in found.strands:
        if _has_block(strand):
            _show_block(out, strand, zone)
    _show_rest(out, found)
    out.print(f"\n{LEGEND}")


def _lines(found: Outlook, zone: ZoneInfo) -> list[Line]:
    """The dated steps in their order; those that several automations take at one minute are one."""
    lines: dict[tuple[object, ...], Line] = {}
    for strand in found.strands:
        title = strand.name.partition(":")[0]
        for step in strand.steps if not _has_block(strand) else ():
            if step.at is None:
                continue
            key = (title, step.step, step.verdict, step.why, step.missing, f"{step.at.astimezone(zone):%F %R}")
            known = lines.get(key)
            lines[key] = Line(step.at, title, step, strand.count + (known.times if known else 0))
    return sorted(lines.values(), key=lambda line: line.at)


def _has_block(strand: Strand) -> bool:
    return strand.type in PER_PERSON


def _table(lines: Sequence[Line], zone: ZoneInfo) -> Padding:
    table = Table(box=None, pad_edge=False, show_header=False, expand=False)
    table.add_column(width=5, no_wrap=True)
    table.add_column(width=1)
    table.add_column(width=20, style="dim")
    table.add_column(ratio=3, min_width=26)
    table.add_column(ratio=4)
    before = ""
    for line in lines:
        title = "" if line.strand == before else line.strand
        before = line.strand
        name = line.step.name + (f" ×{line.times}" if line.times > 1 else "")
        style = "dim" if line.step.verdict == "skipped" else ""
        table.add_row(
            _time(line.at, zone),
            MARKS[line.step.verdict],
            escape(title),
            f"[{style or 'default'}]{escape(name)}[/]",
            _what(line.step, zone),
        )
    return Padding(table, (0, 0, 0, 2))


def _show_block(out: Console, strand: Strand, zone: ZoneInfo) -> None:
    title = f"{strand.name.partition(':')[0]}: " + (
        f"{strand.count} of them" if strand.status != "ahead" else strand.name.partition(": ")[2]
    )
    out.print(f"\n[bold]{escape(title)}[/]")
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(width=27, no_wrap=True)
    table.add_column(width=1)
    table.add_column(min_width=26)
    table.add_column()
    for step in strand.steps:
        table.add_row(_span(step, zone), MARKS[step.verdict], escape(step.name), _what(step, zone))
    out.print(Padding(table, (0, 0, 0, 2)))


def _show_rest(out: Console, found: Outlook) -> None:
    """What has no date, and what stands in the way of whole automations."""
    said = list(_remarks(found))
    if said:
        out.print("\n[bold]Besides[/]")
    for mark, name, words in said:
        table = Table.grid(padding=(0, 1))
        table.add_row(" ", mark, f"{escape(name)}: {escape(words)}")
        out.print(table)


def _remarks(found: Outlook) -> Iterator[tuple[str, str, str]]:
    for strand in found.strands:
        if strand.status == "paused":
            yield "[yellow]◐[/]", strand.name, "is paused; the dates hold once it is resumed"
        if strand.approval:
            yield "[yellow]◐[/]", strand.name, "what it writes goes out once you have approved it"
        if strand.problem:
            yield "[red]![/]", strand.name, strand.problem
        elif strand.status == "ahead" and strand.begins is None:
            yield MARKS["waits"], strand.name, f"begins {strand.because}"
        for step in strand.steps:
            if step.at is None:
                yield MARKS["waits"], strand.name, f"{step.name}: {step.why}"


def _what(step: Planned, zone: ZoneInfo) -> str:
    """To whom it goes, what it makes, why not, and what it lacks."""
    if step.verdict == "skipped":
        return f"[dim]{escape(step.why)}[/]"
    parts = [_reached(reach) for reach in step.reaches if reach.people is not None]
    parts += [_posted(reach, zone) for reach in step.reaches if reach.people is None]
    parts += _done(step.does)
    words = [escape(part) for part in parts]
    if step.verdict == "if":
        words.append(f"[yellow]if {escape(step.why.replace('_', ' '))}[/]")
    words += [f"[red]! {escape(lack)}[/]" for lack in step.missing]
    if step.left_out:
        words.append(f"[dim]without {escape(', '.join(name.replace('_', ' ') for name in step.left_out))}[/]")
    return "\n".join(words)


def _done(does: Sequence[str]) -> Iterator[str]:
    """What a step makes, by verb; many of one sort are counted."""
    for verb, deeds in groupby(does, key=lambda deed: deed.partition(" ")[0]):
        targets = [deed.partition(" ")[2].replace("_", " ") for deed in deeds]
        sorts = {target.rstrip("0123456789 ") for target in targets}
        yield f"{verb} {', '.join(targets) if len(sorts) > 1 or len(targets) == 1 else f'{len(targets)} {sorts.pop()}s'}"


def _posted(reach: Reach, zone: ZoneInfo) -> str:
    return f"{reach.channel}, {reach.at.astimezone(zone):%a %-d %b %R}" if reach.at else reach.channel


def _reached(reach: Reach) -> str:
    """`email to 369 of 400 all contacts`, and on the next line why the others get none."""
    left = "".join(f"\n  {count:,} {why}" for why, count in _why_not(reach))
    if reach.audience is None:
        return f"{reach.channel}{left}"
    if not reach.people:
        return f"{reach.channel} to nobody: there are no {reach.audience.replace('_', ' ')} yet"
    return f"{reach.channel} to {reach.reached or 0:,} of {reach.people:,} {reach.audience.replace('_', ' ')}{left}"


def _why_not(reach: Reach) -> list[tuple[str, int]]:
    """The reasons, the most frequent first; bounces and complaints are one here, and apart in JSON."""
    reasons = Counter[str]()
    for why, count in reach.without.items():
        reasons[why.partition(": ")[0]] += count
    return reasons.most_common()


def _span(step: Planned, zone: ZoneInfo) -> str:
    if step.at is None:
        return ""
    if step.last is None or step.last.astimezone(zone).date() == step.at.astimezone(zone).date():
        return f"{step.at.astimezone(zone):%a %-d %b %Y %R}"
    return f"{step.at.astimezone(zone):%-d %b} to {step.last.astimezone(zone):%-d %b %Y}, {step.count:,}"


def _day(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%A %-d %B %Y}"


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%R}"


def _zone(name: str | None) -> ZoneInfo:
    """The event's zone; UTC where it has none that is known."""
    try:
        return zone_named(name or "UTC")
    except UnknownZone:
        return zone_named("UTC")
