"""The number of commits that this process knows of: a store with fewer was restored to an earlier
state."""

from threading import Lock

from execution.orders.store import Committed


class CommitCounter:
    """The highest number that a server has returned. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.known = 0

    def learn(self, commits: int) -> None:
        with self._lock:
            self.known = max(self.known, commits)

    def read(self, answer: str) -> Committed:
        """The answer of a commit script: a word, and, if it is done, the number."""
        word, _, commits = answer.partition(" ")
        if commits:
            self.learn(int(commits))
        return Committed(word)
