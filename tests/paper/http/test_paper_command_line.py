"""`python -m paper_exchange`: its options, its one line, and its end."""

import signal
import socket
import subprocess
import sys
import time

import pytest

from paper_exchange.options import parse_options

COMMAND = [sys.executable, "-m", "paper_exchange"]


def run(*options):
    return subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, timeout=20, check=False
    )


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ((), "--dialect"),
        (("--dialect", "kraken", "--port", "0"), "kraken"),
        (("--dialect", "binance"), "--port"),
        (("--dialect", "binance", "--port", "http"), "http"),
        (("--dialect", "binance", "--port", "70000"), "70000"),
        (("--dialect", "binance", "--port", "0", "--seed", "x"), "--seed"),
        (("--dialect", "binance", "--port", "0", "--account", "nocolon"), "KEY:SECRET"),
        (("--dialect", "binance", "--port", "0", "--account", "a:"), "KEY:SECRET"),
        (
            ("--dialect", "binance", "--port", "0", "--account", "a:b", "--account", "a:c"),
            "twice",
        ),
        (("--dialect", "binance", "--port", "0", "--balance", "BTC"), "BTC"),
        (("--dialect", "binance", "--port", "0", "--balance", "BTC=much"), "much"),
        (("--dialect", "binance", "--port", "0", "--balance", "BTC=-1"), "-1"),
        (("--dialect", "binance", "--port", "0", "--balance", "BTC=NaN"), "NaN"),
        (("--dialect", "binance", "--port", "0", "--balance", "BTC=0.000000001"), "8 decimals"),
        (("--dialect", "binance", "--port", "0", "--balance", "GOLD=1"), "GOLD"),
        (("--dialect", "binance", "--port", "0", "--maker-fee-bps", "-1"), "-1"),
        (("--dialect", "binance", "--port", "0", "--match-delay-ms", "1.5"), "1.5"),
        (("--dialect", "binance", "--port", "0", "--walk-interval-ms", "soon"), "soon"),
        (("--dialect", "binance", "--port", "0", "--colour"), "--colour"),
    ],
)
def test_a_wrong_option_is_one_sentence_on_stderr_and_exit_2(options, word, capsys):
    with pytest.raises(SystemExit) as ended:
        parse_options(options)
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert word in told.err


def test_a_wrong_option_ends_the_process_without_a_traceback():
    ended = run("--dialect", "binance", "--port", "nowhere")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_one_sentence_and_exit_1():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("--dialect", "binance", "--port", str(port))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert str(port) in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_cleanly_on_a_signal(start_paper, number):
    paper = start_paper()
    assert paper.ready_line.startswith("paper exchange (binance) listening on http://127.0.0.1:")
    paper.fault(kind="delay_before", ms=60_000, route="GET /api/v3/time")
    with socket.create_connection(("127.0.0.1", int(paper.url.rsplit(":", 1)[1]))) as waiting:
        waiting.sendall(b"GET /api/v3/time HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.1)
        started = time.monotonic()
        paper.process.send_signal(number)
        assert paper.process.wait(10) == 0
    # A request that is being held back does not hold the server back.
    assert time.monotonic() - started < 4


def test_balances_and_fees_are_what_the_options_say(start_paper):
    paper = start_paper(
        "--balance",
        "BTC=2.5",
        "--balance",
        "SOL=7",
        "--maker-fee-bps",
        "0",
        "--taker-fee-bps",
        "7.5",
        "--walk-interval-ms",
        "0",
    )
    balances = paper.balances()
    assert balances["BTC"][0] == "2.50000000"
    assert balances["SOL"][0] == "7.00000000"
    assert balances["USDT"][0] == "1000000.00000000"
    paper.own_book()
    assert paper.order(price="50100", quantity="1").json()["fills"][0]["commission"] == "0.00075000"
    rates = paper.signed("GET", "/api/v3/account").json()["commissionRates"]
    assert (rates["maker"], rates["taker"]) == ("0.00000000", "0.00075000")


def test_outside_prices_move_by_themselves_unless_an_option_stops_them(start_paper):
    def best_bids(paper):
        seen = set()
        for _ in range(8):
            seen.add(paper.call("GET", "/api/v3/ticker/bookTicker", symbol="BTCUSDT").text)
            time.sleep(0.03)
        return seen

    assert len(best_bids(start_paper("--walk-interval-ms", "10"))) > 2
    assert len(best_bids(start_paper("--walk-interval-ms", "0"))) == 1
