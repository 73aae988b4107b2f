"""What the release tests share: the Pythons at hand, the built wheels, and a user's shell."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oneorder import __version__

ROOT = Path(__file__).parents[2]
DIST = ROOT / "dist"
OLDEST_MINOR = 11
INSTALLED_WITHIN_S = 600


def pyproject(folder: Path = ROOT) -> dict[str, Any]:
    """The folder's pyproject.toml."""
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def built(distribution: str, suffix: str) -> Path:
    """A file of this version that `make dist` has built."""
    (found,) = DIST.glob(f"{distribution.replace('-', '_')}-{__version__}{suffix}")
    return found


def pythons() -> dict[str, Path]:
    """An interpreter for each minor version at hand from 3.11 on: the one that runs the tests,
    those that pyenv has, and those on PATH. No file is run to find them."""
    found: dict[int, Path] = {}
    for path in _candidates():
        minor = path.name.removeprefix("python3.")
        if minor.isdigit() and int(minor) >= OLDEST_MINOR and _makes_environments(path):
            found.setdefault(int(minor), path)
    return {f"3.{minor}": path for minor, path in sorted(found.items())}


def _candidates() -> Iterator[Path]:
    yield Path(sys.base_exec_prefix, "bin", f"python3.{sys.version_info.minor}")
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    # The newest patch of each minor version first.
    yield from sorted(root.glob("versions/3.*/bin/python3.*"), key=_release_of, reverse=True)
    for folder in os.get_exec_path():
        yield from sorted(Path(folder).glob("python3.*"))


def _release_of(path: Path) -> list[int]:
    return [int(part) for part in path.parents[1].name.split(".") if part.isdigit()]


def _makes_environments(path: Path) -> bool:
    """Whether it is an interpreter with ensurepip, and not a script that looks for one."""
    path = path.resolve()
    library = path.parents[1] / "lib" / path.name / "ensurepip/__init__.py"
    if not library.is_file():
        return False
    with path.open("rb") as file:
        return file.read(2) != b"#!"


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs commands as a user would, in a folder that holds nothing of ours."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *command: str | Path, **variables: str) -> str:
        """Return what the command printed; fail with that if it fails."""
        done = self.start(*command, **variables)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        return done.stdout

    def start(self, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end, whichever it is."""
        return subprocess.run(
            command,
            env={**self.environment, **variables},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=INSTALLED_WITHIN_S,
            check=False,
        )
