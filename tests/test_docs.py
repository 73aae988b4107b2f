"""The documents against the code: what they name exists, and what a user can name is in them."""

import inspect
import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel
from typer.core import TyperGroup

from docs.generate import PARTS, Undescribed, text_of, with_current_parts
from docs.log_events import MEANINGS
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
SITE = sorted((ROOT / "docs").rglob("*.md"))
OUTSIDE = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
PAGES = [
    *(ROOT / name for name in (*OUTSIDE, "client/README.md", "paper_exchange/README.md")),
    *SITE,
]
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


def _reference(page: str) -> str:
    return (ROOT / f"docs/reference/{page}.md").read_text()


def _section(page: str, heading: str) -> str:
    return _reference(page).split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def test_what_is_generated_from_the_code_is_current() -> None:
    for page in PAGES:
        text = page.read_text()
        assert text == with_current_parts(text), f"{page.relative_to(ROOT)}: run make docs"


def test_every_part_that_can_be_generated_is_on_one_page() -> None:
    texts = "".join(page.read_text() for page in PAGES)
    assert sorted(re.findall(r"<!-- generated: ([\w-]+) -->", texts)) == sorted(PARTS)


def test_a_name_without_a_description_is_not_generated() -> None:
    class Undocumented(StrEnum):
        VALUE = "value"

    with pytest.raises(Undescribed, match=r"Undocumented\.VALUE"):
        text_of({}, Undocumented, "VALUE")


def test_every_log_event_with_a_meaning_is_logged_and_every_logged_one_has_a_meaning() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", _reference("log-events"), flags=re.MULTILINE)
    assert sorted(listed) == sorted(MEANINGS)


def test_every_page_is_in_the_contents_of_the_site() -> None:
    listed = re.findall(r"^([\w/-]+)$", (ROOT / "docs/index.md").read_text(), flags=re.MULTILINE)
    pages = {page.relative_to(ROOT / "docs").with_suffix("").as_posix() for page in SITE}
    assert sorted(listed) == sorted(pages - {"index"})


def _is_table(name: str) -> bool:
    return name in TABLES


@pytest.mark.parametrize("table", TABLES)
def test_every_setting_has_its_row_and_its_default(table: str) -> None:
    heading = {"": "General", "accounts": "[accounts.NAME]"}.get(table, f"[{table}]")
    rows = _section("settings", heading)
    named = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", rows, flags=re.MULTILINE))
    fields = {
        name: field
        for name, field in TABLES[table].model_fields.items()
        if not (table == "" and _is_table(name))
    }
    assert set(named) == set(fields)
    for name, field in fields.items():
        if isinstance(field.default, int) and not isinstance(field.default, bool):
            assert named[name] == f"`{field.default}`", name


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
    rows = [row for row in _section("signals", "Tasks").splitlines() if row.startswith("| `")]
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
    rows = [row for row in _reference("redis").splitlines() if row.startswith("| `")]
    named = {
        re.sub(r"\b[A-Z_]{2,}\b", "*", key)
        for row in rows
        for key in re.findall(r"`(oneorder:[^`]+)`", row.split("|")[1])
    }
    assert named == set(_keys())


def _commands() -> dict[str, Any]:
    group = typer.main.get_command(cli)
    assert isinstance(group, TyperGroup)
    return group.commands


def test_every_command_and_option_is_in_the_reference() -> None:
    sections = re.split(r"^### oneorder (\w+)\n", _section("commands", "Commands"), flags=re.M)
    described = dict(zip(sections[1::2], sections[2::2], strict=True))
    assert set(described) == set(_commands())
    for name, command in _commands().items():
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--") and option not in EVERYWHERE:
                    assert f"`{option}" in described[name], f"{name} {option}"


def test_every_command_that_the_reference_names_exists() -> None:
    for heading in ("When a command exits with 1", "Commands"):
        rows = _section("commands", heading).splitlines()
        for row in rows:
            if row.startswith("| `") and not row.startswith("| `--"):
                for code in re.findall(r"`([^`]+)`", row.split(" | ")[0]):
                    assert code in _commands(), code


# The changelog names modules that were there once.
PRESENT = [page for page in PAGES if page.name != "CHANGELOG.md"]


@pytest.mark.parametrize("page", PRESENT, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_module_that_a_page_names_exists(page: Path) -> None:
    folders = ("oneorder", "execution", "workers", "paper_exchange", "tests", "docs", "client")
    code = [path for folder in folders for path in _python(folder)]
    # What a block shows is the reader's own.
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for name in re.findall(r"[\w/]+\.py\b", text):
        assert name == "strategy.py" or any(path.endswith(f"/{name}") for path in code), name


def test_the_architecture_names_modules() -> None:
    assert len(re.findall(r"[\w/]+\.py\b", (ROOT / "docs/architecture.md").read_text())) > 50


def _python(folder: str) -> Iterator[str]:
    return (f"/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / folder).rglob("*.py"))
