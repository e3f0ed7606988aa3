"""What a reader gets from a page."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Page(HTMLParser):
    """Its words, its links, its elements."""

    html: str
    words: str = ""
    links: list[str] = field(default_factory=list)
    elements: set[str] = field(default_factory=set)
    _element: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.words = " ".join(self.words.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._element = tag
        self.elements.add(tag)
        self.links += [value for name, value in attrs if name == "href" and value is not None]

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser gives it
        self._element = ""

    def handle_data(self, data: str) -> None:
        if self._element != "style":
            self.words += f" {data}"
