"""A real API on a free port, and deliveries signed as the vendors sign them."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx2
import uvicorn
from pydantic import SecretStr
from twilio.request_validator import RequestValidator

from api.app import create_app
from database import occurrences
from database.connection import Pool
from database.occurrences import Occurrence
from settings import Settings
from starter.webhooks import Webhooks

SECRET = "whsec_" + base64.b64encode(b"the secret of these tests").decode()
TOKEN = "the token of these tests"


def settings_for(sandbox: str = "", url: str = "", **changes: Any) -> Settings:
    """Settings of a live system whose providers are the sandbox."""
    live: dict[str, Any] = {
        "public_url": url,
        "sandbox_url": sandbox,
        "resend_api_url": f"{sandbox}/resend",
        "resend_api_key": SecretStr("re_tests"),
        "resend_webhook_secret": SecretStr(SECRET),
        "twilio_api_url": f"{sandbox}/twilio",
        "twilio_account_sid": "ACtests",
        "twilio_auth_token": SecretStr(TOKEN),
        "twilio_whatsapp_from": "whatsapp:+14155550100",
    }
    return Settings(**live | changes)


class Api:
    """The running API as providers and people see it."""

    def __init__(self, url: str, http: httpx2.AsyncClient) -> None:
        self.url = url
        self.http = http

    async def resend(
        self,
        kind: str,
        *,
        path: str = "/webhooks/resend",
        secret: str = SECRET,
        id_: str | None = None,
        age: int = 0,
        created_at: str = "2026-11-22T12:00:00.000Z",
        **data: Any,
    ) -> httpx2.Response:
        """Deliver an event of Resend."""
        body = json.dumps({"type": kind, "created_at": created_at, "data": data}).encode()
        return await self.post(path, body, svix(body, secret, id_, age))

    async def twilio(
        self,
        form: Mapping[str, str],
        *,
        path: str = "/webhooks/twilio",
        query: str = "",
        token: str = TOKEN,
        **headers: str,
    ) -> httpx2.Response:
        """Deliver a form of Twilio."""
        address = f"{path}?{query}" if query else path
        signature = RequestValidator(token).compute_signature(self.url + address, dict(form))
        kind = "application/x-www-form-urlencoded"
        return await self.post(
            address, urlencode(form).encode(), {"content-type": kind, "x-twilio-signature": signature, **headers}
        )

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> httpx2.Response:
        """Post these very bytes."""
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        return await self.http.post(path, content=body, headers=raw)


def svix(body: bytes, secret: str = SECRET, id_: str | None = None, age: int = 0) -> dict[str, str]:
    """The headers with which Resend signs a body."""
    id_, second = id_ or f"msg_{uuid4().hex}", str(int(time.time()) - age)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = hmac.new(key, f"{id_}.{second}.".encode() + body, hashlib.sha256).digest()
    return {"svix-id": id_, "svix-timestamp": second, "svix-signature": f"v1,{base64.b64encode(signature).decode()}"}


@asynccontextmanager
async def serving(pool: Pool, sandbox: str = "", **changes: Any) -> AsyncIterator[Api]:
    """The API over a test's pool, reachable over HTTP."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = create_app(settings_for(sandbox, url, **changes), pool)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5))
        running = asyncio.create_task(server._serve([listener]))
        try:
            while not server.started:
                await asyncio.sleep(0.01)
            async with httpx2.AsyncClient(base_url=url, timeout=30) as http:
                yield Api(url, http)
        finally:
            server.should_exit = True
            await running


async def take_in(pool: Pool, webhooks: Webhooks, *, patient: bool = True) -> list[str]:
    """What intake does with the open occurrences of webhooks, until there are none that are due; what came of each.

    Without patience those that wait for later are looked at now.
    """

    async def one(occurrence: Occurrence) -> str:
        outcome = await webhooks.take_in(occurrence.data["delivery"])
        await occurrences.settle(pool, occurrence.id, outcome)
        return outcome

    outcomes: list[str] = []
    while True:
        if not patient:
            await pool.execute(
                "UPDATE occurrences SET not_before = now() WHERE kind = 'webhook' AND processed_at IS NULL"
            )
        due = await occurrences.due(pool, 100, ())
        for other in due:
            if other.kind != "webhook":
                await occurrences.settle(pool, other.id, "nobody listens in this test")
        outcomes += await asyncio.gather(*(one(occurrence) for occurrence in due if occurrence.kind == "webhook"))
        if not due or not patient:
            return outcomes
