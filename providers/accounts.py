"""The accounts that a worker sends by: the live ones of the environment, or the sandbox's for rehearsals."""

import asyncio
from dataclasses import dataclass

from models.messages import Channel
from providers.facebook import Facebook
from providers.linkedin import LinkedIn
from providers.openai import OpenAI
from providers.resend import Resend
from providers.twilio import Twilio
from providers.weather import Weather
from providers.x import X
from settings import Settings

Sender = Resend | Twilio | LinkedIn | X | Facebook


@dataclass(frozen=True, slots=True)
class Accounts:
    """One account per provider, each with connections and a pace of its own."""

    email: Resend
    whatsapp: Twilio
    linkedin: LinkedIn
    twitter: X
    facebook: Facebook
    openai: OpenAI
    weather: Weather

    def sender(self, channel: Channel) -> Sender:
        """The account that sends on this channel."""
        senders: dict[Channel, Sender] = {
            "email": self.email,
            "whatsapp": self.whatsapp,
            "linkedin": self.linkedin,
            "twitter": self.twitter,
            "facebook": self.facebook,
        }
        return senders[channel]

    async def aclose(self) -> None:
        """Close every connection."""
        senders = (self.email, self.whatsapp, self.linkedin, self.twitter, self.facebook)
        await asyncio.gather(*(account.aclose() for account in (*senders, self.openai, self.weather)))


def live(settings: Settings) -> Accounts:
    """The accounts of the environment. One without a key is refused when it is used, not here."""
    return Accounts(
        email=Resend(settings.resend_api_url, settings.resend_api_key.get_secret_value()),
        whatsapp=Twilio(
            settings.twilio_api_url,
            settings.twilio_account_sid,
            settings.twilio_auth_token.get_secret_value(),
            settings.twilio_whatsapp_from,
            _callback(settings, "/webhooks/twilio"),
        ),
        linkedin=LinkedIn(
            settings.linkedin_api_url, settings.linkedin_token.get_secret_value(), settings.linkedin_author
        ),
        twitter=X(settings.x_api_url, settings.x_token.get_secret_value()),
        facebook=Facebook(
            settings.facebook_api_url, settings.facebook_token.get_secret_value(), settings.facebook_page_id
        ),
        openai=OpenAI(settings.openai_base_url, settings.openai_api_key.get_secret_value(), settings.openai_model),
        weather=Weather(settings.weather_api_url),
    )


def rehearsal(settings: Settings) -> Accounts:
    """The sandbox's accounts. Their keys and senders are these words, so that no real key or address can come in."""
    sandbox = settings.require("SANDBOX_URL").sandbox_url.rstrip("/")
    return Accounts(
        email=Resend(f"{sandbox}/resend", "rehearsal-resend"),
        whatsapp=Twilio(
            f"{sandbox}/twilio",
            "ACrehearsal",
            "rehearsal-twilio",
            "whatsapp:+15005550006",
            _callback(settings, "/webhooks/rehearsal/twilio"),
        ),
        linkedin=LinkedIn(f"{sandbox}/linkedin", "rehearsal-linkedin", "urn:li:organization:1"),
        twitter=X(f"{sandbox}/x", "rehearsal-x"),
        facebook=Facebook(f"{sandbox}/facebook", "rehearsal-facebook", "1"),
        openai=OpenAI(f"{sandbox}/openai/v1", "rehearsal-openai", settings.openai_model),
        weather=Weather(f"{sandbox}/weather"),
    )


def _callback(settings: Settings, path: str) -> str:
    return f"{settings.public_url.rstrip('/')}{path}" if settings.public_url else ""
