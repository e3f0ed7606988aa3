"""LinkedIn: posts of an organization, by the versioned Posts API."""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import httpx2

from models.messages import SocialPost
from providers.errors import ProviderError
from providers.http import Wire, words_of
from providers.lookup import Listed, only_match, same_text
from providers.rate import Pace

API_VERSION = "202605"
RECENT = 20
TEXT_LIMIT = 3000
RESERVED = re.compile(r"([\\|{}@\[\]()<>#*_~])")


class LinkedIn:
    """One organization's LinkedIn page. `author` is its URN."""

    provider = "linkedin"

    def __init__(self, base_url: str, token: str, author: str) -> None:
        self.pace = Pace(1.0, burst=5)
        self._token = token
        self._author = author
        self._wire = Wire(
            self.provider, "LinkedIn", base_url, self.pace, key="LINKEDIN_TOKEN", address="LINKEDIN_API_URL"
        )

    async def aclose(self) -> None:
        """Close the account's connections."""
        await self._wire.aclose()

    async def send(self, post: SocialPost) -> str:
        """Publish a post; its URN."""
        text = commentary(post)
        if len(text) > TEXT_LIMIT:
            raise self._wire.rejected(
                f"The post has {len(text)} characters for LinkedIn, which takes {TEXT_LIMIT}: shorten it."
            )
        response = await self._ask("POST", "/rest/posts", json=self._body(text))
        if response.is_success:
            if urn := response.headers.get("x-restli-id"):
                return str(urn)
            raise self._wire.unavailable("LinkedIn accepted a post but named no id.")
        raise self._failed(response)

    async def find(self, post: SocialPost, known: Collection[str] = ()) -> str | None:
        """The URN of the author's only recent post with this text, not older than the first attempt and not `known`."""
        response = await self._ask(
            "GET", "/rest/posts", params=self._recent(RECENT), headers={"X-RestLi-Method": "FINDER"}
        )
        if not response.is_success:
            raise self._failed(response)
        text = commentary(post)
        listed = [
            Listed(str(one["id"]), _instant(one), same_text(str(one.get("commentary", "")), text))
            for one in self._wire.json(response).get("elements", ())
        ]
        return only_match(listed, post.attempted_at, known)

    async def check(self) -> str:
        """List the author's newest post: says that the token may read what the author posts, or raises."""
        response = await self._ask("GET", "/rest/posts", params=self._recent(1), headers={"X-RestLi-Method": "FINDER"})
        if not response.is_success:
            raise self._failed(response)
        return f"token accepted, posts as {self._author}"

    def _recent(self, count: int) -> dict[str, str | int]:
        return {"q": "author", "author": self._author, "count": count, "sortBy": "CREATED"}

    def _body(self, text: str) -> dict[str, Any]:
        return {
            "author": self._author,
            "commentary": text,
            "visibility": "PUBLIC",
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }

    async def _ask(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **request: Any
    ) -> httpx2.Response:
        self._wire.require(LINKEDIN_TOKEN=self._token, LINKEDIN_AUTHOR=self._author)
        ours = {
            "Authorization": f"Bearer {self._token}",
            "LinkedIn-Version": API_VERSION,
            "X-Restli-Protocol-Version": "2.0.0",
        }
        return await self._wire.request(method, path, headers={**ours, **(headers or {})}, **request)

    def _failed(self, response: httpx2.Response) -> ProviderError:
        body = self._wire.json(response)
        words = words_of(response, body, "message")
        return self._wire.failed(
            response.status_code, words, code=str(body.get("code") or ""), headers=response.headers
        )


def commentary(post: SocialPost) -> str:
    """The post with its link as LinkedIn's "little text", in which reserved characters have a backslash."""
    text = post.text if post.link is None or post.link in post.text else f"{post.text}\n\n{post.link}"
    return RESERVED.sub(r"\\\1", text)


def _instant(element: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(element.get("createdAt") or element.get("publishedAt") or 0) / 1000, UTC)
