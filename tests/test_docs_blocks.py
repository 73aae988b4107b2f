"""What the pages show works: their programs, settings, signals and command lines."""

import ast
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main

from execution.store.access.connection import connect
from oneorder import parse_signal
from workers.cli.program import cli
from workers.configuration.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OURS = ("oneorder", "execution", "workers")


def blocks(language: str) -> list[Any]:
    """Every block of the language, as a case named after its page and its place there."""
    cases = []
    for page in PAGES:
        for number, (kind, body) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8"))):
            if kind == language:
                name = f"{page.relative_to(ROOT).as_posix()}:{number}"
                cases.append(pytest.param(body, id=name))
    return cases


@pytest.mark.parametrize("program", blocks("python"))
def test_every_program_compiles_and_imports_only_what_there_is(program: str) -> None:
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
            module = importlib.import_module(node.module or "")
            for name in node.names:
                assert hasattr(module, name.name), name.name


@pytest.mark.parametrize("settings", blocks("toml"))
def test_every_settings_file_is_valid(
    settings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "oneorder.toml").write_text(settings, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("ONEORDER_")]:
        monkeypatch.delenv(name)
    Settings()  # And not load_settings, which keeps the passwords out of every later text.


@pytest.mark.parametrize("text", blocks(""))
def test_every_signal_in_a_command_is_valid(text: str) -> None:
    for body in re.findall(r"""echo '({"signal_id".*?})'""", text, flags=re.DOTALL):
        assert parse_signal(body).signal_id


def test_samples_of_output_are_json() -> None:
    for case in blocks("json"):
        json.loads(case.values[0])


def commands_of(text: str) -> Iterator[list[str]]:
    """The arguments of each call of `oneorder` in a block of a shell."""
    for line in text.replace("\\\n", " ").splitlines():
        for found in re.findall(r"(?:^|[|;&]|\bexec beat|\btimeout \d+)\s*oneorder (.*)", line):
            words = shlex.split(re.split(r"[|;&]", found)[0], comments=True)
            yield words[: words.index(">")] if ">" in words else words


@pytest.mark.parametrize("text", blocks(""))
def test_every_command_line_is_one_that_oneorder_takes(text: str) -> None:
    group = typer.main.get_group(cli)
    for words in commands_of(text):
        name, *arguments = words
        command = group.commands[name]
        with click.Context(group) as parent:
            # Raises for an unknown option, a missing argument or a value that is not possible.
            command.make_context(name, arguments, parent=parent)


def test_the_readmes_program_publishes_its_signal(tmp_path: Path, valkey_url: str) -> None:
    client: Any = connect(valkey_url)
    client.flushall()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (program,) = (body for kind, body in BLOCK.findall(readme) if kind == "python")
    (tmp_path / "strategy.py").write_text(program, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if "ONEORDER_" not in name}
    subprocess.run(
        [sys.executable, "strategy.py"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT), "ONEORDER_REDIS_URL": valkey_url},
        check=True,
    )
    ((_, entry),) = client.xrange("oneorder:signals")
    assert entry["task"] == "orders.execute"
    signal = parse_signal(entry["body"])
    assert (signal.signal_id, signal.expires_at is None) == ("s-1", False)
