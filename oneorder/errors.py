"""Every error that publishing raises, and the base of all that oneorder raises anywhere."""


class OneOrderError(Exception):
    """The base of every error of oneorder's own."""


class InvalidSignal(OneOrderError, ValueError):
    """The message cannot be taken; the sentence names the field and the value."""


class SettingsError(OneOrderError, ValueError):
    """The settings cannot be used; the sentence names the setting and the value."""


class PublishFailed(OneOrderError):
    """Redis did not confirm the intent: publish the same signal id again until it does."""
