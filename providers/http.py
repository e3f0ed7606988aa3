"""HTTP as the adapters use it: one pool per account, a limit on the whole of a request, failures in our words."""

import asyncio
import ssl
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any, Literal

import httpx2

from providers.errors import ProviderError, Rejected, Unavailable
from providers.rate import Pace, retry_after
from providers.words import impersonal

CONNECT_SECONDS = 5.0
WORDS_LIMIT = 300
NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
"""After these the provider has not seen the request."""

NOT_AN_ADDRESS = (httpx2.UnsupportedProtocol, httpx2.InvalidURL)

NOT_A_HEADER = (httpx2.LocalProtocolError, UnicodeEncodeError)
"""What a key with a line break or a foreign letter raises. Its text holds the key, so it is neither quoted nor chained."""


class Wire:
    """The connection to one account of one provider.

    `name` is the provider's own, for messages to people; `key` and `address` are the environment variables to look at
    when the provider refuses the account.
    """

    def __init__(
        self, provider: str, name: str, base_url: str, pace: Pace, *, key: str, address: str, seconds: float = 10.0
    ) -> None:
        self.provider = provider
        self.name = name
        self.base_url = base_url.rstrip("/")
        self.pace = pace
        self._key = key
        self._address = address
        self._seconds = seconds
        limits = httpx2.Limits(max_connections=200, max_keepalive_connections=100)
        timeout = httpx2.Timeout(seconds, connect=CONNECT_SECONDS)
        self.client = httpx2.AsyncClient(timeout=timeout, limits=limits, verify=_trusted())

    async def aclose(self) -> None:
        """Close the pool's connections."""
        await self.client.aclose()

    def require(self, **values: str) -> None:
        """Raise Rejected for the account, naming every environment variable that has no value."""
        if missing := [variable for variable, value in values.items() if not value]:
            raise self.rejected(f"{self.name} cannot be asked: set {' and '.join(missing)}.", scope="account")

    async def request(self, method: str, url: str, **request: Any) -> httpx2.Response:
        """The answer, whatever its status. Raises Unavailable if none came; `url` may be a path below the base URL."""
        address = self.base_url + url if url.startswith("/") else url
        try:
            async with asyncio.timeout(self._seconds):
                response = await self.client.request(method, address, **request)
        except NOT_A_HEADER as error:
            raise self.unanswered(error) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            raise self.unanswered(error) from error
        self.pace.heard(response.headers)
        return response

    def unanswered(self, error: BaseException | None) -> ProviderError:
        """What it means that this happened instead of an answer."""
        if isinstance(error, NOT_A_HEADER):
            return self.rejected(f"{self._key} holds a character that no key has: set it again.", scope="account")
        if isinstance(error, NOT_AN_ADDRESS):
            return self.rejected(
                f"{self.name} has no usable address ({error}): correct {self._address}.", scope="account"
            )
        if isinstance(error, NEVER_SENT):
            message = f"{self.name} could not be reached: {error or type(error).__name__}"
        elif isinstance(error, (TimeoutError, httpx2.TimeoutException)):
            message = f"{self.name} did not answer within {self._seconds:g} s"
        else:
            message = f"The connection to {self.name} broke before its answer: {error or type(error).__name__}"
        return Unavailable(message, provider=self.provider, refused=isinstance(error, NEVER_SENT))

    def failed(
        self,
        status: int,
        words: str,
        *,
        code: str = "",
        headers: Mapping[str, str],
        scope: Literal["message", "batch"] = "message",
    ) -> ProviderError:
        """What an answer of this status means at every provider; a 429 pauses the pace."""
        said = self.said(status, code, words)
        wait = retry_after(headers, limited=status == 429)
        if status == 429:
            return self.limited(said, code=code, wait=wait)
        if status in (301, 302, 307, 308, 404, 405, 426):
            return self.rejected(f"{said} Check {self._address}.", code=code, scope="account")
        if status < 400 or status >= 500 or status in (408, 409, 425):
            return self.unavailable(said, code=code, wait=wait)
        if status in (401, 403):
            return self.rejected(f"{said} Check {self._key}.", code=code, scope="account")
        return self.rejected(said, code=code, scope=scope)

    def said(self, status: int, code: str, words: str) -> str:
        """The provider's answer as a sentence."""
        # Cut in two, an address would no longer be known for one.
        said = impersonal(words)[:WORDS_LIMIT].strip()
        sentence = f"{self.name} answered {status}{f' ({code})' if code else ''}: {said or 'nothing'}"
        return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."

    def limited(self, said: str, *, code: str = "", wait: timedelta | None = None) -> Unavailable:
        """A rate limit: nothing was done, and nothing goes for a while."""
        self.pace.pause(wait.total_seconds() if wait is not None else 1.0)
        return self.unavailable(said, code=code, wait=wait, refused=True)

    def unavailable(
        self, said: str, *, code: str = "", wait: timedelta | None = None, refused: bool = False
    ) -> Unavailable:
        """An answer that is none yet: unless it is `refused`, nobody knows what was done."""
        return Unavailable(said, provider=self.provider, code=code, retry_after=wait, refused=refused)

    def rejected(
        self,
        said: str,
        *,
        code: str = "",
        scope: Literal["message", "batch", "account"] = "message",
        outcome_unknown: bool = False,
    ) -> Rejected:
        """An answer for good."""
        return Rejected(said, provider=self.provider, code=code, scope=scope, outcome_unknown=outcome_unknown)

    def json(self, response: httpx2.Response) -> dict[str, Any]:
        """The body as an object; an error without one reads as empty. Raises Unavailable for a success without one."""
        try:
            body = response.json()
        except ValueError:
            body = None
        if isinstance(body, dict):
            return body
        if response.is_success:
            raise self.unavailable(self.said(response.status_code, "", "not the JSON that was expected"))
        return {}


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates to trust; reading them takes a tenth of a second, so it is done once."""
    return httpx2.create_ssl_context()


def words_of(response: httpx2.Response, body: Mapping[str, Any], *names: str) -> str:
    """The first of the named texts in an error's body, else the status in words: a proxy's page says no more."""
    return next((str(body[name]) for name in names if body.get(name)), response.reason_phrase or "no JSON")
