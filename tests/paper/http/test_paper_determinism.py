"""The same seed and the same requests make the same exchange, apart from the time of day.

Ids are those of the run, unless the first one is given.
"""

from paper_exchange.app import id_of_run

TIMES = ("receivedAt", "acceptedAt", "updatedAt", "time")


def played(paper):
    """The ledger after a fixed game, without times."""
    paper.fault(route="POST /api/v3/order", kind="status", code=503, probability="0.3")
    for number in range(60):
        side = "BUY" if number % 3 else "SELL"
        if number % 2:
            paper.order(side=side, type="MARKET", quantity="1.5")
        else:
            paper.order(side=side, price="50010" if side == "BUY" else "49990", quantity="0.7")
    ledger = paper.ledger()
    for row in ledger["orders"] + ledger["trades"]:
        for name in TIMES:
            row.pop(name, None)
    return ledger


def test_two_servers_with_one_seed_keep_the_same_ledger_and_another_seed_another(start_paper):
    still = ("--walk-interval-ms", "0", "--first-id", "1")
    first, second, other = (played(start_paper(*still, "--seed", seed)) for seed in ("5", "5", "6"))
    assert 20 < len(first["orders"]) < 60
    assert first == second
    assert first != other


def test_a_run_gives_no_order_or_trade_an_id_of_an_earlier_run(start_paper):
    def ids():
        paper = start_paper("--walk-interval-ms", "0")
        assert paper.order(type="MARKET", quantity="0.1").status_code == 200
        ledger = paper.ledger()
        return {row["orderId"] for row in ledger["orders"]} | {
            row["tradeId"] for row in ledger["trades"]
        }

    earlier, later = ids(), ids()
    assert earlier
    assert max(earlier) < min(later)


def test_ids_stay_exact_for_clients_that_read_them_as_binary_fractions():
    year_2200_ms = 7_258_118_400_000
    assert id_of_run(year_2200_ms) < 2**53
    assert id_of_run(year_2200_ms + 1) == id_of_run(year_2200_ms) + 1_000
