"""The rules of the house, read off the source: who may import what, and what nobody may write."""

import ast
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from execution.model.order import OrderType, Side, TimeInForce
from oneorder.broker import QUEUES
from oneorder.signals import OrderSignal

ROOT = Path(__file__).parents[1]
PACKAGES = ("oneorder", "execution", "workers", "paper_exchange")
LINES_MAX = 400
MODULES_MAX = 14

# Money is Decimal. These are the only files there that may name a binary fraction, and why.
MONEY = ("execution", "paper_exchange/engine")
FLOATS_ALLOWED = {
    "execution/text/cutting.py": "how alike a misspelt name and the one that was meant must be",
    "execution/error_handler.py": "pauses between repeats, in seconds",
    "execution/order_manager.py": "the pause between two looks at an order, in seconds",
    "execution/arbitrage_executor.py": "the pause between two looks at an arbitrage, in seconds",
}


def sources(*folders: str) -> list[Path]:
    """Every Python file below the folders, in a stable order."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), name_of(path))


every_source = pytest.mark.parametrize("path", sources(*PACKAGES), ids=name_of)


@every_source
def test_each_module_fits_on_a_few_screens(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_MAX


def test_each_package_can_be_taken_in_at_a_glance() -> None:
    for package in {path.parent for path in sources(*PACKAGES)}:
        modules = [path for path in package.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= MODULES_MAX, f"{name_of(package)} has {len(modules)} modules"


def test_imports_are_absolute() -> None:
    for path in sources(*PACKAGES):
        for node in ast.walk(tree_of(path)):
            assert not isinstance(node, ast.ImportFrom) or node.level == 0, name_of(path)


@every_source
def test_each_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree_of(path))


@pytest.mark.parametrize("path", sources(*MONEY), ids=name_of)
def test_money_is_never_a_binary_fraction(path: Path) -> None:
    found = [
        f"line {node.lineno}"
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)))
    ]
    if name_of(path) in FLOATS_ALLOWED:
        assert found, "needs no exception any more"
    else:
        assert found == []


def test_exceptions_to_the_rule_about_fractions_are_for_files_that_exist() -> None:
    assert all((ROOT / name).is_file() for name in FLOATS_ALLOWED)


@pytest.mark.parametrize(
    ("field", "words"), [("side", Side), ("type", OrderType), ("time_in_force", TimeInForce)]
)
def test_messages_and_orders_use_the_same_words(field: str, words: type[Side]) -> None:
    annotation = OrderSignal.model_fields[field].annotation
    literals = {
        word
        for part in (annotation, *get_args(annotation))
        for word in get_args(part)
        if isinstance(word, str)
    }
    assert literals == {word.value for word in words}


def test_every_task_that_has_a_queue_is_a_task_of_the_app(tmp_path: Path) -> None:
    assert _registered(tmp_path) == set(QUEUES)


def _registered(directory: Path) -> set[str]:
    """What the app knows, asked of a process of its own, away from anybody's settings."""
    program = (
        "import json; from workers import app; app.loader.import_default_modules();"
        "print(json.dumps([name for name in app.tasks if not name.startswith('celery.')]))"
    )
    environment = {key: value for key, value in os.environ.items() if "ONEORDER_" not in key}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=directory,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    return set(json.loads(done.stdout))


every_script = pytest.mark.parametrize(
    "path", sorted((ROOT / "execution/store/lua").glob("*.lua")), ids=name_of
)


@every_script
@pytest.mark.parametrize("table", ["KEYS", "ARGV"])
def test_each_lua_script_opens_with_a_header_that_documents_what_it_is_given(
    path: Path, table: str
) -> None:
    text = path.read_text(encoding="utf-8")
    head, _, body = text.partition("\n\n")
    assert all(line.startswith("--") for line in head.splitlines())
    section = re.search(rf"\b{table}\b(.*?)(?=\b(?:KEYS|ARGV|Returns)\b|\Z)", head, re.DOTALL)
    assert section, f"the header does not say what {table} are"
    documented = {int(number) for number in re.findall(r"\b\d+\b", section.group(1))}
    used = {int(number) for number in re.findall(rf"{table}\[(\d+)\]", body)}
    assert used <= documented


@every_script
def test_each_lua_script_says_what_it_returns(path: Path) -> None:
    head = path.read_text(encoding="utf-8").partition("\n\n")[0]
    assert "-- Returns" in head


@pytest.mark.parametrize("path", sources("tests"), ids=name_of)
def test_no_test_is_skipped_or_given_a_mock(path: Path) -> None:
    aside = {"skip", "skipif", "xfail", "importorskip"}
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            assert not (owner in ("pytest", "pytest.mark") and node.attr in aside), node.lineno
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            assert "mock" not in ast.unparse(node), node.lineno


def test_the_lock_names_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert not re.search(r"^\s*--(extra-)?index-url", lock, re.MULTILINE)


def test_no_file_names_a_package_registry() -> None:
    # In pieces, so that this file does not match itself.
    names = ("pypi org", "pythonhosted org", "npmjs com", "npmjs org", "debian org")
    hosts = [".".join(name.split()) for name in names]
    kinds = {".py", ".toml", ".lock", ".yml", ".yaml", ".lua", ".cfg", ".txt", ".json", ""}
    folders = [*PACKAGES, "tests", "benchmarks", "docs", "client", ".ci", ".github"]
    files = [path for path in ROOT.iterdir() if path.is_file() and path.suffix in kinds]
    for folder in folders:
        files += [path for path in (ROOT / folder).rglob("*") if path.suffix in kinds]
    named = [
        name_of(path)
        for path in files
        if path.is_file()
        and any(host in path.read_text(encoding="utf-8", errors="replace") for host in hosts)
    ]
    assert named == []
