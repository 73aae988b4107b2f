"""Publishes the signals, some of them twice, some from two producers concurrently."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from oneorder import (
    ArbitrageSignal,
    Publisher,
    PublishFailed,
    publish_arbitrage,
    publish_order,
)
from oneorder.settings import SignalSettings
from workers.sandbox.chaos.signals import Signal

REPEAT_PAUSE_S = 0.2


class Producers:
    """Two producers that each publish their share, spread over `seconds`.

    A publish that Redis did not confirm is repeated until it is, as every producer must do.
    """

    def __init__(
        self, signals: Sequence[Signal], settings: SignalSettings, seed: int, seconds: float
    ) -> None:
        dice = random.Random(seed)  # noqa: S311  # Nothing here needs to be unpredictable.
        self.counts: Counter[str] = Counter()
        self._settings = settings
        shares: tuple[list[Signal], list[Signal]] = ([], [])
        for signal in signals:
            share = dice.choice(shares)
            luck = dice.random()
            share.append(signal)
            if luck < 0.15:
                share.append(signal)
                self.counts["published twice by one producer"] += 1
            elif luck < 0.25:
                shares[share is shares[0]].append(signal)
                self.counts["published by two producers"] += 1
        self._shares = shares
        self._seconds = seconds
        self._running: list[Future[None]] = []
        self._pool = ThreadPoolExecutor(max_workers=len(shares))
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop publishing: if Redis has gone permanently, no publish would ever be confirmed."""
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)

    def start(self) -> None:
        self._running = [
            self._pool.submit(self._publish, share, self._seconds) for share in self._shares
        ]

    def join(self) -> None:
        """Wait for both; raises the error of either."""
        for running in self._running:
            running.result()

    def are_done(self) -> bool:
        return all(running.done() for running in self._running)

    def _publish(self, share: list[Signal], seconds: float) -> None:
        publisher = Publisher(self._settings)
        began = time.monotonic()
        for number, signal in enumerate(share):
            wait_s = max(0.0, began + seconds * number / len(share) - time.monotonic())
            if self._stopped.wait(wait_s):
                break
            while not self._is_published(signal, publisher):
                self.counts["publishes repeated"] += 1
                if self._stopped.wait(REPEAT_PAUSE_S):
                    break
        publisher.close()

    @staticmethod
    def _is_published(signal: Signal, publisher: Publisher) -> bool:
        try:
            if isinstance(signal, ArbitrageSignal):
                publish_arbitrage(signal, publisher)
            else:
                publish_order(signal, publisher)
        except PublishFailed:
            return False
        return True
