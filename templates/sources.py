"""The email templates as Jinja sees them: MJML compiled to HTML, and plain text, each once per process."""

import re
from functools import cache
from pathlib import Path

from jinja2 import FunctionLoader, StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment
from mjml import mjml2html

_FOLDER = Path(__file__).parent / "email"
_STYLE = re.compile(r"(?<=<style type=\"text/css\">).*?(?=</style>)")
_INCLUDE = re.compile(r'<mj-include path="([a-z_.]+)" />')


def html_template(file: str) -> Template:
    """The compiled HTML template; its values are escaped."""
    return _environment(html=True).get_template(f"{file}.mjml")


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
    """The HTML of a mail: the shared layout around the named content, without blanks nobody sees."""
    # Jinja's own marks pass through MJML as text, so that blocks can be left out after compilation.
    html = re.sub(r"\s+", " ", str(mjml2html(_assembled("layout.mjml", name), disable_comments=True)))
    html = re.sub(r"(?<=>) (?=<)|(?<=>) (?=\{%)|(?<=%\}) ", "", html)
    html = html.replace("<![endif]--><!--[if mso | IE]>", "")
    return _STYLE.sub(lambda style: re.sub(r";? ?([{}:;,>]) ?", r"\1", style[0]), html)


def _assembled(name: str, content: str) -> str:
    """The file with its includes in place; the MJML compiler itself resolves no include inside an include."""
    return _INCLUDE.sub(
        lambda match: _assembled(content if match[1] == "content.mjml" else match[1], content), _read(name)
    )
