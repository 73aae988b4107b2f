"""The same seed and the same requests make the same exchange, apart from the time of day."""

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
    still = ("--walk-interval-ms", "0")
    first, second, other = (played(start_paper(*still, "--seed", seed)) for seed in ("5", "5", "6"))
    assert 20 < len(first["orders"]) < 60
    assert first == second
    assert first != other
