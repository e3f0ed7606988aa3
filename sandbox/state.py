"""What the stand-in providers accepted, kept lean enough for hundreds of thousands of messages."""

import sys
import time
from asyncio import Transport
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import orjson
import zstandard

from sandbox.faults import Faults, Limits
from sandbox.people import People
from sandbox.player import Player

PROVIDERS = ("resend", "twilio", "openai", "linkedin", "x", "facebook", "weather")
COMPRESS_FROM_BYTES = 1024
IDEMPOTENCY_SECONDS = 24 * 3600.0


class Payload:
    """One accepted request body (JSON), shared by every message that came in it and decoded only when read."""

    __slots__ = ("_data", "_packed")

    def __init__(self, data: bytes) -> None:
        self._packed = len(data) >= COMPRESS_FROM_BYTES
        # The copy is as small as it looks; what compress returns keeps the memory of its worst case.
        self._data = memoryview(zstandard.compress(data, 1)).tobytes() if self._packed else data

    def value(self) -> Any:
        """The body, decoded."""
        return orjson.loads(zstandard.decompress(self._data) if self._packed else self._data)


@lru_cache(maxsize=4)
def _decoded(payload: Payload) -> Any:
    return payload.value()


@dataclass(slots=True, eq=False)
class Message:
    """One accepted message: what lists and filters need, and where the rest of it is."""

    provider: str
    account: str
    id: str
    sender: str
    to: str | list[str]
    title: str
    payload: Payload
    index: int | None = None
    message_id: str | None = None
    template: str | None = None
    tags: dict[str, str] | None = None
    attached: int = 0
    accepted_at: float = field(default_factory=time.time)
    position: int = -1
    place: int = -1
    last: str = "sent"
    """What happened to it last, in the words of people's scripts; until then it is sent."""

    @property
    def content(self) -> dict[str, Any]:
        """The request's own fields, as they were sent."""
        value = _decoded(self.payload)
        content: dict[str, Any] = value if self.index is None else value[self.index]
        return content

    @property
    def attachments(self) -> list[dict[str, Any]]:
        """The files that came with it, their content in Base64."""
        return list(self.content["attachments"]) if self.attached else []


class Mailbox:
    """Every accepted message, in order of acceptance, and the same per account."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._by_account: defaultdict[tuple[str, str], list[Message]] = defaultdict(list)
        self._by_id: dict[tuple[str, str], Message] = {}

    def add(self, message: Message) -> Message:
        """Accept the message; gives it its positions."""
        account = self._by_account[message.provider, message.account]
        message.position, message.place = len(self.messages), len(account)
        message.account = sys.intern(message.account)
        self.messages.append(message)
        account.append(message)
        self._by_id[message.provider, message.id] = message
        return message

    def of(self, provider: str, account: str) -> list[Message]:
        """The account's messages, oldest first."""
        return self._by_account.get((provider, account), [])

    def find(self, provider: str, provider_id: str) -> Message | None:
        """The message of that id, whoever sent it."""
        return self._by_id.get((provider, provider_id))

    def find_own(self, provider: str, account: str, provider_id: str) -> Message | None:
        """The message of that id if it belongs to this account; other accounts' messages do not exist for it."""
        message = self.find(provider, provider_id)
        return message if message and message.account == account else None

    def select(self, provider: str | None, account: str | None, after: int = -1) -> Iterator[Message]:
        """Messages oldest first, from behind a position on."""
        for message in islice(self.messages, after + 1, None):
            if provider in (None, message.provider) and account in (None, message.account):
                yield message

    def counts(self) -> dict[str, dict[str, int]]:
        """Accepted messages per provider and account."""
        counts: dict[str, dict[str, int]] = {provider: {} for provider in PROVIDERS}
        for (provider, account), messages in self._by_account.items():
            counts[provider][account] = len(messages)
        return counts


class Answer(NamedTuple):
    """What was answered under an idempotency key; until `ready_at` the first request is still being answered."""

    fingerprint: bytes
    body: bytes
    ready_at: float
    expires_at: float


class Sandbox:
    """All state of one sandbox process; `reset` makes it as new."""

    def __init__(self) -> None:
        self.waiting: set[Transport] = set()
        self.player = Player()
        self.reset()

    def accept(self, message: Message) -> Message:
        """A provider has accepted the message; people may react to it."""
        self.mailbox.add(message)
        if self.people.accepted(message):
            self.player.wake(self.people)
        return message

    def listed(self, provider: str, account: str) -> list[Message]:
        """What the account's list shows, oldest first: with a lag, not yet what came last."""
        messages = self.mailbox.of(provider, account)
        if not (lag := self.faults.lag(provider)):
            return messages
        return [message for message in messages if message.accepted_at <= time.time() - lag]

    def reset(self) -> None:
        """Forget everything: messages, keys, faults, limits, opt-outs, people; and let go of requests a fault keeps waiting."""
        for transport in self.waiting:
            transport.close()
        self.player.stop()
        self.people = People()
        _decoded.cache_clear()
        self.mailbox = Mailbox()
        self.limits = Limits()
        self.faults = Faults(PROVIDERS)
        self.requests: Counter[str] = Counter()
        self.answers: dict[tuple[str, str], Answer] = {}
        self.stopped: set[str] = set()
