"""The addresses of Redis and the broker: the settings that a producer needs, too."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from oneorder.addresses import check_broker_url, check_redis_url
from oneorder.errors import SettingsError
from oneorder.setting_faults import fault_of, place_of, source_of

RedisUrl = Annotated[str, AfterValidator(check_redis_url)]
BrokerUrl = Annotated[str, AfterValidator(check_broker_url)]


def config_path() -> Path:
    """The file that ONEORDER_CONFIG names, else oneorder.toml in the working directory."""
    return Path(os.environ.get("ONEORDER_CONFIG", "oneorder.toml"))


def _existing_config() -> Path:
    """Raises ValueError if a named file does not exist; the default may be missing."""
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
        # With the defaults instead, oneorder would trade by settings that the user did not choose.
        raise ValueError("cannot be read as a file")
    return path


class SignalSettings(BaseSettings):
    """Read from the file, overridden by ONEORDER_* in the environment. Raises SettingsError."""

    # What was refused may hold a password, and is not repeated in the error.
    model_config = SettingsConfigDict(
        env_prefix="ONEORDER_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    redis_url: RedisUrl = Field(default="redis://127.0.0.1:6379/0", repr=False)
    """The store of record: `redis://` or, with TLS, `rediss://`, which takes `ssl_*` options.
    Special characters of a password are written as `%XX`."""
    broker_url: BrokerUrl | None = Field(default=None, repr=False)
    """Celery's broker, if it is not the same Redis: `redis://`, `rediss://`, `amqp://`, `amqps://`."""

    if TYPE_CHECKING:

        def __init__(self, *, redis_url: str = ..., broker_url: str | None = ...) -> None: ...

    else:

        def __init__(self, **values: Any) -> None:
            path = config_path()
            try:
                super().__init__(**values)
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                is_argument = bool(first["loc"]) and first["loc"][0] in values
                source = "" if is_argument else f" {source_of(place_of(first), os.environ, path)}"
                raise SettingsError(self._fault(first) + source) from None
            except UnicodeDecodeError as error:
                raise SettingsError(f"{path}: is not UTF-8 (byte {error.start})") from None
            except ValueError as error:
                raise SettingsError(f"{path}: {error}") from None
            except RecursionError:
                raise SettingsError(f"{path}: is nested too deeply") from None
            except OSError as error:
                raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None

    @classmethod
    def _fault(cls, error: ErrorDetails) -> str:
        return fault_of(error)

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
        """Arguments override the environment, which overrides the file."""
        del dotenv_settings, file_secret_settings
        file = TomlConfigSettingsSource(settings_cls, _existing_config())
        return init_settings, env_settings, file
