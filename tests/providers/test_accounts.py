"""The live accounts and the rehearsal's."""

from contextlib import aclosing
from typing import Any
from uuid import uuid4

import pytest

from models.messages import CHANNELS, EmailMessage
from providers.accounts import live, rehearsal
from providers.errors import Rejected
from settings import MissingSettings, Settings

REAL = Settings.from_environment(
    {
        "RESEND_API_URL": "http://127.0.0.1:1",
        "RESEND_API_KEY": "real-key",
        "TWILIO_ACCOUNT_SID": "ACreal",
        "TWILIO_AUTH_TOKEN": "real-key",
        "TWILIO_WHATSAPP_FROM": "whatsapp:+4930123456",
        "OPENAI_API_KEY": "real-key",
        "OPENAI_MODEL": "gpt-5.6-luna",
        "LINKEDIN_TOKEN": "real-key",
        "X_TOKEN": "real-key",
        "FACEBOOK_TOKEN": "real-key",
        "PUBLIC_URL": "https://events.example",
    }
)


async def test_a_rehearsal_knows_the_sandbox_and_no_key_of_the_environment(sandbox: Any) -> None:
    settings = REAL.model_copy(update={"sandbox_url": sandbox.url})
    async with aclosing(rehearsal(settings)) as accounts:
        for channel in CHANNELS:
            assert "accepted" in (said := await accounts.sender(channel).check()) or "Sandbox" in said
        assert "accepted" in await accounts.openai.check()
        mail = EmailMessage(uuid4(), "guest@people.example", "Events <events@mail.example>", "Hi", "<p>Hi</p>", "Hi")
        await accounts.email.post(accounts.email.compose([mail]), "batch-1")
    assert len(await sandbox.accepted("resend", "rehearsal-resend")) == 1


async def test_a_rehearsal_without_a_sandbox_is_refused_by_name() -> None:
    with pytest.raises(MissingSettings, match="SANDBOX_URL"):
        rehearsal(REAL)


async def test_the_live_accounts_need_no_key_until_they_are_used() -> None:
    async with aclosing(live(Settings())) as accounts:
        for channel in CHANNELS:
            with pytest.raises(Rejected, match="cannot be asked") as refusal:
                await accounts.sender(channel).check()
            assert refusal.value.scope == "account"


async def test_live_and_rehearsal_send_side_by_side(sandbox: Any) -> None:
    both = REAL.model_copy(update={"sandbox_url": sandbox.url, "resend_api_url": f"{sandbox.url}/resend"})
    mail = EmailMessage(uuid4(), "guest@people.example", "Events <events@mail.example>", "Hi", "<p>Hi</p>", "Hi")
    async with aclosing(live(both)) as real, aclosing(rehearsal(both)) as rehearsed:
        await real.email.post(real.email.compose([mail]), "batch-1")
        await rehearsed.email.post(rehearsed.email.compose([mail]), "batch-1")
    accounts = [row["account"] for row in await sandbox.accepted("resend")]
    assert accounts == ["real-key", "rehearsal-resend"]
