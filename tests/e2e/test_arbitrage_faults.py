"""Every way in which one leg of an arbitrage, or both, or their worker can fail, for real.

Whatever happens, it ends balanced, or unwound within the cap, or with an alert; and no order of it
ever stands twice.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from execution.arbitrage.model import Arbitrage, ArbitrageState, LegRole
from execution.model.decimals import to_text
from execution.model.order import Order, OrderState
from oneorder import ArbitrageSignal, Publisher, publish_arbitrage
from oneorder.identifiers import arbitrage_id_of
from oneorder.settings import SignalSettings
from workers.sandbox.arbitrage_audit import compare_arbitrages, leg_trades, traded
from workers.sandbox.chaos.books import BTC, ETH, SOL, XRP, Listed, open_spread, set_book
from workers.sandbox.local_stack import LocalStack

BINANCE, BYBIT = "binance-main", "bybit-main"
ACCOUNTS = (BINANCE, BYBIT)
PAPERS = {BINANCE: "paper", BYBIT: f"paper {BYBIT}"}
PLACE = {BINANCE: "POST /api/v3/order", BYBIT: "POST /v5/order/create"}
NO_MONEY: dict[str, dict[str, Any]] = {
    BINANCE: {"code": 400, "body": {"code": -2010, "msg": "Account has insufficient balance."}},
    BYBIT: {
        "code": 200,
        "body": {"retCode": 170131, "retMsg": "Insufficient balance.", "result": {}, "time": 0},
    },
}
SPREAD_BPS = Decimal(60)
CAP_BPS = Decimal(50)
FEE_BPS = Decimal(10)
TIMEOUT_S = 4
LATE_MS = 4_500
SETTINGS = {
    # So many arbitrages as are held up here at once find places at both accounts.
    "worker_threads": 16,
    "arbitrage": {
        "min_profit_bps": "5",
        "max_loss_bps": to_text(CAP_BPS),
        "leg_ttl_ms": 1_000,
        "patience_s": 6,
    },
    "recv_window_ms": 1_000,
    "reconcile_every_s": 1,
    "sweep_every_s": 1,
}
BALANCES = [f"{asset}=1000000" for asset in ("USDT", "BTC", "ETH", "SOL", "XRP")]


class Exchanges:
    """Two exchanges between which a spread is open, what goes wrong there, and what comes of it.

    Everything buys on Binance and sells on Bybit.
    """

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self._publisher = Publisher(SignalSettings(redis_url=stack.redis_url))

    def fault(self, account: str, kind: str, **own: Any) -> Callable[[], bool]:
        """Let it happen to the account's next placement; say later whether it has."""
        fault = {"route": PLACE[account], "kind": kind, "count": 1, **own}
        added = self.stack.paper("POST", "/paper/faults", fault, account=account)

        def has_fired() -> bool:
            listed = self.stack.paper("GET", "/paper/faults", account=account)["faults"]
            return any(one["id"] == added["id"] and one["fired"] for one in listed)

        return has_fired

    def publish(self, signal_id: str, listed: Listed, **own: Any) -> None:
        """Open the spread, deep enough for five times what is asked for, and ask for it."""
        open_spread(self.stack, listed, SPREAD_BPS, [listed.lot] * 5)
        self.publish_again(signal_id, listed, **own)

    def publish_again(self, signal_id: str, listed: Listed, **own: Any) -> None:
        asked: dict[str, Any] = {"buy_account": BINANCE, "sell_account": BYBIT}
        asked |= {"symbol": listed.symbol, "amount": listed.lot, **own}
        publish_arbitrage(ArbitrageSignal(signal_id=signal_id, **asked), self._publisher)

    def known(self, signal_id: str) -> Arbitrage | None:
        return self.stack.stores().arbitrages.arbitrage(arbitrage_id_of(signal_id))

    def ended(self, signal_id: str) -> Arbitrage:
        """Wait for its end."""
        found: list[Arbitrage] = []

        def has_ended() -> bool:
            one = self.known(signal_id)
            found[:] = [] if one is None or not one.has_ended else [one]
            return bool(found)

        self.stack.wait_for(f"{signal_id} to end", has_ended)
        return found[0]

    def orders(self, arbitrage: Arbitrage) -> list[Order]:
        """Its orders, in the order in which they were journaled."""
        known = {order.order_id: order for order in self.stack.store().orders()}
        return [known[leg.order_id] for leg in arbitrage.legs]

    def arrived(self, account: str, listed: Listed) -> int:
        """How many orders of the symbol the exchange has accepted so far."""
        rows = self.stack.ledger(account)["orders"]
        return sum(row["symbol"] == listed.name for row in rows)

    def until_arrived(self, account: str, listed: Listed, before: int) -> None:
        self.stack.wait_for(
            f"an order at {account}", lambda: self.arrived(account, listed) > before
        )

    @contextmanager
    def silent(self, *accounts: str) -> Iterator[None]:
        """Let exchanges neither answer nor read anything. Beat rests too: a clock that is measured
        meanwhile comes out wrong by seconds, which is another failure than this one."""
        names = ["beat", *(PAPERS[account] for account in accounts)]
        for name in names:
            self.stack.kill(name, signal.SIGSTOP)
        try:
            yield
        finally:
            for name in reversed(names):
                self.stack.kill(name, signal.SIGCONT)

    def alerts(self, arbitrage: Arbitrage) -> list[dict[str, Any]]:
        """What the workers' logs say of its end at the level of an error."""
        names = [name for name in self.stack.processes if name.startswith("worker")]
        lines = [line for name in names for line in self.stack.log(name).splitlines()]
        about = [json.loads(line) for line in lines if arbitrage.arbitrage_id in line]
        return [one for one in about if one["level"] == "error"]

    def differences(self) -> list[Any]:
        ledgers = {account: self.stack.ledger(account) for account in ACCOUNTS}
        found = self.stack.stores().arbitrages.arbitrages()
        checks = compare_arbitrages(found, self.stack.store().orders(), ledgers)
        return [check for check in checks if not check.agrees]

    def lost_bps(self, arbitrage: Arbitrage) -> Decimal:
        """What it lost, by the ledgers, for what was bought."""
        ledgers = {account: self.stack.ledger(account) for account in ACCOUNTS}
        rows = leg_trades(arbitrage, ledgers)
        there = traded(arbitrage.symbol, rows)
        price = max(Decimal(row["price"]) for row in rows)
        return -there.net_profit / (max(there.bought, there.sold) * price) * 10_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchanges]:
    """Valkey, two paper exchanges, one worker and beat."""
    folder = tmp_path_factory.mktemp("faults")
    further = {BYBIT: "bybit"}
    balances = [word for balance in BALANCES for word in ("--balance", balance)]
    with LocalStack(folder, SETTINGS, BINANCE, timeout_s=TIMEOUT_S, further=further) as stack:
        stack.start_redis()
        for account in ACCOUNTS:
            stack.start_paper("--weight-per-minute", "0", *balances, account=account)
        stack.start_worker("worker-1")
        stack.start_beat()
        stack.wait_for_worker("worker-1")
        yield Exchanges(stack)


@pytest.fixture
def exchanges(running: Exchanges) -> Iterator[Exchanges]:
    """No faults at first; and whatever was done, records and ledgers agree in the end."""
    for account in ACCOUNTS:
        running.stack.paper("DELETE", "/paper/faults", account=account)
    yield running
    running.stack.wait_for("records and ledgers to agree", lambda: not running.differences(), 10)


def assert_balanced(arbitrage: Arbitrage, amount: Decimal) -> None:
    assert arbitrage.state is ArbitrageState.CLOSED, arbitrage.reason
    assert (arbitrage.bought, arbitrage.sold) == (amount, amount)


@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_leg_that_is_rejected_is_completed_where_it_was_to_be_done(
    exchanges: Exchanges, account: str
) -> None:
    exchanges.fault(account, "status", **NO_MONEY[account])
    exchanges.publish(f"rejected-{account}", BTC)
    arbitrage = exchanges.ended(f"rejected-{account}")
    assert_balanced(arbitrage, BTC.lot)
    states = {order.account: order.state for order in exchanges.orders(arbitrage)[:2]}
    other = BYBIT if account == BINANCE else BINANCE
    assert states == {account: OrderState.REJECTED, other: OrderState.FILLED}
    [completion] = arbitrage.hedges
    assert (completion.role, completion.account) == (LegRole.COMPLETION, account)
    assert arbitrage.net_profit > 0


def test_a_leg_that_cannot_be_completed_is_unwound_within_the_cap(exchanges: Exchanges) -> None:
    reached = exchanges.fault(BYBIT, "delay_before", ms=500)
    exchanges.fault(BYBIT, "status", **NO_MONEY[BYBIT])
    exchanges.publish("unwound", ETH)
    exchanges.stack.wait_for("the leg to be on its way", reached)
    set_book(exchanges.stack, BYBIT, ETH, Decimal(-400), [ETH.lot])
    arbitrage = exchanges.ended("unwound")
    assert_balanced(arbitrage, ETH.lot)
    [unwind] = arbitrage.hedges
    assert (unwind.role, unwind.account) == (LegRole.UNWIND, BINANCE)
    # What is unwound had paid the fee of its own leg before.
    assert 0 < exchanges.lost_bps(arbitrage) <= CAP_BPS + FEE_BPS


TIMEOUTS = {
    (BINANCE, "delay_before"): BTC,
    (BINANCE, "delay_after"): ETH,
    (BYBIT, "delay_before"): SOL,
    (BYBIT, "delay_after"): XRP,
}


@pytest.fixture(scope="module")
def timed_out(running: Exchanges) -> dict[tuple[str, str], Arbitrage]:
    """Four arbitrages side by side, each with one placement that nobody hears of in time."""
    for (account, kind), listed in TIMEOUTS.items():
        reached = running.fault(account, kind, ms=LATE_MS)
        running.publish(f"timed-out-{account}-{kind}", listed)
        running.stack.wait_for("the placement to be held up", reached)
    return {
        (account, kind): running.ended(f"timed-out-{account}-{kind}") for account, kind in TIMEOUTS
    }


@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_leg_that_timed_out_before_it_was_accepted_is_proven_dead_and_done_again(
    exchanges: Exchanges, timed_out: dict[tuple[str, str], Arbitrage], account: str
) -> None:
    arbitrage = timed_out[account, "delay_before"]
    assert_balanced(arbitrage, TIMEOUTS[account, "delay_before"].lot)
    dead = next(one for one in exchanges.orders(arbitrage)[:2] if one.account == account)
    assert (dead.state, dead.filled) == (OrderState.REFUSED, 0)
    assert len(arbitrage.hedges) == 1


@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_leg_that_timed_out_after_it_was_accepted_is_found_and_not_done_again(
    exchanges: Exchanges, timed_out: dict[tuple[str, str], Arbitrage], account: str
) -> None:
    arbitrage = timed_out[account, "delay_after"]
    assert_balanced(arbitrage, TIMEOUTS[account, "delay_after"].lot)
    assert arbitrage.hedges == ()


def test_what_a_leg_could_not_fill_is_worked_off(exchanges: Exchanges) -> None:
    reached = exchanges.fault(BYBIT, "delay_before", ms=500)
    exchanges.publish("partial", ETH)
    exchanges.stack.wait_for("the leg to be on its way", reached)
    set_book(exchanges.stack, BYBIT, ETH, SPREAD_BPS / 2, [ETH.lot / 4])
    arbitrage = exchanges.ended("partial")
    assert_balanced(arbitrage, ETH.lot)
    sell = exchanges.orders(arbitrage)[1]
    assert (sell.state, sell.filled) == (OrderState.CANCELED, ETH.lot / 4)
    [unwind] = arbitrage.hedges
    assert unwind.role is LegRole.UNWIND
    assert exchanges.lost_bps(arbitrage) <= CAP_BPS + FEE_BPS


def test_a_price_that_moved_before_its_leg_arrived_is_followed_within_the_cap(
    exchanges: Exchanges,
) -> None:
    reached = exchanges.fault(BINANCE, "delay_before", ms=500)
    exchanges.publish("moved", SOL)
    exchanges.stack.wait_for("the leg to be on its way", reached)
    set_book(exchanges.stack, BINANCE, SOL, Decimal(0), [SOL.lot] * 5)
    arbitrage = exchanges.ended("moved")
    assert_balanced(arbitrage, SOL.lot)
    assert exchanges.orders(arbitrage)[0].filled == 0
    assert exchanges.lost_bps(arbitrage) <= CAP_BPS + FEE_BPS


def test_a_price_that_moved_beyond_the_cap_leaves_an_imbalance_and_an_alert(
    exchanges: Exchanges,
) -> None:
    reached = exchanges.fault(BINANCE, "delay_before", ms=500)
    exchanges.publish("moved-away", SOL)
    exchanges.stack.wait_for("the leg to be on its way", reached)
    for account in ACCOUNTS:
        set_book(exchanges.stack, account, SOL, Decimal(200), [SOL.lot] * 5)
    arbitrage = exchanges.ended("moved-away")
    assert arbitrage.state is ArbitrageState.IMBALANCED
    assert (arbitrage.bought, arbitrage.sold) == (0, SOL.lot)
    assert "max_loss_bps" in str(arbitrage.reason)
    exchanges.stack.wait_for("the alert", lambda: bool(exchanges.alerts(arbitrage)))


def test_an_exchange_that_is_down_at_the_beginning_costs_nothing(exchanges: Exchanges) -> None:
    everything = {"route": "*", "kind": "drop_before"}
    exchanges.stack.paper("POST", "/paper/faults", everything, account=BYBIT)
    exchanges.publish("down-before", BTC)
    arbitrage = exchanges.ended("down-before")
    assert arbitrage.state is ArbitrageState.REFUSED
    assert "could not be read" in str(arbitrage.reason)
    assert arbitrage.legs == ()


def test_an_exchange_that_goes_down_with_its_leg_on_the_way_is_waited_for(
    exchanges: Exchanges,
) -> None:
    reached = exchanges.fault(BINANCE, "delay_before", ms=1_500)
    exchanges.publish("down-meanwhile", BTC)
    exchanges.stack.wait_for("the leg to be on its way", reached)
    with exchanges.silent(BINANCE):
        time.sleep(TIMEOUT_S + 1)
        waiting = exchanges.known("down-meanwhile")
        assert waiting is not None
        assert not waiting.has_ended
    arbitrage = exchanges.ended("down-meanwhile")
    assert_balanced(arbitrage, BTC.lot)
    assert exchanges.orders(arbitrage)[0].filled == 0


def test_both_exchanges_down_after_both_legs_arrived_are_asked_again(exchanges: Exchanges) -> None:
    before = {account: exchanges.arrived(account, ETH) for account in ACCOUNTS}
    for account in ACCOUNTS:
        exchanges.fault(account, "delay_after", ms=2_000)
    exchanges.publish("both-down", ETH)
    for account in ACCOUNTS:
        exchanges.until_arrived(account, ETH, before[account])
    with exchanges.silent(*ACCOUNTS):
        time.sleep(TIMEOUT_S + 1)
        waiting = exchanges.known("both-down")
        assert waiting is not None
        assert not waiting.has_ended
    arbitrage = exchanges.ended("both-down")
    assert_balanced(arbitrage, ETH.lot)
    assert arbitrage.hedges == ()


def test_a_signal_that_comes_again_and_again_is_one_arbitrage(exchanges: Exchanges) -> None:
    before = {account: exchanges.arrived(account, XRP) for account in ACCOUNTS}
    exchanges.publish("again", XRP)
    for _ in range(4):
        exchanges.publish_again("again", XRP)
    exchanges.publish_again("again", XRP, amount=XRP.lot * 2)
    refused = exchanges.stack.stores().listings.refused
    arbitrage = exchanges.ended("again")
    assert_balanced(arbitrage, XRP.lot)
    exchanges.stack.wait_for(
        "the other one to be refused",
        lambda: any("used before" in one.reason for one in refused()),
    )
    after = {account: exchanges.arrived(account, XRP) for account in ACCOUNTS}
    assert after == {account: count + 1 for account, count in before.items()}


def test_whatever_a_killed_worker_was_doing_is_finished_by_the_next_one(
    exchanges: Exchanges,
) -> None:
    """One worker dies with an arbitrage at every recovery point: nothing journaled; both legs
    journaled and neither sent, one or both there; and an order there that makes good for a leg."""
    stack = exchanges.stack
    # Without it nobody moves on what is held up.
    stack.kill("beat", signal.SIGKILL)
    _stop_while_unwinding(exchanges, "killed-unwinding", BTC)
    _stop_while_sending(exchanges, "killed-neither", SOL, dict.fromkeys(ACCOUNTS, "delay_before"))
    _stop_while_sending(
        exchanges, "killed-one", XRP, {BINANCE: "delay_after", BYBIT: "delay_before"}
    )
    _stop_while_sending(exchanges, "killed-both", ETH, dict.fromkeys(ACCOUNTS, "delay_after"))
    reading = exchanges.fault(BINANCE, "delay_after", route="GET /api/v3/depth", ms=3_500)
    exchanges.publish("killed-reading", ETH)
    stack.wait_for("the book to be read", reading)

    stack.kill("worker-1", signal.SIGKILL)
    states = {
        name: one and one.state
        for name in ("unwinding", "neither", "one", "both", "reading")
        for one in [exchanges.known(f"killed-{name}")]
    }
    assert states == {
        "unwinding": ArbitrageState.BALANCING,
        "neither": ArbitrageState.OPEN,
        "one": ArbitrageState.OPEN,
        "both": ArbitrageState.OPEN,
        "reading": None,
    }
    stack.start_worker("worker-2")
    stack.start_beat()

    unwound = exchanges.ended("killed-unwinding")
    assert_balanced(unwound, BTC.lot)
    assert [leg.role for leg in unwound.hedges] == [LegRole.UNWIND]
    neither = exchanges.ended("killed-neither")
    assert_balanced(neither, Decimal(0))
    assert [order.state for order in exchanges.orders(neither)] == [OrderState.REFUSED] * 2
    one = exchanges.ended("killed-one")
    assert_balanced(one, XRP.lot)
    assert len(one.hedges) == 1
    both = exchanges.ended("killed-both")
    assert_balanced(both, ETH.lot)
    assert both.hedges == ()
    read = exchanges.ended("killed-reading")
    assert_balanced(read, ETH.lot)
    assert read.hedges == ()


def _stop_while_sending(
    exchanges: Exchanges, signal_id: str, listed: Listed, faults: dict[str, str]
) -> None:
    """Publish one whose legs are held up, each before it is carried out or after."""
    before = {account: exchanges.arrived(account, listed) for account in ACCOUNTS}
    reached = [exchanges.fault(account, kind, ms=3_500) for account, kind in faults.items()]
    exchanges.publish(signal_id, listed)
    exchanges.stack.wait_for("both legs", lambda: all(has_fired() for has_fired in reached))
    for account, kind in faults.items():
        if kind == "delay_after":
            exchanges.until_arrived(account, listed, before[account])


def _stop_while_unwinding(exchanges: Exchanges, signal_id: str, listed: Listed) -> None:
    """Publish one whose second leg is rejected and whose first leg is held up in being unwound."""
    before = exchanges.arrived(BINANCE, listed)
    reached = exchanges.fault(BYBIT, "delay_before", ms=500)
    exchanges.fault(BYBIT, "status", **NO_MONEY[BYBIT])
    exchanges.publish(signal_id, listed)
    exchanges.stack.wait_for("the leg to be on its way", reached)
    exchanges.until_arrived(BINANCE, listed, before)
    exchanges.fault(BINANCE, "delay_after", ms=3_500)
    set_book(exchanges.stack, BYBIT, listed, Decimal(-400), [listed.lot])
    exchanges.until_arrived(BINANCE, listed, before + 1)
