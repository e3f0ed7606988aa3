"""People who react to what they are sent: scripts say who does what how long after which message.

Every accepted message of an account with a registered endpoint is delivered, so its webhook says, at once; a script may
have it delivered later or bounced instead. An account lives by one of two clocks:

- a real one: the sandbox plays each reaction itself when its time has come;
- a stepped one: it knows no time of its own. A message is taken to have been accepted at the first `now` that the sandbox
  is told after it came in. Whoever steps the clock asks for the next due instant while everything rests (`upcoming`),
  moves the clock no further than that, and has what is due played.
"""

import heapq
import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.state import Message

WHAT = ("delivered", "open", "click", "reply", "out_of_office", "bounce", "complain", "stop", "start", "unsubscribe")
ON_MAIL = {"click", "out_of_office", "complain", "unsubscribe"}
ON_WHATSAPP = {"stop", "start"}
FIELDS = frozenset({"who", "what", "after", "to", "text", "agent", "sender", "once"})
INSTEAD_OF_DELIVERY = {"delivered", "bounce"}
SHOWN = {"delivered", "open", "click", "bounce", "complain"}
"""What a provider shows of a message when it is asked, whether or not its webhooks arrive."""


@dataclass(frozen=True, slots=True)
class Script:
    """Who does what, how long after which message."""

    who: str
    what: str
    after: timedelta = timedelta()
    to: str = "*"
    text: str = ""
    agent: str = ""
    sender: str = ""
    """Who answers, where it is not the one who was written to."""
    once: bool = False
    """Only after the first message that it speaks of."""

    @classmethod
    def parse(cls, wish: Any) -> "Script":
        """From JSON: `who` an address or a pattern, `what`, `after` seconds, `to` a pattern of subject or template, and the rest.

        Raises ValueError that names what is wrong.
        """
        if not isinstance(wish, Mapping):
            raise ValueError("a script is a JSON object")  # noqa: TRY004 - one kind of error for every bad body
        if unknown := set(wish) - FIELDS:
            raise ValueError(f"unknown field {', '.join(sorted(unknown))}; say {', '.join(sorted(FIELDS))}")
        if wish.get("what") not in WHAT:
            raise ValueError(f"what is {wish.get('what')!r}; say one of {', '.join(WHAT)}")
        after = wish.get("after", 0)
        if isinstance(after, bool) or not isinstance(after, (int, float)) or not 0 <= after <= 10**9:
            raise ValueError(f"after is {after!r}; say seconds, 0 or more")
        text = {name: str(wish.get(name) or "") for name in ("text", "agent", "sender")}
        return cls(
            who=str(wish.get("who") or "*").lower(),
            what=wish["what"],
            after=timedelta(seconds=after),
            to=str(wish.get("to") or "*"),
            once=wish.get("once") is True,
            **text,
        )

    def fits(self, message: "Message") -> bool:
        """Whether it speaks of this message."""
        if (message.provider == "twilio" and self.what in ON_MAIL) or (
            message.provider == "resend" and self.what in ON_WHATSAPP
        ):
            return False
        return fnmatchcase(address_of(message), self.who) and (
            fnmatchcase(message.title, self.to) or fnmatchcase(message.template or "", self.to)
        )


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider delivers an account's webhooks, and with which secret it signs them."""

    provider: str
    account: str
    url: str
    secret: str
    stepped: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Reaction:
    """One thing that happens to one message, once; delivered again it has the same id."""

    at: datetime
    order: int
    message: "Message" = field(compare=False)
    what: str = field(compare=False)
    text: str = field(compare=False, default="")
    agent: str = field(compare=False, default="")
    sender: str = field(compare=False, default="")
    tries: int = field(compare=False, default=0)
    id: str = field(compare=False, default_factory=lambda: uuid.uuid4().hex)


class People:
    """Scripts, endpoints, and what is still to happen for each account."""

    def __init__(self) -> None:
        self.scripts: list[Script] = []
        self.endpoints: dict[tuple[str, str], Endpoint] = {}
        self.received: dict[tuple[str, str], dict[str, Any]] = {}
        """Mails that people sent, as the provider shows them, by account and id."""
        self._fresh: defaultdict[str, list[Message]] = defaultdict(list)
        self._agenda: defaultdict[str, list[Reaction]] = defaultdict(list)
        self._count = 0

    def accepted(self, message: "Message") -> bool:
        """A provider accepted a message; True if something will happen to it by the real clock."""
        endpoint = self.endpoints.get((message.provider, message.account))
        if endpoint is None:
            return False
        if endpoint.stepped:
            self._fresh[message.account].append(message)
            return False
        self._plan(message, datetime.fromtimestamp(message.accepted_at, UTC))
        return True

    def upcoming(self, accounts: list[str], now: datetime) -> datetime | None:
        """The next instant at which anything happens on these accounts' stepped clock, which stands at `now`."""
        for account in accounts:
            for message in self._fresh.pop(account, ()):
                self._plan(message, now)
        return min((self._agenda[account][0].at for account in accounts if self._agenda.get(account)), default=None)

    def next_real(self) -> datetime | None:
        """The next instant at which anything happens by the real clock."""
        return self.upcoming([one.account for one in self.endpoints.values() if not one.stepped], datetime.now(UTC))

    def due(self, accounts: list[str], now: datetime) -> list[Reaction]:
        """Take what has come due out of the agenda, in order."""
        self.upcoming(accounts, now)
        found = []
        for account in accounts:
            agenda = self._agenda.get(account, [])
            while agenda and agenda[0].at <= now:
                found.append(heapq.heappop(agenda))
        for reaction in sorted(found):
            if reaction.what in SHOWN:
                reaction.message.last = reaction.what
        return sorted(found)

    def due_real(self, now: datetime) -> list[Reaction]:
        """The same for every account that lives by the real clock."""
        return self.due([one.account for one in self.endpoints.values() if not one.stepped], now)

    def put_back(self, reaction: Reaction) -> None:
        """It could not be delivered, and is still to happen."""
        heapq.heappush(self._agenda[reaction.message.account], reaction)

    def _plan(self, message: "Message", at: datetime) -> None:
        fitting = [script for script in self.scripts if script.fits(message)]
        if not any(script.what in INSTEAD_OF_DELIVERY for script in fitting):
            fitting.insert(0, Script(who="*", what="delivered"))
        for script in fitting:
            if script.once:
                self.scripts.remove(script)
            self._count += 1
            self.put_back(
                Reaction(at + script.after, self._count, message, script.what, script.text, script.agent, script.sender)
            )


def address_of(message: "Message") -> str:
    """Who was written to: the bare address, or the number."""
    to = message.to if isinstance(message.to, str) else message.to[0]
    return parseaddr(to)[1].lower() if "@" in to else to.removeprefix("whatsapp:")
