"""The command line in front of a running stack, in processes or in forks."""

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from workers.cli.main import main
from workers.sandbox.local_stack import LocalStack

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["pandas", "pytest", "workers.bootstrap", "workers.reports.page"])


class Oneorder:
    """The command line, as a user at a terminal has it."""

    def __init__(self, stack: LocalStack, environment: dict[str, str] | None = None) -> None:
        self._stack = stack
        self._environment = environment or stack.environment

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "workers.cli", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=self._environment,
            cwd=self._stack.directory,
            timeout=120,
            check=False,
        )

    def json(self, *arguments: str, stdin: str = "") -> Any:
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def submit(self, *signals: dict[str, Any]) -> list[dict[str, Any]]:
        """Submit signals as JSON lines; return what was printed for each."""
        lines = "\n".join(json.dumps(signal) for signal in signals)
        done = self.run("submit", "-", "--json", stdin=lines)
        return [json.loads(line) for line in done.stdout.splitlines()]


class ForkedOneorder(Oneorder):
    """The command line in forks of a process that has imported it already: the commands here would
    be busy with little but imports, and test_command_line starts it as users do."""

    def run(self, *arguments: str, stdin: str = "") -> CompletedProcess[str]:
        assert not stdin, "what is read from standard input is for real processes"
        out, err = (self._stack.directory / name for name in ("command.out", "command.err"))
        process = FORKS.Process(target=_command, args=(arguments, self._environment, out, err))
        process.start()
        process.join(60)
        code = process.exitcode
        process.kill()
        assert code is not None, f"{arguments} takes too long"
        return CompletedProcess(arguments, code, out.read_text(), err.read_text())


def _command(arguments: list[str], environment: dict[str, str], out: Path, err: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(out.parent)
    sys.argv = ["oneorder", *arguments]
    with out.open("w") as sys.stdout, err.open("w") as sys.stderr:
        main()
