"""The environment, read once into one frozen model. Nothing else reads it."""

import os
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class MissingSettings(Exception):
    """Settings that are needed here are not in the environment."""

    def __init__(self, missing: Mapping[str, str]) -> None:
        self.missing = dict(missing)
        lines = "\n".join(f"  {name}: {purpose}" for name, purpose in missing.items())
        super().__init__(
            f"These environment variables are not set:\n{lines}\nSet them and start again; `eventos doctor` checks each."
        )


PURPOSES = {
    "DATABASE_URL": "PostgreSQL that holds the automations, postgresql://user:password@host:port/name",
    "TEMPORAL_ADDRESS": "Temporal frontend, host:port",
    "PUBLIC_URL": "address under which recipients and providers reach this system, for unsubscribe links and callbacks",
    "SANDBOX_URL": "address of the sandbox; rehearsals send there and nowhere else",
    "RESEND_API_KEY": "sends email",
    "TWILIO_ACCOUNT_SID": "sends WhatsApp",
    "TWILIO_AUTH_TOKEN": "sends WhatsApp",
    "TWILIO_WHATSAPP_FROM": "the WhatsApp sender, whatsapp:+E164",
    "OPENAI_API_KEY": "writes the marketing content",
    "LINKEDIN_TOKEN": "posts to LinkedIn",
    "LINKEDIN_AUTHOR": "the organization that posts, urn:li:organization:N",
    "X_TOKEN": "posts to X",
    "FACEBOOK_TOKEN": "posts to Facebook",
    "FACEBOOK_PAGE_ID": "the page that posts",
}


class Settings(BaseModel):
    """Everything the environment says. Base URLs default to the vendors' own; secrets have no default."""

    model_config = ConfigDict(frozen=True)

    database_url: str = ""
    database_listen_url: str = ""
    """A direct connection for LISTEN, where `database_url` goes through a pooler."""
    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    temporal_api_key: SecretStr = SecretStr("")
    temporal_tls_cert: str = ""
    temporal_tls_key: str = ""
    task_queue: str = "eventos"
    public_url: str = ""
    inbound_domain: str = ""
    """Mail to any address of it comes back as webhooks; answers of sponsors are led home by it."""
    webhook_retention_days: int = Field(default=30, ge=1)
    """How long the bodies of webhooks are kept after they were taken in."""
    sandbox_url: str = ""
    resend_api_url: str = "https://api.resend.com"
    resend_api_key: SecretStr = SecretStr("")
    resend_webhook_secret: SecretStr = SecretStr("")
    twilio_api_url: str = "https://api.twilio.com"
    twilio_account_sid: str = ""
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_whatsapp_from: str = ""
    openai_base_url: str = "https://api.openai.com/v1"
    openai_api_key: SecretStr = SecretStr("")
    openai_model: str = "gpt-5.4-mini"
    linkedin_api_url: str = "https://api.linkedin.com"
    linkedin_token: SecretStr = SecretStr("")
    linkedin_author: str = ""
    x_api_url: str = "https://api.x.com"
    x_token: SecretStr = SecretStr("")
    facebook_api_url: str = "https://graph.facebook.com"
    facebook_token: SecretStr = SecretStr("")
    facebook_page_id: str = ""
    weather_api_url: str = "https://api.open-meteo.com"
    log_level: str = "info"
    log_format: str = "console"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read every known variable; an empty one counts as absent."""
        env = os.environ if environment is None else environment
        names = {field: field.upper() for field in cls.model_fields} | {"task_queue": "TEMPORAL_TASK_QUEUE"}
        return cls.model_validate({field: env[name] for field, name in names.items() if env.get(name)})

    def require(self, *names: str) -> Self:
        """This, if each of the named variables has a value; else one error that names all that have none."""
        missing = {name: PURPOSES.get(name, "") for name in names if not self._text(name)}
        if missing:
            raise MissingSettings(missing)
        return self

    def missing(self) -> dict[str, str]:
        """The variables with a purpose that have no value, with what each is for."""
        return {name: purpose for name, purpose in PURPOSES.items() if not self._text(name)}

    def _text(self, name: str) -> str:
        value = getattr(self, name.lower())
        return value.get_secret_value() if isinstance(value, SecretStr) else value
