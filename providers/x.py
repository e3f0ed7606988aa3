"""X: posts of up to 280 characters, as X weighs them."""

import re
import unicodedata
from collections.abc import Collection
from datetime import datetime
from html import unescape
from typing import Any

import httpx2

from models.messages import SocialPost
from providers.errors import ProviderError
from providers.http import Wire, words_of
from providers.lookup import Listed, only_match, same_text
from providers.rate import Pace

RECENT = 20
WEIGHT_LIMIT = 280
URL_WEIGHT = 23
WINDOW_SECONDS = 900.0
POSTS_PER_WINDOW = 100
URL = re.compile(r"https?://\S+", re.IGNORECASE)
# A flag, a keycap, or a symbol with its variations and joined symbols: each is read as one sign, and weighs 2.
EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}|[0-9#*]\ufe0f?\u20e3"
    "|[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff][\ufe0f\U0001f3fb-\U0001f3ff]*"
    "(?:\u200d[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff][\ufe0f\U0001f3fb-\U0001f3ff]*)*"
)
LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""The code points that weigh 1, by X's published table; every other weighs 2."""

ACCOUNT_PROBLEMS = ("client-forbidden", "unsupported-authentication", "oauth1-permissions", "usage-capped")


class X:
    """One X account. `token` is an OAuth 2 user token that may write posts."""

    provider = "x"

    def __init__(self, base_url: str, token: str) -> None:
        self.pace = Pace(POSTS_PER_WINDOW / WINDOW_SECONDS, burst=5, window=WINDOW_SECONDS)
        self._token = token
        self._user_id = ""
        self._wire = Wire(self.provider, "X", base_url, self.pace, key="X_TOKEN", address="X_API_URL")

    async def aclose(self) -> None:
        """Close the account's connections."""
        await self._wire.aclose()

    async def send(self, post: SocialPost) -> str:
        """Publish a post; its id."""
        text = full_text(post)
        if (length := weight(text)) > WEIGHT_LIMIT:
            raise self._wire.rejected(
                f"The post weighs {length} characters on X, which takes {WEIGHT_LIMIT}: shorten it."
            )
        response = await self._ask("POST", "/2/tweets", json={"text": text})
        if response.is_success:
            post_id = (self._wire.json(response).get("data") or {}).get("id")
            if post_id is None:
                raise self._wire.unavailable("X accepted a post but named no id.")
            return str(post_id)
        raise self._failed(response)

    async def find(self, post: SocialPost, known: Collection[str] = ()) -> str | None:
        """The id of the user's only recent post with this text, not older than the first attempt and not `known`.

        X shortens links, so any link equals any other.
        """
        params: dict[str, str | int] = {"max_results": RECENT, "tweet.fields": "created_at"}
        posts = await self._read(f"/2/users/{await self._me()}/tweets", params)
        text = _without_links(full_text(post))
        listed = [
            Listed(
                str(one["id"]),
                datetime.fromisoformat(one["created_at"]),
                same_text(_without_links(unescape(one["text"])), text),
            )
            for one in posts.get("data") or ()
        ]
        return only_match(listed, post.attempted_at, known)

    async def check(self) -> str:
        """Ask whose token it is: says the user name, or raises."""
        user = (await self._read("/2/users/me")).get("data") or {}
        return f"token accepted, posts as @{user.get('username')}"

    async def _me(self) -> str:
        if not self._user_id:
            self._user_id = str(((await self._read("/2/users/me")).get("data") or {}).get("id", ""))
        return self._user_id

    async def _read(self, path: str, params: dict[str, str | int] | None = None) -> dict[str, Any]:
        response = await self._ask("GET", path, params=params)
        if not response.is_success:
            raise self._failed(response)
        return self._wire.json(response)

    async def _ask(self, method: str, path: str, **request: Any) -> httpx2.Response:
        self._wire.require(X_TOKEN=self._token)
        return await self._wire.request(method, path, headers={"Authorization": f"Bearer {self._token}"}, **request)

    def _failed(self, response: httpx2.Response) -> ProviderError:
        body = self._wire.json(response)
        words = words_of(response, body, "detail", "title")
        problem = str(body.get("type") or "").rsplit("/", 1)[-1]
        code = "" if problem == "about:blank" else problem
        if response.status_code == 403 and code not in ACCOUNT_PROBLEMS:
            return self._wire.rejected(self._wire.said(403, code, words), code=code)
        return self._wire.failed(response.status_code, words, code=code, headers=response.headers)


def full_text(post: SocialPost) -> str:
    """The post with its link, unless the text has it."""
    return post.text if post.link is None or post.link in post.text else f"{post.text}\n\n{post.link}"


def weight(text: str) -> int:
    """The length of a text as X counts it: a link weighs 23, an emoji 2, and so does a letter beyond the light scripts.

    A link without `https://` counts letter by letter here; X may find it to be one.
    """
    text, links = URL.subn("", unicodedata.normalize("NFC", text))
    text, emoji = EMOJI.subn("", text)
    return links * URL_WEIGHT + emoji * 2 + sum(1 if _light(ord(letter)) else 2 for letter in text)


def _light(code: int) -> bool:
    return any(low <= code <= high for low, high in LIGHT)


def _without_links(text: str) -> str:
    return URL.sub("", text)
