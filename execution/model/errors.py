"""What keeps the outside from being asked: an exchange or a store that gives no usable answer."""

from execution.text.redaction import redact


class ExchangeUnavailable(Exception):
    """A question to the exchange got no usable answer; nothing may be concluded from that.

    `retry_after_s` is how long the exchange asked to be left alone, if it did. `wait_s` is for how
    long it is known that asking again would be in vain.
    """

    def __init__(self, message: str, retry_after_s: int = 0, wait_s: int = 0) -> None:
        super().__init__(redact(message))
        self.retry_after_s = retry_after_s
        self.wait_s = wait_s


class QuestionRefused(ExchangeUnavailable):
    """The exchange is there, and has no usable answer to this very question: to ask it something
    else may be of use."""


class UnknownSymbol(QuestionRefused):
    """The exchange does not list the symbol, or does not any more."""


class StoreUnavailable(Exception):
    """The store did not answer; the change may or may not have been made."""

    def __init__(self, message: str = "") -> None:
        super().__init__(redact(message))
