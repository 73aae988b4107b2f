"""How many commits this process knows of: a store that has seen fewer came back from an earlier
time."""

from threading import Lock

from execution.orders.store import Committed


class CommitCounter:
    """The highest number that a server has said. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.known = 0

    def learn(self, commits: int) -> None:
        with self._lock:
            self.known = max(self.known, commits)

    def read(self, answer: str) -> Committed:
        """What a commit script answered: a word, and, where it is done, the number."""
        word, _, commits = answer.partition(" ")
        if commits:
            self.learn(int(commits))
        return Committed(word)
