"""What keeps the sandbox from running; each sentence is for the user."""

from oneorder.errors import OneOrderError


class NotInstalled(OneOrderError):
    """A program is missing; the sentence names the extra that brings it."""


class CannotStart(OneOrderError):
    """The server cannot be started; the sentence names the option and the reason."""


class NotReady(OneOrderError):
    """A process did not come up, or what was waited for did not come true, in time."""
