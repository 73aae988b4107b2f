"""What the built files hold: the two distributions share a package, a version and a licence."""

import re
import subprocess
import tarfile
import zipfile
from email import message_from_bytes
from email.message import Message

import pytest

from oneorder import __version__
from tests.release.release_kit import ROOT, built, pyproject

pytestmark = pytest.mark.release

PACKAGES = {
    "oneorder": {"oneorder", "execution", "workers", "paper_exchange"},
    "oneorder-client": {"oneorder"},
}
every_distribution = pytest.mark.parametrize("name", PACKAGES)


def _contents(name: str) -> dict[str, bytes]:
    """Every file of the wheel."""
    with zipfile.ZipFile(built(name, "*.whl")) as wheel:
        return {each: wheel.read(each) for each in wheel.namelist()}


def _metadata(name: str) -> Message:
    (text,) = [
        body for path, body in _contents(name).items() if path.endswith(".dist-info/METADATA")
    ]
    return message_from_bytes(text)


@every_distribution
def test_a_wheel_holds_its_packages_with_every_file_of_theirs(name: str) -> None:
    held = {path for path in _contents(name) if ".dist-info/" not in path}
    tracked = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES[name]
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == tracked


@every_distribution
def test_an_sdist_holds_what_the_wheel_is_built_from_and_the_licence(name: str) -> None:
    with tarfile.open(built(name, ".tar.gz")) as sdist:
        held = {member.name.partition("/")[2] for member in sdist if member.isfile()}
    wheel = {path for path in _contents(name) if ".dist-info/" not in path}
    assert wheel | {"LICENSE", "README.md", "pyproject.toml"} <= held


@every_distribution
def test_the_metadata_names_version_licence_and_the_oldest_python(name: str) -> None:
    found = _metadata(name)
    assert found["Name"] == name
    assert found["Version"] == __version__
    assert found["License-Expression"] == "MIT"
    assert found["Requires-Python"] == ">=3.11"
    assert found.get_payload().startswith(f"# {name}\n")


def test_users_are_offered_no_tools_of_this_checkout() -> None:
    assert set(_metadata("oneorder").get_all("Provides-Extra")) == {"embedded", "postgres", "all"}


def test_the_extra_all_holds_every_other_extra() -> None:
    extras = pyproject()["project"]["optional-dependencies"]
    (named,) = extras.pop("all")
    assert set(re.findall(r"\w+", named)) - {"oneorder"} == set(extras)


def test_the_changelog_has_a_dated_section_for_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(__version__)} - \d{{4}}-\d\d-\d\d$", text, re.MULTILINE)


def test_a_tag_of_this_commit_names_this_version() -> None:
    tags = ["/usr/bin/env", "git", "-C", ROOT, "tag", "--points-at", "HEAD"]
    done = subprocess.run(tags, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {f"v{__version__}"}
