"""What surrounds the code: both distributions, the workflows and the commit hooks agree with it."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

import oneorder

ROOT = Path(__file__).parents[1]
CLIENT = ROOT / "client"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text()
# An action, pinned by commit with its version beside it, so that dependabot can raise both.
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def _project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text())


def _requirements(project: dict[str, Any]) -> dict[str, Requirement]:
    found = [Requirement(line) for line in project["project"]["dependencies"]]
    return {each.name: each for each in found}


def test_the_client_ships_the_producers_package_and_its_licence_as_they_are() -> None:
    assert (CLIENT / "oneorder").resolve() == Path(oneorder.__file__).parent
    assert (CLIENT / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_both_distributions_take_their_version_from_the_producers_package() -> None:
    for folder in (ROOT, CLIENT):
        project = _project(folder)
        assert project["project"]["dynamic"] == ["version"]
        source = folder / project["tool"]["hatch"]["version"]["path"]
        assert source.resolve() == Path(oneorder.__file__)


@pytest.mark.parametrize("field", ["authors", "license", "requires-python", "urls"])
def test_both_distributions_say_the_same_about_themselves(field: str) -> None:
    assert _project(CLIENT)["project"][field] == _project(ROOT)["project"][field]


def test_the_client_needs_nothing_but_what_oneorder_needs_within_the_same_bounds() -> None:
    ours, clients = _requirements(_project(ROOT)), _requirements(_project(CLIENT))
    assert {name: each.specifier for name, each in clients.items()} == {
        name: ours[name].specifier for name in clients
    }


def test_the_documentation_lists_every_extra() -> None:
    section = (ROOT / "docs/install.md").read_text().split("| extra of `oneorder` |")[1]
    listed = re.findall(r"^\| `(\w+)` \|", section.split("\n\n")[0], re.MULTILINE)
    assert listed == list(_project(ROOT)["project"]["optional-dependencies"])


def _recipe(target: str) -> list[str]:
    """The lines that make runs for the target."""
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE)
    assert found, f"there is no make {target}"
    return [line.strip() for line in found.group(1).splitlines()]


def _jobs(workflow: Path) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load(workflow.read_text())["jobs"].values()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_make_targets_that_exist_and_nothing_else(workflow: Path) -> None:
    for job in _jobs(workflow):
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            if "run" in step:
                make, target = step["run"].split()
                chosen = job.get("strategy", {}).get("matrix", {}).get("target", [])
                assert make == "make"
                for each in chosen if target == '"$TARGET"' else [target]:
                    assert _recipe(each)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_little_and_uses_actions_by_commit(workflow: Path) -> None:
    assert yaml.safe_load(workflow.read_text())["permissions"] == {}
    for line in workflow.read_text().splitlines():
        assert "uses:" not in line or PINNED.search(line), line


def test_tests_run_on_each_python_that_the_metadata_names() -> None:
    classifiers = _project(ROOT)["project"]["classifiers"]
    named = [each.rpartition(" ")[2] for each in classifiers if re.search(r":: 3\.\d+$", each)]
    (tested,) = [
        job["strategy"]["matrix"]["python"]
        for job in _jobs(ROOT / ".github/workflows/ci.yml")
        if "python" in job.get("strategy", {}).get("matrix", {})
    ]
    assert tested == named


def test_the_commit_hooks_run_every_check_of_make_lint() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    entries = [hook["entry"] for hook in hooks]
    for line in _recipe("lint"):
        command = line.replace("$(BIN)", ".venv/bin").split()
        # The tool with its command or schema; which files it is given is the hook's to say.
        wanted = command[:3] if "--builtin-schema" in command else command[:2]
        assert any(entry.split()[: len(wanted)] == wanted for entry in entries), line


def test_what_ci_runs_are_make_targets_that_exist() -> None:
    ran = re.findall(r"^make ([a-z-]+)", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert ran
    for target in ran:
        assert _recipe(target)


def test_every_make_target_for_tests_is_in_the_contribution_guide() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    targets = re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE)
    for target in set(targets) - {"help", "demo", "dist", "pictures", "clean", "install"}:
        assert f"make {target}" in guide, target
