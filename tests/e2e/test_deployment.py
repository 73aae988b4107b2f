"""What deploys oneorder: the compose file, the Procfile, Flower."""

import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path

import pytest
import tomli_w

from workers.sandbox.local_stack import LocalStack, free_port

ROOT = Path(__file__).parents[2]


def test_the_compose_file_fits_the_compose_specification() -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*checker, str(ROOT / "docker-compose.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_procfile_names_worker_beat_flower_and_collector() -> None:
    lines = (ROOT / "Procfile").read_text().splitlines()
    commands = dict(line.split(": ", 1) for line in lines)
    assert commands.pop("collector") == "oneorder collect"
    assert commands.keys() == {"worker", "beat", "flower"}
    assert all(command.startswith("celery -A workers ") for command in commands.values())


CELERY = [sys.executable, "-m", "celery", "-A", "workers"]
LOGIN = "trader:hunter2"


def _status(port: int, login: str | None = None, host: str = "127.0.0.1", path: str = "/") -> int:
    """What Flower answers to a read; 0 where nothing listens."""
    request = urllib.request.Request(f"http://{host}:{port}{path}")
    if login is not None:
        request.add_header("Authorization", f"Basic {b64encode(login.encode()).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # Always http.
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


def test_flower_answers_on_loopback_and_only_with_the_password(tmp_path: Path) -> None:
    with LocalStack(tmp_path) as stack:
        stack.start_redis()
        stack.environment["FLOWER_BASIC_AUTH"] = LOGIN
        port = free_port()
        stack.start("flower", [*CELERY, "flower", f"--port={port}", "--read_only"])
        stack.wait_for("flower", lambda: _status(port, path="/healthcheck") == 200)
        assert [_status(port), _status(port, "trader:wrong"), _status(port, LOGIN)] == [
            401,
            401,
            200,
        ]
        # All of 127.0.0.0/8 is this machine: what listens on every address would answer here.
        assert _status(port, LOGIN, host="127.0.0.2") == 0


@pytest.mark.parametrize(
    ("given", "options", "conf"),
    [
        ({}, (f"--basic-auth={LOGIN}",), ""),
        ({"FLOWER_BASIC_AUTH": LOGIN}, ("--basic-auth=",), ""),
        ({"FLOWER_BASIC_AUTH": LOGIN}, (), "basic_auth = []"),
    ],
    ids=["command line", "taken away", "taken away by a file"],
)
def test_flower_does_not_start_without_a_password_from_the_environment(
    tmp_path: Path, given: dict[str, str], options: tuple[str, ...], conf: str
) -> None:
    (tmp_path / "flowerconfig.py").write_text(conf)
    stack = LocalStack(tmp_path)
    done = _refused([*CELERY, "flower", f"--port={free_port()}", *options],
                    {**stack.environment, **given}, tmp_path)  # fmt: skip
    assert "FLOWER_BASIC_AUTH" in _sentence(done)
    assert "hunter2" not in done.stderr


def test_every_way_to_start_flower_that_is_documented_keeps_it_on_this_machine() -> None:
    procfile = (ROOT / "Procfile").read_text()
    compose = (ROOT / "docker-compose.yml").read_text()
    assert "flower --address=127.0.0.1" in procfile
    # Inside its container it has to listen on every address; outside it is on loopback.
    assert '"127.0.0.1:5555:5555"' in compose
    assert "FLOWER_BASIC_AUTH" in compose


def _refused(
    command: list[str], environment: dict[str, str], folder: Path
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=60,
        check=False,
    )
    assert done.returncode not in (0, None), done.stderr
    assert "Traceback" not in done.stderr
    return done


def _sentence(done: "subprocess.CompletedProcess[str]") -> str:
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("oneorder: ")]
    return sentence


OF_NO_USE = {
    "a key with a line break": (
        {"ONEORDER_BINANCE_MAIN_API_KEY": "k\r"},
        {},
        "KEY: has a line",
    ),
    "no key": (
        {"ONEORDER_BINANCE_MAIN_API_SECRET": ""},
        {},
        "set ONEORDER_BINANCE_MAIN_API",
    ),
    "no passphrase": ({}, {"exchange": "okx"}, "asks for a passphrase"),
    "an unknown exchange": ({}, {"exchange": "binanse"}, "did you mean 'binance'"),
    "a ledger that is none": ({"ONEORDER_LEDGER_URL": "mysql://h/x"}, {}, "ledger_url: "),
    "a socket for Redis": ({"ONEORDER_REDIS_URL": "unix:///x"}, {}, "a Unix socket is not"),
}


@pytest.mark.parametrize(
    ("process", "name"),
    # Worker and beat start by the same check, which the tests of the start check have case by case:
    # every run shows once that each makes it, and system-test that a worker says each sentence.
    [
        ("worker", "a key with a line break"),
        ("beat", "a key with a line break"),
        *(
            pytest.param("worker", name, marks=pytest.mark.system)
            for name in OF_NO_USE
            if name != "a key with a line break"
        ),
    ],
)
def test_what_no_order_could_be_placed_with_is_said_at_start_before_anything_is_consumed(
    tmp_path: Path, process: str, name: str
) -> None:
    variables, account, said = OF_NO_USE[name]
    # No Redis listens: whatever tried to consume would wait for it, and not end.
    stack = LocalStack(tmp_path)
    fields = {"exchange": "binance", **account}
    config = tmp_path / "oneorder.toml"
    config.write_text(
        tomli_w.dumps({"redis_url": stack.redis_url, "accounts": {"binance-main": fields}})
    )
    schedule = ["-s", str(tmp_path / "schedule"), "--pidfile="] if process == "beat" else []
    done = _refused([*CELERY, process, *schedule], {**stack.environment, **variables}, tmp_path)
    assert said in _sentence(done)
    assert "worker_ready" not in done.stderr


def test_a_settings_file_with_a_mistake_is_one_sentence_for_a_worker(tmp_path: Path) -> None:
    config = tmp_path / "oneorder.toml"
    config.write_text('redis_urll = "redis://127.0.0.1:1/0"\n')
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "workers", "worker"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "ONEORDER_CONFIG": str(config)},
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "oneorder: unknown setting 'redis_urll'; did you mean 'redis_url'?" in done.stderr
    assert "Traceback" not in done.stderr
