"""What can be wrong with words: a field is missing, a field is unfit, a template or an include does not exist.

TemplateError
├── MissingField     a template needs facts that are empty
├── UnfitField       a fact is there but cannot be used as it is
├── UnknownTemplate  nobody wrote that template
└── UnknownInclude   there is no include of that name
"""

from collections.abc import Iterable, Sequence


class TemplateError(ValueError):
    """The words cannot be made; nothing was sent, and the message says what to correct."""


class MissingField(TemplateError):
    """A template needs facts that are empty; `fields` names every one of them."""

    def __init__(self, template: str, fields: Sequence[str]) -> None:
        self.template = template
        self.fields = tuple(fields)
        owners = listed(dict.fromkeys(f"the {field.partition('.')[0]}" for field in fields))
        verb, pronoun = ("is", "it") if len(fields) == 1 else ("are", "them")
        super().__init__(f"template '{template}' needs {listed(fields)}, which {verb} empty; set {pronoun} on {owners}")

    def __reduce__(self) -> tuple[type["MissingField"], tuple[str, tuple[str, ...]]]:
        return type(self), (self.template, self.fields)


class UnfitField(TemplateError):
    """A fact is present but cannot be used: not an address, not a zone, too long for its place."""


class UnknownTemplate(TemplateError):
    """A template was asked for that nobody wrote."""

    @classmethod
    def among(cls, asked: str, known: Iterable[str]) -> "UnknownTemplate":
        """The refusal that says which names there are."""
        return cls(f"there is no template '{asked}'; there are {listed(sorted(known))}")


class UnknownInclude(TemplateError):
    """An include was asked for that is not in the registry."""

    @classmethod
    def among(cls, asked: str, known: Iterable[str]) -> "UnknownInclude":
        """The refusal that says which names there are."""
        return cls(f"there is no include '{asked}'; there are {listed(sorted(known))}")


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *front, last = words
    return f"{', '.join(front)} and {last}" if front else last
