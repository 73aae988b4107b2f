"""Two things at the same moment, each in a thread that keeps its own connections."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

# Threads that are kept keep their connections too, so that the next request leaves at once.
_POOL = ThreadPoolExecutor(max_workers=32, thread_name_prefix="together")


def run_parallel(*jobs: Callable[[], T]) -> list[T]:
    """Call all at the same time; return what they returned, in their order. Raises what the first
    of them raised, and only after all have ended. A single job is called where it is."""
    if len(jobs) == 1:
        return [jobs[0]()]
    futures = [_POOL.submit(job) for job in jobs]
    for future in futures:
        future.exception()
    return [future.result() for future in futures]
