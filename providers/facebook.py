"""Facebook: posts on a page, by the Graph API."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx2

from models.messages import SocialPost
from providers.errors import ProviderError
from providers.http import Wire, words_of
from providers.lookup import Listed, earliest, only_match, same_text
from providers.rate import Pace

GRAPH_VERSION = "v26.0"
RECENT = 25
THROTTLED = (4, 17, 32, 341, 613, 80001)
PASSING = (1, 2)
BAD_TOKEN = (102, 104, 190)
BLOCKED = 368
PERMISSIONS = (10, *range(200, 300))


class Facebook:
    """One Facebook page. `token` is the page's."""

    provider = "facebook"

    def __init__(self, base_url: str, token: str, page_id: str) -> None:
        self.pace = Pace(1.0, burst=5)
        self._token = token
        self._page_id = page_id
        self._wire = Wire(
            self.provider,
            "Facebook",
            base_url,
            self.pace,
            key="FACEBOOK_TOKEN",
            address="FACEBOOK_API_URL and FACEBOOK_PAGE_ID",
        )

    async def aclose(self) -> None:
        """Close the account's connections."""
        await self._wire.aclose()

    async def send(self, post: SocialPost) -> str:
        """Publish a post; its id."""
        fields = {"message": post.text} | ({"link": post.link} if post.link else {})
        response = await self._ask("POST", "/feed", data=fields)
        if response.is_success:
            post_id = self._wire.json(response).get("id")
            if post_id is None:
                raise self._wire.unavailable("Facebook accepted a post but named no id.")
            return str(post_id)
        raise self._failed(response)

    async def find(self, post: SocialPost, known: Collection[str] = ()) -> str | None:
        """The id of the page's only recent post with this text, not older than the first attempt and not `known`."""
        since = int(earliest(post.attempted_at).timestamp())
        params: dict[str, str | int] = {"fields": "id,message,created_time", "limit": RECENT, "since": since}
        listed = [
            Listed(
                str(one["id"]),
                datetime.fromisoformat(one["created_time"]),
                same_text(one.get("message", ""), post.text),
            )
            for one in (await self._read("/feed", params)).get("data") or ()
        ]
        return only_match(listed, post.attempted_at, known)

    async def check(self) -> str:
        """Fetch the page: says its name, or raises."""
        return f"token accepted, posts as {(await self._read('', {'fields': 'name'})).get('name')}"

    async def _read(self, path: str, params: dict[str, str | int]) -> dict[str, Any]:
        response = await self._ask("GET", path, params=params)
        if not response.is_success:
            raise self._failed(response)
        return self._wire.json(response)

    async def _ask(self, method: str, path: str, **request: Any) -> httpx2.Response:
        self._wire.require(FACEBOOK_TOKEN=self._token, FACEBOOK_PAGE_ID=self._page_id)
        headers = {"Authorization": f"Bearer {self._token}"}
        return await self._wire.request(method, f"/{GRAPH_VERSION}/{self._page_id}{path}", headers=headers, **request)

    def _failed(self, response: httpx2.Response) -> ProviderError:
        """By the error's code: the status of a Graph answer says little (a throttled request is a 403)."""
        error = _error(self._wire.json(response))
        number = error.get("code")
        code = "" if number is None else str(number)
        words = words_of(response, error, "message", "error_user_msg")
        said = self._wire.said(response.status_code, code, words)
        if number in THROTTLED:
            return self._wire.limited(said, code=code, wait=_regained(response.headers))
        if number in PASSING or error.get("is_transient"):
            return self._wire.unavailable(said, code=code)
        if number in BAD_TOKEN or number in PERMISSIONS:
            return self._wire.rejected(f"{said} Check FACEBOOK_TOKEN.", code=code, scope="account")
        if number == BLOCKED:
            return self._wire.rejected(f"{said} See the page's support inbox.", code=code, scope="account")
        if number is not None and response.status_code in (400, 403):
            return self._wire.rejected(said, code=code)
        return self._wire.failed(response.status_code, words, code=code, headers=response.headers)


def _error(body: Mapping[str, Any]) -> Mapping[str, Any]:
    error = body.get("error")
    return error if isinstance(error, dict) else {}


def _regained(headers: Mapping[str, str]) -> timedelta | None:
    """When the page may ask again, by the longest of the minutes in X-Business-Use-Case-Usage."""
    try:
        usage = json.loads(headers.get("x-business-use-case-usage", "{}"))
        minutes = max(
            (float(one.get("estimated_time_to_regain_access", 0)) for uses in usage.values() for one in uses),
            default=0.0,
        )
    except (ValueError, AttributeError, TypeError):
        return None
    return timedelta(minutes=minutes) if minutes else None
