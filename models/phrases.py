"""Phrases that people write, such as moments and conditions: their words, and errors that point at the wrong one."""

import re
from collections.abc import Collection
from difflib import get_close_matches


class PhraseError(ValueError):
    """A phrase that cannot be read: says what is allowed, and underlines the word that is not."""

    def __init__(self, reason: str, text: str, start: int, end: int) -> None:
        super().__init__(f"{reason}\n    {text}\n    {' ' * start}{'^' * max(1, end - start)}")
        self.reason = reason


def either(words: Collection[str], last: str = "or") -> str:
    """The words as a list to read: `a, b or c`."""
    if not words:
        return "none"
    *most, final = words
    return f"{', '.join(most)} {last} {final}" if most else final


def nearest(word: str, words: Collection[str]) -> str:
    """` (did you mean 'x'?)` if one of the words is close, else nothing."""
    close = get_close_matches(word, words, n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""


class Phrase:
    """The words of a phrase, read from left to right. `word` is the next one, empty at the end."""

    def __init__(self, text: str, words: re.Pattern[str], error: type[PhraseError]) -> None:
        self._text = re.sub(r"\s", " ", text)
        self._words = list(words.finditer(self._text))
        self._at = 0
        self._error = error

    @property
    def word(self) -> str:
        """The next word."""
        return self._words[self._at].group() if self._at < len(self._words) else ""

    def take(self) -> str:
        """The next word, which is then behind us."""
        word = self.word
        self._at += 1
        return word

    def wrong(self, reason: str) -> PhraseError:
        """An error that points at the next word, or behind the last one."""
        if self._at < len(self._words):
            start, end = self._words[self._at].span()
            return self._error(reason, self._text, start, end)
        end = len(self._text.rstrip())
        return self._error(reason, self._text, end + bool(end), end + bool(end))
