"""Where Redis and the broker are: the part of the settings that a producer needs too."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


def config_path() -> Path:
    """The file that ONEORDER_CONFIG names, else oneorder.toml in the working directory."""
    return Path(os.environ.get("ONEORDER_CONFIG", "oneorder.toml"))


def _existing_config() -> Path:
    """Raises ValueError for a file that is named and not there; the default may be missing."""
    if "ONEORDER_CONFIG" in os.environ and not config_path().is_file():
        raise ValueError("ONEORDER_CONFIG names a file that is not there")
    return config_path()


class SignalSettings(BaseSettings):
    """Read from the file, overridden by ONEORDER_* in the environment."""

    # What was refused may hold a password, and is not repeated in the error.
    model_config = SettingsConfigDict(
        env_prefix="ONEORDER_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    redis_url: str = Field(default="redis://127.0.0.1:6379/0", repr=False)
    broker_url: str | None = Field(default=None, repr=False)

    @property
    def celery_broker_url(self) -> str:
        return self.broker_url or self.redis_url

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, which wins over the file."""
        del dotenv_settings, file_secret_settings
        file = TomlConfigSettingsSource(settings_cls, _existing_config())
        return init_settings, env_settings, file
