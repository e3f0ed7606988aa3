"""The HTTP API as a process of its own, and where the stand-in providers deliver what they have to tell."""

import asyncio
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2

from dev.child import Child, PartFailed, deadline
from dev.sandbox import ROOT
from providers.resend_webhooks import REHEARSAL_SECRET
from providers.twilio_webhooks import REHEARSAL_TOKEN

PORT = 8000
START_SECONDS = 30.0


class Api:
    """The running API and its address."""

    def __init__(self, child: Child, url: str) -> None:
        self.child = child
        self.url = url

    @classmethod
    async def start(cls, environment: Mapping[str, str], *, log: Path, port: int) -> "Api":
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "api", "--port", str(port)]
        child = Child("api", command, log=log, environment=environment, directory=ROOT)
        end = deadline(START_SECONDS)
        url = f"http://127.0.0.1:{port}"
        try:
            async with httpx2.AsyncClient(base_url=url, timeout=1) as http:
                while time.monotonic() < end:
                    if child.status is not None:
                        raise child.failure()
                    if await _answers(http):
                        return cls(child, url)
                    await asyncio.sleep(0.05)
            raise PartFailed("api", f"did not answer within {START_SECONDS:.0f} seconds", said=child.said())
        except BaseException:
            child.stop()
            raise


async def _answers(http: httpx2.AsyncClient) -> bool:
    try:
        return (await http.get("/healthz")).is_success
    except httpx2.HTTPError:
        return False


async def connect_people(environment: Mapping[str, str]) -> None:
    """Have the sandbox deliver to the API: those of real events as time goes by, a rehearsal's when its clock is stepped."""
    public = environment["PUBLIC_URL"]
    endpoints = (
        ("resend", environment["RESEND_API_KEY"], "/webhooks/resend", environment["RESEND_WEBHOOK_SECRET"], False),
        ("twilio", environment["TWILIO_ACCOUNT_SID"], "/webhooks/twilio", environment["TWILIO_AUTH_TOKEN"], False),
        ("resend", "rehearsal-resend", "/webhooks/rehearsal/resend", REHEARSAL_SECRET, True),
        ("twilio", "ACrehearsal", "/webhooks/rehearsal/twilio", REHEARSAL_TOKEN, True),
    )
    async with httpx2.AsyncClient(base_url=environment["SANDBOX_URL"]) as http:
        for provider, account, path, secret, stepped in endpoints:
            endpoint = {
                "provider": provider,
                "account": account,
                "url": f"{public}{path}",
                "secret": secret,
                "stepped": stepped,
            }
            (await http.post("/_sandbox/endpoints", json=endpoint)).raise_for_status()
