"""Fills a JSON schema with event marketing text: deterministic, valid, and made of the facts in the request."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import Template
from typing import Any

from sandbox.facts import Facts, tagged
from sandbox.paragraphs import PARAGRAPHS
from sandbox.words import BANKS, KINDS, PURPOSES

MERGE_FIELD = re.compile(r"\{([a-z_]+)\}")
DENIED = re.compile(r"(?:not|no|never|without|except)\s+\{([a-z_]+)\}", re.IGNORECASE)
NO_FIELDS = re.compile(r"\b(?:no|without(?: any)?)\s+(?:merge.?fields?|place.?holders?)", re.IGNORECASE)
ANY_FIELDS = re.compile(r"merge.?fields?|place.?holders?", re.IGNORECASE)
USUAL_FIELDS = frozenset({"event_date", "event_time", "event_venue", "event_price"})
SAID_LIMIT = re.compile(r"(?:under|up to|at most|max(?:imum)?(?: of)?|within)\s+(\d+)\s+char", re.IGNORECASE)
NUMBERS = {word: n for n, word in enumerate(("two", "three", "four", "five", "six", "seven", "eight"), 2)}
NUMBER = rf"\b({'|'.join(NUMBERS)}|\d)\b"
SAID_COUNT = re.compile(rf"{NUMBER}(?:\s+(?:or|to)\s+{NUMBER})?", re.IGNORECASE)
FALLBACK = "A programme worth your time"
PLATFORMS = ("linkedin", "twitter", "facebook", "whatsapp")


class UnsupportedSchema(Exception):
    """The schema asks for something no answer can be made for; the message says where."""


@dataclass(frozen=True)
class Place:
    """Where in the answer a value stands, and what has been said about it on the way there."""

    path: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    said: str = ""
    index: int = 0
    count: int = 1
    turn: int | None = None

    def into(self, name: str, context: Sequence[str] = ()) -> "Place":
        """The place of a property; `turn` remembers which item of a list it belongs to."""
        turn = self.index if self.count > 1 else self.turn
        return Place((*self.path, name), (*self.context, *context), turn=turn)

    @property
    def around(self) -> str:
        """All names on the way here, in lower case."""
        return " ".join((*self.context, *self.path)).lower()

    def __str__(self) -> str:
        return "/" + "/".join(self.path)


class Generator:
    """Makes answers for one request; equal requests get equal answers."""

    def __init__(self, schema: Mapping[str, Any], facts: Facts, seed: str, instructions: str = "") -> None:
        self._schema, self._facts, self._seed = schema, facts, seed
        # What the instructions name is known everywhere, except what belongs to one reader.
        self._known = frozenset(MERGE_FIELD.findall(instructions)) - {"first_name"}

    def answer(self) -> Any:
        """A value that the schema accepts. Raises UnsupportedSchema where none can be made."""
        return self._value(self._schema, Place(context=(str(self._schema.get("title", "")),)))

    def _value(self, schema: Mapping[str, Any], place: Place) -> Any:
        schema = self._resolved(schema)
        place = replace(place, said=f"{place.said} {schema.get('description', '')}".strip())
        if "const" in schema:
            return schema["const"]
        if choices := schema.get("enum"):
            turn = place.index if place.count > 1 else place.turn
            return choices[(self._number(place) if turn is None else turn) % len(choices)]
        kind = schema.get("type") or ("object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((name for name in kind if name != "null"), "null")
        if kind == "object":
            return self._object(schema, place)
        if kind == "array":
            return self._array(schema, place)
        if kind == "string":
            return self._text(schema, place)
        if kind in ("integer", "number"):
            return self._quantity(schema, place, whole=kind == "integer")
        return {"boolean": True, "null": None}[kind]

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while True:
            if ref := schema.get("$ref"):
                target: Any = self._schema
                for part in ref.removeprefix("#").strip("/").split("/"):
                    target = target[part]
                schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
            elif options := schema.get("anyOf") or schema.get("oneOf"):
                option = next((option for option in options if option.get("type") != "null"), options[0])
                rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
                schema = {**rest, **option}
            elif parts := schema.get("allOf"):
                schema = {key: value for key, value in schema.items() if key != "allOf"}
                for part in parts:
                    schema = {**part, **schema}
            else:
                return schema

    def _object(self, schema: Mapping[str, Any], place: Place) -> dict[str, Any]:
        """Fixed choices first, since a platform or template name among them says what the texts are for."""
        properties = {name: self._resolved(part) for name, part in schema.get("properties", {}).items()}
        made: dict[str, Any] = {}
        for name, part in properties.items():
            if "enum" in part or "const" in part:
                made[name] = self._value(part, place.into(name))
        context = [str(value) for value in made.values() if isinstance(value, str)]
        for name, part in properties.items():
            if name not in made:
                made[name] = self._value(part, place.into(name, context))
        return {name: made[name] for name in properties}

    def _array(self, schema: Mapping[str, Any], place: Place) -> list[Any]:
        low, high = schema.get("minItems", 0), schema.get("maxItems", 100)
        items = self._resolved(schema.get("items", {"type": "string"}))
        said = [int(NUMBERS.get(word.lower(), word)) for word in _count_words(place.said)]
        wanted = -(-sum(said) // len(said)) if said else 3
        if items.get("type") == "object":
            choices = [len(self._resolved(part).get("enum", ())) for part in items.get("properties", {}).values()]
            wanted = max([wanted if said else 1, *choices])
        count = min(max(low, wanted), high)
        made = [self._value(items, replace(place, index=index, count=count)) for index in range(count)]
        distinct = [item for index, item in enumerate(made) if item not in made[:index]]
        return distinct if len(distinct) >= low else made

    def _quantity(self, schema: Mapping[str, Any], place: Place, *, whole: bool) -> float:
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + bool("exclusiveMinimum" in schema))
        high = schema.get("maximum", max(low, 100))
        value: float = low + (high - low) * (0.7 + self._number(place) % 20 / 100)
        if step := schema.get("multipleOf"):
            value = round(value // step * step, 9)
        return int(min(high, max(low, round(value)))) if whole else round(value, 2)

    def _text(self, schema: Mapping[str, Any], place: Place) -> str:
        if fixed := self._formatted(schema.get("format", "")):
            return fixed
        longest = schema.get("maxLength", 5000)
        wanted = min([longest, *map(int, SAID_LIMIT.findall(place.said))])
        text = self._phrase(place, wanted)
        while len(text) < schema.get("minLength", 0):
            text = f"{text} {text}"
        text = text[:longest] if len(text) > longest else text
        if not (pattern := schema.get("pattern")):
            return text
        plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
        number = str(10**9 + self._number(place))
        forms = (text, plain, plain.replace("_", "-"), plain.replace("_", ""), plain.upper(), f"#{tagged(text)}", "event.name",
                 "https://events.example/launch", "hello@events.example", f"+{number}", number, number[:4], "1")  # fmt: skip
        for form in forms:
            if re.search(pattern, form[:longest]):
                return form[:longest]
        raise UnsupportedSchema(f"In context={place}, the pattern {pattern!r} is not one that a text can be made for.")

    def _formatted(self, name: str) -> str | None:
        digest = hashlib.md5(self._seed.encode(), usedforsecurity=False).hexdigest()
        uuid = "-".join((digest[:8], digest[8:12], f"4{digest[13:16]}", f"8{digest[17:20]}", digest[20:]))
        return {"uuid": uuid, "email": "hello@events.example", "uri": "https://events.example/launch",
                "date": "2030-01-01", "date-time": "2030-01-01T09:00:00Z", "time": "09:00:00Z",
                "duration": "P1D", "hostname": "events.example", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1"}.get(name)  # fmt: skip

    def _phrase(self, place: Place, longest: int) -> str:
        """A phrase for this place that fits, with its facts filled in; shortened at a word if none fits."""
        purpose = next((name for name, pattern in PURPOSES.items() if re.search(pattern, place.around)), "")
        kind = _kind(place)
        if kind == "paragraph":
            bank, turn = self._paragraphs(place, purpose)
        else:
            bank, turn = self._bank(kind, purpose), place.index if place.count > 1 else None
        allowed = allowed_fields(place.said)
        allowed = (allowed | self._known if allowed else allowed) - self._facts.empty_fields
        phrases = self._usable(bank, allowed, rich=turn is None)
        fitting = [phrase for phrase in phrases if len(phrase) <= longest]
        if not fitting:
            return shorten(min(phrases, key=len), longest)
        if kind == "paragraph" and turn is None:
            fitting = [phrase for phrase in fitting if "{" in phrase] or fitting
        return fitting[(self._number(place) if turn is None else turn) % len(fitting)]

    def _paragraphs(self, place: Place, purpose: str) -> tuple[Sequence[str], int | None]:
        """The phrases for this position in a text, and which of them it is if the position is counted."""
        opening, middle, end = PARAGRAPHS.get(purpose, PARAGRAPHS[""])
        if place.index == 0:
            return (opening, None) if place.count > 1 else ([*opening, *middle], None)
        if place.index == place.count - 1:
            return end, None
        return [*dict.fromkeys((*middle, *PARAGRAPHS[""][1]))], place.index - 1

    def _bank(self, kind: str, purpose: str) -> Sequence[str]:
        phrases = BANKS[kind].get(purpose) or BANKS[kind][""]
        if kind != "highlight":
            return phrases
        facts = [text[0].upper() + text[1:] for text in self._facts.highlights]
        return [*facts, *phrases]

    def _usable(self, phrases: Sequence[str], allowed: frozenset[str], *, rich: bool) -> list[str]:
        """The phrases whose facts are known and whose merge fields are allowed; `rich`: plain ones only for want of others."""
        values = dict(self._facts.values)
        if "event_name" in allowed:
            values["name"] = "{event_name}"
        usable: dict[str, bool] = {}
        for phrase in phrases:
            template = Template(phrase)
            facts, fields = set(template.get_identifiers()), set(MERGE_FIELD.findall(phrase))
            if facts <= set(values) and fields <= allowed:
                text = template.substitute(values)
                usable[text if text[0] in "#{" else text[0].upper() + text[1:]] = bool(facts or fields)
        richer = [text for text, has_any in usable.items() if has_any] if rich else []
        return richer or list(usable) or [FALLBACK]

    def _number(self, place: Place) -> int:
        digest = hashlib.blake2b(f"{self._seed}{place}{place.turn}".encode(), digest_size=4).digest()
        return int.from_bytes(digest)


def _kind(place: Place) -> str:
    """What is wanted here: by the property's own name, and for a plain text by the platform around it."""
    own = place.path[-1] if place.path else ""
    around = (*reversed(place.path[:-1]), *reversed(place.context))
    kind, *_ = *_kinds(own), "paragraph"
    if kind != "paragraph":
        return kind
    return next((kind for name in around for kind in _kinds(name) if kind in PLATFORMS), "paragraph")


def _count_words(said: str) -> list[str]:
    found = SAID_COUNT.search(said)
    return [word for word in found.groups() if word] if found else []


def _kinds(name: str) -> list[str]:
    return [kind for kind, pattern in KINDS.items() if re.search(pattern, name.lower())]


def allowed_fields(said: str) -> frozenset[str]:
    """The merge fields that a description allows: those it names, and the usual ones with them."""
    if NO_FIELDS.search(said):
        return frozenset()
    denied = set(DENIED.findall(said))
    named = set(MERGE_FIELD.findall(said)) - denied
    return frozenset((named | USUAL_FIELDS) - denied) if named or ANY_FIELDS.search(said) else frozenset()


def shorten(text: str, longest: int) -> str:
    """The text cut at a word and outside of merge fields, without loose punctuation at its end."""
    cut = text[: longest + 1]
    cut = cut[: cut.rfind(" ")] if " " in cut else cut[:longest]
    if cut.count("{") > cut.count("}"):
        cut = cut[: cut.rfind("{")]
    return cut.rstrip(" ,;:-") or text[:longest]
