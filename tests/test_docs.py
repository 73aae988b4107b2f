"""The documents against the code: what they name exists, and what a user can name is in them."""

import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel
from typer.core import TyperGroup

from execution.store.access import keys
from oneorder.broker import QUEUES
from workers.cli.program import cli
from workers.configuration.settings import (
    AccountSettings,
    ArbitrageSettings,
    CollectorSettings,
    LimitSettings,
    Settings,
)

ROOT = Path(__file__).parents[1]
REFERENCE = (ROOT / "docs/reference.md").read_text()
PAGES = sorted(
    [ROOT / "README.md", ROOT / "paper_exchange/README.md", *(ROOT / "docs").rglob("*.md")]
)
TABLES: dict[str, type[BaseModel]] = {
    "": Settings,
    "accounts": AccountSettings,
    "collector": CollectorSettings,
    "arbitrage": ArbitrageSettings,
    "limits": LimitSettings,
}
# Every command has it, and Typer adds it.
EVERYWHERE = {"--help", "--json"}


def _fault_rows() -> list[str]:
    lines = (ROOT / "docs/faults.md").read_text().splitlines()
    return [line for line in lines if line.startswith("| ") and "---" not in line]


def test_every_kind_of_fault_names_tests_that_exist() -> None:
    rows = [row for row in _fault_rows() if not row.startswith("| what went wrong")]
    assert len(rows) > 60
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        assert len(cells) == 3, row
        named = re.findall(r"`([^`]+)`", cells[2])
        assert named, row
        for path in named:
            assert (ROOT / "tests" / path).is_file(), f"{path}: {row}"


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), target
        if anchor:
            assert anchor in _anchors(goal), target


def _section(heading: str) -> str:
    return REFERENCE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def _is_table(name: str) -> bool:
    return name in TABLES


@pytest.mark.parametrize("table", TABLES)
def test_every_setting_has_its_row_and_its_default(table: str) -> None:
    heading = {"": "| setting |", "accounts": "| `[accounts.NAME]` |"}.get(
        table, f"| `[{table}]` |"
    )
    rows = _section("Settings").split(heading, 1)[1].split("\n\n", 1)[0]
    named = dict(re.findall(r"^\| `(\w+)`(?:, `\w+`)? \| ([^|]*) \|", rows, flags=re.MULTILINE))
    fields = {
        name: field
        for name, field in TABLES[table].model_fields.items()
        if not (table == "" and _is_table(name))
    }
    assert set(named) == set(fields)
    for name, field in fields.items():
        if isinstance(field.default, int) and not isinstance(field.default, bool):
            assert named[name] == str(field.default), name


def test_the_example_file_has_every_setting() -> None:
    text = (ROOT / "oneorder.example.toml").read_text()
    written = re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE)
    parts = re.split(r"^\[([a-z]+)[^\]]*\]", written, flags=re.MULTILINE)
    sections = {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}
    for table, model in TABLES.items():
        found = set(re.findall(r"^(\w+) = ", sections[table], flags=re.MULTILINE))
        wanted = {name for name in model.model_fields if not (table == "" and _is_table(name))}
        assert found == wanted, table
    assert tomllib.loads(text)["accounts"]


def test_every_task_has_its_row_and_its_queue() -> None:
    rows = [row for row in _section("Tasks").splitlines() if row.startswith("| `")]
    found = {
        task: row.split("|")[2].strip(" `")
        for row in rows
        for task in re.findall(r"`([^`]+)`", row.split("|")[1])
    }
    assert found == QUEUES


def _keys() -> Iterator[str]:
    for name, value in vars(keys).items():
        if isinstance(value, str) and value.startswith("oneorder:"):
            yield value
        elif inspect.isfunction(value) and name != "clock_field":
            filled = [f"{parameter}*" for parameter in inspect.signature(value).parameters]
            yield re.sub(r":\w+\*", ":*", value(*filled))


def test_every_key_in_redis_has_its_row() -> None:
    rows = [row for row in _section("Redis").splitlines() if row.startswith("| `")]
    named = {
        re.sub(r"\b[A-Z]{2,}\b", "*", key)
        for row in rows
        for key in re.findall(r"`(oneorder:[^`]+)`", row.split("|")[1])
    }
    assert named == set(_keys())


def _commands() -> dict[str, Any]:
    group = typer.main.get_command(cli)
    assert isinstance(group, TyperGroup)
    return group.commands


def test_every_command_and_option_is_in_the_reference_and_in_the_readme() -> None:
    commands = _section("Commands") + _section("Paper exchange")
    readme = (ROOT / "README.md").read_text()
    for name, command in _commands().items():
        assert re.search(rf"`{name}\b", commands), name
        assert f"oneorder {name}" in readme, name
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--") and option not in EVERYWHERE:
                    assert option in commands, f"{name} {option}"


def test_every_command_of_the_reference_exists() -> None:
    for row in _section("Commands").split("\n\n**Doctor**")[0].splitlines():
        if row.startswith("| `") and not row.startswith("| `--"):
            for code in re.findall(r"`([^`]+)`", row.split(" | ")[0].replace("\\|", "/")):
                if not code.startswith("-"):
                    assert code.split()[0] in _commands(), code


def test_every_module_that_the_architecture_names_exists() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    code = [path for folder in ("oneorder", "execution", "workers") for path in _python(folder)]
    named = re.findall(r"[\w/]+\.py\b", text)
    assert len(named) > 50
    for name in named:
        assert any(path.endswith(f"/{name}") for path in code), name


def _python(folder: str) -> Iterator[str]:
    return (f"/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / folder).rglob("*.py"))
