"""Draws an include: markup and plain text in the look of its kind."""

import re
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup

from templates.facts import one_line
from templates.includes import INCLUDES, Include
from templates.sources import look_template, text_template

_BLANKS = re.compile(r"(?<=>) (?=<)")


class Colors(NamedTuple):
    """The event's colours: for areas, for text on these, and for text on white."""

    brand: str
    ink: str
    accent: str


class Block(NamedTuple):
    """An include as it stands in a mail; the text begins with its own blank line."""

    html: Markup
    text: str


# Personal includes often agree: many attendees share their interests, all who were there share their recordings.
@lru_cache(maxsize=2048)
def draw(include: Include, colors: Colors) -> Block:
    """The include in both forms, its values escaped in the markup."""
    kind = INCLUDES[include.kind]
    context = {
        "look": kind.look,
        "heading": one_line(include.heading or kind.heading),
        "paragraphs": [line for line in map(one_line, include.text.splitlines()) if line],
        "rows": [
            (one_line(row.label), [line for line in map(one_line, row.detail.splitlines()) if line], row.url)
            for row in include.rows
        ],
        "link": include.link and (one_line(include.link.label), include.link.url),
        "figures": [tuple(map(one_line, figure)) for figure in include.figures],
    }
    html = look_template(kind.look).render(context, colors=colors)
    text = text_template("include").render(context)
    return Block(
        Markup(_BLANKS.sub("", re.sub(r"\s+", " ", html)).strip()),  # noqa: S704 - the template escaped every value
        "\n\n" + re.sub(r"\n{3,}", "\n\n", text).strip(),
    )
