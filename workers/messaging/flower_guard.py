"""Flower shows every signal and the broker's address: it runs on loopback, and never without a
password.

`celery -A workers flower` loads our app before Flower reads its options, so this covers every way
to start it. Its /metrics and /healthcheck need no password.
"""

import sys
from collections.abc import Mapping
from typing import Any

import click

VARIABLE = "FLOWER_BASIC_AUTH"
LOOPBACK = "127.0.0.1"
_HOW = f"set {VARIABLE}=USER:PASSWORD in the environment"


def is_flower() -> bool:
    """Whether this process is Celery's command line about to start Flower."""
    context = click.get_current_context(silent=True)
    return context is not None and context.invoked_subcommand == "flower"


def auth_fault(environment: Mapping[str, str]) -> str | None:
    """The reason why Flower must not start, None if it may."""
    given = environment.get(VARIABLE, "")
    if not given:
        return f"Flower does not start without a password: {_HOW}"
    if not all(_is_login(login) for login in given.split(",")):
        return f"{VARIABLE}: is not of the form USER:PASSWORD, or several with commas between them"
    return None


def _is_login(text: str) -> bool:
    user, colon, password = text.partition(":")
    return bool(user and colon and password) and not any(map(str.isspace, text))


def guard_flower(environment: Mapping[str, str]) -> None:
    """End the process with one sentence, or make Flower listen on loopback unless an address is
    given, and keep its command line and configuration file from removing the password."""
    fault = auth_fault(environment)
    if fault is not None:
        sys.exit(f"oneorder: {fault}")
    # Only Flower's own process needs Tornado.
    from flower.options import default_options as options

    def check_options() -> None:
        _check(options)

    options.add_parse_callback(check_options)


def _check(options: Any) -> None:
    """Called after the command line has been read, and again after the configuration file."""
    if not options.basic_auth or not all(map(_is_login, options.basic_auth)):
        sys.exit(f"oneorder: Flower does not start without a password: {_HOW}")
    if not options.address:
        options.address = LOOPBACK
