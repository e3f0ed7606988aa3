"""What can go wrong at a provider, in the two words that matter.

ProviderError
├── Rejected      never again: asking the same once more changes nothing
└── Unavailable   again, after a while
"""

from datetime import timedelta
from typing import Literal

from providers.words import impersonal


class ProviderError(Exception):
    """A provider did not do what was asked. The message keeps the provider's own words, but for whom they are about."""

    def __init__(self, message: str, *, provider: str, code: str = "") -> None:
        super().__init__(impersonal(message))
        self.provider = provider
        self.code = code
        """The provider's own name or number for it."""


class Rejected(ProviderError):
    """The provider will not take this, now or later.

    `scope` says what it will not take: this `message`, this `batch` because of at least one message in it, or anything
    of this `account` (a bad key, a suspended account, a spent quota). `outcome_unknown` is set where the refusal does
    not tell whether an earlier request with the same key was carried out.
    """

    def __init__(
        self,
        message: str,
        *,
        provider: str,
        code: str = "",
        scope: Literal["message", "batch", "account"] = "message",
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(message, provider=provider, code=code)
        self.scope = scope
        self.outcome_unknown = outcome_unknown


class Unavailable(ProviderError):
    """The provider cannot take this now; ask again after `retry_after`.

    `refused` is True where it is certain that nothing was done: the answer says so (a rate limit), or the request never left
    because no connection came about. Else it may have been carried out all the same: after a time-out or a dropped connection,
    after a 500 or a page of the provider's gateway, and where it was accepted and not named.
    """

    def __init__(
        self,
        message: str,
        *,
        provider: str,
        code: str = "",
        retry_after: timedelta | None = None,
        refused: bool = False,
    ) -> None:
        super().__init__(message, provider=provider, code=code)
        self.retry_after = retry_after
        self.refused = refused
