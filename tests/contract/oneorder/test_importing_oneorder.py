"""What a producer pays for `import oneorder`: little time, and none of the heavy libraries."""

import subprocess
import sys

PROGRAM = """
import sys, time
began = time.process_time()
import oneorder
spent = time.process_time() - began
print(spent)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
HEAVY = {"ccxt", "pandas", "numpy", "celery", "kombu", "redis", "requests", "aiohttp", "execution",
         "workers", "paper_exchange", "sentry_sdk"}  # fmt: skip


def import_oneorder() -> tuple[float, set[str]]:
    """Import in a process of its own: the processor time that it took, and all that was loaded."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    spent, modules = done.stdout.decode().splitlines()
    return float(spent), set(modules.split())


def test_importing_oneorder_loads_nothing_heavy_and_takes_less_than_a_third_of_a_second() -> None:
    runs = [import_oneorder() for _ in range(3)]
    assert HEAVY & runs[0][1] == set()
    # The best of three, in processor time, so that a busy machine does not matter.
    assert min(spent for spent, _ in runs) < 0.3
