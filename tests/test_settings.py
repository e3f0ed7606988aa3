"""Settings: read once, empty is absent, and everything missing is said at once."""

import pytest
from pydantic import ValidationError

from settings import PURPOSES, MissingSettings, Settings


def test_an_empty_environment_gives_the_vendors_own_addresses_and_no_secret():
    settings = Settings.from_environment({})
    assert settings.resend_api_url == "https://api.resend.com"
    assert settings.openai_api_key.get_secret_value() == ""


def test_a_variable_is_read_under_its_own_name():
    settings = Settings.from_environment(
        {"RESEND_API_URL": "http://127.0.0.1:8025/resend", "TEMPORAL_TASK_QUEUE": "mine"}
    )
    assert (settings.resend_api_url, settings.task_queue) == ("http://127.0.0.1:8025/resend", "mine")


def test_an_empty_variable_counts_as_absent():
    assert Settings.from_environment({"OPENAI_MODEL": ""}) == Settings()


def test_all_that_is_missing_is_said_at_once_with_what_it_is_for():
    with pytest.raises(MissingSettings) as caught:
        Settings.from_environment({"X_TOKEN": "t"}).require("X_TOKEN", "RESEND_API_KEY", "DATABASE_URL")
    assert set(caught.value.missing) == {"RESEND_API_KEY", "DATABASE_URL"}
    assert f"RESEND_API_KEY: {PURPOSES['RESEND_API_KEY']}" in str(caught.value)
    assert f"DATABASE_URL: {PURPOSES['DATABASE_URL']}" in str(caught.value)


def test_nothing_missing_gives_the_settings_back():
    settings = Settings.from_environment({"DATABASE_URL": "postgresql://127.0.0.1/eventos"})
    assert settings.require("DATABASE_URL", "TEMPORAL_ADDRESS") is settings


def test_every_variable_with_a_purpose_is_one_that_is_read():
    assert set(PURPOSES) <= {name.upper() for name in Settings.model_fields}
    assert Settings.from_environment(dict.fromkeys(PURPOSES, "x")).missing() == {}


def test_secrets_do_not_show_when_settings_are_printed():
    settings = Settings.from_environment({name: "hush-hush" for name in PURPOSES if name.endswith(("KEY", "TOKEN"))})
    assert "hush" not in repr(settings)


def test_settings_never_change():
    with pytest.raises(ValidationError):
        Settings().task_queue = "other"  # type: ignore[misc]
