"""What a producer pays for `oneorder`: little time, and none of the heavy libraries."""

import os
import re
import subprocess
import sys
from pathlib import Path

from execution.store.access.connection import connect
from oneorder import __all__ as public_names
from oneorder.keys import SIGNALS

ROOT = Path(__file__).parents[3]
README_EXAMPLE = re.search(
    r"```python\n(.*?from oneorder import .*?)```", (ROOT / "README.md").read_text(), re.DOTALL
)
IMPORTING = """
import sys, time
began = time.process_time()
from oneorder import *
spent = time.process_time() - began
print(spent)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
NAMING_PACKAGES = """
import sys
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
# Neither these, nor any other part of this repository.
NEVER = {
    "ccxt",
    "pandas",
    "sqlalchemy",
    "numpy",
    "aiohttp",
    "structlog",
    "sentry_sdk",
    "execution",
    "workers",
    "paper_exchange",
}
WHEN_PUBLISHING = {"celery", "kombu", "redis", "pydantic_settings"}


def example() -> str:
    assert README_EXAMPLE is not None
    return README_EXAMPLE.group(1)


def producer(program: str, folder: Path, redis_url: str) -> str:
    """Run a producer's program in its own folder and process; return what it prints."""
    environment = {name: text for name, text in os.environ.items() if "ONEORDER_" not in name}
    environment |= {"PYTHONPATH": str(ROOT), "ONEORDER_REDIS_URL": redis_url}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_importing_every_name_loads_nothing_heavy_and_takes_less_than_a_third_of_a_second(
    tmp_path: Path,
) -> None:
    runs = [producer(IMPORTING, tmp_path, "redis://nowhere").splitlines() for _ in range(3)]
    assert (NEVER | WHEN_PUBLISHING) & set(runs[0][1].split()) == set()
    # The best of three, in processor time, so that a busy machine does not matter.
    assert min(float(spent) for spent, _ in runs) < 0.3


def test_each_public_name_is_there_and_no_other() -> None:
    import oneorder

    assert all(hasattr(oneorder, name) for name in public_names)
    assert set(public_names) <= set(dir(oneorder))
    assert not hasattr(oneorder, "publish_ordr")


def test_the_readme_s_example_publishes_without_the_worker_s_libraries(
    valkey_url: str, tmp_path: Path
) -> None:
    server = connect(valkey_url)
    server.flushall()
    packages = set(producer(example() + NAMING_PACKAGES, tmp_path, valkey_url).split())
    assert packages >= WHEN_PUBLISHING
    assert packages & NEVER == set()
    assert server.xlen(SIGNALS) == 1
    assert server.llen("orders") == 1


def test_the_readme_s_example_passes_strict_type_checks_of_a_project_without_plugins(
    tmp_path: Path,
) -> None:
    assert (ROOT / "oneorder/py.typed").is_file()
    wrong = example().replace('amount="0.01"', "amount=0.01")
    assert wrong != example()
    (tmp_path / "producer.py").write_text(example())
    (tmp_path / "wrong.py").write_text(wrong)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "producer.py", "wrong.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    (complaint, summary) = done.stdout.splitlines()
    assert complaint.startswith("wrong.py:")
    assert 'Argument "amount" to "OrderSignal" has incompatible type "float"' in complaint
    assert summary.startswith("Found 1 error in 1 file")
