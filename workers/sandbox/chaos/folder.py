"""The folder of a run's processes: kept if their logs are needed."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class NotUsable(Exception):
    """The folder cannot be used for a run; the sentence says why."""


@dataclass(slots=True)
class RunFolder:
    """The folder `path` of one run; it is deleted afterwards unless `is_kept`."""

    path: Path
    is_kept: bool


@contextmanager
def run_folder(kept: Path | None) -> Iterator[RunFolder]:
    """The folder `kept`, or a temporary one, which stays if the run fails, and is deleted if it is
    interrupted.

    Raises NotUsable if `kept` is not empty: two runs' data must not mix.
    """
    path = Path(tempfile.mkdtemp(prefix="oneorder-chaos-")) if kept is None else _empty(kept)
    folder = RunFolder(path, is_kept=kept is not None)
    try:
        yield folder
    except Exception:
        folder.is_kept = True
        raise
    finally:
        if folder.is_kept:
            sys.stderr.write(f"logs and data of this run: {folder.path}\n")
        else:
            shutil.rmtree(folder.path)


def _empty(kept: Path) -> Path:
    try:
        kept.mkdir(parents=True, exist_ok=True)
        is_empty = not any(kept.iterdir())
    except OSError as error:
        raise NotUsable(f"{str(kept)!r} cannot be used: {error.strerror}") from None
    if not is_empty:
        raise NotUsable(f"{str(kept)!r} is not empty")
    return kept.resolve()
