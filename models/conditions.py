"""Conditions of a step, over facts and the columns of the subject.

proposal_opened                         the fact is known
not proposal_opened                     it is not; also `proposal_opened == false`
status == 'published' and not vip       a column of the subject, and every part must hold
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from models.phrases import Phrase, PhraseError

_WORDS = re.compile(r"'[^']*'|\"[^\"]*\"|[A-Za-z_]\w*|[=!]=|\S")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = frozenset({"and", "or", "not", "true", "false"})


class ConditionError(PhraseError):
    """A condition that cannot be read."""


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a condition: a fact, or a column and the value it is compared with."""

    name: str
    value: str | None = None
    wanted: bool = True

    def holds(self, facts: Collection[str], subject: Mapping[str, str]) -> bool:
        """Whether it is as wanted; a column the subject does not have equals nothing."""
        found = self.name in facts if self.value is None else subject.get(self.name) == self.value
        return found is self.wanted

    def negated(self) -> "Term":
        """The term that holds where this one does not."""
        return replace(self, wanted=not self.wanted)

    def __str__(self) -> str:
        if self.value is None:
            return self.name if self.wanted else f"not {self.name}"
        quote = '"' if "'" in self.value else "'"
        return f"{self.name} {'==' if self.wanted else '!='} {quote}{self.value}{quote}"


@dataclass(frozen=True, slots=True)
class Condition:
    """Terms that must all hold."""

    terms: tuple[Term, ...]

    def holds(self, facts: Collection[str], subject: Mapping[str, str]) -> bool:
        """Whether every term holds."""
        return all(term.holds(facts, subject) for term in self.terms)

    def unmet(self, facts: Collection[str], subject: Mapping[str, str]) -> str:
        """The terms that do not hold, as they are written; empty if all do."""
        return " and ".join(str(term) for term in self.terms if not term.holds(facts, subject))


def columns(texts: Iterable[str | None]) -> set[str]:
    """The columns that these conditions compare with a value."""
    terms = (term for text in texts if text is not None for term in parse(text).terms)
    return {term.name for term in terms if term.value is not None}


def facts(texts: Iterable[str | None]) -> set[str]:
    """The facts that these conditions ask for."""
    terms = (term for text in texts if text is not None for term in parse(text).terms)
    return {term.name for term in terms if term.value is None}


@lru_cache(maxsize=4096)
def parse(text: str) -> Condition:
    """Read a condition; a ConditionError points at the word that is wrong and says what may stand there."""
    phrase = Phrase(text, _WORDS, ConditionError)
    terms = [_term(phrase)]
    while phrase.word == "and":
        phrase.take()
        terms.append(_term(phrase))
    if phrase.word:
        raise phrase.wrong(f"'{phrase.word}' is not understood here; only 'and' may join the parts of a condition")
    return Condition(tuple(terms))


def _term(phrase: Phrase) -> Term:
    if phrase.word == "not":
        phrase.take()
        return Term(_name(phrase), wanted=False)
    name = _name(phrase)
    if phrase.word not in ("==", "!="):
        return Term(name)
    equal = phrase.take() == "=="
    if phrase.word in ("true", "false"):
        return Term(name, wanted=(phrase.take() == "true") is equal)
    if phrase.word[:1] not in ("'", '"') or len(phrase.word) < 2:
        raise phrase.wrong("true, false or a value in quotes is expected here")
    return Term(name, phrase.take()[1:-1], wanted=equal)


def _name(phrase: Phrase) -> str:
    if phrase.word in _KEYWORDS or not _NAME.fullmatch(phrase.word):
        raise phrase.wrong("the name of a fact or a column is expected here, as in 'not proposal_opened'")
    return phrase.take()
