"""Writes the parts of the pages that follow from the code: `python -m docs.generate`.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`. `make docs` writes all of them,
and a test fails while one is not current.
"""

import ast
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import typer.main
from annotated_types import Ge, Gt, Le
from pydantic import BaseModel

from docs.log_events import MEANINGS
from docs.samples import SAMPLES
from execution.arbitrage.model import ArbitrageState, LegRole
from execution.ledger.sql.tables import metadata
from execution.model.order import LIVE, OrderState, Verdict
from execution.orders.observer import PARTIAL_FILL, UNDER_WAY, UPDATED
from execution.reconciliation.run import DriftPolicy
from oneorder.broker import QUEUES
from oneorder.signals import ArbitrageSignal, CancelRequest, OrderSignal
from workers.cli.program import cli
from workers.configuration.settings import (
    AccountSettings,
    ArbitrageSettings,
    CollectorSettings,
    LimitSettings,
    Settings,
)

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs"
PART = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)
TABLES: dict[str, type[BaseModel]] = {
    "accounts": AccountSettings,
    "limits": LimitSettings,
    "collector": CollectorSettings,
    "arbitrage": ArbitrageSettings,
}
SIGNALS: dict[str, type[BaseModel]] = {
    "order": OrderSignal,
    "arbitrage": ArbitrageSignal,
    "cancel": CancelRequest,
}
LOGGED = re.compile(r"\b(?:log|get_logger\('oneorder'\))\.(\w+)")
LEVELS = ("debug", "info", "warning", "error", "exception")


class Undescribed(Exception):
    """Something that belongs into the reference has no description in the code."""


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n"
        for line in map(list, lines)
    )


def code(*texts: str) -> str:
    return ", ".join(f"`{text}`" for text in texts)


# What the code says of its own names -----------------------------------------------------------


def described(node: ast.Module | ast.ClassDef, source: str) -> dict[str, str]:
    """Each name that the body binds, with the text below it, or else the comment behind it."""
    lines = source.splitlines()
    texts: dict[str, str] = {}
    for statement, follower in zip(node.body, [*node.body[1:], ast.Pass()], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name = statement.target.id
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
        else:
            continue
        if isinstance(follower, ast.Expr) and isinstance(follower.value, ast.Constant):
            texts[name] = " ".join(str(follower.value.value).split())
        else:
            end = lines[(statement.end_lineno or 1) - 1][statement.end_col_offset :]
            texts[name] = end.partition("# ")[2].partition("  # ")[0].strip()
    return texts


def described_class(kind: type) -> dict[str, str]:
    """The same of a class and of those that it extends."""
    texts: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if each.__module__.split(".")[0] in ("oneorder", "execution", "workers"):
            source = inspect.getsource(each)
            (node,) = ast.parse(source).body
            texts |= described(node, source) if isinstance(node, ast.ClassDef) else {}
    return texts


def text_of(texts: dict[str, str], kind: type, name: str) -> str:
    if not texts.get(name):
        raise Undescribed(f"{kind.__name__}.{name} has no description")
    return texts[name].rstrip(".")


# Settings and signals --------------------------------------------------------------------------


def settings_part(kind: type[BaseModel]) -> str:
    texts = described_class(kind)
    return table(
        ("setting", "default", "allowed", "meaning"),
        (
            (code(name), _default(field), _allowed(field), text_of(texts, kind, name))
            for name, field in kind.model_fields.items()
            if not (kind is Settings and name in TABLES)
        ),
    )


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value == ():
        return "none"
    return code(json.dumps(value) if isinstance(value, bool) else str(value))


def _allowed(field: Any) -> str:
    low = next((each.ge for each in field.metadata if isinstance(each, Ge)), None)
    above = next((each.gt for each in field.metadata if isinstance(each, Gt)), None)
    high = next((each.le for each in field.metadata if isinstance(each, Le)), None)
    if low is not None and high is not None:
        return f"{low:,} to {high:,}"
    if low is not None or above is not None:
        return f"from {low}" if low is not None else f"above {above}"
    pattern = next((each.pattern for each in field.metadata if hasattr(each, "pattern")), None)
    if pattern and re.fullmatch(r"\^\([A-Z|]+\)\$", pattern):
        return code(*pattern.strip("^()$").split("|"))
    if field.annotation in (DriftPolicy, DriftPolicy | None):
        return code(*DriftPolicy)
    return code("true", "false") if field.annotation is bool else ""


def signal_part(kind: type[BaseModel]) -> str:
    texts = described_class(kind)
    rows = sorted(kind.model_fields.items(), key=lambda item: not item[1].is_required())
    return table(
        ("field", "required", "meaning"),
        (
            (code(name), "yes" if field.is_required() else "", text_of(texts, kind, name))
            for name, field in rows
        ),
    )


# Tasks, keys, states and log events ------------------------------------------------------------


def tasks_part() -> str:
    source = (ROOT / "workers/messaging/tasks.py").read_text(encoding="utf-8")
    names = vars(sys.modules["oneorder.broker"])
    texts = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            for task in _task_names(node, names):
                texts[task] = _first_sentence(ast.get_docstring(node) or "")
    missing = set(QUEUES) - {name for name, text in texts.items() if text}
    if missing:
        raise Undescribed(f"tasks without a description: {sorted(missing)}")
    return table(
        ("task", "queue", "does"),
        ((code(name), code(queue), texts[name]) for name, queue in QUEUES.items()),
    )


def _task_names(node: ast.FunctionDef, names: dict[str, Any]) -> Iterator[str]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "app.task":
            (value,) = (each.value for each in decorator.keywords if each.arg == "name")
            yield (
                value.value
                if isinstance(value, ast.Constant)
                else names[ast.unparse(value).rpartition(".")[2]]
            )


def _first_sentence(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split()).rstrip(".")


def keys_part() -> str:
    """Every key of the modules that name keys."""
    rows = []
    for path in ("oneorder/keys.py", "execution/store/access/keys.py"):
        if not (ROOT / path).is_file():
            continue
        source = (ROOT / path).read_text(encoding="utf-8")
        module = ast.parse(source)
        texts = described(module, source)
        for node in module.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                key, name = str(node.value.value), ast.unparse(node.targets[0])
                if key.startswith("oneorder:"):
                    rows.append((key, texts[name]))
            elif isinstance(node, ast.FunctionDef) and "oneorder:" in ast.unparse(node):
                key = ast.unparse(node.body[-1]).removeprefix("return f").strip("'")
                key = re.sub(r"{(\w+)}", lambda found: found.group(1).upper(), key)
                rows.append((key, _first_sentence(ast.get_docstring(node) or "")))
    for key, text in rows:
        if not text:
            raise Undescribed(f"the key {key} has no description")
    return table(
        ("key", "what"), ((code(key), text[0].lower() + text[1:]) for key, text in sorted(rows))
    )


def ledger_part() -> str:
    rows = (
        (code(name), code(*found.primary_key.columns.keys()), code(*found.columns.keys()))
        for name, found in sorted(metadata.tables.items())
    )
    return table(("table", "key", "columns"), rows)


def states_part(kind: type[StrEnum]) -> str:
    texts = described_class(kind)
    rows = ((code(each.value), text_of(texts, kind, each.name)) for each in kind)
    return table(("value", "meaning"), rows)


def waits_part() -> str:
    path = ROOT / "execution/model/waiting.py"
    source = path.read_text(encoding="utf-8")
    module = ast.parse(source)
    texts = described(module, source)
    return table(
        ("reason begins with", "meaning"),
        (
            (code(str(node.value.value)), texts[ast.unparse(node.targets[0])].rstrip("."))
            for node in module.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        ),
    )


def events_part() -> str:
    """Every event that a line of the log may have, from the calls that write one."""
    found: dict[str, tuple[set[str], dict[str, None], str]] = {}
    for folder in ("execution", "workers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for event, level, names in _events(ast.parse(path.read_text(encoding="utf-8"))):
                module = path.relative_to(ROOT).as_posix()
                levels, known, _ = found.setdefault(event, (set(), {}, module))
                levels.add("error" if level == "exception" else level)
                known.update(dict.fromkeys(names))
    return table(
        ("event", "meaning", "level", "fields", "written by"),
        (
            (
                code(event),
                _meaning(event),
                ", ".join(level for level in LEVELS if level in levels),
                code(*names),
                code(module),
            )
            for event, (levels, names, module) in sorted(found.items())
        ),
    )


def order_events_part() -> str:
    ended = (f"order_{state}" for state in OrderState if state not in LIVE)
    events = (*UNDER_WAY.values(), "order_open", PARTIAL_FILL, *ended, UPDATED)
    return table(("event", "meaning"), ((code(event), _meaning(event)) for event in events))


def _meaning(event: str) -> str:
    if event not in MEANINGS:
        raise Undescribed(f"log event {event}")
    return MEANINGS[event].rstrip(".")


def _events(module: ast.Module) -> Iterator[tuple[str, str, list[str]]]:
    for node in ast.walk(module):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        levels = set(LOGGED.findall(ast.unparse(node.func))) & set(LEVELS)
        event = node.args[0]
        if isinstance(node.func, ast.Attribute) and node.func.attr == "_note_failure":
            # It logs the event that it is called with.
            event, levels = node.args[2], {"warning"}
        choices = [event.body, event.orelse] if isinstance(event, ast.IfExp) else [event]
        names = [each.arg for each in node.keywords if each.arg]
        for choice in choices:
            if isinstance(choice, ast.Constant):
                for level in levels:
                    yield str(choice.value), level, names


# The command line ------------------------------------------------------------------------------


def commands_part() -> str:
    commands = typer.main.get_group(cli).commands
    return "\n".join(_command(name, command) for name, command in sorted(commands.items()))


def _command(name: str, command: Any) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    named = "".join(f" {each.metavar or each.name.upper()}" for each in arguments)
    text = inspect.cleandoc(command.help or "")
    usage = f"oneorder {name}{named}{' [OPTIONS]' if options else ''}"
    head = f"### oneorder {name}\n\n`{usage}`\n\n{text}\n"
    rows = [
        (code(", ".join(each.opts)), _default_of(each), each.help or "")
        for each in options
        if "--help" not in each.opts
    ]
    return head + ("\n" + table(("option", "default", "meaning"), rows) if rows else "")


def _default_of(option: Any) -> str:
    if option.required:
        return "required"
    value = option.default
    return "" if value is None or value is False or callable(value) else code(str(value))


# JSON ------------------------------------------------------------------------------------------


def json_part(name: str) -> str:
    return f"```json\n{json.dumps(SAMPLES[name], indent=2)}\n```\n"


PARTS: dict[str, Callable[[], str]] = {
    "settings": lambda: settings_part(Settings),
    **{f"settings-{name}": partial(settings_part, kind) for name, kind in TABLES.items()},
    **{f"signal-{name}": partial(signal_part, kind) for name, kind in SIGNALS.items()},
    **{f"json-{name}": partial(json_part, name) for name in SAMPLES},
    "tasks": tasks_part,
    "keys": keys_part,
    "ledger-tables": ledger_part,
    "order-states": partial(states_part, OrderState),
    "arbitrage-states": partial(states_part, ArbitrageState),
    "verdicts": partial(states_part, Verdict),
    "leg-roles": partial(states_part, LegRole),
    "drift-policies": partial(states_part, DriftPolicy),
    "waits": waits_part,
    "log-events": events_part,
    "order-events": order_events_part,
    "commands": commands_part,
}


def with_current_parts(text: str) -> str:
    """The page's text, with each generated part as it follows from the code."""
    return PART.sub(lambda part: f"{part[1]}\n{PARTS[part['name']]()}\n{part[4]}", text)


def main() -> int:
    """Write every generated part; say which pages changed."""
    for page in sorted(PAGES.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        current = with_current_parts(text)
        if current != text:
            page.write_text(current, encoding="utf-8")
            sys.stdout.write(f"{page.relative_to(ROOT)}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
