"""The engine's refusals. A refusal is raised before anything has changed."""


class EngineError(Exception):
    """The base of every refusal."""


class UnknownSymbolError(EngineError):
    """The exchange does not list this symbol."""


class FilterError(EngineError):
    """An order breaks one of its symbol's trading rules.

    `rule` is the name of the rule, for example PRICE_FILTER.
    """

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class BalanceError(EngineError):
    """The account's free balance does not cover the amount that the order locks."""


class DuplicateIdError(EngineError):
    """An open order of this account already has this client order id."""


class WouldTakeError(EngineError):
    """A maker-only order would trade immediately."""


class WouldTriggerError(EngineError):
    """A stop order's trigger has already been reached."""


class UnknownOrderError(EngineError):
    """The account has no such order, or it is no longer open."""


class CancelRestrictedError(EngineError):
    """The order is open, but not in the state that the cancel requires."""
