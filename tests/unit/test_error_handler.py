"""Judging failures, and `log_and_retry`, which repeats only what cannot double anything."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from execution.error_handler import log_and_retry
from execution.exchanges.registry import TABLES, verdict_of
from execution.exchanges.verdicts import Failure
from execution.model.errors import ExchangeUnavailable, NotSent, OrderRejected, OutcomeUnknown
from execution.model.order import Verdict


class Recorder:
    """A function that raises what it is given, call by call, and then returns what it was told."""

    def __init__(self, *raising: Exception) -> None:
        self.raising = list(raising)
        self.calls: list[tuple[tuple[object, ...], dict[str, object]]] = []

    def __call__(self, *args: object, **kwargs: object) -> tuple[object, ...]:
        self.calls.append((args, kwargs))
        if self.raising:
            raise self.raising.pop(0)
        return args


def test_what_was_not_sent_is_sent_again_with_the_same_arguments() -> None:
    function = Recorder()
    assert log_and_retry(NotSent("refused"), function, 1, "two", three=3) == (1, "two")
    assert function.calls == [((1, "two"), {"three": 3})]


@pytest.mark.parametrize(
    "error",
    [
        OutcomeUnknown("timed out", "id-1"),
        OrderRejected("no money"),
        ExchangeUnavailable("no answer"),
        TimeoutError(),
        ConnectionError(),
        ValueError("price"),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_else_failed_is_raised_and_never_repeated(error: BaseException) -> None:
    function = Recorder()
    with pytest.raises(type(error)) as raised:
        log_and_retry(error, function, 1)
    assert raised.value is error
    assert function.calls == []


def _a_repeat_that_ends_unknown_is_not_repeated() -> None:
    unknown = OutcomeUnknown("timed out", "id-1")
    function = Recorder(NotSent("refused"), unknown)
    with pytest.raises(OutcomeUnknown) as raised:
        log_and_retry(NotSent("refused"), function)
    assert raised.value is unknown
    assert len(function.calls) == 2


def _a_repeat_that_succeeds_is_the_last() -> None:
    function = Recorder(NotSent("refused"))
    assert log_and_retry(NotSent("refused"), function, "one") == ("one",)
    assert len(function.calls) == 2


def _repeats_end_after_five_with_the_last_failure() -> None:
    failures = [NotSent(f"refused {number}") for number in range(9)]
    function = Recorder(*failures)
    with pytest.raises(NotSent, match="refused 4"):
        log_and_retry(NotSent("refused"), function)
    assert len(function.calls) == 5


def test_repeats_are_bounded_and_stop_at_the_first_outcome_that_is_not_proof() -> None:
    # All at once, because between repeats there are real pauses.
    cases: list[Callable[[], None]] = [
        _a_repeat_that_ends_unknown_is_not_repeated,
        _a_repeat_that_succeeds_is_the_last,
        _repeats_end_after_five_with_the_last_failure,
    ]
    with ThreadPoolExecutor(len(cases)) as pool:
        for done in [pool.submit(case) for case in cases]:
            done.result()


def test_an_unknown_outcome_names_the_id_to_look_up() -> None:
    assert OutcomeUnknown("timed out", "id-1").client_order_id == "id-1"


@pytest.mark.parametrize("exchange", TABLES)
@pytest.mark.parametrize("status", [500, 503, 599])
def test_no_exchanges_5xx_is_ever_proof_whatever_code_it_comes_with(
    exchange: str, status: int
) -> None:
    for row in TABLES[exchange]:
        failure = Failure("ExchangeError", row.message or "broken", status=status, code=row.code)
        assert verdict_of(failure, exchange) is Verdict.UNKNOWN, row.why


@pytest.mark.parametrize("exchange", [*TABLES, "no-such-exchange"])
@pytest.mark.parametrize(
    "failure",
    [
        Failure("RequestTimeout", "no answer"),
        Failure("NetworkError", "connection reset"),
        Failure("BadResponse", "a page", status=200),
        Failure("KeyError", "id"),
        Failure("ExchangeError", "?", status=400, code="no such code"),
        Failure("ExchangeError", "?", status=404),
        Failure("ExchangeError", "?", status=302),
    ],
    ids=lambda failure: failure.kind,
)
def test_what_no_exchange_has_a_row_for_is_unknown(failure: Failure, exchange: str) -> None:
    assert verdict_of(failure, exchange) is Verdict.UNKNOWN


@pytest.mark.parametrize("exchange", [*TABLES, "no-such-exchange"])
def test_a_connection_that_was_never_made_sent_nothing_anywhere(exchange: str) -> None:
    failure = Failure("NetworkError", "refused", reached=False)
    assert verdict_of(failure, exchange) is Verdict.NOT_SENT


@pytest.mark.parametrize("exchange", TABLES)
def test_no_row_claims_an_acceptance(exchange: str) -> None:
    assert all(row.verdict is not Verdict.ACCEPTED for row in TABLES[exchange])
