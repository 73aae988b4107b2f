"""Runs jobs in parallel, each in a thread that keeps its own connections."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

# Pooled threads keep their connections, so that the next request leaves at once.
_POOL = ThreadPoolExecutor(max_workers=32, thread_name_prefix="together")


def run_parallel(*jobs: Callable[[], T]) -> list[T]:
    """Run all jobs in parallel; returns their results in order. Raises the error of the first
    failed job, and only after all have ended. A single job runs in the calling thread."""
    if len(jobs) == 1:
        return [jobs[0]()]
    futures = [_POOL.submit(job) for job in jobs]
    for future in futures:
        future.exception()
    return [future.result() for future in futures]
