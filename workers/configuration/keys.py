"""An account's keys, from the environment or from files that it names, in a form that can be sent.

A key travels in an HTTP header or signs a request: a line break or a blank in it makes every
request fail with an unrelated error. It is refused by the name of its variable instead, and never
repeated. The name of a file is not repeated either, since it may be a key by mistake.
"""

from collections.abc import Mapping
from pathlib import Path

from oneorder.errors import SettingsError


def read_key(variable: str, environment: Mapping[str, str]) -> str:
    """The key that the variable holds, or the file that VARIABLE_FILE names; "" if neither is set.

    One line break at the end of a file is no part of the key. Raises SettingsError.
    """
    path = environment.get(f"{variable}_FILE")
    if path is None:
        value = environment.get(variable, "")
        source = variable
    else:
        value = _from_file(f"{variable}_FILE", path)
        source = f"{variable}_FILE"
        if not value:
            raise SettingsError(f"{source}: the file is empty")
    fault = _fault(value)
    if fault is not None:
        raise SettingsError(f"{source}: {'' if path is None else 'the file '}{fault}")
    return value


def _from_file(variable: str, path: str) -> str:
    try:
        text = Path(path).read_bytes().decode()
    except OSError as error:
        raise SettingsError(f"{variable}: the file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{variable}: the file is not a text file") from None
    except ValueError as error:
        raise SettingsError(f"{variable}: the file cannot be read: {error}") from None
    return text.removesuffix("\n").removesuffix("\r")


def _fault(key: str) -> str | None:
    if key.startswith("-----BEGIN "):
        # A private key in PEM form contains line breaks and blanks.
        is_sound = key.isascii() and "\0" not in key
        return None if is_sound else "has a character that no key has"
    if "\r" in key or "\n" in key:
        return "has a line break in it"
    if any(letter.isspace() for letter in key):
        return "has a blank in it"
    if not (key.isascii() and key.isprintable()):
        return "has a character that no key has"
    return None
