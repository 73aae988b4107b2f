"""Runs commands, or reads settings, for the fuzz run: a line of JSON in, a line of JSON out.

A command runs in a fork of this process, which has imported everything already: with streams and
an exit code of its own, as at a terminal, but without the second that the imports take.
"""

import base64
import json
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from oneorder.errors import SettingsError
from workers.cli import program
from workers.configuration.settings import load_settings
from workers.configuration.start_check import checked_accounts

# Beyond this, a command hangs.
PATIENCE_S = 60
INTERRUPTED = 130


def run_command(arguments: list[str], stdin: bytes) -> dict[str, Any]:
    """The exit code of `oneorder ARGUMENTS` and what it wrote on standard error."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as errors:
        given.write(stdin)
        given.seek(0)
        child = os.fork()
        if child == 0:
            _become_command(arguments, given.fileno(), errors.fileno())
        _, status = os.waitpid(child, 0)
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    return {"code": os.waitstatus_to_exitcode(status), "stderr": text}


def _become_command(arguments: list[str], given: int, errors: int) -> None:
    code = 70
    try:
        os.dup2(given, 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(errors, 2)
        sys.stdin = open(0)  # noqa: SIM115  # This process ends with it.
        sys.argv = ["oneorder", *arguments]
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(PATIENCE_S)
        code = program.run(INTERRUPTED)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001  # Whatever it is, it must be seen.
        os.write(2, traceback.format_exc().encode(errors="replace"))
    os._exit(code)


def read_settings(file: bytes, environment: dict[str, str]) -> dict[str, Any]:
    """What is said of settings: "" where they are taken, a sentence, or a traceback."""
    path = Path("fuzz.toml")
    path.write_bytes(file)
    before = dict(os.environ)
    os.environ.update(environment, ONEORDER_CONFIG=str(path))
    try:
        checked_accounts(load_settings(), os.environ)
    except (SettingsError, program.UnsupportedExchange) as refused:
        return {"sentence": str(refused)}
    except Exception:  # noqa: BLE001  # It is what this looks for.
        return {"sentence": traceback.format_exc()}
    finally:
        os.environ.clear()
        os.environ.update(before)
    return {"sentence": ""}


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        asked = json.loads(line)
        if "arguments" in asked:
            done = run_command(asked["arguments"], base64.b64decode(asked["stdin"]))
        else:
            done = read_settings(base64.b64decode(asked["file"]), asked["environment"])
        sys.stdout.write(json.dumps(done) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
