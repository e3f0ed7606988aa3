"""The email templates as Jinja sees them: MJML compiled to HTML, and plain text, each once per process."""

import re
from functools import cache
from pathlib import Path

from jinja2 import FunctionLoader, StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment
from mjml import mjml2html

_FOLDER = Path(__file__).parent / "email"
_STYLE = re.compile(r"(?<=<style type=\"text/css\">).*?(?=</style>)")
# What MJML writes longer than any mail program needs it.
_SHORTER = (
    (re.compile(r"(background:([^;\"]+);)background-color:\2;"), r"\1"),
    (re.compile(r"(?<=[ :])0px"), "0"),
    (re.compile(r"cursor:auto;|text-transform:none;"), ""),
    (re.compile(r";(?=\"[ >])"), ""),
)
_INCLUDE = re.compile(r'<mj-include path="([a-z_.]+)" />')


def html_template(layout: str, file: str) -> Template:
    """The compiled HTML template of a content in its layout; its values are escaped."""
    return _environment(html=True).get_template(f"{layout}/{file}.mjml")


def look_template(look: str) -> Template:
    """How an include of this look is drawn, as a piece of HTML; its values are escaped."""
    return _environment(html=True).get_template(f"looks/{look}.html")


def text_template(file: str) -> Template:
    """The plain-text template."""
    return _environment(html=False).get_template(f"{file}.txt")


@cache
def _environment(*, html: bool) -> SandboxedEnvironment:
    return SandboxedEnvironment(
        loader=FunctionLoader(_compiled if html else _read),
        undefined=StrictUndefined,
        autoescape=html,
        trim_blocks=not html,
        lstrip_blocks=not html,
        # The files change only with a new release.
        auto_reload=False,
    )


def _read(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


def _compiled(name: str) -> str:
    """The HTML of a mail, `layout/content.mjml`, without blanks nobody sees; of a look, `looks/list.html`, as it is."""
    layout, _, content = name.partition("/")
    if layout == "looks":
        return _read(name)
    # Jinja's own marks pass through MJML as text, so that blocks can be left out after compilation.
    html = re.sub(r"\s+", " ", str(mjml2html(_assembled(f"{layout}.mjml", content), disable_comments=True)))
    html = re.sub(r"(?<=>) (?=<)|(?<=>) (?=\{%)|(?<=%\}) ", "", html)
    html = html.replace("<![endif]--><!--[if mso | IE]>", "")
    for said_twice, once in _SHORTER:
        html = said_twice.sub(once, html)
    return _STYLE.sub(lambda style: re.sub(r";? ?([{}:;,>]) ?", r"\1", style[0]), html)


def _assembled(name: str, content: str) -> str:
    """The file with its includes in place; the MJML compiler itself resolves no include inside an include."""
    return _INCLUDE.sub(
        lambda match: _assembled(content if match[1] == "content.mjml" else match[1], content), _read(name)
    )
