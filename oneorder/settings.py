"""Where Redis and the broker are: the part of the settings that a producer needs too."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from oneorder.addresses import check_broker_url, check_redis_url

RedisUrl = Annotated[str, AfterValidator(check_redis_url)]
BrokerUrl = Annotated[str, AfterValidator(check_broker_url)]


def config_path() -> Path:
    """The file that ONEORDER_CONFIG names, else oneorder.toml in the working directory."""
    return Path(os.environ.get("ONEORDER_CONFIG", "oneorder.toml"))


def _existing_config() -> Path:
    """Raises ValueError for a file that is named and not there; the default may be missing."""
    path = config_path()
    is_named = "ONEORDER_CONFIG" in os.environ
    if path.is_file():
        return path
    if path.is_dir():
        raise ValueError(
            "ONEORDER_CONFIG names a folder, not a file" if is_named else "is a folder, not a file"
        )
    if is_named:
        raise ValueError("ONEORDER_CONFIG names a file that is not there")
    if path.is_symlink() or path.exists():
        # To go on with the defaults would be to trade by settings that nothing has said.
        raise ValueError("cannot be read as a file")
    return path


class SignalSettings(BaseSettings):
    """Read from the file, overridden by ONEORDER_* in the environment."""

    # What was refused may hold a password, and is not repeated in the error.
    model_config = SettingsConfigDict(
        env_prefix="ONEORDER_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    redis_url: RedisUrl = Field(default="redis://127.0.0.1:6379/0", repr=False)
    broker_url: BrokerUrl | None = Field(default=None, repr=False)

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
