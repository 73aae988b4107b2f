"""The errors of publishing, and the base of all errors of oneorder."""


class OneOrderError(Exception):
    """The base of every error of oneorder."""


class InvalidSignal(OneOrderError, ValueError):
    """The message is invalid; the sentence names the field and the value."""


class SettingsError(OneOrderError, ValueError):
    """The settings are invalid; the sentence names the setting and the value."""


class PublishFailed(OneOrderError):
    """Redis did not confirm the intent: publish the same signal id again until it does."""
